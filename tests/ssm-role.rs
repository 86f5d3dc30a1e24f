//! `ssm-role` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-role/applying.rs"]
mod applying;
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
fn show_and_check_say_what_they_may_not_read() {
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
