//! SIGKILL after each write of an update of agents, which has no undo; of all other actions it is a fault of `promises.rs`. A kill
//! after a read is one after the write before it. A fresh plan finishes, and no node is sent a command twice.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::Account;

use super::{Subject, UPDATES};

/// How long the answer of the call is held back, within which the caller is killed.
const HELD_MILLISECONDS: u32 = 20_000;

#[test]
fn updates_survive_a_kill_after_any_write() {
    survives(UPDATES);
}

/// A write: which operation, and the how-many-th of its name.
type Write = (String, String, usize);

fn writes(account: &Account) -> Vec<Write> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let writes = account.writes();
    let writes = writes.iter().map(|call| {
        let word = |key: &str| call[key].as_str().unwrap().to_owned();
        let number = seen.entry(word("operation")).or_default();
        *number += 1;
        (word("service"), word("operation"), *number - 1)
    });
    writes.collect()
}

/// Returns the writes that AWS carried out, as often as it did, and nothing that only looks different each time.
fn carried_out(account: &Account) -> BTreeMap<String, usize> {
    let mut done = BTreeMap::new();
    for call in account.writes() {
        if call["status"].as_u64().is_some_and(|status| status < 300) {
            let name = call["operation"].as_str().unwrap().to_owned();
            *done.entry(name).or_default() += 1;
        }
    }
    done
}

/// Returns what each change of a plan is about.
fn changes(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let mut ids: Vec<String> = changes
        .map(|change| change["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn survives(subject: Subject) {
    let (account, desired) = subject.scene();
    let plan = subject.plan(&account, &desired);
    plan.assert_status(0);
    account.forget_calls();
    subject.apply(&account, &[], &plan.stdout).assert_status(0);
    let (all, undisturbed) = (writes(&account), carried_out(&account));
    assert!(!all.is_empty());
    for write in &all {
        again_finishes(subject, write, &undisturbed);
        recover_leads_back(subject, write);
    }
}

/// Runs `apply` in a fresh account and kills it once AWS has carried out a write but before it has answered.
fn killed(subject: Subject, (service, operation, n_before): &Write) -> (Account, String, String) {
    let (account, desired) = subject.scene();
    let plan = subject.plan(&account, &desired).stdout;
    account.forget_calls();
    account.fault(json!({"service": service, "operation": operation, "after": n_before, "kind": "drop", "when": "after",
        "milliseconds": HELD_MILLISECONDS, "times": 1}));
    let running = subject.run_of(&account, &[]).stdin(plan.as_str()).spawn();
    let began = Instant::now();
    while !is_done(&account, operation, *n_before) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{operation} was not called"
        );
        std::thread::sleep(Duration::from_millis(30));
    }
    let kill = Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = running.wait();
    output.assert_status(137);
    assert_eq!(output.stdout, "");
    account.clear_faults();
    (account, desired, plan)
}

fn is_done(account: &Account, operation: &str, n_before: usize) -> bool {
    let calls = account.calls();
    let same = calls.iter().filter(|call| call["operation"] == operation);
    same.count() > n_before
}

fn again_finishes(subject: Subject, write: &Write, undisturbed: &BTreeMap<String, usize>) {
    let (account, desired, _) = killed(subject, write);
    let fresh = subject.plan(&account, &desired);
    fresh.assert_status(0);
    subject.apply(&account, &[], &fresh.stdout).assert_status(0);
    let after = subject.plan(&account, &desired).json();
    assert_eq!(after["changes"], json!([]), "{} {write:?}", subject.tool);
    let commands = account.writes();
    let ids = commands
        .iter()
        .filter_map(|call| call["params"]["InstanceIds"].as_array());
    let mut sent: Vec<&str> = ids.flatten().filter_map(Value::as_str).collect();
    sent.sort_unstable();
    let n_sent = sent.len();
    sent.dedup();
    assert_eq!(
        sent.len(),
        n_sent,
        "{write:?}: a node was sent a command twice"
    );
    for (operation, n_times) in carried_out(&account) {
        if operation.starts_with("Create") {
            assert_eq!(
                Some(&n_times),
                undisturbed.get(&operation),
                "{} {write:?}: {operation}",
                subject.tool
            );
        }
    }
}

fn recover_leads_back(subject: Subject, write: &Write) {
    let (account, desired, plan) = killed(subject, write);
    account.forget_calls();
    let recovered = subject.apply(&account, &["--recover"], &plan);
    recovered.assert_status(0);
    assert_eq!(account.writes(), Vec::<Value>::new());
    let undo = &recovered.json()["undo"];
    if !undo.is_null() {
        subject
            .apply(&account, &[], &undo.to_string())
            .assert_status(0);
    }
    let first: Value = serde_json::from_str(&plan).unwrap();
    let (before, after) = (
        changes(&first),
        changes(&subject.plan(&account, &desired).json()),
    );
    let gone: Vec<&String> = before.iter().filter(|id| !after.contains(id)).collect();
    let is_kept = |id: &&String| subject.kept.iter().any(|kept| id.contains(kept));
    assert!(
        gone.iter().all(is_kept),
        "{} {write:?}: {gone:?}",
        subject.tool
    );
}
