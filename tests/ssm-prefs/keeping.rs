//! Transcripts that nobody can destroy: what is asked for is there afterwards, by AWS's own refusals.

use serde_json::{Value, json};
use testbed::Account;

use crate::{account, run, statuses};

const KEPT: &str = r#"{
    "kms_key": {"alias": "alias/sessions", "create": true, "administrators": ["arn:aws:iam::{account}:role/keys"]},
    "s3": {"bucket": "logs-{account}-{region}", "create": true, "object_lock": {"mode": "compliance", "days": 10}},
    "cloudwatch": {"log_group": "/sessions", "create": true, "deletion_protection": true}}"#;

fn applied(account: &Account, desired: &str) -> testbed::Output {
    let plan = run(account, "plan", desired);
    plan.assert_status(0);
    let applied = run(account, "apply", &plan.stdout);
    applied.assert_status(0);
    applied
}

/// Returns the code that AWS refuses a command with.
#[track_caller]
fn refusal(account: &Account, arguments: &[&str]) -> String {
    let aws = account.tool(testbed::repository().join(".venv/bin/aws"));
    let aws = aws.env("AWS_DEFAULT_REGION", "us-east-1");
    let run = aws.args(arguments).run();
    run.assert_status(255);
    let code = run.stderr.split_once("error occurred (").unwrap().1;
    code.split_once(')').unwrap().0.to_owned()
}

#[test]
fn what_is_kept_can_be_deleted_by_nobody_and_a_second_run_changes_nothing() {
    let account = account();
    applied(&account, KEPT);
    let again = run(&account, "plan", KEPT);
    assert_eq!(again.json()["changes"], json!([]));
    let bucket = format!("logs-{}-us-east-1", account.id());
    let object = ["--bucket", &bucket, "--key", "t.log"];
    let put = ["s3api", "put-object", "--checksum-algorithm", "SHA256"];
    let version = account.aws(&[&put[..], &object].concat())["VersionId"].clone();
    let delete = ["s3api", "delete-object", "--bypass-governance-retention"];
    let version = ["--version-id", version.as_str().unwrap()];
    assert_eq!(
        refusal(&account, &[&delete[..], &object, &version].concat()),
        "AccessDenied"
    );
    let delete = ["logs", "delete-log-group", "--log-group-name", "/sessions"];
    assert_eq!(refusal(&account, &delete), "ValidationException");
}

#[test]
fn a_bucket_that_has_no_object_lock_is_left_alone_with_what_to_do() {
    let account = account();
    let bucket = format!("logs-{}-us-east-1", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    account.forget_calls();
    let refused = run(&account, "plan", KEPT);
    refused.assert_status(2);
    let command = "put-object-lock-configuration --bucket ";
    assert!(
        refused.stderr.contains(&format!("{command}{bucket}")),
        "{}",
        refused.stderr
    );
    assert!(account.writes().is_empty());
    // What the message says is what it takes.
    let versioned = ["--versioning-configuration", "Status=Enabled"];
    let put = ["s3api", "put-bucket-versioning", "--bucket", &bucket];
    account.aws(&[&put[..], &versioned].concat());
    let enabled = ["ObjectLockEnabled=Enabled"];
    let put = [
        "s3api",
        "put-object-lock-configuration",
        "--bucket",
        &bucket,
    ];
    account.aws(&[&put[..], &["--object-lock-configuration"], &enabled].concat());
    applied(&account, KEPT);
}

/// KMS lets nobody lock himself out, and this tool does not ask it to.
#[test]
fn whoever_is_no_administrator_cannot_apply_and_nothing_of_the_key_changes() {
    let account = account();
    let id = account.id();
    account.seed(&json!({"roles": [{"account": id, "name": "deploy", "trust": format!("arn:aws:iam::{id}:root"),
        "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]}]}));
    let key = r#"{"kms_key": {"alias": "alias/sessions", "create": true}}"#;
    applied(&account, key);
    let plan = run(&account, "plan", KEPT);
    let role = format!("arn:aws:iam::{id}:role/deploy");
    let apply = crate::tool(&account, &["apply", "--assume-role", &role]);
    let result = apply.stdin(&plan.stdout).run();
    result.assert_status(2);
    let first = result.json()["results"][0].clone();
    assert_eq!(first["action"], "put_key_policy");
    assert_eq!(first["status"], "failed");
    let error = first["error"].as_str().unwrap();
    assert!(error.contains("will not allow you to update"), "{error}");
    let key = account.aws(&["kms", "describe-key", "--key-id", "alias/sessions"]);
    let key = key["KeyMetadata"]["KeyId"].as_str().unwrap();
    let policy = account.aws(&[
        "kms",
        "get-key-policy",
        "--policy-name",
        "default",
        "--key-id",
        key,
    ]);
    let policy = policy["Policy"].clone();
    let policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
}

/// A hold is one of a transcript, which no retention and no permission to bypass it releases.
#[test]
fn a_transcript_that_is_held_stays_until_undo_releases_it() {
    let account = account();
    let desired = r#"{"s3": {"bucket": "logs-{account}", "prefix": "p", "create": true, "encrypted": false,
        "object_lock": {"mode": "governance", "days": 1}}}"#;
    applied(&account, desired);
    let bucket = format!("logs-{}", account.id());
    let object = ["--bucket", &bucket, "--key", "p/ops-1.log"];
    let put = ["s3api", "put-object", "--checksum-algorithm", "SHA256"];
    let version = account.aws(&[&put[..], &object].concat())["VersionId"].clone();
    let version = ["--version-id", version.as_str().unwrap()];
    let delete = ["s3api", "delete-object", "--bypass-governance-retention"];
    let delete = [&delete[..], &object, &version].concat();
    let held =
        |ids: &str| desired.replace("\"create\"", &format!("\"legal_hold\": {ids}, \"create\""));
    let missing = run(&account, "plan", &held(r#"["ops-2"]"#));
    missing.assert_status(2);
    assert!(
        missing.stderr.contains("p/ops-2.log does not exist"),
        "{}",
        missing.stderr
    );
    let result = applied(&account, &held(r#"["ops-1"]"#));
    assert_eq!(statuses(&result), ["done put_object_legal_hold"]);
    assert_eq!(refusal(&account, &delete), "AccessDenied");
    let again = run(&account, "plan", &held(r#"["ops-1"]"#));
    assert_eq!(again.json()["changes"], json!([]));
    let undone = run(&account, "apply", &result.json()["undo"].to_string());
    undone.assert_status(0);
    account.aws(&delete);
}

#[test]
fn undo_of_a_lock_changes_what_is_uploaded_later_only() {
    let account = account();
    applied(&account, KEPT);
    let longer = KEPT.replace("\"days\": 10", "\"days\": 20");
    let result = applied(&account, &longer);
    assert_eq!(statuses(&result), ["done put_object_lock_configuration"]);
    let undone = run(&account, "apply", &result.json()["undo"].to_string());
    undone.assert_status(0);
    let bucket = format!("logs-{}-us-east-1", account.id());
    let get = ["s3api", "get-object-lock-configuration", "--bucket"];
    let lock = account.aws(&[&get[..], &[&bucket]].concat());
    let default = &lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    assert_eq!(default["Days"], 10);
}

#[test]
fn the_examples_of_the_page_are_sound() {
    let page = testbed::repository().join("docs/transcripts.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page.split("```json\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (example, _) = block.split_once("```").unwrap();
        let linted = testbed::offline(crate::EXE).args(["lint"]).stdin(example);
        linted.run().assert_status(0).assert_stderr("");
    }
}
