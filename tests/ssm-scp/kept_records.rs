//! What sessions leave: with `protect_records` nobody but those who are named can remove it, decided by the local AWS.

use serde_json::json;

use super::ways::desired;
use super::{Organization, organization, run};

/// The keeper's calls come last, as they remove what the others try to.
#[test]
fn nobody_but_the_keeper_can_remove_what_sessions_leave() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let role = |name: &str| json!({"account": member.id(), "name": name, "trust": format!("arn:aws:iam::{}:root", member.id()), "inline": {"p": everything}});
    member.seed(&json!({"roles": [role("keeper"), role("dev")]}));
    let bucket = format!("sessions-{}", member.id());
    member.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    let versioned = "Status=Enabled";
    member.aws(&[
        "s3api",
        "put-bucket-versioning",
        "--bucket",
        &bucket,
        "--versioning-configuration",
        versioned,
    ]);
    member.aws(&["logs", "create-log-group", "--log-group-name", "/sessions"]);
    let key = member.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].clone();
    let key = key.as_str().unwrap().to_owned();
    let pattern = r#"{"source": ["aws.ssm"]}"#;
    member.aws(&[
        "events",
        "put-rule",
        "--name",
        "ssm-sessions",
        "--event-pattern",
        pattern,
    ]);
    member.start_trail();
    member.seed(&json!({"enforce_iam": [member.id()]}));

    let object = ["--bucket", &bucket, "--key", "t.log"];
    let put = [&["s3api", "put-object"][..], &object].concat();
    let version = member.aws(&put)["VersionId"].clone();
    let version = ["--version-id", version.as_str().unwrap()];
    let removals = [
        [&["s3api", "delete-object"][..], &object, &version].concat(),
        vec!["s3api", "delete-bucket-lifecycle", "--bucket", &bucket],
        vec![
            "logs",
            "put-retention-policy",
            "--log-group-name",
            "/sessions",
            "--retention-in-days",
            "1",
        ],
        vec!["logs", "delete-log-group", "--log-group-name", "/sessions"],
        vec!["events", "disable-rule", "--name", "ssm-sessions"],
        vec!["kms", "schedule-key-deletion", "--key-id", &key],
        vec![
            "cloudtrail",
            "put-event-selectors",
            "--trail-name",
            "all",
            "--event-selectors",
            r#"[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}]"#,
        ],
        vec![
            "cloudtrail",
            "update-trail",
            "--name",
            "all",
            "--no-enable-log-file-validation",
        ],
        vec!["cloudtrail", "stop-logging", "--name", "all"],
        vec!["cloudtrail", "delete-trail", "--name", "all"],
    ];
    let input = desired(&json!({"targets": [unit], "protect_records": {
        "exempt_principals": ["arn:aws:iam::*:role/keeper"],
        "buckets": [bucket], "keys": [key], "log_groups": ["/sessions"], "rules": ["ssm-sessions"],
        "trails": ["all"]}}));
    // What can be done twice, everybody could do before.
    for removal in removals
        .iter()
        .filter(|words| matches!(words[1], "put-retention-policy" | "update-trail"))
    {
        for role in ["dev", "ops", "keeper"] {
            assert!(member.is_done_by(role, removal), "{role} before");
        }
    }
    let plan = run(&account, "plan", &input);
    run(&account, "apply", &plan.stdout).assert_status(0);
    for removal in &removals {
        // `ops` is an operator: exempt from the guard, and not from this.
        for role in ["dev", "ops"] {
            assert!(!member.is_done_by(role, removal), "{role}: {removal:?}");
        }
    }
    assert!(member.is_done_by("dev", &put), "uploading is never denied");
    for removal in &removals {
        assert!(member.is_done_by("keeper", removal), "keeper: {removal:?}");
    }
}
