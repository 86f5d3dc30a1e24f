//! Two rollouts at once, and a state that somebody changes between plan and apply.

use serde_json::{Value, json};

use super::{PREFS, ROLE, SCP, Subject};

/// Two desired states of one thing that differ, applied at the same time from plans of the same moment.
fn one_wins(subject: Subject, other: &str) {
    let (account, desired) = subject.scene();
    let plans = [
        subject.plan(&account, &desired).stdout,
        subject.plan(&account, &other.replace("UNIT", "")).stdout,
    ];
    let running: Vec<_> = plans
        .iter()
        .map(|plan| subject.run_of(&account, &[]).stdin(plan.as_str()).spawn())
        .collect();
    let outputs: Vec<_> = running.into_iter().map(testbed::Running::wait).collect();
    let states: Vec<bool> = [desired.as_str(), other]
        .iter()
        .map(|desired| subject.plan(&account, desired).json()["changes"] == json!([]))
        .collect();
    assert_eq!(
        states.iter().filter(|reached| **reached).count(),
        1,
        "neither or both: {outputs:?}"
    );
    for (output, reached) in outputs.iter().zip(&states) {
        if !reached {
            output.assert_status(2);
            let results = output.json()["results"].to_string();
            assert!(
                ["expects", "reading it back", "already exists"]
                    .iter()
                    .any(|word| results.contains(word)),
                "{results}"
            );
        }
    }
}

#[test]
fn of_two_preferences_one_wins() {
    let subject = Subject {
        desired: r#"{"idle_timeout_minutes": 10}"#,
        ..PREFS
    };
    one_wins(subject, r#"{"idle_timeout_minutes": 30}"#);
}

#[test]
fn the_same_rollout_twice_at_once_makes_nothing_twice() {
    for subject in [PREFS, ROLE, SCP] {
        let (account, desired) = subject.scene();
        let plan = subject.plan(&account, &desired).stdout;
        account.forget_calls();
        let running: Vec<_> = (0..2)
            .map(|_| subject.run_of(&account, &[]).stdin(plan.as_str()).spawn())
            .collect();
        let outputs: Vec<_> = running.into_iter().map(testbed::Running::wait).collect();
        assert!(outputs.iter().all(|output| [0, 2].contains(&output.status)));
        // Whoever lost runs again and finds nothing left.
        let fresh = subject.plan(&account, &desired).stdout;
        subject.apply(&account, &[], &fresh).assert_status(0);
        assert_eq!(
            subject.plan(&account, &desired).json()["changes"],
            json!([])
        );
        let created: Vec<String> = account
            .writes()
            .iter()
            .filter(|call| call["status"].as_u64().is_some_and(|status| status < 300))
            .map(|call| format!("{} {}", call["operation"], call["params"]))
            .collect();
        let of = |word: &str| created.iter().filter(|call| call.contains(word)).count();
        let n_taken_back = of("\"ScheduleKeyDeletion\"");
        let mut once: Vec<&String> = created
            .iter()
            .filter(|call| call.starts_with("\"Create"))
            // In us-east-1 S3 answers the owner of a bucket who creates it again with success, and makes nothing.
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
            .filter(|call| !call.starts_with("\"CreateBucket\""))
            .collect();
        let n_created = once.len();
        once.sort();
        once.dedup();
        assert_eq!(
            once.len() + n_taken_back,
            n_created,
            "{}: {created:?}",
            subject.tool
        );
    }
}

#[test]
fn what_somebody_else_wrote_in_between_is_refused() {
    let (account, _) = PREFS.scene();
    let plan = PREFS
        .plan(&account, r#"{"idle_timeout_minutes": 10}"#)
        .stdout;
    let other = PREFS
        .plan(&account, r#"{"idle_timeout_minutes": 30}"#)
        .stdout;
    PREFS.apply(&account, &[], &other).assert_status(0);
    account.forget_calls();
    let refused = PREFS.apply(&account, &[], &plan);
    refused.assert_status(2);
    assert_eq!(account.writes(), Vec::<Value>::new());
    // Nor is it taken for the work of a killed run.
    let recovered = PREFS.apply(&account, &["--recover"], &plan);
    recovered.assert_status(2);
    assert_eq!(recovered.json()["undo"], Value::Null);
}
