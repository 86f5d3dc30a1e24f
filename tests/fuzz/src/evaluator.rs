//! A valid policy and any request, divided by zero bytes: compiling and deciding neither panic nor hang, and what is
//! decided about a partial context holds for the complete one.
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
    let known = decide(&policies, &Request::new(action, resource, partial)).verdict;
    let decided = decide(&policies, &Request::new(action, resource, complete)).verdict;
    assert!(decided != Verdict::Unknown && (known == Verdict::Unknown || known == decided));
});
