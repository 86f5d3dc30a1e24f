//! What `apply` does once, what its undo leads back to, and what stops it half way.

use serde_json::{Value, json};

use crate::{BOTH, CORE, DEFAULT, DHMC, NAME, account, column, run, setting, tool, undo_of};

#[test]
fn apply_does_the_plan_once_and_undo_leads_back() {
    let account = account();
    let plan = run(&account, "plan", BOTH).stdout;
    let result = run(&account, "apply", &plan);
    result.assert_status(0).assert_stderr("");
    assert_eq!(
        column(&result.json()["results"], "status"),
        json!(["done", "done", "done"])
    );
    assert_eq!(setting(&account), format!("service-role/{NAME}"));
    run(&account, "check", BOTH).assert_status(0);
    let none = tool(&account, &["plan", "--exit-code"]).stdin(BOTH).run();
    none.assert_status(0);
    assert_eq!(none.json()["changes"], json!([]));

    account.forget_calls();
    let again = run(&account, "apply", &plan);
    again.assert_status(0);
    assert_eq!(
        column(&again.json()["results"], "status"),
        json!(["unchanged", "unchanged", "unchanged"])
    );
    assert_eq!(again.json()["undo"], Value::Null);
    assert!(account.writes().is_empty());

    let undo = undo_of(&result);
    let undone = run(&account, "apply", &undo);
    undone.assert_status(0).assert_stderr("");
    let actions = column(&undone.json()["results"], "action");
    assert_eq!(
        actions,
        json!(["detach_policy", "reset_service_setting", "delete_role"])
    );
    assert_eq!(setting(&account), "$None");
    assert_eq!(run(&account, "plan", BOTH).stdout, plan);
    let twice = run(&account, "apply", &undo);
    assert_eq!(
        column(&twice.json()["results"], "status"),
        json!(["unchanged", "unchanged", "unchanged"])
    );
    let redone = run(&account, "apply", &undo_of(&undone));
    redone.assert_status(0);
    assert_eq!(setting(&account), format!("service-role/{NAME}"));
    assert!(account.problems().is_empty());
}

#[test]
fn the_plan_of_a_second_region_finds_the_role_of_the_first() {
    let account = account();
    let regions = ["plan", "--region", "us-east-1,eu-central-1"];
    let plans = tool(&account, &regions).stdin(DHMC).run();
    assert_eq!(plans.records().len(), 2);
    let results = run(&account, "apply", &plans.stdout);
    results.assert_status(0);
    let records = results.records();
    assert_eq!(
        column(&records[0]["results"], "status"),
        json!(["done", "done"])
    );
    assert_eq!(
        column(&records[1]["results"], "status"),
        json!(["unchanged", "done"])
    );
}

#[test]
fn a_role_that_nobody_knows_yet_is_waited_for() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    account.fault(
        json!({"service": "iam", "operation": "AttachRolePolicy", "kind": "error", "times": 1,
        "status": 404, "code": "NoSuchEntity", "message": "not yet"}),
    );
    account.fault(
        json!({"service": "ssm", "operation": "UpdateServiceSetting", "kind": "error", "times": 1,
        "status": 400, "code": "ValidationException", "message": "not yet"}),
    );
    run(&account, "apply", &plan).assert_status(0);
    assert_eq!(setting(&account), format!("service-role/{NAME}"));
}

#[test]
fn refuses_when_the_state_is_not_the_one_planned_for() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    let update = [
        "ssm",
        "update-service-setting",
        "--setting-id",
        "/ssm/managed-instance/default-ec2-instance-management-role",
        "--setting-value",
        "other",
    ];
    account.aws(&update);
    account.forget_calls();
    let result = run(&account, "apply", &plan);
    result.assert_status(2).assert_stderr("");
    let record = result.json();
    // Half a plan is worse than none: the role is not made either.
    assert_eq!(
        column(&record["results"], "status"),
        json!(["skipped", "failed"])
    );
    assert!(account.writes().is_empty());
    let error = record["results"][1]["error"].as_str().unwrap();
    assert_eq!(
        error,
        r#"the plan expects null, but there is {"role":"other"}: make a new plan"#
    );
    assert_eq!(setting(&account), "other");
    assert_eq!(record["undo"], json!(null));
    let plan = run(&account, "plan", DHMC);
    assert_eq!(
        column(&plan.json()["changes"], "action"),
        json!(["create_role", "update_service_setting"])
    );
}

