//! `ssm-run` while calls fail and answers get lost: each node is reported once and runs nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox, repository};

use super::bin;

/// More than two commands can hold.
const N_NODES: usize = 110;
/// Returns the ID of a node, which counts from 0.
fn id(number: usize) -> String {
    format!("mi-{number:017x}")
}

/// Returns an account with nodes that end in every way, at different times.
pub(super) fn scene() -> Account {
    let account = Sandbox::start().account();
    let node = |number: usize| {
        let agent = match number % 11 {
            3 => json!({"run_output": [{"exit_code": 4, "stderr": "no\n"}]}),
            5 => json!({"run_command": "TimedOut"}),
            7 => json!({"run_command": "Undeliverable"}),
            9 => json!({"run_output": [{"stdout": "slow\n", "seconds": 1.2}]}),
            _ => json!({"run_output": [{"stdout": "done\n"}]}),
        };
        let mut agent = agent;
        agent["version"] = json!("3.3.0.0");
        json!({"account": account.id(), "region": "us-east-1", "instance_id": id(number), "agent": agent,
            "tags": {"Fleet": "all"}})
    };
    account.seed(&json!({"nodes": (0..N_NODES).map(node).collect::<Vec<_>>()}));
    account
}

fn ids() -> String {
    (0..N_NODES).map(|number| id(number) + "\n").collect()
}

pub(super) fn tool(account: &Account, arguments: &[&str]) -> Run {
    let all = [arguments, &["--", "uptime"]].concat();
    account.tool(bin("ssm-run")).args(all).stdin(ids())
}

/// Returns the records of nodes by node.
///
/// # Panics
/// A node is reported twice.
fn reported(output: &Output) -> BTreeMap<String, Value> {
    let mut reported = BTreeMap::new();
    for record in output.records() {
        if record["kind"] == "invocation" {
            let id = record["instance_id"].as_str().unwrap().to_owned();
            let before = reported.insert(id.clone(), record);
            assert!(before.is_none(), "{id} is reported twice");
        }
    }
    reported
}

/// How a node ended: status, exit code, stdout, and why it was not sent to.
pub(super) type Outcome = [Value; 4];

pub(super) fn outcomes(output: &Output) -> BTreeMap<String, Outcome> {
    let outcome = |record: &Value| {
        let (status, exit_code) = (record["status"].clone(), record["exit_code"].clone());
        [
            status,
            exit_code,
            record["stdout"].clone(),
            record["reason"]["id"].clone(),
        ]
    };
    let reported = reported(output);
    reported
        .iter()
        .map(|(id, record)| (id.clone(), outcome(record)))
        .collect()
}

/// Asserts that two maps are the same, and shows what is not.
#[track_caller]
pub(super) fn assert_same<V: PartialEq + std::fmt::Debug>(
    found: &BTreeMap<String, V>,
    expected: &BTreeMap<String, V>,
    what: &str,
) {
    let ids: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let is_other = |id: &&String| found.get(*id) != expected.get(*id);
    let others: Vec<&String> = ids.into_iter().filter(is_other).collect();
    if let Some(first) = others.first() {
        let (is, wanted) = (found.get(*first), expected.get(*first));
        panic!(
            "{what}: {} nodes differ: {first} is {is:?}, not {wanted:?}",
            others.len()
        );
    }
}

/// Asserts that every node that takes commands ran this one once, and no other.
#[track_caller]
pub(super) fn assert_ran_once(account: &Account, what: &str) {
    let mut runs: BTreeMap<String, u64> = BTreeMap::new();
    for run in account.runs() {
        let id = run["instance_id"].as_str().unwrap().to_owned();
        *runs.entry(id).or_default() += run["runs"].as_u64().unwrap();
    }
    let expected = (0..N_NODES).filter(|number| number % 11 != 7);
    let expected: BTreeMap<String, u64> = expected.map(|number| (id(number), 1)).collect();
    assert_same(&runs, &expected, what);
}

fn n_calls(account: &Account, operation: &str) -> usize {
    let calls = account.calls();
    calls
        .iter()
        .filter(|call| call["operation"] == operation)
        .count()
}

