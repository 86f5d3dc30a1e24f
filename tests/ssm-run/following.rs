//! What became of commands: each end with its exit status, reported once, through pages, throttling, errors and Ctrl-C.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Account;

use super::{
    account, by_the_watch, column, ends, id, ids, invocations, node, prints, requests, run, tool,
};

#[test]
fn every_end_has_its_status_and_exit_status() {
    for (outcome, status, details, exit_code, exit_status) in [
        ("Success", "Success", "Success", json!(0), 0),
        ("Failed", "Failed", "Failed", json!(1), 1),
        ("TimedOut", "TimedOut", "ExecutionTimedOut", json!(null), 1),
        (
            "DeliveryTimedOut",
            "TimedOut",
            "DeliveryTimedOut",
            json!(null),
            2,
        ),
        ("Undeliverable", "Failed", "Undeliverable", json!(null), 2),
        ("AccessDenied", "Failed", "AccessDenied", json!(null), 2),
        ("Terminated", "Cancelled", "Terminated", json!(null), 2),
    ] {
        let account = account(&[ends(1, outcome)]);
        let output = run(&account, [1], &["--", "id"]);
        output.assert_status(exit_status);
        let found = invocations(&output);
        let shown = (
            &found[0]["status"],
            &found[0]["status_details"],
            &found[0]["exit_code"],
        );
        assert_eq!(
            shown,
            (&json!(status), &json!(details), &exit_code),
            "{outcome}"
        );
    }
}

#[test]
fn the_graver_exit_status_wins() {
    let account = account(&[
        ends(1, "Success"),
        ends(2, "Failed"),
        ends(3, "Undeliverable"),
    ]);
    run(&account, [1, 2], &["--", "id"]).assert_status(1);
    run(&account, [1, 2, 3], &["--", "id"]).assert_status(2);
}

#[test]
fn a_fast_node_is_reported_while_a_slow_one_runs() {
    let account = account(&[
        prints(1, json!({"stdout": "fast", "seconds": 0.3})),
        prints(2, json!({"stdout": "slow", "seconds": 4})),
    ]);
    let file = account.home().join("out.jsonl");
    let shell = format!("{} -- id >'{}'", super::EXE, file.display());
    let began = Instant::now();
    let running = account
        .tool("/bin/sh")
        .args(["-c", &shell])
        .stdin(ids([1, 2]))
        .spawn();
    let n_reported = || {
        std::fs::read_to_string(&file)
            .unwrap_or_default()
            .lines()
            .count()
    };
    while n_reported() < 2 {
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "the fast node is not reported"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    running.wait().assert_status(0);
    assert!(began.elapsed() > Duration::from_secs(4));
    assert_eq!(n_reported(), 3);
}

#[test]
fn two_thousand_nodes_cost_less_than_two_hundred_calls() {
    let fleet =
        json!({"instance_id": id(0x1000), "count": 2_000, "agent": {"version": "3.3.987.0"}});
    let account = account(&[fleet]);
    let record = |number: usize| {
        json!({"kind": "node", "target": {"account": account.id(), "region": "us-east-1"}, "instance_id": id(number),
            "state": "running", "platform": {"type": "Linux", "name": null, "version": null},
            "agent": {"version": "3.3.987.0", "latest": null, "ping": "Online", "last_ping": null}, "imds": null,
            "profile": null, "role": null, "managed_by": "instance-profile", "tags": {}})
        .to_string()
    };
    let nodes: String = (0x1000..0x1000 + 2_000).map(record).collect();
    let began = Instant::now();
    let output = by_the_watch(&account, &["--", "id"]).stdin(nodes).run();
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 2_000);
    assert!(super::runs(&account).iter().all(|(_, n_runs)| *n_runs == 1));
    assert_eq!(requests(&account, "SendCommand").len(), 40);
    // Lists come at most twice a second, however slow this machine is.
    let n_lists = requests(&account, "ListCommands").len();
    let n_others = account.calls().len() - n_lists;
    assert!(n_others < 150, "{n_others} calls besides lists");
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    assert!(n_lists <= 2 * seconds + 5, "{n_lists} lists in {seconds} s");
}

#[test]
fn throttled_and_failing_reads_lose_nothing() {
    for (operation, kind) in [
        ("ListCommandInvocations", "throttle"),
        ("ListCommandInvocations", "cut"),
        ("ListCommands", "drop"),
    ] {
        let account = account(&(0..60).map(node).collect::<Vec<_>>());
        account.fault(json!({"operation": operation, "kind": kind, "times": 3}));
        let output = run(&account, 0..60, &["--", "id"]);
        output.assert_status(0);
        assert_eq!(invocations(&output).len(), 60, "{operation} {kind}");
    }
}

#[test]
fn who_may_not_list_commands_reads_them_one_by_one() {
    let account = account(&(0..60).map(node).collect::<Vec<_>>());
    account.fault(json!({"operation": "ListCommands", "kind": "denied", "times": -1}));
    let output = run(&account, 0..60, &["--", "id"]);
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 60);
}

#[test]
fn what_cannot_be_read_is_reported_as_unknown() {
    let account = account(&[node(1)]);
    account.fault(json!({"operation": "ListCommandInvocations", "kind": "denied", "times": -1}));
    let output = run(&account, [1], &["--", "id"]);
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["Pending"]));
    assert_eq!(found[0]["reason"]["id"], "run.invocation.unknown");
    assert!(found[0]["command_id"].is_string());
}

/// Presses Ctrl-C once a command is sent and followed.
fn stopped(account: &Account, running: testbed::Running) -> testbed::Output {
    let began = Instant::now();
    while requests(account, "ListCommandInvocations").is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "nothing is followed"
        );
        std::thread::sleep(Duration::from_millis(30));
    }
    let kill = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    running.wait()
}

#[test]
fn control_c_cancels_what_is_in_flight_and_reports_it() {
    let account = account(&[
        json!({"instance_id": id(1), "agent": {"version": "3.3.987.0", "run_command": "sh"}}),
        ends(2, "Success"),
    ]);
    let running = by_the_watch(&account, &["--", "sleep 1000"])
        .stdin(ids([1, 2]))
        .spawn();
    let output = stopped(&account, running);
    output
        .assert_status(130)
        .assert_stderr("ssm-run: 2 nodes: 1 Cancelled, 1 Success\n");
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["Cancelled", "Success"]));
    let sent: Vec<Value> = output
        .records()
        .into_iter()
        .filter(|one| one["kind"] == "command")
        .collect();
    let canceled = column(&requests(&account, "CancelCommand"), "CommandId");
    assert_eq!(canceled, column(&sent, "command_id"));
}

#[test]
fn control_c_leaves_the_next_wave_unsent_and_reports_how_the_rest_stood() {
    let account = account(&[ends(1, "InProgress"), node(2)]);
    let running = tool(&account, &["--waves", "1,100%", "--", "id"])
        .without("ssm:CancelCommand")
        .stdin(ids([1, 2]))
        .spawn();
    let output = stopped(&account, running);
    output.assert_status(130);
    assert_eq!(output.refused.len(), 1, "{:?}", output.refused);
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["InProgress", "NotSent"]));
    assert_eq!(found[0]["reason"]["id"], "run.invocation.interrupted");
    let message = found[0]["reason"]["message"].as_str().unwrap();
    assert!(
        message.contains("could not be canceled: CancelCommand "),
        "{message}"
    );
    assert_eq!(found[1]["reason"]["id"], "run.wave.interrupted");
}