#[test]
fn what_was_done_before_a_failure_is_reported_with_its_undo() {
    let account = account();
    let plan = run(&account, "plan", BOTH).stdout;
    account.fault(json!({"service": "ssm", "operation": "UpdateServiceSetting", "kind": "denied", "times": -1}));
    let result = run(&account, "apply", &plan);
    result.assert_status(2);
    let record = result.json();
    assert_eq!(
        column(&record["results"], "status"),
        json!(["done", "failed", "skipped"])
    );
    assert_eq!(
        column(&record["undo"]["changes"], "action"),
        json!(["delete_role"])
    );
    account.clear_faults();
    run(&account, "apply", &undo_of(&result)).assert_status(0);
    assert_eq!(run(&account, "plan", BOTH).stdout, plan);
}

#[test]
fn a_half_made_role_is_undone_too() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    account.fault(
        json!({"service": "iam", "operation": "AttachRolePolicy", "kind": "denied", "times": -1}),
    );
    let result = run(&account, "apply", &plan);
    result.assert_status(2);
    account.clear_faults();
    let undo = &result.json()["undo"]["changes"];
    assert_eq!(undo[0]["from"]["managed_policies"], json!([]));
    run(&account, "apply", &undo_of(&result)).assert_status(0);
    assert_eq!(run(&account, "plan", DHMC).stdout, plan);
}

#[test]
fn undo_keeps_a_role_that_somebody_has_changed() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    let result = run(&account, "apply", &plan);
    account.aws(&[
        "iam",
        "attach-role-policy",
        "--role-name",
        NAME,
        "--policy-arn",
        CORE,
    ]);
    let undone = run(&account, "apply", &undo_of(&result));
    undone.assert_status(2);
    assert_eq!(
        column(&undone.json()["results"], "status"),
        json!(["done", "failed"])
    );
    account.aws(&["iam", "get-role", "--role-name", NAME]);
}

#[test]
fn adopts_an_existing_role_with_its_own_path() {
    let account = account();
    account.seed(&json!({"roles": [{"account": account.id(), "name": NAME, "path": "/", "trust": "ssm.amazonaws.com",
        "managed_policies": [DEFAULT]}]}));
    let plan = run(&account, "plan", DHMC);
    assert_eq!(
        column(&plan.json()["changes"], "action"),
        json!(["update_service_setting"])
    );
    run(&account, "apply", &plan.stdout).assert_status(0);
    assert_eq!(setting(&account), NAME);
    run(&account, "check", DHMC).assert_status(0);
}

#[test]
fn ctrl_c_finishes_the_change_in_flight_and_says_how_to_undo_it() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    account.forget_calls();
    account.fault(
        json!({"service": "iam", "operation": "CreateRole", "kind": "latency", "when": "after",
        "milliseconds": 3000}),
    );
    let running = tool(&account, &["apply"]).stdin(plan.as_str()).spawn();
    let in_flight = || {
        account
            .operations()
            .iter()
            .any(|call| call == "iam:CreateRole")
    };
    while !in_flight() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let process = running.id().to_string();
    std::process::Command::new("kill")
        .args(["-INT", process.as_str()])
        .status()
        .unwrap();
    let output = running.wait();
    output.assert_status(130);
    let record = output.json();
    assert_eq!(
        column(&record["results"], "status"),
        json!(["done", "skipped"])
    );
    assert_eq!(
        column(&record["undo"]["changes"], "action"),
        json!(["delete_role"])
    );
    assert_eq!(setting(&account), "$None");
}
