//! `ssm-scp` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-scp/contexts.rs"]
mod contexts;
#[path = "ssm-scp/documents.rs"]
mod documents;
#[path = "ssm-scp/gaps.rs"]
mod gaps;
#[path = "ssm-scp/guarding.rs"]
mod guarding;
#[path = "ssm-scp/judging.rs"]
mod judging;
#[path = "ssm-scp/just_in_time.rs"]
mod just_in_time;
#[path = "ssm-scp/kept_records.rs"]
mod kept_records;
#[path = "ssm-scp/linting.rs"]
mod linting;
#[path = "ssm-scp/lockouts.rs"]
mod lockouts;
#[path = "ssm-scp/offline.rs"]
mod offline_verbs;
#[path = "ssm-scp/replaying.rs"]
mod replaying;
#[path = "ssm-scp/resource_policies.rs"]
mod resource_policies;
#[path = "ssm-scp/ways.rs"]
mod ways;

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-scp");

/// An organization of its own, whose management account is the account of the test.
struct Organization {
    account: Account,
    member: Account,
    unit: String,
}

fn organization() -> Organization {
    let (account, member) = (Sandbox::start().account(), Sandbox::start().account());
    let suffix = account.id()[8..].to_owned();
    let (root, unit) = (format!("r-{suffix}"), format!("ou-{suffix}-workloads"));
    account.seed(&json!({
        "accounts": [{"id": account.id(), "name": "management"}, {"id": member.id(), "name": "member"}],
        "organization": {"management_account": account.id(), "id": format!("o-org{suffix}"), "root_id": root,
            "ous": [{"id": unit, "name": "workloads", "accounts": [member.id()]}]},
    }));
    create_role(&member, "ops", "/");
    account.forget_calls();
    Organization {
        account,
        member,
        unit,
    }
}

/// The emulator creates this role in every account of an organization, as AWS does.
const READER: [&str; 2] = [
    "--assume-role",
    "arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
];

/// Lists of Organizations have at most 20 entries a page.
const N_OTHER_POLICIES: usize = 21;

fn create_role(account: &Account, name: &str, path: &str) {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    account.aws(&[
        "iam",
        "create-role",
        "--role-name",
        name,
        "--path",
        path,
        "--assume-role-policy-document",
        trust,
    ]);
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    account.aws(&[
        "iam",
        "attach-role-policy",
        "--role-name",
        name,
        "--policy-arn",
        administrator,
    ]);
}

/// Creates more policies than fit on a page.
fn create_other_policies(account: &Account) {
    let content = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    for n in 0..N_OTHER_POLICIES {
        let name = format!("other-{n:02}");
        let kind = ["--description", "", "--type", "SERVICE_CONTROL_POLICY"];
        let named = ["--name", &name, "--content", content];
        account.aws(&[&["organizations", "create-policy"], &kind[..], &named].concat());
    }
}

fn desired(targets: &[&str]) -> String {
    json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": targets}).to_string()
}

fn run(account: &Account, verb: &str, input: &str) -> Output {
    let role: &[&str] = match verb {
        "apply" | "impact" => &READER,
        _ => &[],
    };
    account.tool(EXE).args([verb]).args(role).stdin(input).run()
}

fn statuses(output: &Output) -> Vec<String> {
    let results = output.json()["results"].clone();
    let text = |value: &Value| {
        format!(
            "{} {}",
            value["status"].as_str().unwrap(),
            value["action"].as_str().unwrap()
        )
    };
    results.as_array().unwrap().iter().map(text).collect()
}

