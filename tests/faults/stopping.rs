//! `apply` and signals: what has begun ends, what was done is printed with its undo, and nothing is written afterwards.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::rows::{EVENTS_CREATE, PREFS_CREATE, ROLE_CREATE, SCP_CREATE};
use super::scene::{Row, Scene, run_of};

/// How long each call takes, so that signals meet calls in flight.
const LATENCY_MILLISECONDS: u32 = 40;

/// A generator good enough to spread moments; its numbers are the same on every run.
/// <https://www.jstatsoft.org/article/view/v008i14> (xorshift)
fn random(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..3 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([signal, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Signals one run at a moment that the seed chooses; the result is whole, its undo leads back, and nothing runs on.
fn stopped(row: &'static Row, signal: &str, status: i32, seed: u64) {
    let scene = Scene::of(row);
    scene
        .account
        .fault(json!({"kind": "latency", "milliseconds": LATENCY_MILLISECONDS, "times": -1}));
    let running = run_of(&scene.account, row.tool, &scene.plan).spawn();
    std::thread::sleep(Duration::from_millis(200 + random(seed) % 2500));
    send(signal, running.id());
    let ended = running.wait();
    let n_writes = scene.writes().len();
    let what = format!("seed {seed}: {}{}", ended.stdout, ended.stderr);
    assert!(
        ended.status == status || ended.status == 0 || n_writes == 0,
        "{}: {what}",
        ended.status
    );
    scene.account.clear_faults();
    if !ended.stdout.is_empty() {
        let record: Value = ended.json();
        let results = record["results"].as_array().unwrap();
        assert_eq!(
            results.len(),
            scene.plan["changes"].as_array().unwrap().len(),
            "{what}"
        );
        let undo = &record["undo"];
        if !undo.is_null() {
            scene.apply(undo).assert_status(0);
        }
        scene.assert_is_back(&what);
    } else {
        // It came before the first call.
        assert_eq!(n_writes, 0, "{what}");
    }
}

#[test]
fn a_signal_at_any_moment_leaves_a_result_and_an_undo() {
    let n_seeds = if std::env::var_os("LONG").is_some() {
        100
    } else {
        8
    };
    let signals = [("-TERM", 143), ("-HUP", 129), ("-INT", 130)];
    let rows = [&PREFS_CREATE, &ROLE_CREATE, &EVENTS_CREATE, &SCP_CREATE];
    for seed in 0..n_seeds {
        let at = usize::try_from(seed).unwrap();
        let (signal, status) = signals[at % signals.len()];
        stopped(rows[at % rows.len()], signal, status, seed);
    }
}

/// The first write never gets its answer; the second signal does not wait for it.
#[test]
fn a_second_signal_gives_up_the_call_in_flight() {
    let scene = Scene::of(&ROLE_CREATE);
    scene.account.fault(
        json!({"service": "iam", "operation": "CreateRole", "kind": "latency", "when": "after",
        "milliseconds": 60_000, "times": 1}),
    );
    let running = run_of(&scene.account, "ssm-role", &scene.plan).spawn();
    while !scene
        .account
        .operations()
        .contains(&"iam:CreateRole".to_owned())
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    send("-TERM", running.id());
    std::thread::sleep(Duration::from_millis(300));
    send("-TERM", running.id());
    let ended = running.wait();
    ended.assert_status(143);
    let record = ended.json();
    let status = &record["results"][0]["status"];
    assert_eq!(status, "unknown", "{}", ended.stdout);
    assert_eq!(record["undo"]["changes"][0]["action"], "delete_role");
}

/// As under nohup: the run goes on.
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let scene = Scene::of(&SCP_CREATE);
    scene
        .account
        .fault(json!({"kind": "latency", "milliseconds": LATENCY_MILLISECONDS, "times": -1}));
    let running = run_of(&scene.account, "ssm-scp", &scene.plan)
        .ignoring("HUP")
        .spawn();
    std::thread::sleep(Duration::from_millis(400));
    send("-HUP", running.id());
    running.wait().assert_status(0);
    scene.assert_is_done("SIGHUP was ignored");
}

/// What has begun ends, and stderr says what was missed: a closed pipe is not a success for a verb that writes.
#[test]
fn a_result_that_nobody_reads_is_not_fine() {
    let scene = Scene::of(&SCP_CREATE);
    let ended = run_of(&scene.account, "ssm-scp", &scene.plan)
        .stdout_closed()
        .run();
    ended.assert_status(2);
    ended.assert_complains("the output cannot be written");
    ended.assert_complains("`apply --recover`");
    scene.assert_is_done("its reader has gone");
}
