//! What `apply` promises, over every action of every tool: an answer that is lost is not a loss, a call that fails once is taken up
//! again, a killed run goes on, reads that are behind are waited for; and after each of these the undo leads back.
//! Signals are `stopping.rs`, updates of agents `killing.rs`. A new action without a row fails `every_action_has_a_row`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Output;

use super::bin;
use super::rows::{
    AGENTS_CHANGE, AGENTS_CREATE, EVENTS_CHANGE, EVENTS_CREATE, EVENTS_DRIFT, FUNCTION_CHANGE,
    FUNCTION_CREATE, FUNCTION_DRIFT, PREFS_CHANGE, PREFS_CREATE, PREFS_DRIFT, PREFS_PROTECT,
    ROLE_CREATE, ROWS, SCP_CHANGE, SCP_CREATE, SCP_ENABLE,
};
use super::scene::{Row, Scene, run_of};

fn words(output: &Output, key: &str) -> Vec<String> {
    let record = output.json();
    let results = record["results"].as_array().unwrap();
    results
        .iter()
        .map(|one| one[key].as_str().unwrap().to_owned())
        .collect()
}

/// Goes through the row without a fault; returns the writes of `apply` and those of the undo.
fn undisturbed(row: &'static Row) -> [Vec<(String, String, usize)>; 2] {
    let scene = Scene::of(row);
    let applied = scene.apply(&scene.plan);
    applied.assert_status(0);
    let forward = scene.writes();
    assert!(!forward.is_empty(), "{}: nothing to do", row.tool);
    scene.assert_is_done("without a fault");
    scene.account.forget_calls();
    scene.apply(&applied.json()["undo"]).assert_status(0);
    let back = scene.writes();
    scene.assert_is_back("without a fault");
    [forward, back]
}

/// Takes one row through the faults: a lost answer, a denial and a kill at every write, the others at one or, at length, at all.
fn keeps_its_promises(row: &'static Row) {
    let [forward, back] = undisturbed(row);
    let long = std::env::var_os("LONG").is_some();
    // In CI one write of each row for what is not new by then; `make test-long` takes all of them.
    let some = |writes: &[Write]| writes.len().min(if long { usize::MAX } else { 1 });
    for write in &forward {
        lost_answer(row, write);
        failing_once(row, write);
        killed_and_applied_again(row, write);
    }
    for write in &forward[..some(&forward)] {
        killed_and_recovered(row, write);
    }
    for write in &back[..some(&back)] {
        lost_answer_of_undo(row, write);
        failing_once_in_undo(row, write);
    }
    let seconds: &[u64] = if long { &[2, 10, 45] } else { &[10] };
    for seconds in seconds {
        stale(row, *seconds, &forward, &back);
    }
    let seeds = if long { 1..=10 } else { 1..=1 };
    for seed in seeds {
        taking_its_time(row, seed);
    }
}

type Write = (String, String, usize);

/// How long the answer of a call is held back, within which the caller is killed.
const HELD_MILLISECONDS: u32 = 20_000;

/// The answer of one write is lost, and the SDK sends it again.
fn lost_answer(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    scene.lose(write);
    let applied = scene.apply(&scene.plan);
    let what = format!("{write:?}: {}", applied.stdout);
    applied.assert_status(0);
    assert!(
        words(&applied, "status")
            .iter()
            .all(|word| ["done", "unchanged"].contains(&word.as_str())),
        "{what}"
    );
    scene.account.clear_faults();
    scene.assert_is_done(&what);
    scene.apply(&applied.json()["undo"]).assert_status(0);
    scene.assert_is_back(&what);
}

fn lost_answer_of_undo(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    let undo = scene.apply(&scene.plan).json()["undo"].clone();
    scene.account.forget_calls();
    scene.lose(write);
    let undone = scene.apply(&undo);
    undone.assert_status(0);
    scene.account.clear_faults();
    scene.assert_is_back(&format!("{write:?}: {}", undone.stdout));
}