fn ids(output: &Output) -> Vec<String> {
    output
        .records()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn apply_attaches_the_guard_and_a_second_run_writes_nothing() {
    let Organization { account, unit, .. } = organization();
    let desired = desired(&[&unit]);
    let plan = run(&account, "plan", &desired);
    plan.assert_status(0)
        .assert_complains("service-linked roles and all principals of the management account");
    assert!(account.writes().is_empty(), "plan only reads");
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0).assert_stderr("");
    assert_eq!(
        statuses(&applied),
        ["done create_policy", "done attach_policy"]
    );
    let filter = [
        "organizations",
        "list-policies-for-target",
        "--filter",
        "SERVICE_CONTROL_POLICY",
        "--target-id",
        &unit,
    ];
    let attached = account.aws(&filter)["Policies"].clone();
    assert!(
        attached
            .as_array()
            .unwrap()
            .iter()
            .any(|policy| policy["Name"] == "guard"),
        "{attached}"
    );
    account.forget_calls();
    assert_eq!(run(&account, "plan", &desired).json()["changes"], json!([]));
    let again = run(&account, "apply", &plan.stdout);
    again.assert_status(0).assert_stderr("");
    assert_eq!(
        statuses(&again),
        ["unchanged create_policy", "unchanged attach_policy"]
    );
    let check = run(&account, "check", &desired);
    check.assert_status(0).assert_stderr("");
    let known = [
        "scp.management_account.not_governed",
        "scp.guard.open",
        "scp.just_in_time.denied",
    ];
    assert_eq!(ids(&check), known);
    assert!(account.writes().is_empty(), "the second run only reads");
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn undo_removes_policy_and_attachment_and_may_be_run_twice() {
    let Organization { account, unit, .. } = organization();
    let desired = desired(&[&unit]);
    let plan = run(&account, "plan", &desired).stdout;
    let undo = run(&account, "apply", &plan).json()["undo"].to_string();
    assert_eq!(
        statuses(&run(&account, "apply", &undo)),
        ["done detach_policy", "done delete_policy"]
    );
    assert_eq!(
        statuses(&run(&account, "apply", &undo)),
        ["unchanged detach_policy", "unchanged delete_policy"]
    );
    assert_eq!(run(&account, "plan", &desired).stdout, plan);
}

/// Case 46 of the table of lock-outs.
#[test]
fn refuses_a_plan_when_the_policy_was_made_by_somebody_else_since() {
    let Organization { account, unit, .. } = organization();
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    let content = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    let create = [
        "organizations",
        "create-policy",
        "--name",
        "guard",
        "--description",
        "",
        "--type",
    ];
    account.aws(
        &[
            &create[..],
            &["SERVICE_CONTROL_POLICY", "--content", content],
        ]
        .concat(),
    );
    account.forget_calls();
    let refused = run(&account, "apply", &plan);
    refused.assert_status(2);
    assert!(
        refused
            .stdout
            .contains("the plan expects null, but there is"),
        "{}",
        refused.stdout
    );
    assert!(account.writes().is_empty(), "a refused plan writes nothing");
    let found = run(&account, "check", &desired(&[&unit]));
    found.assert_status(1);
    assert!(
        ids(&found).contains(&"scp.policy.drifted".to_owned()),
        "{}",
        found.stdout
    );
}

#[test]
fn a_member_account_learns_that_it_may_not_look() {
    let Organization { member, unit, .. } = organization();
    let plan = run(&member, "plan", &desired(&[&unit]));
    plan.assert_status(2)
        .assert_complains("management account, or of a delegated administrator");
    assert_eq!(plan.stdout, "");
    let check = run(&member, "check", &desired(&[&unit]));
    check.assert_status(2);
    assert!(
        ids(&check).contains(&"scp.policy.unknown".to_owned()),
        "{}",
        check.stdout
    );
}

#[test]
fn finds_the_policy_on_the_second_page() {
    let Organization { account, unit, .. } = organization();
    create_other_policies(&account);
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    run(&account, "apply", &plan).assert_status(0);
    assert_eq!(
        run(&account, "plan", &desired(&[&unit])).json()["changes"],
        json!([])
    );
}

#[test]
fn targets_that_no_policy_can_bind_are_refused() {
    let Organization { account, .. } = organization();
    let management = run(&account, "plan", &desired(&[account.id()]));
    management
        .assert_status(2)
        .assert_complains("is the management account, which no SCP binds");
    let unknown = run(&account, "plan", &desired(&["ou-none-00000000"]));
    unknown
        .assert_status(2)
        .assert_complains("ou-none-00000000 is not in the organization");
}