/// Returns how an undisturbed run ends, which every other has to end like.
pub(super) fn undisturbed() -> &'static BTreeMap<String, Outcome> {
    static OUTCOMES: OnceLock<BTreeMap<String, Outcome>> = OnceLock::new();
    OUTCOMES.get_or_init(|| {
        let account = scene();
        let output = tool(&account, &[]).run();
        output.assert_status(2);
        assert_ran_once(&account, "undisturbed");
        assert!(account.problems().is_empty(), "{:?}", account.problems());
        let outcomes = outcomes(&output);
        assert_eq!(outcomes.len(), N_NODES);
        outcomes
    })
}

/// Runs with faults, and expects the records and runs of an undisturbed run.
fn survives(faults: &[Value]) -> Account {
    let account = scene();
    for fault in faults {
        account.fault(fault.clone());
    }
    let output = tool(&account, &[]).run();
    output.assert_status(2);
    let what = json!(faults).to_string();
    assert_same(&outcomes(&output), undisturbed(), &what);
    assert_ran_once(&account, &what);
    account
}

#[test]
fn throttled_polling_backs_off_and_loses_nothing() {
    let account = survives(&[
        json!({"operation": "ListCommands", "kind": "throttle", "times": 6}),
        json!({"operation": "ListCommandInvocations", "kind": "throttle", "times": 6}),
    ]);
    // Not one try after the other: an undisturbed run of three seconds takes about as many.
    assert!(n_calls(&account, "ListCommands") < 30);
    assert!(n_calls(&account, "ListCommandInvocations") < 30);
}

#[test]
fn reads_that_fail_lose_nothing() {
    for kind in ["error", "drop", "cut"] {
        survives(&[
            json!({"operation": "DescribeInstanceInformation", "kind": kind, "times": 1, "after": 1}),
            json!({"operation": "ListCommands", "kind": kind, "times": 2, "after": 1}),
            json!({"operation": "ListCommandInvocations", "kind": kind, "times": 2, "after": 1}),
        ]);
    }
}

#[test]
fn a_command_whose_answer_is_lost_is_sent_once() {
    for kind in ["drop", "error", "cut"] {
        let fault = json!({"operation": "SendCommand", "kind": kind, "when": "after", "times": 1, "after": 1});
        let account = survives(&[fault]);
        assert_eq!(n_calls(&account, "SendCommand"), 3, "{kind}");
    }
}

#[test]
fn a_command_that_was_not_taken_is_sent_again() {
    for kind in ["throttle", "drop", "error"] {
        let account =
            survives(&[json!({"operation": "SendCommand", "kind": kind, "times": 2, "after": 1})]);
        assert_eq!(n_calls(&account, "SendCommand"), 5, "{kind}");
    }
}

#[test]
fn a_lost_command_is_found_while_the_search_is_throttled() {
    let account = survives(&[
        json!({"operation": "SendCommand", "kind": "drop", "when": "after", "times": 1}),
        json!({"operation": "ListCommands", "kind": "throttle", "times": 3}),
    ]);
    assert_eq!(n_calls(&account, "SendCommand"), 3);
}

#[test]
fn a_command_that_may_have_been_taken_is_never_sent_twice() {
    let account = scene();
    account.fault(json!({"operation": "SendCommand", "kind": "drop", "when": "after", "times": 1}));
    account.fault(json!({"operation": "ListCommands", "kind": "denied", "times": -1}));
    let output = tool(&account, &[]).run();
    output.assert_status(2);
    // Nobody can know whether those 50 ran: they are reported so, and left alone.
    let reported = reported(&output);
    assert_eq!(reported.len(), N_NODES);
    assert!(
        reported
            .values()
            .any(|record| record["status"] == "NotSent")
    );
    assert_ran_once(&account, "denied");
}

