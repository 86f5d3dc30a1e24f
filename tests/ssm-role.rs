//! `ssm-role` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-role/excluding.rs"]
mod excluding;
#[path = "ssm-role/granting.rs"]
mod granting;
#[path = "ssm-role/offline.rs"]
mod offline_verbs;
#[path = "ssm-role/operators.rs"]
mod operators;
#[path = "ssm-role/unread.rs"]
mod unread;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-role");
const NAME: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
const CORE: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
const DEFAULT: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
const DHMC: &str = r#"{"default_host_management": {}}"#;
const PROFILES: &str = r#"{"instance_profiles": {}}"#;
const BOTH: &str = r#"{"default_host_management": {}, "instance_profiles": {}}"#;

/// Returns an account with one instance whose role lacks the core policy.
fn account() -> Account {
    let account = Sandbox::start().account();
    let id = account.id();
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "path": "/team/", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "inline": {"logs": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalTag/n": "a+b %"}}}]}}}],
        "nodes": [{"account": id, "region": "us-east-1", "instance_id": "i-0000000000000000a", "profile": "web"}],
    }));
    account
}

fn run(account: &Account, verb: &str, input: &str) -> Output {
    tool(account, &[verb]).stdin(input).run()
}

fn tool(account: &Account, arguments: &[&str]) -> Run {
    account.tool(EXE).args(arguments)
}

fn column(list: &Value, key: &str) -> Value {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item[key].clone())
        .collect()
}

fn undo_of(result: &Output) -> String {
    result.json()["undo"].to_string()
}

fn setting(account: &Account) -> Value {
    let id = "/ssm/managed-instance/default-ec2-instance-management-role";
    account.aws(&["ssm", "get-service-setting", "--setting-id", id])["ServiceSetting"]["SettingValue"].clone()
}

#[test]
fn show_prints_roles_with_their_documents() {
    let account = account();
    let policy = [
        "iam",
        "attach-role-policy",
        "--role-name",
        "web",
        "--policy-arn",
        CORE,
    ];
    account.aws(&policy);
    account.forget_calls();
    let output = run(&account, "show", "");
    output.assert_status(0).assert_stderr("");
    let record = output.json();
    assert_eq!(record["kind"], "host_management");
    assert_eq!(
        record["default_host_management"],
        json!({"status": "Default", "role": null})
    );
    let role = &record["roles"][0];
    assert_eq!(
        role["arn"],
        format!("arn:aws:iam::{}:role/team/web", account.id())
    );
    assert_eq!(role["instances"], 1);
    assert_eq!(role["has_core"], true);
    assert_eq!(role["attached_policies"][0]["arn"], CORE);
    assert!(role["attached_policies"][0]["document"]["Statement"].is_array());
    let condition = &role["inline_policies"]["logs"]["Statement"][0]["Condition"];
    assert_eq!(condition["StringLike"]["aws:PrincipalTag/n"], "a+b %");
    assert_eq!(
        account
            .operations()
            .iter()
            .filter(|call| *call == "iam:GetRole")
            .count(),
        1
    );
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn show_and_check_tell_what_they_may_not_read() {
    let account = account();
    for (service, operation) in [
        ("ssm", "GetServiceSetting"),
        ("ec2", "DescribeInstances"),
        ("iam", "GetInstanceProfile"),
        ("iam", "GetRole"),
        ("iam", "ListAttachedRolePolicies"),
        ("iam", "ListRolePolicies"),
    ] {
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        for verb in ["show", "plan"] {
            let output = tool(&account, &[verb]).stdin(BOTH).run();
            // Without the setting there is no role but the profile's to look at, so show may have less to read.
            output.assert_status(2).assert_complains(operation);
            assert_eq!(output.stdout, "", "{operation}");
        }
        let output = run(&account, "check", BOTH);
        output.assert_status(2).assert_stderr("");
        assert!(
            output.stdout.contains(".unknown\""),
            "{operation}: {}",
            output.stdout
        );
        account.clear_faults();
    }
    assert!(account.writes().is_empty());
}

#[test]
fn plan_is_stable_and_writes_nothing() {
    let account = account();
    let first = run(&account, "plan", BOTH);
    first.assert_status(0).assert_stderr("");
    let plan = first.json();
    let actions = column(&plan["changes"], "action");
    assert_eq!(
        actions,
        json!(["create_role", "update_service_setting", "attach_policy"])
    );
    assert_eq!(
        plan["changes"][1]["to"],
        json!({"role": format!("service-role/{NAME}")})
    );
    assert_eq!(run(&account, "plan", BOTH).stdout, first.stdout);
    tool(&account, &["plan", "--exit-code"])
        .stdin(BOTH)
        .run()
        .assert_status(1);
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

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
fn what_was_done_before_a_failure_is_told_with_its_undo() {
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
fn check_prints_findings() {
    let account = account();
    let output = run(&account, "check", BOTH);
    output.assert_status(1).assert_stderr("");
    let ids: Value = output
        .records()
        .iter()
        .map(|finding| finding["id"].clone())
        .collect();
    assert_eq!(
        ids,
        json!(["role.dhmc.disabled", "role.core_policy.missing"])
    );
    let excluded = run(
        &account,
        "check",
        r#"{"instance_profiles": {"exclude_roles": ["web"]}}"#,
    );
    excluded.assert_status(0).assert_stderr("");
    assert_eq!(excluded.stdout, "");
    assert!(account.writes().is_empty());
}

#[test]
fn reads_every_page_of_policies() {
    let account = Sandbox::start().account();
    let id = account.id();
    let script = r#"
import boto3
iam = boto3.client("iam", region_name="us-east-1")
document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
for number in range(100):
    iam.create_policy(PolicyName=f"p{number:03}", PolicyDocument=document)
"#;
    let python = testbed::repository().join(".venv/bin/python");
    account
        .tool(python)
        .args(["-c", script])
        .run()
        .assert_status(0);
    // IAM gives 100 names a page; the one that counts comes last.
    let mut policies: Vec<Value> = (0..100)
        .map(|number| json!(format!("arn:aws:iam::{id}:policy/p{number:03}")))
        .collect();
    policies.push(json!(CORE));
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "managed_policies": policies}],
        "nodes": [{"account": id, "region": "us-east-1", "instance_id": "i-0000000000000000a", "profile": "web"}],
    }));
    account.forget_calls();
    let output = run(&account, "plan", PROFILES);
    output.assert_status(0);
    assert_eq!(output.json()["changes"], json!([]));
    let pages = account
        .operations()
        .iter()
        .filter(|call| *call == "iam:ListAttachedRolePolicies")
        .count();
    assert_eq!(pages, 2);
}

