//! How many decisions a core makes in a second, by a typical guard and by one as long as the quota allows. Prints figures;
//! `make bench` shows them beside the others.

use std::hint::black_box;
use std::time::{Duration, Instant};

use iam_policy::{Compiled, Context, MAX_SCP_CHARACTERS, Policies, Policy, Request, decide, lint};
use serde_json::json;

const ROUND: u32 = 10_000;

fn main() {
    let full = compile(&json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}).to_string());
    let small = guard(8);
    let mut n_principals = 8;
    while guard(n_principals + 1).len() <= MAX_SCP_CHARACTERS {
        n_principals += 1;
    }
    let large = guard(n_principals);
    for (name, text) in [("guard", &small), ("guard at the quota", &large)] {
        let compiled = compile(text);
        let levels = vec![vec![&full], vec![&full], vec![&full, &compiled]];
        let policies = Policies {
            service_control: Some(&levels),
            ..Policies::default()
        };
        println!("{name}: {} characters", text.len());
        for (who, principal, action) in [
            (
                "denied",
                "arn:aws:iam::111122223333:role/team/developer",
                "ssm:StartSession",
            ),
            (
                "exempt",
                "arn:aws:iam::111122223333:role/ssm/operators-7",
                "ssm:StartSession",
            ),
            (
                "other action",
                "arn:aws:iam::111122223333:role/team/developer",
                "s3:GetObject",
            ),
        ] {
            let context = Context::complete().with("aws:PrincipalArn", principal);
            let request = Request::new(action, "*", context);
            let second = rate(|| {
                black_box(decide(black_box(&policies), black_box(&request)));
            });
            println!("  {who:<13} {second:>12.0} decisions a second");
        }
        let millis = 1000.0
            / rate(|| {
                let types = iam_policy::PolicyType::ServiceControl {
                    max_characters: MAX_SCP_CHARACTERS,
                };
                black_box(lint(black_box(text), types));
            });
        println!("  linting it takes {millis:.2} ms");
    }
}

/// Returns runs a second: the best of several rounds, as other work on the machine only ever slows it down.
fn rate(mut run: impl FnMut()) -> f64 {
    let began = Instant::now();
    let mut best: f64 = 0.0;
    while began.elapsed() < Duration::from_secs(1) {
        let round = Instant::now();
        let mut n_runs = 0;
        while n_runs < ROUND && round.elapsed() < Duration::from_millis(200) {
            run();
            n_runs += 1;
        }
        best = best.max(f64::from(n_runs) / round.elapsed().as_secs_f64());
    }
    best
}

/// Returns a guard with this many exemptions.
fn guard(n_principals: usize) -> String {
    let principals: Vec<String> = (0..n_principals)
        .map(|n| format!("arn:aws:iam::*:role/ssm/operators-{n}"))
        .collect();
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "OnlyExemptPrincipals",
        "Effect": "Deny",
        "Action": ["ssm:ResumeSession", "ssm:SendCommand", "ssm:StartAutomationExecution", "ssm:StartSession"],
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": principals}},
    }]})
    .to_string()
}

fn compile(text: &str) -> Compiled {
    let policy = Policy::parse(text).policy().expect("the policy is valid");
    Compiled::new("bench", &policy).expect("the policy is valid")
}
