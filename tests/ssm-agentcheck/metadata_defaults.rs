//! What the account sets for the metadata service of instances to come.

use serde_json::{Value, json};
use testbed::{Account, Output};

use super::{account, node, tool};

const REQUIRED: &str = r#"{"imds": {"require_v2": true}}"#;

fn set(account: &Account, name: &str, value: &str) {
    account.aws(&["ec2", "modify-instance-metadata-defaults", name, value]);
}

fn check(account: &Account, desired: &str, more: &[&str]) -> Output {
    let arguments = [&["check"], more].concat();
    tool(account, &arguments).stdin(desired).run()
}

fn ids(output: &Output) -> Vec<Value> {
    let records = output.records();
    records.iter().map(|record| record["id"].clone()).collect()
}

fn asked(account: &Account) -> usize {
    let calls = account.operations();
    let asked = calls
        .iter()
        .filter(|call| *call == "ec2:GetInstanceMetadataDefaults");
    asked.count()
}

#[test]
fn defaults_that_let_new_instances_allow_imdsv1_are_found() {
    let account = account(&[node(1)]);
    let unset = check(&account, REQUIRED, &[]);
    unset.assert_status(1);
    assert_eq!(ids(&unset), ["agentcheck.imds_defaults.v1_allowed"]);
    assert_eq!(
        unset.json()["resource"],
        format!("{}/us-east-1", account.id())
    );
    set(&account, "--http-tokens", "optional");
    let optional = check(&account, REQUIRED, &[]);
    assert!(
        optional.stdout.contains("tokens are optional by default"),
        "{}",
        optional.stdout
    );
    set(&account, "--http-tokens", "required");
    let required = check(&account, REQUIRED, &[]);
    required.assert_status(0);
    assert_eq!(required.stdout, "");
    set(&account, "--http-tokens-enforced", "enabled");
    let enforced = check(&account, REQUIRED, &[]);
    enforced.assert_status(0);
    assert_eq!(ids(&enforced), ["agentcheck.imds_defaults.enforced"]);
}

#[test]
fn they_are_asked_for_once_a_region_and_only_where_imdsv2_is_required() {
    let account = account(&[node(1), node(2)]);
    check(&account, REQUIRED, &["--region", "us-east-1,eu-central-1"]).assert_status(1);
    assert_eq!(asked(&account), 2);
    account.forget_calls();
    check(&account, "{}", &[]).assert_status(0);
    check(
        &account,
        REQUIRED,
        &["--instance-id", "i-00000000000000001"],
    )
    .assert_status(0);
    assert_eq!(asked(&account), 0);
}

#[test]
fn defaults_that_could_not_be_read_are_unknown_and_nodes_are_checked() {
    let account = account(&[
        json!({"instance_id": "i-0000000000000000a", "profile": "web",
        "agent": {"version": "3.1.1.0"}}),
    ]);
    account.fault(
        json!({"service": "ec2", "operation": "GetInstanceMetadataDefaults", "kind": "denied", "times": -1}),
    );
    let found = check(&account, REQUIRED, &[]);
    found.assert_status(2);
    assert_eq!(
        ids(&found),
        [
            "agentcheck.imds_defaults.unknown",
            "agentcheck.version.outdated"
        ]
    );
}
