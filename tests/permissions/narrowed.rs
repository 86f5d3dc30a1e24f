//! With a desired state a policy is about what that names and nothing else, and still enough to make it, to check it and to take it
//! back.

use std::panic::AssertUnwindSafe;

use serde_json::{Value, json};
use testbed::{Account, Run, Sandbox};

use super::{READER, bin, organization};

fn run(account: &Account, tool: &str, arguments: &[&str], stdin: &str) -> Run {
    account
        .tool(bin(tool))
        .args(arguments)
        .stdin(stdin)
        .env("WEBHOOK", "https://hooks.slack.com/services/T0/B0/narrowed")
}

/// Takes a desired state there and back with the policy that is about it, and what differs with the same policy into a refusal.
fn hold(account: &Account, tool: &str, accepted: &[&str], desired: &Value, other: &Value) {
    let path = account.home().join("desired.json");
    std::fs::write(&path, desired.to_string()).unwrap();
    let narrowed =
        |arguments: &[&str], stdin: &str| run(account, tool, arguments, stdin).narrowed_by(&path);
    let text = desired.to_string();
    let plan = narrowed(&["plan"], &text).run();
    plan.assert_status(0);
    let apply = [&["apply"], accepted].concat();
    let applied = narrowed(&apply, &plan.stdout).run();
    applied.assert_status(0);
    assert!(
        !plan.json()["changes"].as_array().unwrap().is_empty(),
        "{tool}"
    );
    let checked = narrowed(&["check"], &text).run();
    assert!(checked.status < 2, "{tool}: {}", checked.stderr);
    let again = narrowed(&["plan"], &text).run();
    assert_eq!(again.json()["changes"], json!([]), "{tool}");
    narrowed(&apply, &applied.json()["undo"].to_string())
        .run()
        .assert_status(0);
    // The account is as before, so that this would be done with the policy of every desired state.
    let other = run(account, tool, &["plan"], &other.to_string()).run();
    other.assert_status(0);
    let refused =
        std::panic::catch_unwind(AssertUnwindSafe(|| narrowed(&apply, &other.stdout).run()));
    let refused = refused.expect_err("another desired state is refused");
    let said = refused.downcast_ref::<String>().unwrap();
    assert!(said.contains("is not enough"), "{tool}: {said}");
}

#[test]
fn roles() {
    let of = |name: &str| json!({"default_host_management": {"role_name": name}});
    let account = Sandbox::start().account();
    hold(&account, "ssm-role", &[], &of("nodes"), &of("others"));
}

#[test]
fn preferences() {
    let of = |bucket: &str, group: &str| {
        json!({"kms_key": {"alias": format!("alias/{group}"), "create": true}, "idle_timeout_minutes": 15,
        "s3": {"bucket": format!("{bucket}-{{account}}-{{region}}"), "create": true, "expire_days": 9},
        "cloudwatch": {"log_group": group, "create": true, "retention_days": 30}})
    };
    let account = Sandbox::start().account();
    hold(
        &account,
        "ssm-prefs",
        &[],
        &of("narrow", "sessions"),
        &of("other", "others"),
    );
}

#[test]
fn alerts() {
    let of = |rule: &str, role: &str| {
        json!({"webhook": {"env": "WEBHOOK"}, "rule_name": rule, "role_name": role,
        "trail": {"name": rule, "home_region": "us-east-1", "bucket": format!("{rule}-{{account}}")}})
    };
    let account = Sandbox::start().account();
    hold(
        &account,
        "ssm-events",
        &[],
        &of("narrow", "sender"),
        &of("other", "others"),
    );
}

/// A URL in the environment is read without a call: no key, parameter or secret is left in the policy.
#[test]
fn a_webhook_in_the_environment_needs_no_key() {
    let account = Sandbox::start().account();
    let path = account.home().join("desired.json");
    let services = |webhook: Value, verb: &str| {
        std::fs::write(&path, json!({"webhook": webhook}).to_string()).unwrap();
        let generate = ["--generate", "policy", "--for", verb, "-f"];
        let run = account.tool(bin("ssm-events")).args(generate);
        let policy = run.args([&path]).run();
        policy.assert_status(0);
        let policy: Value = serde_json::from_str(&policy.stdout).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        let actions = statements.flat_map(|one| one["Action"].as_array().unwrap());
        let mut found: Vec<String> = actions
            .map(|action| {
                action
                    .as_str()
                    .unwrap()
                    .split_once(':')
                    .unwrap()
                    .0
                    .to_owned()
            })
            .filter(|service| ["kms", "ssm", "secretsmanager"].contains(&service.as_str()))
            .collect();
        found.sort();
        found
    };
    for verb in ["plan", "check", "apply", "send"] {
        assert_eq!(services(json!({"env": "WEBHOOK"}), verb), [""; 0], "{verb}");
        assert_eq!(
            services(json!({"file": "/run/webhook"}), verb),
            [""; 0],
            "{verb}"
        );
        let kept = services(json!({"parameter": "/webhook"}), verb);
        assert_eq!(kept, ["kms", "ssm"], "{verb}");
        let kept = services(json!({"secret": "webhook"}), verb);
        assert_eq!(kept, ["kms", "secretsmanager"], "{verb}");
    }
}

#[test]
fn guards() {
    let (account, member, unit) = organization();
    let of = |target: &str| json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [target]});
    let lockout = format!("--accept=break_glass:{}", member.id());
    let accepted = [
        "--assume-role",
        READER,
        "--accept=unmatched:arn:aws:iam::*:role/ops",
        &lockout,
    ];
    hold(&account, "ssm-scp", &accepted, &of(&unit), &of(member.id()));
}