#[test]
fn ctrl_c_finishes_the_change_in_flight_and_tells_how_to_undo_it() {
    let account = account();
    let plan = run(&account, "plan", DHMC).stdout;
    account.forget_calls();
    account.fault(json!({"service": "iam", "operation": "CreateRole", "kind": "latency", "milliseconds": 3000}));
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

#[test]
fn what_is_not_its_own_plan_is_refused_before_any_call() {
    let account = account();
    let plan = run(&account, "plan", BOTH).json();
    account.forget_calls();
    let with = |path: &str, value: Value| {
        let mut plan = plan.clone();
        *plan.pointer_mut(path).unwrap() = value;
        plan.to_string()
    };
    let admin = json!({"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    for (input, complaint) in [
        (String::new(), "the input is empty"),
        ("null".to_owned(), "invalid type: null"),
        (
            with("/tool", json!("ssm-scp")),
            "a plan of ssm-scp, apply it with ssm-scp",
        ),
        (
            with("/changes/2/to", admin),
            "does not attach or detach arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        (
            with("/changes/0/to/trust/Statement/0/Principal", json!("*")),
            "to is not a role that ssm-role makes",
        ),
        (
            with(
                "/changes/2/resource",
                json!("arn:aws:iam::999999999999:role/web"),
            ),
            "is not a role of account",
        ),
        (
            with("/changes/0/action", json!("delete_everything")),
            "unknown variant `delete_everything`",
        ),
    ] {
        let output = run(&account, "apply", &input);
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
    assert!(account.calls().is_empty());
    let other = run(
        &account,
        "apply",
        &with("/target/account", json!("999999999999")).replace(account.id(), "999999999999"),
    );
    other
        .assert_status(2)
        .assert_complains("plan is for account 999999999999, but the credentials belong to");
    assert!(account.writes().is_empty());
}

#[test]
fn wrong_input_is_refused_before_any_call() {
    let account = account();
    for (input, complaint) in [
        (
            "",
            "read desired roles from stdin: the input is empty: pipe JSON in or pass -f FILE",
        ),
        (
            r#"{"default_host_management": {"role_name": "service-role/x"}}"#,
            "'service-role/x' is not a role name",
        ),
        (r#"{"dhmc": {}}"#, "unknown field `dhmc`"),
    ] {
        for verb in ["plan", "check"] {
            run(&account, verb, input)
                .assert_status(2)
                .assert_complains(complaint);
        }
    }
    assert!(account.calls().is_empty());
}
