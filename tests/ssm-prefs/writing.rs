//! What `apply` makes of the document and its versions, and what its undo leads back to.

use serde_json::{Value, json};

use crate::{DESIRED, DOCUMENT, TIMEOUT, account, ids, live, run, statuses};

#[test]
fn apply_provisions_everything_and_the_aws_cli_reads_it_back() {
    let account = account();
    let plan = run(&account, "plan", DESIRED);
    plan.assert_status(0).assert_stderr("");
    assert!(account.writes().is_empty(), "plan only reads");
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0).assert_stderr("");
    assert!(
        statuses(&applied)
            .iter()
            .any(|status| status == "done create_document"),
        "{}",
        applied.stdout
    );
    let key = account.aws(&["kms", "describe-key", "--key-id", "alias/sessions"]);
    let arn = key["KeyMetadata"]["Arn"].as_str().unwrap();
    let rotation = account.aws(&["kms", "get-key-rotation-status", "--key-id", arn]);
    assert_eq!(rotation["KeyRotationEnabled"], true);
    let bucket = format!("logs-{}-us-east-1", account.id());
    let encryption = account.aws(&["s3api", "get-bucket-encryption", "--bucket", &bucket]);
    let rule = &encryption["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"];
    assert_eq!(
        *rule,
        json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn})
    );
    let groups = account.aws(&[
        "logs",
        "describe-log-groups",
        "--log-group-name-prefix",
        "/sessions",
    ]);
    assert_eq!(groups["logGroups"][0]["kmsKeyId"], arn);
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 400);
    assert_eq!(live(&account)["inputs"]["kmsKeyId"], "alias/sessions");
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn a_second_run_changes_nothing() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    run(&account, "apply", &plan).assert_status(0);
    account.forget_calls();
    let second = run(&account, "plan", DESIRED);
    second.assert_status(0).assert_stderr("");
    assert_eq!(second.json()["changes"], json!([]));
    let again = run(&account, "apply", &plan);
    again.assert_status(0).assert_stderr("");
    assert!(
        statuses(&again)
            .iter()
            .all(|status| status.starts_with("unchanged")),
        "{}",
        again.stdout
    );
    let found = run(&account, "check", DESIRED);
    found.assert_status(1).assert_stderr("");
    let expected = [
        "prefs.logging.port_and_ssh",
        "prefs.bucket.removable",
        "prefs.log_group.removable",
        "prefs.key.removable",
        "prefs.trail.missing",
        "prefs.session_document.untranscribed",
    ];
    assert_eq!(ids(&found), expected);
    run(&account, "show", "").assert_status(0).assert_stderr("");
    assert!(account.writes().is_empty(), "the second run only reads");
}

#[test]
fn undo_restores_the_document_and_keeps_what_may_hold_records() {
    let account = account();
    let first = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &first).assert_status(0);
    let before = live(&account);
    let plan = run(&account, "plan", DESIRED).stdout;
    let applied = run(&account, "apply", &plan);
    let undo = applied.json()["undo"].to_string();
    run(&account, "apply", &undo)
        .assert_status(0)
        .assert_stderr("");
    assert_eq!(live(&account), before);
    run(&account, "apply", &undo).assert_status(0);
    account.aws(&["kms", "describe-key", "--key-id", "alias/sessions"]);
    let bucket = format!("logs-{}-us-east-1", account.id());
    account.aws(&["s3api", "get-bucket-encryption", "--bucket", &bucket]);
    let groups = account.aws(&["logs", "describe-log-groups"]);
    assert_eq!(groups["logGroups"][0]["logGroupName"], "/sessions");
    let show = run(&account, "show", "").json();
    assert_eq!(
        show["versions_differ"],
        Value::Null,
        "default and latest are the same version"
    );
}

#[test]
fn undo_of_a_created_document_deletes_it() {
    let account = account();
    let plan = run(&account, "plan", TIMEOUT).stdout;
    let undo = run(&account, "apply", &plan).json()["undo"].to_string();
    run(&account, "apply", &undo).assert_status(0);
    let shown = run(&account, "show", "");
    shown.assert_status(0).assert_stderr("");
    assert_eq!(shown.json()["document"], json!({"state": "absent"}));
}

#[test]
fn refuses_a_plan_whose_from_no_longer_holds_and_names_both_values() {
    let account = account();
    let plan = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let stale = run(&account, "plan", r#"{"idle_timeout_minutes": 30}"#).stdout;
    let other = run(&account, "plan", r#"{"idle_timeout_minutes": 45}"#).stdout;
    run(&account, "apply", &other).assert_status(0);
    account.forget_calls();
    let refused = run(&account, "apply", &stale);
    refused.assert_status(2);
    let error = refused.json()["results"][0]["error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        error.contains(r#""idleSessionTimeout":"15""#)
            && error.contains(r#""idleSessionTimeout":"45""#),
        "{error}"
    );
    assert!(account.writes().is_empty(), "a refused plan writes nothing");
}

#[test]
fn a_newer_version_that_is_not_the_default_is_found_and_aligned() {
    let account = account();
    let plan = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let mut weaker = live(&account);
    weaker["inputs"]["idleSessionTimeout"] = json!("60");
    let content = weaker.to_string();
    let update = [
        "ssm",
        "update-document",
        "--name",
        DOCUMENT,
        "--document-version",
        "$LATEST",
        "--content",
        &content,
    ];
    account.aws(&update);
    let found = run(&account, "check", TIMEOUT);
    assert!(
        ids(&found).contains(&"prefs.document.versions_differ".to_owned()),
        "{}",
        found.stdout
    );
    let plan = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let document =
        account.aws(&["ssm", "describe-document", "--name", DOCUMENT])["Document"].clone();
    assert_eq!(document["DefaultVersion"], document["LatestVersion"]);
    assert_eq!(live(&account)["inputs"]["idleSessionTimeout"], "15");
}

#[test]
fn a_new_version_that_is_not_made_the_default_at_once_is_made_it_later() {
    let account = account();
    let plan = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let changed = r#"{"idle_timeout_minutes": 30}"#;
    let plan = run(&account, "plan", changed).stdout;
    account.fault(json!({"service": "ssm", "operation": "UpdateDocumentDefaultVersion", "kind": "error", "status": 500,
        "times": 3}));
    run(&account, "apply", &plan).assert_status(0);
    account.clear_faults();
    let document =
        account.aws(&["ssm", "describe-document", "--name", DOCUMENT])["Document"].clone();
    assert_eq!(document["DefaultVersion"], document["LatestVersion"]);
    assert_eq!(live(&account)["inputs"]["idleSessionTimeout"], "30");
}
