//! Prints what a policy says to each action that a pattern covers:
//!
//! ```console
//! $ cargo run --example who_may -- 'ssm:*Session' <policy.json
//! ```

use std::io::Read;

use iam_policy::{
    Compiled, Context, Policies, Policy, Problem, Request, Verdict, decide, reference,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pattern = std::env::args().nth(1).unwrap_or_else(|| "*".to_owned());
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    for (action, verdict) in answers(&text, &pattern)? {
        println!("{verdict:?} {action}");
    }
    Ok(())
}

/// Returns the answer to each action, on a resource and in a context that nobody knows.
fn answers(text: &str, pattern: &str) -> Result<Vec<(String, Verdict)>, Problem> {
    let policy = Compiled::new("policy", &Policy::parse(text).policy()?)?;
    let identity = [&policy];
    let policies = Policies {
        identity: Some(&identity),
        ..Policies::default()
    };
    let actions = reference::actions(pattern).map(|action| {
        let name = action.full_name();
        let request = Request::on_unknown_resource(&name, Context::partial());
        let verdict = decide(&policies, &request).verdict;
        (name, verdict)
    });
    Ok(actions.collect())
}

#[test]
fn says_allowed_denied_and_unknown() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ssm:ResumeSession", "Resource": "*"},
        {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ec2:*:*:instance/*"}]}"#;
    let found = answers(policy, "ssm:*eSession").unwrap();
    assert_eq!(
        found,
        [
            ("ssm:ResumeSession".to_owned(), Verdict::Allowed),
            ("ssm:TerminateSession".to_owned(), Verdict::Denied),
        ]
    );
    let found = answers(policy, "ssm:StartSession").unwrap();
    assert_eq!(found, [("ssm:StartSession".to_owned(), Verdict::Unknown)]);
    assert!(answers("{", "*").is_err());
}
