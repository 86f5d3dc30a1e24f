//! What `apply` refuses, and what it says when a write fails on the way.

use serde_json::{Value, json};

use super::{DESIRED, DOCUMENT, TIMEOUT, account, live, run, statuses};

#[test]
fn apply_refuses_what_is_no_plan_for_it() {
    let (account, other) = (account(), account());
    let plan = run(&account, "plan", TIMEOUT);
    let role = plan.stdout.replace("\"ssm-prefs\"", "\"ssm-role\"");
    account.forget_calls();
    for (input, complaint) in [
        ("", "the input is empty"),
        (role.as_str(), "a plan of ssm-role, apply it with ssm-role"),
        (&plan.stdout[..plan.stdout.len() / 2], "line 1 column"),
    ] {
        let refused = run(&account, "apply", input);
        refused.assert_status(2).assert_complains(complaint);
        assert_eq!(refused.stdout, "");
    }
    assert!(account.calls().is_empty(), "refused before any call");
    let elsewhere = run(&other, "apply", &plan.stdout);
    elsewhere.assert_status(2).assert_complains(&format!(
        "plan is for account {}, but the credentials belong to account {}",
        account.id(),
        other.id()
    ));
    assert_eq!(elsewhere.stdout, "");
    assert!(other.writes().is_empty());
}

#[test]
fn a_refused_change_stops_the_whole_plan() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    let other = run(&account, "plan", TIMEOUT).stdout;
    run(&account, "apply", &other).assert_status(0);
    account.forget_calls();
    let refused = run(&account, "apply", &plan);
    refused.assert_status(2).assert_stderr("");
    let statuses = statuses(&refused);
    let (last, before) = statuses.split_last().unwrap();
    assert_eq!(last, "failed create_document");
    assert!(before.iter().all(|status| status.starts_with("skipped ")));
    assert_eq!(refused.json()["undo"], Value::Null);
    assert!(account.writes().is_empty(), "a refused plan writes nothing");
}

/// It has another policy, and does not rotate. A new plan takes it and says what it lacks.
#[test]
fn a_key_that_somebody_makes_after_the_plan_is_not_the_planned_one() {
    let account = account();
    let desired = r#"{"kms_key": {"alias": "alias/sessions", "create": true}}"#;
    let plan = run(&account, "plan", desired).stdout;
    let key = account.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].clone();
    let alias = json!({"AliasName": "alias/sessions", "TargetKeyId": key});
    account.call("TrentService.CreateAlias", &alias);
    account.forget_calls();
    let refused = run(&account, "apply", &plan);
    refused.assert_status(2);
    let error = refused.json()["results"][0]["error"].to_string();
    assert!(error.contains("the plan expects null, but"), "{error}");
    assert!(account.writes().is_empty());
    let again = run(&account, "plan", desired).json();
    assert_eq!(again["changes"][0]["action"], "enable_key_rotation");
}

#[test]
fn what_was_done_before_a_failure_is_reported_and_a_fresh_plan_finishes() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    account.fault(
        json!({"service": "logs", "operation": "CreateLogGroup", "kind": "denied", "times": -1}),
    );
    let failed = run(&account, "apply", &plan);
    failed.assert_status(2).assert_stderr("");
    let reported = statuses(&failed);
    assert!(
        reported.contains(&"done create_bucket".to_owned()),
        "{reported:?}"
    );
    assert!(
        reported.contains(&"failed create_log_group".to_owned()),
        "{reported:?}"
    );
    assert_eq!(reported.last().unwrap(), "skipped create_document");
    account.clear_faults();
    let fresh = run(&account, "plan", DESIRED).stdout;
    run(&account, "apply", &fresh).assert_status(0);
    let none = run(&account, "plan", DESIRED);
    assert_eq!(none.json()["changes"], json!([]));
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn a_write_whose_answer_is_lost_does_not_make_it_twice() {
    for operation in ["UpdateDocument", "UpdateDocumentDefaultVersion"] {
        let account = account();
        let plan = run(&account, "plan", TIMEOUT).stdout;
        run(&account, "apply", &plan).assert_status(0);
        let changed = r#"{"idle_timeout_minutes": 30}"#;
        let plan = run(&account, "plan", changed).stdout;
        account.fault(
            json!({"service": "ssm", "operation": operation, "kind": "error", "status": 500,
            "when": "after", "times": 2}),
        );
        let applied = run(&account, "apply", &plan);
        applied.assert_status(0);
        assert_eq!(
            applied.json()["undo"]["changes"][0]["action"],
            "update_document"
        );
        account.clear_faults();
        let document =
            account.aws(&["ssm", "describe-document", "--name", DOCUMENT])["Document"].clone();
        assert_eq!(document["LatestVersion"], "2", "{operation}");
        assert_eq!(document["DefaultVersion"], "2", "{operation}");
        assert_eq!(live(&account)["inputs"]["idleSessionTimeout"], "30");
    }
}
