//! `ssm-run` killed with SIGKILL after each of its calls in turn, and resumed: no node is lost, and none runs it twice.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Account, Output};

use super::running::{assert_ran_once, assert_same, outcomes, scene, tool, undisturbed};

/// How long the answer of the call is held back, within which the caller is killed.
const HELD_MILLISECONDS: u32 = 20_000;
/// How many runs are killed and resumed at once.
const N_AT_ONCE: usize = 6;

/// Returns an ID to resume from: one that was printed, or else one that a look into the history would give.
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
    // Who asks, a command, a look at it and its pages; how often it looks depends on how busy the machine is.
    assert!(n_kills > 5, "{n_kills} of {n_calls}");
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
