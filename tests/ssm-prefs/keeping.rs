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
    let run = account.aws_cli(None).args(arguments).run();
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

/// Those whom `check` names can, and those whom it does not cannot: the local AWS decides by an evaluator of its own.
#[test]
fn who_is_named_can_remove_a_transcript_and_who_is_not_cannot() {
    let account = account();
    let id = account.id();
    let desired = r#"{"kms_key": {"alias": "alias/sessions", "create": true, "administrators": ["arn:aws:iam::{account}:role/keys"]},
        "s3": {"bucket": "logs-{account}", "create": true, "encrypted": false, "object_lock": {"mode": "governance", "days": 1}},
        "cloudwatch": {"log_group": "/sessions", "create": true, "deletion_protection": true}}"#;
    applied(&account, desired);
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let allow = |actions: Value| json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
    let roles = [
        ("everything", policy(json!([allow(json!("*"))]))),
        (
            "deletes",
            policy(json!([allow(json!([
                "s3:DeleteObjectVersion",
                "logs:DeleteLogGroup",
                "kms:ScheduleKeyDeletion"
            ]))])),
        ),
        (
            "bypasses",
            policy(json!([allow(json!([
                "s3:DeleteObjectVersion",
                "s3:BypassGovernanceRetention"
            ]))])),
        ),
        ("keys", policy(json!([allow(json!("kms:*"))]))),
    ];
    let arn = |name: &str| format!("arn:aws:iam::{id}:role/{name}");
    let seeded = roles.iter().map(|(name, policy)| json!({"account": id, "name": name, "trust": format!("arn:aws:iam::{id}:root"), "inline": {"p": policy}}));
    account.seed(&json!({"roles": seeded.collect::<Vec<_>>(), "enforce_iam": [id]}));
    let shown = roles.iter().map(|(name, policy)| json!({"arn": arn(name), "attached_policies": [], "inline_policies": {"p": policy}}));
    let operators = account.home().join("operators.json");
    std::fs::write(
        &operators,
        json!({"kind": "host_management", "roles": shown.collect::<Vec<_>>()}).to_string(),
    )
    .unwrap();
    let check = crate::tool(
        &account,
        &["check", "--operators", operators.to_str().unwrap()],
    );
    let found = check.stdin(desired).run().records();
    let named = |id: &str, name: &str| {
        let finding = found.iter().find(|one| one["id"] == id).unwrap();
        let message = finding["message"].as_str().unwrap().to_owned();
        let (who, _) = message.split_once(", and others").unwrap();
        who.split(", ").any(|one| one == arn(name))
    };

    for (id, expected) in [
        ("prefs.bucket.removable", vec!["everything", "bypasses"]),
        ("prefs.key.removable", vec!["keys"]),
        ("prefs.log_group.removable", vec!["everything"]),
    ] {
        let names = roles.iter().map(|(name, _)| *name);
        let names: Vec<&str> = names.filter(|name| named(id, name)).collect();
        assert_eq!(names, expected, "{id}");
    }
    let bucket = format!("logs-{id}");
    let object = ["--bucket", &bucket, "--key", "t.log"];
    let key = account.aws(&["kms", "describe-key", "--key-id", "alias/sessions"]);
    let key = key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    for (name, _) in &roles {
        let put = ["s3api", "put-object", "--checksum-algorithm", "SHA256"];
        let version = account.aws(&[&put[..], &object].concat())["VersionId"].clone();
        let version = ["--version-id", version.as_str().unwrap()];
        let delete = ["s3api", "delete-object", "--bypass-governance-retention"];
        let can_delete = account.is_done_by(name, &[&delete[..], &object, &version].concat());
        assert_eq!(
            can_delete,
            named("prefs.bucket.removable", name),
            "{name} and the bucket"
        );
        let schedule = ["kms", "schedule-key-deletion", "--key-id", &key];
        let can_schedule = account.is_done_by(name, &schedule);
        assert_eq!(
            can_schedule,
            named("prefs.key.removable", name),
            "{name} and the key"
        );
        if can_schedule {
            account.aws(&["kms", "cancel-key-deletion", "--key-id", &key]);
        }
        let unprotect = [
            "logs",
            "put-log-group-deletion-protection",
            "--log-group-identifier",
            "/sessions",
            "--no-deletion-protection-enabled",
        ];
        let delete = ["logs", "delete-log-group", "--log-group-name", "/sessions"];
        account.is_done_by(name, &unprotect);
        let can_delete = account.is_done_by(name, &delete);
        assert_eq!(
            can_delete,
            named("prefs.log_group.removable", name),
            "{name} and the log group"
        );
        if can_delete {
            account.aws(&["logs", "create-log-group", "--log-group-name", "/sessions"]);
            account.aws(&[
                "logs",
                "put-log-group-deletion-protection",
                "--log-group-identifier",
                "/sessions",
                "--deletion-protection-enabled",
            ]);
        }
    }
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

/// Names that no other account can take: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>.
#[test]
fn a_bucket_of_the_account_regional_namespace_is_made_in_it() {
    let account = account();
    let desired = r#"{"s3": {"bucket": "logs-{account}-{region}-an", "create": true}}"#;
    applied(&account, desired);
    let created = account.calls().into_iter();
    let created: Vec<Value> = created
        .filter(|call| call["operation"] == "CreateBucket")
        .collect();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0]["params"]["BucketNamespace"], "account-regional");
    let again = run(&account, "plan", desired);
    assert_eq!(again.json()["changes"], json!([]));
    let rendered = run_render(&account, desired);
    rendered
        .assert_status(2)
        .assert_complains("account-regional namespace cannot be rendered");
}

fn run_render(account: &Account, desired: &str) -> testbed::Output {
    let render = crate::tool(account, &["render", "--cloudformation"]);
    render.stdin(desired).run()
}
