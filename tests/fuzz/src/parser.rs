//! Any text: the parser and the linter neither panic nor hang, what they report lies within the text, and what is read
//! without an error is printed and read back as the same.
#![no_main]

use iam_policy::{MAX_SCP_CHARACTERS, Policy, PolicyType, lint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let n_lines = text.split('\n').count();
    let types = [
        PolicyType::ServiceControl {
            max_characters: MAX_SCP_CHARACTERS,
        },
        PolicyType::Identity,
        PolicyType::Resource,
        PolicyType::ResourceControl,
    ];
    for policy_type in types {
        for problem in lint(text, policy_type) {
            assert!(problem.position.line >= 1 && problem.position.line <= n_lines);
            assert!(problem.position.column >= 1);
        }
    }
    if let Ok(policy) = Policy::parse(text).policy() {
        let printed = policy.to_json().to_string();
        let again = Policy::parse(&printed).policy();
        assert_eq!(again.as_ref(), Ok(&policy), "{printed}");
    }
});
