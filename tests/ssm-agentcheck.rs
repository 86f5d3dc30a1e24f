//! `ssm-agentcheck` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-agentcheck/excluding.rs"]
mod excluding;
#[path = "ssm-agentcheck/firewall.rs"]
mod firewall;
#[path = "ssm-agentcheck/hosting.rs"]
mod hosting;
#[path = "ssm-agentcheck/metadata_defaults.rs"]
mod metadata_defaults;
#[path = "ssm-agentcheck/reasons.rs"]
mod reasons;
#[path = "ssm-agentcheck/saved.rs"]
mod saved;
#[path = "ssm-agentcheck/updating.rs"]
mod updating;

use serde_json::{Value, json};
use testbed::{Account, Run, Sandbox};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-agentcheck");

fn account(nodes: &[Value]) -> Account {
    let account = Sandbox::start().account();
    let mut nodes = nodes.to_vec();
    for node in &mut nodes {
        node["account"] = json!(account.id());
        node["region"] = json!("us-east-1");
    }
    let roles = json!([{"account": account.id(), "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true}]);
    account.seed(&json!({"roles": roles, "nodes": nodes}));
    account
}

fn node(number: usize) -> Value {
    json!({"instance_id": format!("i-{number:017x}"), "profile": "web", "agent": {"version": "3.3.987.0"}})
}

fn tool(account: &Account, arguments: &[&str]) -> Run {
    account.tool(EXE).args(arguments)
}

fn ids(records: &[Value]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|record| {
            (
                record["id"].as_str().unwrap(),
                record["resource"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn show_joins_ec2_and_ssm() {
    let account = account(&[
        json!({"instance_id": "i-0000000000000000a", "name": "web-1", "profile": "web", "agent":
            {"version": "3.3.987.0", "last_ping": "2026-01-31T09:29:00Z"}}),
        json!({"instance_id": "i-0000000000000000b", "agent":
            {"version": "3.3.987.0", "iam_role": "AWSSystemsManagerDefaultEC2InstanceManagementRole"}}),
        json!({"instance_id": "i-0000000000000000c", "state": "stopped", "platform": {"type": "Windows", "name": "w", "version": "1"},
            "imds": {"endpoint": "disabled", "tokens": "optional", "hop_limit": 1}}),
        json!({"instance_id": "i-0000000000000000d", "state": "terminated"}),
        json!({"instance_id": "mi-0000000000000000e", "agent": {"version": "3.3.987.0", "iam_role": "hybrid"}}),
    ]);
    let output = tool(&account, &["show"]).run();
    output.assert_status(0).assert_stderr("");
    let nodes = output.records();
    let expected = json!({
        "kind": "node", "target": {"account": account.id(), "region": "us-east-1"},
        "instance_id": "i-0000000000000000a", "state": "running", "launched": nodes[0]["launched"],
        "platform": {"type": "Linux", "name": "Amazon Linux", "version": "2023"},
        "agent": {"version": "3.3.987.0", "latest": nodes[0]["agent"]["latest"], "ping": "Online",
            "last_ping": "2026-01-31T09:29:00Z"},
        "imds": {"endpoint": "enabled", "tokens": "required", "hop_limit": 2},
        "profile": format!("arn:aws:iam::{}:instance-profile/web", account.id()),
        "role": null, "managed_by": "instance-profile", "source": null, "tags": {"Name": "web-1"},
        "network": {"vpc_id": nodes[0]["network"]["vpc_id"], "subnet_id": nodes[0]["network"]["subnet_id"],
            "public_ip": "198.51.100.11", "private_ip": nodes[0]["network"]["private_ip"], "security_groups": []},
        "evidence": null,
    });
    assert_eq!(nodes[0], expected);
    let private_ip = nodes[0]["network"]["private_ip"].as_str().unwrap();
    assert!(private_ip.starts_with("172.31."), "{private_ip}");
    let column = |key: &str| {
        nodes
            .iter()
            .map(|node| node[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        json!(column("managed_by")),
        json!(["instance-profile", "dhmc", "none", "hybrid"])
    );
    assert_eq!(
        json!(column("state")),
        json!(["running", "running", "stopped", null])
    );
    assert_eq!(nodes[2]["platform"]["type"], "Windows");
    assert_eq!(nodes[2]["agent"], Value::Null);
    assert_eq!(nodes[3]["instance_id"], "mi-0000000000000000e");
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn show_reads_every_page() {
    let account = account(&(0..51).map(node).collect::<Vec<_>>());
    let output = tool(&account, &["show"]).run();
    output.assert_status(0);
    let nodes = output.records();
    assert_eq!(nodes.len(), 51);
    assert!(nodes.iter().all(|node| node["agent"] != Value::Null));
    let pages = account
        .operations()
        .iter()
        .filter(|call| *call == "ssm:DescribeInstanceInformation")
        .count();
    // 50 instances a call, and one call for hybrid nodes.
    assert_eq!(pages, 3);
}

#[test]
fn show_reads_every_page_of_ec2() {
    let bare = |number: usize| json!({"instance_id": format!("i-{number:017x}")});
    let account = account(&(0..1001).map(bare).collect::<Vec<_>>());
    let output = tool(&account, &["show"]).run();
    output.assert_status(0);
    assert_eq!(output.records().len(), 1001);
    let pages = account
        .operations()
        .iter()
        .filter(|call| *call == "ec2:DescribeInstances")
        .count();
    assert_eq!(pages, 2);
}

#[test]
fn show_of_nothing_is_nothing() {
    let output = tool(&account(&[]), &["show"]).run();
    output.assert_status(0).assert_stderr("");
    assert_eq!(output.stdout, "");
}

#[test]
fn a_refused_read_is_an_error_not_an_empty_answer() {
    let account = account(&[node(1)]);
    for (service, operation, code) in [
        ("ec2", "DescribeInstances", "UnauthorizedOperation"),
        (
            "ssm",
            "DescribeInstanceInformation",
            "AccessDeniedException",
        ),
    ] {
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        for (arguments, input) in [(&["show"], ""), (&["check"], "{}")] {
            let output = tool(&account, arguments).stdin(input).run();
            output.assert_status(2);
            let begin = format!(
                "ssm-agentcheck: {operation} {}/us-east-1: {code}: ",
                account.id()
            );
            assert!(output.stderr.starts_with(&begin), "{}", output.stderr);
            assert_eq!(output.stdout, "");
        }
        account.clear_faults();
    }
}

#[test]
fn throttling_and_server_errors_of_ec2_are_retried() {
    for kind in ["throttle", "error", "drop"] {
        let account = account(&[node(1)]);
        account.fault(json!({"service": "ec2", "kind": kind, "times": 1}));
        let output = tool(&account, &["show"]).run();
        output.assert_status(0);
        assert_eq!(output.records().len(), 1, "{kind}");
    }
}

#[test]
fn one_unreadable_region_among_several_is_a_record() {
    let account = account(&[node(1)]);
    account
        .fault(json!({"service": "ec2", "region": "eu-central-1", "kind": "denied", "times": -1}));
    let output = tool(&account, &["show", "--region", "eu-central-1,us-east-1"]).run();
    output.assert_status(2).assert_stderr("");
    let kinds: Vec<_> = output
        .records()
        .iter()
        .map(|record| record["kind"].clone())
        .collect();
    assert_eq!(json!(kinds), json!(["unreachable", "node"]));
    assert_eq!(output.records()[0]["target"]["region"], "eu-central-1");
}

#[test]
fn check_finds_what_is_wrong_and_counts_the_rest() {
    let account = account(&[
        node(1),
        json!({"instance_id": "i-0000000000000000a", "agent": {"version": "3.1.1.0"}}),
        json!({"instance_id": "i-0000000000000000b"}),
        json!({"instance_id": "i-0000000000000000c", "state": "stopped"}),
    ]);
    let output = tool(&account, &["check"]).stdin("{}").run();
    output
        .assert_status(1)
        .assert_stderr("ssm-agentcheck: 4 nodes: 1 pass, 2 fail (1 agent outdated, 1 no instance profile), 0 unknown, 1 not running\n");
    let records = output.records();
    let expected = [
        ("agentcheck.version.outdated", "i-0000000000000000a"),
        (
            "agentcheck.unregistered.no_credentials",
            "i-0000000000000000b",
        ),
        ("agentcheck.node.stopped", "i-0000000000000000c"),
    ];
    assert_eq!(ids(&records), expected);
    assert!(account.writes().is_empty());
}

#[test]
fn check_of_healthy_nodes_is_quiet() {
    let output = tool(&account(&[node(1)]), &["check"])
        .stdin(r#"{"max_ping_age_minutes": 30}"#)
        .run();
    output
        .assert_status(0)
        .assert_stderr("ssm-agentcheck: 1 node: 1 pass, 0 fail, 0 unknown\n");
    assert_eq!(output.stdout, "");
}

#[test]
fn saved_nodes_are_checked_without_aws() {
    let account =
        account(&[json!({"instance_id": "i-0000000000000000a", "agent": {"version": "3.1.1.0"}})]);
    let shown = tool(&account, &["show"]).run();
    let live = tool(&account, &["check", "-q"]).stdin("{}").run();
    let (nodes, desired) = (
        account.home().join("nodes.jsonl"),
        account.home().join("agent.json"),
    );
    std::fs::write(&nodes, &shown.stdout).unwrap();
    std::fs::write(&desired, "{}").unwrap();
    let arguments = [
        "check",
        "--nodes",
        nodes.to_str().unwrap(),
        "-f",
        desired.to_str().unwrap(),
    ];
    let saved = testbed::offline(EXE).args(arguments).run();
    saved
        .assert_status(1)
        .assert_stderr("ssm-agentcheck: 1 node: 0 pass, 1 fail (1 agent outdated), 0 unknown\n");
    live.assert_status(1).assert_stderr("");
    assert_eq!(saved.stdout, live.stdout);
}

#[test]
fn an_unreachable_region_among_saved_nodes_is_not_a_pass() {
    let account = account(&[]);
    let nodes = account.home().join("nodes.jsonl");
    let record = json!({"kind": "unreachable", "tool": "ssm-agentcheck", "error": "denied",
        "target": {"account": account.id(), "region": "eu-central-1"}});
    std::fs::write(&nodes, record.to_string()).unwrap();
    let output = testbed::offline(EXE)
        .args(["check", "--nodes", nodes.to_str().unwrap()])
        .stdin("{}")
        .run();
    output.assert_status(2);
    assert_eq!(output.json(), record);
}

#[test]
fn wrong_input_is_refused_before_any_call() {
    let account = account(&[]);
    for (verb, input, complaint) in [
        (
            "plan",
            "",
            "ssm-agentcheck: read desired agents from stdin: the input is empty: pipe JSON in or pass -f FILE\n",
        ),
        (
            "check",
            r#"{"min_version": "3.x"}"#,
            "$.min_version: '3.x' is not a version of up to four numbers such as 3.2.582.0",
        ),
        ("check", r#"{"imds": {"hops": 1}}"#, "unknown field `hops`"),
    ] {
        let output = tool(&account, &[verb]).stdin(input).run();
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
    assert!(account.calls().is_empty());
}
