//! What verbs say that judge an organization and lint: at two widths, with and without colors.

use serde_json::json;
use testbed::{Account, Sandbox};

use super::{looks_as_recorded, on_terminal};

/// Returns the management account of an organization with a guard to be, and its member.
pub(super) fn organization() -> (Account, Account) {
    let (account, member) = (Sandbox::start().account(), Sandbox::start().account());
    let (id, trust) = (account.id(), format!("arn:aws:iam::{}:root", account.id()));
    let role = |name: &str, path: &str| {
        json!({"account": member.id(), "name": name, "path": path, "trust": trust,
            "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]})
    };
    account.seed(&json!({
        "accounts": [{"id": id, "name": "management"}, {"id": member.id(), "name": "shop"}],
        "organization": {"management_account": id, "id": "o-terminal01", "root_id": "r-term",
            "ous": [{"id": "ou-term-workloads", "name": "workloads", "accounts": [member.id()]}]},
        "roles": [role("Audit", "/"), role("BreakGlass", "/ssm/"), role("Developer", "/")],
    }));
    let guard = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ssm/BreakGlass"],
        "targets": ["ou-term-workloads"]});
    let wrong = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ssm:StartSesion", "Resource": "*"}]}"#;
    for (name, text) in [
        ("guard.json", guard.to_string()),
        ("wrong.json", wrong.to_owned()),
        ("prefs.json", r#"{"idle_timeout_minute": 15}"#.to_owned()),
        ("agent.json", r#"{"min_version": "3.2"}"#.to_owned()),
        (
            "alerts.json",
            r#"{"webhook": {"env": "WEBHOOK", "url": "x"}}"#.to_owned(),
        ),
        ("role.json", r#"{"default_host_management": {}}"#.to_owned()),
        ("records.jsonl", history(&member)),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    (account, member)
}

/// Returns what the roles of a member did: one is exempt, one is not, and one record is about another service.
fn history(member: &Account) -> String {
    let record = |number: u32, role: &str, source: &str, name: &str| {
        let arn = format!("arn:aws:iam::{}:role/{role}", member.id());
        json!({"eventTime": format!("2026-11-0{number}T09:12:05Z"), "eventID": format!("event-{number}"),
            "eventSource": source, "eventName": name, "awsRegion": "us-east-1", "recipientAccountId": member.id(),
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": member.id(),
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}}})
        .to_string()
    };
    let ssm = "ssm.amazonaws.com";
    [
        record(1, "Developer", ssm, "StartSession"),
        record(2, "Developer", ssm, "SendCommand"),
        record(3, "Developer", ssm, "StartSession"),
        record(4, "ssm/BreakGlass", ssm, "StartSession"),
        record(5, "Audit", "s3.amazonaws.com", "GetObject"),
    ]
    .join("\n")
}

#[test]
fn what_is_judged_and_linted() {
    let (account, member) = organization();
    let reader = "--assume-role arn:aws:iam::{account}:role/Audit";
    let principal = format!("arn:aws:iam::{}:role/Developer", member.id());
    let accounts = vec![account.id().to_owned(), member.id().to_owned()];
    for (name, command) in [
        ("scp_show", "ssm-scp show"),
        ("scp_gaps", "ssm-scp gaps -f guard.json"),
        ("scp_check", "ssm-scp check -f guard.json"),
        ("scp_plan", "ssm-scp plan -f guard.json"),
        (
            "scp_impact",
            &format!("ssm-scp impact -f guard.json {reader}"),
        ),
        (
            "scp_simulate",
            &format!("ssm-scp simulate --guard guard.json --principal {principal}"),
        ),
        (
            "scp_replay",
            "ssm-scp replay --guard guard.json -f records.jsonl",
        ),
        ("scp_lint", "ssm-scp lint wrong.json"),
        ("role_lint", "ssm-role lint wrong.json role.json"),
        ("prefs_lint", "ssm-prefs lint prefs.json"),
        ("agents_lint", "ssm-agentcheck lint agent.json"),
        ("alerts_lint", "ssm-events lint alerts.json"),
    ] {
        looks_as_recorded(name, |columns| {
            (on_terminal(&account, columns, command), accounts.clone())
        });
    }
}