/// One write is denied once; the same plan again goes on, and both undos, the later first, lead back.
fn failing_once(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    scene.deny(write);
    let first = scene.apply(&scene.plan);
    scene.account.clear_faults();
    let again = scene.apply(&scene.plan);
    let what = format!("{write:?}: {} then {}", first.stdout, again.stdout);
    again.assert_status(0);
    scene.assert_is_done(&what);
    for result in [&again, &first] {
        let undo = &result.json()["undo"];
        if !undo.is_null() {
            let undone = scene.apply(undo);
            assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
        }
    }
    scene.assert_is_back(&what);
}

fn failing_once_in_undo(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    let undo = scene.apply(&scene.plan).json()["undo"].clone();
    scene.account.forget_calls();
    scene.deny(write);
    let first = scene.apply(&undo);
    scene.account.clear_faults();
    let again = scene.apply(&undo);
    let what = format!("{write:?}: {} then {}", first.stdout, again.stdout);
    assert_eq!(again.status, 0, "{what}");
    scene.assert_is_back(&what);
}

/// Runs `apply` and kills it once AWS has carried out a write, but before it has answered.
fn killed(row: &'static Row, (service, operation, n_before): &Write) -> Scene {
    let scene = Scene::of(row);
    scene.account.fault(
        json!({"service": service, "operation": operation, "after": n_before, "kind": "drop",
        "when": "after", "milliseconds": HELD_MILLISECONDS, "times": 1}),
    );
    let running = run_of(&scene.account, row.tool, &scene.plan).spawn();
    let began = Instant::now();
    let is_done = || {
        let name = format!("{service}:{operation}");
        let calls = scene.account.operations();
        calls.iter().filter(|call| **call == name).count() > *n_before
    };
    while !is_done() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{operation} was not called"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let ended = running.wait();
    ended.assert_status(137);
    assert_eq!(ended.stdout, "");
    scene.account.clear_faults();
    scene
}

/// The same plan again goes on where the run was killed.
fn killed_and_applied_again(row: &'static Row, write: &Write) {
    let scene = killed(row, write);
    let again = scene.apply(&scene.plan);
    let what = format!("{write:?}: {}", again.stdout);
    assert_eq!(again.status, 0, "{what}");
    scene.assert_is_done(&what);
}

/// `--recover` writes nothing, and prints the undo that the killed run did not.
fn killed_and_recovered(row: &'static Row, write: &Write) {
    let scene = killed(row, write);
    scene.account.forget_calls();
    let recovered = run_of(&scene.account, row.tool, &scene.plan)
        .args(["--recover"])
        .run();
    let what = format!("{write:?}: {}", recovered.stdout);
    assert_eq!(recovered.status, 0, "{what}");
    assert_eq!(scene.account.writes(), Vec::<Value>::new(), "{what}");
    let undo = &recovered.json()["undo"];
    if !undo.is_null() {
        let undone = scene.apply(undo);
        assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
    }
    scene.assert_is_back(&what);
}

/// Every read is behind for some time after every write, forward and back.
fn stale(row: &'static Row, seconds: u64, forward: &[Write], back: &[Write]) {
    let scene = Scene::of(row);
    let services: BTreeSet<&str> = forward
        .iter()
        .chain(back)
        .map(|(service, ..)| service.as_str())
        .collect();
    for service in services {
        scene.account.fault(json!({"service": service, "kind": "stale", "milliseconds": seconds * 1000, "times": -1}));
    }
    let applied = scene.apply(&scene.plan);
    let what = format!("{seconds} s behind: {}{}", applied.stdout, applied.stderr);
    assert_eq!(applied.status, 0, "{what}");
    let undone = scene.apply(&applied.json()["undo"]);
    assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
    scene.account.clear_faults();
    scene.assert_is_back(&what);
}

