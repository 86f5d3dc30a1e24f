//! `--resume` after a crash: every node has one result, none runs twice.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::Account;

use super::{account, column, id, ids, invocations, node, requests, run, runs, tool};

/// Kills a run of 150 nodes once it has sent `n_sent` commands, and returns the ID of the first.
fn killed(account: &Account, n_sent: usize) -> String {
    // The answer to the last is held back, so that nothing more happens.
    account.fault(json!({"operation": "SendCommand", "after": n_sent - 1, "kind": "drop", "when": "after", "milliseconds": 20_000}));
    let running = tool(account, &["--", "id"]).stdin(ids(0..150)).spawn();
    let began = Instant::now();
    while requests(account, "SendCommand").len() < n_sent {
        assert!(began.elapsed() < Duration::from_secs(30), "not sent");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    running.wait().assert_status(137);
    account.clear_faults();
    let commands = account.aws(&["ssm", "list-commands"]);
    let commands = commands["Commands"].as_array().unwrap().clone();
    assert_eq!(commands.len(), n_sent);
    commands[0]["CommandId"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_run_is_resumed_and_no_node_runs_twice() {
    for n_sent in 1..=3 {
        let account = account(&(0..150).map(node).collect::<Vec<_>>());
        let command_id = killed(&account, n_sent);
        let output = run(&account, 0..150, &["--resume", &command_id, "--", "id"]);
        output
            .assert_status(0)
            .assert_stderr("ssm-run: 150 nodes: 150 Success\n");
        let found = invocations(&output);
        let all: Vec<String> = (0..150).map(id).collect();
        assert_eq!(column(&found, "instance_id"), json!(all), "{n_sent}");
        assert_eq!(column(&found, "status"), json!(vec!["Success"; 150]));
        let once: Vec<(String, u64)> = (0..150).map(|number| (id(number), 1)).collect();
        assert_eq!(runs(&account), once, "{n_sent}");
        // Once more, with the last command: everything was reached.
        let last = requests(&account, "SendCommand").len();
        let again = run(&account, 0..150, &["--resume", &command_id, "--", "id"]);
        again.assert_status(0);
        assert_eq!(invocations(&again).len(), 150);
        assert_eq!(requests(&account, "SendCommand").len(), last);
    }
}

#[test]
fn without_a_command_a_run_is_only_followed() {
    let account = account(&(0..60).map(node).collect::<Vec<_>>());
    let first = run(&account, 0..50, &["--", "id"]);
    let command_id = first.records()[0]["command_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let output = run(&account, [], &["--resume", &command_id]);
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 50);
    let output = run(&account, 49..51, &["--resume", &command_id]);
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(found.len(), 51);
    assert_eq!(found[50]["reason"]["id"], "run.resume.not_reached");
    assert_eq!(requests(&account, "SendCommand").len(), 1);
}

#[test]
fn refuses_what_is_not_the_same_run() {
    let account = account(&[node(1)]);
    let first = run(&account, [1], &["--", "id"]);
    let command_id = first.records()[0]["command_id"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&account, [1], &["--resume", &command_id, "--", "rm -rf /"])
        .assert_status(2)
        .assert_complains("--resume: the run sent something else");
    run(
        &account,
        [1],
        &[
            "--resume",
            "01234567-89ab-cdef-0123-456789abcdef",
            "--",
            "id",
        ],
    )
    .assert_status(2)
    .assert_complains("there is no such command");
    let arguments = [
        "ssm",
        "send-command",
        "--document-name",
        "AWS-RunShellScript",
        "--instance-ids",
        &id(1),
        "--parameters",
        "commands=id",
    ];
    let by_hand = account.aws(&arguments)["Command"]["CommandId"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&account, [1], &["--resume", &by_hand, "--", "id"])
        .assert_status(2)
        .assert_complains("its comment does not show that this tool has sent it");
}
