//! `ssm-run` while calls fail, answers get lost and it is killed itself: each node is told once and runs nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox};

use super::bin;

/// More than two commands can hold.
const N_NODES: usize = 110;
/// How long the answer of the call is held back, within which the caller is killed.
const HELD_MILLISECONDS: u32 = 20_000;
/// How many runs are killed and resumed at once.
const N_AT_ONCE: usize = 6;

/// Returns the id of a node, which counts from 0.
fn id(number: usize) -> String {
    format!("mi-{number:017x}")
}

/// Returns an account with nodes that end in every way, at different times.
fn scene() -> Account {
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

fn tool(account: &Account, arguments: &[&str]) -> Run {
    let all = [arguments, &["--", "uptime"]].concat();
    account.tool(bin("ssm-run")).args(all).stdin(ids())
}

/// Returns the records of nodes by node.
///
/// # Panics
/// A node is told twice.
fn told(output: &Output) -> BTreeMap<String, Value> {
    let mut told = BTreeMap::new();
    for record in output.records() {
        if record["kind"] == "invocation" {
            let id = record["instance_id"].as_str().unwrap().to_owned();
            let before = told.insert(id.clone(), record);
            assert!(before.is_none(), "{id} is told twice");
        }
    }
    told
}

/// How a node ended: status, exit code, stdout, and why it was not sent to.
type Outcome = [Value; 4];

fn outcomes(output: &Output) -> BTreeMap<String, Outcome> {
    let outcome = |record: &Value| {
        let (status, exit_code) = (record["status"].clone(), record["exit_code"].clone());
        [
            status,
            exit_code,
            record["stdout"].clone(),
            record["reason"]["id"].clone(),
        ]
    };
    let told = told(output);
    told.iter()
        .map(|(id, record)| (id.clone(), outcome(record)))
        .collect()
}

/// Asserts that two maps are the same, and shows what is not.
#[track_caller]
fn assert_same<V: PartialEq + std::fmt::Debug>(
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
fn assert_ran_once(account: &Account, what: &str) {
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
fn undisturbed() -> &'static BTreeMap<String, Outcome> {
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
    // Nobody can tell whether those 50 ran, so they are told so and left alone.
    let told = told(&output);
    assert_eq!(told.len(), N_NODES);
    assert!(told.values().any(|record| record["status"] == "NotSent"));
    assert_ran_once(&account, "denied");
}

#[test]
fn reads_that_fail_for_good_are_told_for_every_node() {
    for operation in ["ListCommands", "ListCommandInvocations"] {
        for kind in ["denied", "expired"] {
            let account = scene();
            account.fault(json!({"operation": operation, "kind": kind, "times": -1}));
            let output = tool(&account, &[]).run();
            output.assert_status(2);
            assert_eq!(told(&output).len(), N_NODES, "{operation} {kind}");
            assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
            assert_ran_once(&account, operation);
        }
    }
}

#[test]
fn a_refused_command_is_told_for_every_node() {
    let account = scene();
    account.fault(json!({"operation": "SendCommand", "kind": "denied", "times": -1}));
    let output = tool(&account, &[]).run();
    output.assert_status(2);
    let told = told(&output);
    assert_eq!(told.len(), N_NODES);
    for record in told.values() {
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

/// Returns an id to resume from: one that was printed, or else one that a look into the history would give.
fn command_id(account: &Account, output: &Output) -> Option<String> {
    let printed = output.stdout.lines();
    let printed = printed.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let printed = printed.filter(|record| record["kind"] == "command");
    let mut ids = printed
        .chain(account.runs())
        .map(|record| record["command_id"].clone());
    ids.next().map(|id| id.as_str().unwrap().to_owned())
}

/// Kills a run after so many calls; returns what it had printed, None if it made fewer.
fn killed(account: &Account, arguments: &[&str], n_before: usize) -> Option<Output> {
    account.forget_calls();
    account.fault(json!({"after": n_before, "kind": "drop", "when": "after", "milliseconds": HELD_MILLISECONDS, "times": 1}));
    let running = tool(account, arguments).spawn();
    let began = Instant::now();
    let proc = format!("/proc/{}/stat", running.id());
    while account.calls().len() <= n_before {
        let state = std::fs::read_to_string(&proc).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            account.clear_faults();
            running.wait();
            return None;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it hangs");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    account.clear_faults();
    Some(running.wait())
}

/// Kills a run after each of its calls in turn, and has another finish it.
fn survives_kills(arguments: &[&str]) {
    let account = scene();
    tool(&account, arguments).run().assert_status(2);
    let n_calls = account.calls().len();
    // They wait for AWS most of the time.
    let kills = |first: usize| {
        let numbers = (first..n_calls).step_by(N_AT_ONCE);
        numbers
            .filter(|n_before| survives_kill(arguments, *n_before))
            .count()
    };
    let n_kills: usize = std::thread::scope(|scope| {
        let running: Vec<_> = (0..N_AT_ONCE)
            .map(|first| scope.spawn(move || kills(first)))
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).sum()
    });
    // A run that polls once less than the first has no last call to be killed after.
    assert!(
        n_kills > 8 && n_kills + 4 > n_calls,
        "{n_kills} of {n_calls}"
    );
}

/// Returns whether it made so many calls.
fn survives_kill(arguments: &[&str], n_before: usize) -> bool {
    let account = scene();
    let Some(output) = killed(&account, arguments, n_before) else {
        return false;
    };
    let what = format!("killed after call {}", n_before + 1);
    let resumed = match command_id(&account, &output) {
        Some(command_id) => tool(&account, &[arguments, &["--resume", &command_id]].concat()).run(),
        None => tool(&account, arguments).run(),
    };
    assert_eq!(resumed.status, 2, "{what}: {}", resumed.stderr);
    assert_same(&outcomes(&resumed), undisturbed(), &what);
    assert_ran_once(&account, &what);
    true
}

#[test]
fn a_killed_run_is_resumed_without_a_node_lost_or_run_twice() {
    survives_kills(&[]);
}

#[test]
fn a_killed_run_in_waves_is_resumed_without_a_node_lost_or_run_twice() {
    survives_kills(&["--waves", "10,100%", "--max-errors", "100%"]);
}

#[test]
fn a_run_that_was_resumed_and_killed_again_is_resumed_again() {
    let expected = undisturbed();
    let account = scene();
    let first = killed(&account, &[], 5).expect("it makes more calls");
    let first = command_id(&account, &first).expect("it has sent something");
    let resume = ["--resume", first.as_str()];
    killed(&account, &resume, 4).expect("it makes more calls");
    let last = tool(&account, &resume).run();
    assert_eq!(last.status, 2, "{}", last.stderr);
    assert_same(&outcomes(&last), expected, "resumed twice");
    assert_ran_once(&account, "resumed twice");
}

#[test]
fn a_killed_run_on_a_tag_is_resumed_without_a_node_lost_or_run_twice() {
    survives_kills(&["--tag", "Fleet=all"]);
}