/// AWS takes the time that it documents: new roles, keys, buckets, queues, trails, functions and policy types.
fn taking_its_time(row: &'static Row, seed: u32) {
    let scene = Scene::of(row);
    scene.account.unkind(seed);
    let applied = scene.apply(&scene.plan);
    let what = format!("seed {seed}: {}{}", applied.stdout, applied.stderr);
    assert_eq!(applied.status, 0, "{what}");
    let undone = scene.apply(&applied.json()["undo"]);
    assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
    // What was written last may not show yet.
    std::thread::sleep(std::time::Duration::from_secs(3));
    scene.assert_is_back(&what);
}

impl Scene {
    fn lose(&self, (service, operation, n_before): &Write) {
        self.account.fault(
            json!({"service": service, "operation": operation, "after": n_before, "kind": "drop",
            "when": "after", "times": 1}),
        );
    }

    fn deny(&self, (service, operation, n_before): &Write) {
        self.account
            .fault(json!({"service": service, "operation": operation, "after": n_before, "kind": "denied", "times": 1}));
    }
}

#[test]
fn making_preferences() {
    keeps_its_promises(&PREFS_CREATE);
}

#[test]
fn changing_preferences() {
    keeps_its_promises(&PREFS_CHANGE);
}

#[test]
fn mending_preferences() {
    keeps_its_promises(&PREFS_DRIFT);
}

#[test]
fn preferences_that_come_under_protection() {
    keeps_its_promises(&PREFS_PROTECT);
}

#[test]
fn making_roles() {
    keeps_its_promises(&ROLE_CREATE);
}

#[test]
fn making_guards() {
    keeps_its_promises(&SCP_CREATE);
}

#[test]
fn enabling_guards() {
    keeps_its_promises(&SCP_ENABLE);
}

#[test]
fn changing_guards() {
    keeps_its_promises(&SCP_CHANGE);
}

#[test]
fn making_alerts() {
    keeps_its_promises(&EVENTS_CREATE);
}

#[test]
fn changing_alerts() {
    keeps_its_promises(&EVENTS_CHANGE);
}

#[test]
fn mending_alerts() {
    keeps_its_promises(&EVENTS_DRIFT);
}

#[test]
fn making_functions() {
    keeps_its_promises(&FUNCTION_CREATE);
}

#[test]
fn changing_functions() {
    keeps_its_promises(&FUNCTION_CHANGE);
}

#[test]
fn mending_functions() {
    keeps_its_promises(&FUNCTION_DRIFT);
}

#[test]
fn making_associations() {
    keeps_its_promises(&AGENTS_CREATE);
}

#[test]
fn changing_associations() {
    keeps_its_promises(&AGENTS_CHANGE);
}

/// Actions that no row here can have, each with the reason.
const EXEMPT: &[(&str, &str)] = &[(
    "update_agent",
    "agents are never downgraded, so there is no way back",
)];

#[test]
fn every_action_has_a_row() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in ROWS {
        let scene = Scene::of(row);
        let applied = scene.apply(&scene.plan).json();
        let of_undo = applied["undo"]["changes"].as_array().into_iter().flatten();
        let changes = scene.plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .chain(of_undo);
        let actions = changes.map(|change| change["action"].as_str().unwrap().to_owned());
        seen.entry(row.tool).or_default().extend(actions);
    }
    let mut missing = Vec::new();
    for (tool, seen) in seen {
        let schema = testbed::offline(bin(tool))
            .args(["--generate", "schema"])
            .run();
        let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
        let action = &schema["$defs"]["Action"];
        let variants = action["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| &one["const"]);
        let listed = action["enum"].as_array().into_iter().flatten();
        for name in variants.chain(listed).filter_map(Value::as_str) {
            let is_exempt = EXEMPT.iter().any(|(exempt, _)| *exempt == name);
            if !seen.contains(name) && !is_exempt {
                missing.push(format!("{tool} {name}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "actions without a row");
}
