//! Nodes that the desired state excludes: named, neither judged nor updated.

use serde_json::{Value, json};
use testbed::{Account, Output};

use super::{account, tool};

const EXCLUDE: &str = r#""exclude": {"tags": {"Role": ["dc"]}}"#;

/// Returns an account with outdated agents on a web server, a domain controller and a hybrid one.
fn estate() -> Account {
    let node = |instance_id: &str, role: &str| json!({"instance_id": instance_id, "tags": {"Role": role}, "agent": {"version": "3.1.1.0"}});
    account(&[
        node("i-0000000000000000a", "web"),
        node("i-0000000000000000b", "dc"),
        node("mi-0000000000000000c", "dc"),
        node("mi-0000000000000000d", "web"),
    ])
}

fn plan(account: &Account, desired: &str, more: &[&str]) -> Output {
    let desired = format!("{{{desired}, {EXCLUDE}}}");
    let arguments = [&["plan"], more].concat();
    tool(account, &arguments).stdin(desired).run()
}

#[test]
fn excluded_nodes_are_named_instead_of_judged() {
    let account = estate();
    account.forget_calls();
    let found = tool(&account, &["check"])
        .stdin(format!("{{{EXCLUDE}}}"))
        .run();
    found
        .assert_status(1)
        .assert_complains("2 fail (2 agent outdated), 0 unknown, 2 excluded");
    let findings: Vec<Value> = found.records();
    let of = |id: &str| {
        let mine = findings.iter().filter(|one| one["id"] == id);
        mine.map(|one| one["resource"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("agentcheck.version.outdated"),
        ["i-0000000000000000a", "mi-0000000000000000d"]
    );
    assert_eq!(
        of("agentcheck.node.excluded"),
        ["i-0000000000000000b", "mi-0000000000000000c"]
    );
    // Nobody needs to know whether sessions reach them.
    let asked = account.operations();
    let n_asked = asked
        .iter()
        .filter(|call| *call == "ssm:GetConnectionStatus");
    assert_eq!(n_asked.count(), 2);
}

#[test]
fn excluded_nodes_are_not_updated() {
    let account = estate();
    let planned = plan(&account, r#""update": {}"#, &[]);
    planned.assert_status(0).assert_complains(
        "outdated, but excluded, so they are not updated: i-0000000000000000b (Role=dc), mi-0000000000000000c (Role=dc)",
    );
    let ids: Vec<Value> = planned.json()["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["id"].clone())
        .collect();
    assert_eq!(
        json!(ids),
        json!([
            "update_agent/i-0000000000000000a",
            "update_agent/mi-0000000000000000d"
        ])
    );
}

#[test]
fn an_association_for_all_nodes_needs_an_acceptance() {
    let account = estate();
    let refused = plan(&account, r#""association": {}"#, &[]);
    refused.assert_status(2).assert_complains(
        "association UpdateSSMAgent is for all nodes of the region, excluded ones too: i-0000000000000000b (Role=dc), \
         mi-0000000000000000c (Role=dc)",
    );
    assert_eq!(refused.stdout, "");
    let accept = ["--accept", "excluded-nodes"];
    let accepted = plan(&account, r#""association": {}"#, &accept);
    accepted
        .assert_status(0)
        .assert_complains("excluded ones are updated, too");
    let why = accepted.json()["changes"][0]["why"].clone();
    assert!(
        why.as_str()
            .unwrap()
            .contains("mi-0000000000000000c (Role=dc)"),
        "{why}"
    );
}

#[test]
fn excluded_nodes_that_could_not_be_read_make_no_plan() {
    for (service, operation) in [
        ("ec2", "DescribeInstances"),
        ("ssm", "DescribeInstanceInformation"),
    ] {
        let account = estate();
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let refused = plan(&account, r#""association": {}"#, &[]);
        refused.assert_status(2).assert_complains(operation);
        assert_eq!(refused.stdout, "", "{operation}");
    }
}
