//! Nodes that the desired state excludes: never enrolled unasked, and found where they are.

use serde_json::json;
use testbed::{Account, Sandbox};

use super::{run, tool};

const DESIRED: &str =
    r#"{"default_host_management": {}, "exclude": {"tags": {"Role": ["dc", "ca"]}}}"#;

/// Returns an account with a web server, and a domain controller and a hybrid one that are managed already.
fn estate() -> Account {
    let account = Sandbox::start().account();
    let id = account.id();
    let node = |instance_id: &str, role: &str, agent: serde_json::Value| json!({"account": id, "region": "us-east-1", "instance_id": instance_id, "tags": {"Role": role}, "agent": agent});
    account.seed(&json!({"nodes": [
        node("i-0000000000000000a", "web", json!(null)),
        node("i-0000000000000000b", "dc", json!({"version": "3.3.40.0"})),
        node("i-0000000000000000c", "dc", json!(null)),
        node("mi-0000000000000000d", "ca", json!({"version": "3.3.40.0"})),
    ]}));
    account
}

#[test]
fn a_plan_that_would_enroll_excluded_nodes_needs_an_acceptance() {
    let account = estate();
    let refused = run(&account, "plan", DESIRED);
    refused.assert_status(2).assert_complains(
        "Default Host Management would enroll excluded nodes: i-0000000000000000b (Role=dc), i-0000000000000000c (Role=dc)",
    );
    assert_eq!(refused.stdout, "");
    let arguments = ["plan", "--accept", "excluded-nodes"];
    let accepted = tool(&account, &arguments).stdin(DESIRED).run();
    accepted.assert_status(0).assert_stderr("");
    let setting = &accepted.json()["changes"][1];
    assert_eq!(setting["action"], "update_service_setting");
    let why = setting["why"].as_str().unwrap();
    assert!(why.contains("i-0000000000000000c (Role=dc)"), "{why}");
    let unknown = tool(&account, &["plan", "--accept", "anything"]).run();
    unknown.assert_status(2).assert_complains("excluded-nodes");
    assert!(account.writes().is_empty());
}

#[test]
fn excluded_nodes_that_could_not_be_read_are_not_taken_for_none() {
    let account = estate();
    account.fault(
        json!({"service": "ec2", "operation": "DescribeInstances", "kind": "denied", "times": -1}),
    );
    let plan = run(&account, "plan", DESIRED);
    plan.assert_status(2).assert_complains("DescribeInstances");
    assert_eq!(plan.stdout, "");
}

#[test]
fn excluded_instances_get_no_profile_even_when_named() {
    let account = estate();
    let desired = r#"{"assign_profile": {}, "exclude": {"tags": {"Role": ["dc"]}}}"#;
    let plan = run(&account, "plan", desired);
    plan.assert_status(0).assert_complains(
        "no instance profile for excluded nodes: i-0000000000000000b (Role=dc), i-0000000000000000c (Role=dc)",
    );
    let changes = plan.json()["changes"].to_string();
    assert!(changes.contains("associate_instance_profile/i-0000000000000000a"));
    assert!(!changes.contains("i-0000000000000000c"), "{changes}");
}

#[test]
fn check_finds_excluded_nodes_that_are_managed() {
    let account = estate();
    // So many that a page of 50 does not hold them.
    account.seed(&json!({"nodes": [{"account": account.id(), "region": "us-east-1", "instance_id": "i-00000000000000100",
        "count": 60, "tags": {"Role": "dc"}, "agent": {"version": "3.3.40.0"}}]}));
    let found = run(
        &account,
        "check",
        r#"{"exclude": {"tags": {"Role": ["dc", "ca"]}}}"#,
    );
    found.assert_status(1).assert_stderr("");
    let findings: Vec<serde_json::Value> = found.records();
    assert_eq!(findings.len(), 62);
    for finding in &findings {
        assert_eq!(finding["id"], "role.excluded.enrolled");
    }
    let last = findings.last().unwrap();
    assert_eq!(last["resource"], "mi-0000000000000000d");
    assert!(
        last["message"]
            .as_str()
            .unwrap()
            .starts_with("tag Role=ca excludes it")
    );

    let none = run(
        &account,
        "check",
        r#"{"exclude": {"tags": {"Role": ["backup"]}}}"#,
    );
    none.assert_status(0).assert_stderr("");
    assert_eq!(none.stdout, "");

    account.fault(
        json!({"service": "ssm", "operation": "DescribeInstanceInformation", "kind": "denied", "times": -1}),
    );
    let unread = run(
        &account,
        "check",
        r#"{"exclude": {"tags": {"Role": ["dc"]}}}"#,
    );
    unread.assert_status(2);
    assert_eq!(unread.json()["id"], "role.excluded.unknown");
}
