//! Answers that fail, end early or get lost: retried, or reported in one line, never taken for "not there".

use serde_json::{Value, json};

use super::{AGENTS, EVENTS, PREFS, ROLE, SCP, Subject};

const SUBJECTS: [Subject; 5] = [PREFS, ROLE, EVENTS, SCP, AGENTS];

/// Returns the operations that a plan needs.
fn reads(subject: Subject) -> Vec<(String, String)> {
    let (account, desired) = subject.scene();
    subject.plan(&account, &desired).assert_status(0);
    let mut reads: Vec<(String, String)> = account
        .calls()
        .iter()
        .map(|call| (call["service"].to_string(), call["operation"].to_string()))
        .map(|(service, operation)| (service.replace('"', ""), operation.replace('"', "")))
        .collect();
    reads.sort();
    reads.dedup();
    reads
}

#[test]
fn a_read_that_fails_for_good_makes_no_plan() {
    for subject in SUBJECTS {
        for (service, operation) in reads(subject) {
            for kind in ["denied", "expired"] {
                let (account, desired) = subject.scene();
                account.fault(
                    json!({"service": service, "operation": operation, "kind": kind, "times": -1}),
                );
                let output = subject.plan(&account, &desired);
                if output.status == 0 {
                    // What the desired state does not need may fail.
                    let (other, desired) = subject.scene();
                    let undisturbed = subject.plan(&other, &desired).stdout;
                    assert_eq!(output.stdout, undisturbed.replace(other.id(), account.id()));
                    continue;
                }
                output.assert_status(2);
                let what = format!("{} {operation} {kind}: {}", subject.tool, output.stderr);
                assert_eq!(output.stdout, "", "{what}");
                assert_eq!(output.stderr.lines().count(), 1, "{what}");
                assert!(!output.stderr.contains("panicked"), "{what}");
                assert_eq!(account.writes(), Vec::<Value>::new());
            }
        }
    }
}

#[test]
fn one_bad_moment_changes_no_plan() {
    for subject in SUBJECTS {
        let (account, desired) = subject.scene();
        let undisturbed = subject.plan(&account, &desired).stdout;
        for kind in ["throttle", "error", "drop", "cut"] {
            account.fault(json!({"kind": kind, "times": 1, "after": 1}));
            let output = subject.plan(&account, &desired);
            output.assert_status(0);
            assert_eq!(output.stdout, undisturbed, "{} {kind}", subject.tool);
            account.clear_faults();
        }
    }
}

#[test]
fn a_write_whose_answer_is_lost_is_done_once() {
    for subject in SUBJECTS {
        let (account, desired) = subject.scene();
        let plan = subject.plan(&account, &desired).stdout;
        account.forget_calls();
        subject.apply(&account, &[], &plan).assert_status(0);
        let mut operations: Vec<Value> = account
            .writes()
            .iter()
            .map(|call| call["operation"].clone())
            .collect();
        operations.dedup();
        for operation in operations {
            let (account, desired) = subject.scene();
            let plan = subject.plan(&account, &desired).stdout;
            account.fault(
                json!({"operation": operation, "kind": "drop", "when": "after", "times": 1}),
            );
            let first = subject.apply(&account, &[], &plan);
            assert!(
                [0, 2].contains(&first.status),
                "{} {operation}: {}",
                subject.tool,
                first.stderr
            );
            if first.status == 2 {
                let fresh = subject.plan(&account, &desired).stdout;
                let second = subject.apply(&account, &[], &fresh);
                assert_eq!(
                    second.status,
                    0,
                    "{} {operation}: {}",
                    subject.tool,
                    second.json()["results"]
                );
            }
            let after = subject.plan(&account, &desired).json();
            assert_eq!(after["changes"], json!([]), "{} {operation}", subject.tool);
        }
    }
}
