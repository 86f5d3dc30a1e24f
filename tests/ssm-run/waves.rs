//! Waves, error limits and how many nodes run at once.

use serde_json::{Value, json};

use super::{account, column, ends, id, invocations, node, requests, run, runs};

fn sizes(calls: &[Value]) -> Vec<usize> {
    let size = |call: &Value| call["InstanceIds"].as_array().unwrap().len();
    calls.iter().map(size).collect()
}

#[test]
fn waves_are_sent_one_after_another() {
    let account = account(&(0..60).map(node).collect::<Vec<_>>());
    let output = run(&account, 0..60, &["--waves", "1,10%,100%", "--", "id"]);
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 60);
    assert_eq!(sizes(&requests(&account, "SendCommand")), [1, 5, 50, 4]);
    // A wave begins when all nodes of the one before are reported.
    let kinds: Vec<Value> = output
        .records()
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert_eq!(
        json!(&kinds[..3]),
        json!(["command", "invocation", "command"])
    );
}

#[test]
fn a_wave_over_its_limit_is_the_last() {
    let mut nodes: Vec<Value> = (1..=10).map(node).collect();
    nodes[0] = ends(1, "Failed");
    let account = account(&nodes);
    let output = run(&account, 1..=10, &["--waves", "2,100%", "--", "id"]);
    output.assert_status(2);
    let found = invocations(&output);
    let mut expected = vec!["NotSent"; 10];
    (expected[0], expected[1]) = ("Failed", "Success");
    assert_eq!(column(&found, "status"), json!(expected));
    assert_eq!(found[5]["reason"]["id"], "run.wave.limit");
    assert_eq!(runs(&account), [(id(1), 1), (id(2), 1)]);
}

#[test]
fn errors_within_the_limit_and_undelivered_ones_do_not_stop_a_run() {
    let account = account(&[ends(1, "Failed"), ends(2, "Undeliverable"), node(3)]);
    let arguments = ["--waves", "2,100%", "--max-errors", "1", "--", "id"];
    let output = run(&account, 1..=3, &arguments);
    output.assert_status(2);
    let statuses = column(&invocations(&output), "status");
    assert_eq!(statuses, json!(["Failed", "Failed", "Success"]));
    assert_eq!(requests(&account, "SendCommand")[0]["MaxErrors"], "1");
}

#[test]
fn without_a_limit_errors_stop_nothing() {
    let account = account(
        &(0..60)
            .map(|number| ends(number, "Failed"))
            .collect::<Vec<_>>(),
    );
    let output = run(&account, 0..60, &["--", "id"]);
    output.assert_status(1);
    assert_eq!(
        column(&invocations(&output), "status"),
        json!(vec!["Failed"; 60])
    );
    let calls = requests(&account, "SendCommand");
    assert_eq!(column(&calls, "MaxErrors"), json!(["100%", "100%"]));
}

#[test]
fn errors_are_counted_over_all_commands_of_a_wave() {
    // 50 nodes run at once, so that the second command waits for the first.
    let account = account(
        &(0..80)
            .map(|number| ends(number, "Failed"))
            .collect::<Vec<_>>(),
    );
    let arguments = ["--max-errors", "10", "--node-concurrency", "50", "--", "id"];
    let output = run(&account, 0..80, &arguments);
    output.assert_status(2);
    assert_eq!(invocations(&output).len(), 80);
    assert_eq!(requests(&account, "SendCommand").len(), 1);
    let left = invocations(&output);
    let left = left.iter().filter(|one| one["status"] == "NotSent");
    assert_eq!(left.count(), 30);
}

#[test]
fn no_more_nodes_run_at_once_than_asked_for() {
    let account = account(&(0..120).map(node).collect::<Vec<_>>());
    let output = run(&account, 0..120, &["--node-concurrency", "60", "--", "id"]);
    output.assert_status(0);
    let widths: Vec<u64> = requests(&account, "SendCommand")
        .iter()
        .map(|call| call["MaxConcurrency"].as_str().unwrap().parse().unwrap())
        .collect();
    // The second waits until the first leaves it at least half of what it could use.
    assert_eq!((widths.len(), widths[0]), (3, 50));
    assert!(
        (25..=50).contains(&widths[1]) && (10..=20).contains(&widths[2]),
        "{widths:?}"
    );
    let operations = account.operations();
    let at = |name: &str, number: usize| {
        let mut calls = operations
            .iter()
            .enumerate()
            .filter(|(_, call)| *call == name);
        calls.nth(number).unwrap().0
    };
    assert!(at("ssm:ListCommandInvocations", 0) < at("ssm:SendCommand", 1));
    assert_eq!(account.problems(), Vec::<Value>::new());
}
