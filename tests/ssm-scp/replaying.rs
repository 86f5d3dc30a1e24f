//! What `replay` and `apply --history` make of records that go by another name, and of those that say nothing.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::EXE;

fn call(source: &str, name: &str, role: Option<&str>) -> Value {
    let mut record = json!({"eventTime": "2026-11-01T00:00:00Z", "eventID": "e",
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name});
    if let Some(role) = role {
        let arn = format!("arn:aws:iam::111122223333:role/{role}");
        record["userIdentity"] =
            json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": arn}}});
    }
    record
}

/// Replays records against a policy that denies actions to everybody but `ops`.
fn replay(actions: &Value, records: &[Value], arguments: &[&str]) -> Output {
    let home = Home::create();
    let path = home.path().join("policy.json");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Fence", "Effect": "Deny", "Action": actions,
        "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}}]});
    std::fs::write(&path, policy.to_string()).unwrap();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    offline(EXE)
        .args(["replay", "--policy", path.to_str().unwrap()])
        .args(arguments)
        .stdin(lines.join("\n"))
        .run()
}

#[test]
fn replay_knows_calls_by_the_names_of_their_operations() {
    let actions = json!([
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "s3:PutLifecycleConfiguration",
        "s3:DeleteObject"
    ]);
    for (source, name, action) in [
        ("lambda", "CreateFunction20150331", "lambda:CreateFunction"),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionCode",
        ),
        ("s3", "PutBucketLifecycle", "s3:PutLifecycleConfiguration"),
        (
            "s3",
            "DeleteBucketLifecycle",
            "s3:PutLifecycleConfiguration",
        ),
        ("s3", "DeleteObjects", "s3:DeleteObject"),
    ] {
        let replayed = replay(
            &actions,
            &[call(source, name, Some("dev"))],
            &["-q", "--exit-code"],
        );
        replayed.assert_status(1).assert_stderr("");
        assert_eq!(replayed.json()["action"], action, "{name}");
        assert_eq!(replayed.json()["n_denied"], 1, "{name}");
        let spared = replay(&actions, &[call(source, name, Some("ops"))], &["-q"]);
        spared.assert_status(0).assert_stderr("");
        assert_eq!(spared.stdout, "", "{name}");
    }
}

#[test]
fn replay_counts_a_name_that_is_no_action_as_unknown() {
    let begin = |role| [call("ssm", "BeginSession", Some(role))];
    let doubtful = replay(&json!("ssm:StartSession"), &begin("dev"), &["-q"]);
    doubtful.assert_status(2).assert_stderr("");
    let found = doubtful.json();
    assert_eq!(found["action"], "ssm:BeginSession");
    assert_eq!(
        (&found["n_denied"], &found["n_unknown"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(found["depends_on"], "action");
    // Neither whom the guard spares nor a service that it says nothing of is in doubt.
    for (actions, role) in [("ssm:StartSession", "ops"), ("ec2:RunInstances", "dev")] {
        let clear = replay(&json!(actions), &begin(role), &["-q"]);
        clear.assert_status(0).assert_stderr("");
        assert_eq!(clear.stdout, "", "{actions} {role}");
    }
    // All of the service is denied, whatever the call was.
    let certain = replay(&json!("ssm:*"), &begin("dev"), &["-q"]);
    certain.assert_status(0);
    assert_eq!(certain.json()["n_denied"], 1);
}

#[test]
fn replay_says_what_is_never_recorded() {
    let unseen = "ssm-scp: CloudTrail never records iam:PassRole, which the guard denies: who needs it is not seen here\n";
    let passed = replay(&json!("iam:PassRole"), &[], &[]);
    assert!(passed.stderr.ends_with(unseen), "{}", passed.stderr);
    let other = replay(&json!("ssm:StartSession"), &[], &[]);
    assert!(!other.stderr.contains("never"), "{}", other.stderr);
}

#[test]
fn a_caller_who_is_not_known_makes_the_status_2() {
    let start = |role| call("ssm", "StartSession", role);
    for arguments in [&["-q"][..], &["-q", "--exit-code"]] {
        let records = [start(Some("dev")), start(None)];
        let replayed = replay(&json!("ssm:StartSession"), &records, arguments);
        replayed.assert_status(2).assert_stderr("");
        assert_eq!(replayed.json()["n_denied"], 1);
        // A call that the guard says nothing of is not in doubt, whoever made it.
        let other = [call("s3", "GetObject", None)];
        replay(&json!("ssm:StartSession"), &other, arguments).assert_status(0);
    }
}
