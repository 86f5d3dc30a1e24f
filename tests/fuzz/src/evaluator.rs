//! A valid policy and any request, divided by zero bytes: compiling and deciding neither panic nor hang, and what is
//! decided about a partial context holds for the complete one. That leaves open only what AWS does not document.
#![no_main]

use iam_policy::{Compiled, Context, Policies, Policy, Request, Verdict, decide};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let Ok(policy) = Policy::parse(parts.next().unwrap_or_default()).policy() else {
        return;
    };
    let compiled = Compiled::new("fuzz", &policy).expect("a policy without an error compiles");
    let (action, resource) = (
        parts.next().unwrap_or("ssm:StartSession"),
        parts.next().unwrap_or("*"),
    );
    let (mut partial, mut complete) = (Context::partial(), Context::complete());
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        for context in [&mut partial, &mut complete] {
            context.set(key, vec![value.to_owned()]);
        }
    }
    let identity = [&compiled];
    let policies = Policies {
        identity: Some(&identity),
        ..Policies::default()
    };
    let partial = Request::new(action, resource, partial);
    let complete = Request::new(action, resource, complete);
    let known = decide(&policies, &partial).verdict;
    let decided = decide(&policies, &complete);
    assert!(known == Verdict::Unknown || known == decided.verdict);
    assert!(
        decided.verdict != Verdict::Unknown || decided.unknown_key.is_some_and(is_undocumented)
    );
});

/// Returns whether a verdict is unknown for what AWS does not say, and not for a context key: `compiled/resource.rs` has both.
fn is_undocumented(reason: &str) -> bool {
    matches!(
        reason,
        "a wildcard in the type of the resource" | "an incomplete ARN"
    )
}