#[test]
fn reads_that_fail_for_good_are_reported_for_every_node() {
    for operation in ["ListCommands", "ListCommandInvocations"] {
        for kind in ["denied", "expired"] {
            let account = scene();
            account.fault(json!({"operation": operation, "kind": kind, "times": -1}));
            let output = tool(&account, &[]).run();
            output.assert_status(2);
            assert_eq!(reported(&output).len(), N_NODES, "{operation} {kind}");
            assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
            assert_ran_once(&account, operation);
        }
    }
}

#[test]
fn a_refused_command_is_reported_for_every_node() {
    let account = scene();
    account.fault(json!({"operation": "SendCommand", "kind": "denied", "times": -1}));
    let output = tool(&account, &[]).run();
    output.assert_status(2);
    let reported = reported(&output);
    assert_eq!(reported.len(), N_NODES);
    for record in reported.values() {
        assert_eq!(record["status"], "NotSent", "{record}");
        assert_eq!(record["command_id"], Value::Null);
        assert!(
            record["reason"]["message"]
                .as_str()
                .unwrap()
                .contains("AccessDenied"),
            "{record}"
        );
    }
    assert!(account.runs().is_empty());
}

/// Fills an account with the fleet of the sandbox, and returns the IDs of its nodes.
fn fleet(account: &Account) -> Vec<String> {
    let path = repository().join("tests/sandbox/estates/fleet.json");
    let text = std::fs::read_to_string(path).unwrap();
    let estate: Value = serde_json::from_str(&text.replace("555555555555", account.id())).unwrap();
    account.seed(&estate);
    let mut ids = Vec::new();
    for node in estate["nodes"].as_array().unwrap() {
        let first = node["instance_id"]
            .as_str()
            .unwrap()
            .trim_start_matches("i-");
        let first = u64::from_str_radix(first, 16).unwrap();
        let count = node["count"].as_u64().unwrap();
        ids.extend((first..first + count).map(|number| format!("i-{number:017x}")));
    }
    ids
}

#[test]
fn two_thousand_nodes_are_reported_once_and_run_once_while_calls_fail() {
    let account = Sandbox::start().account();
    let ids = fleet(&account);
    assert_eq!(ids.len(), 2000);
    for fault in [
        json!({"operation": "SendCommand", "kind": "drop", "when": "after", "after": 7, "times": 1}),
        json!({"operation": "SendCommand", "kind": "throttle", "after": 20, "times": 4}),
        json!({"operation": "ListCommandInvocations", "kind": "cut", "after": 3, "times": 2}),
        json!({"operation": "GetCommandInvocation", "kind": "throttle", "after": 5, "times": 10}),
        json!({"operation": "ListCommands", "kind": "error", "after": 1, "times": 2}),
    ] {
        account.fault(fault);
    }
    let run = account.tool(bin("ssm-run")).args(["--", "uptime"]);
    let output = run.stdin(ids.join("\n")).run();
    output.assert_status(2);
    let reported = reported(&output);
    assert!(
        reported.keys().eq(ids.iter().collect::<BTreeSet<_>>()),
        "{}",
        reported.len()
    );
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in reported.values() {
        let word = |key: &str| record[key].as_str().unwrap_or_default();
        let ending = format!("{} {}", word("status"), word("status_details"));
        *counts.entry(ending).or_default() += 1;
    }
    let expected = [
        ("Cancelled Cancelled", 40),
        ("Failed AccessDenied", 10),
        ("Failed Failed", 150),
        ("Failed Undeliverable", 60),
        ("Success Success", 1620),
        ("TimedOut DeliveryTimedOut", 40),
        ("TimedOut ExecutionTimedOut", 60),
        ("Unreachable ", 20),
    ];
    assert_eq!(
        counts,
        expected.map(|(ending, n)| (ending.to_owned(), n)).into()
    );
    let runs = account.runs();
    let ran: BTreeSet<&str> = runs
        .iter()
        .filter_map(|run| run["instance_id"].as_str())
        .collect();
    // Those that nothing was delivered to did not run it, and nobody ran it twice.
    assert_eq!((ran.len(), runs.len()), (1870, 1870));
    assert!(runs.iter().all(|run| run["runs"] == 1));
}
