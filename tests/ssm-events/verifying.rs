//! `history --verify`: what CloudTrail's digests prove of a bucket and of a copy, beside what the AWS CLI says of the same bucket.

#[path = "verifying_copies.rs"]
mod copies;
#[path = "verifying_scene.rs"]
mod scene;

use serde_json::json;

use crate::{EXE, account};
use scene::{SINCE, Scene, UNTIL, agree, ids, periods, periods_say, statuses, time};

#[test]
fn an_intact_bucket_is_proved_and_its_records_are_printed() {
    let scene = Scene::new();
    let ours = agree(&scene, &[], &[]);
    assert_eq!(ids(&ours).len(), 10);
    let periods = periods(&ours);
    assert_eq!(periods.len(), 5);
    let first = &periods[0];
    assert_eq!(
        first["target"],
        json!({"account": scene.account.id(), "region": "us-east-1"})
    );
    assert_eq!(
        (&first["trail"], &first["from"], &first["to"]),
        (&json!("all"), &json!(SINCE), &json!(time(11, 0)))
    );
    ours.assert_complains(
        "5 periods: 5 proved, 0 unproved, 0 missing, 0 altered; 10 log files: 10 proved, 0 unproved, 0 missing, 0 altered",
    );
    assert!(
        scene.account.problems().is_empty(),
        "{:?}",
        scene.account.problems()
    );
}

#[test]
fn what_is_proved_goes_on_in_a_pipe_without_a_word() {
    let scene = Scene::new();
    let ours = scene.verify(&[]).run();
    for verb in [
        &["history", "-"][..],
        &["report"],
        &["format", "--to", "csv"],
    ] {
        let behind = testbed::offline(EXE).args(verb).stdin(ours.stdout.as_str());
        behind.run().assert_status(0).assert_stderr("");
    }
    let again = testbed::offline(EXE).args(["history", "-"]);
    assert_eq!(ids(&again.stdin(ours.stdout).run()).len(), 10);
}

#[test]
fn an_altered_log_file_is_found_and_its_records_are_not_passed_on() {
    let scene = Scene::new();
    let (text, metadata) = scene.get(&scene.logs[2]);
    let altered = text.replace("i-0123456789abcdef0", "i-0fffffffffffffff0");
    assert_ne!(text, altered);
    scene.put(&scene.logs[2], &altered, &metadata);
    let ours = agree(&scene, &[(scene.logs[2].clone(), "altered")], &[]);
    let ids = ids(&ours);
    assert!(
        ids.len() == 9 && !ids.contains(&"e-11-5".to_owned()),
        "{ids:?}"
    );
    let report = testbed::offline(EXE)
        .args(["report"])
        .stdin(ours.stdout.as_str())
        .run();
    report
        .assert_status(2)
        .assert_complains("log files altered: not all of its log files");
    let again = testbed::offline(EXE).args(["history", "-"]);
    let again = again.stdin(ours.stdout).run();
    again
        .assert_status(2)
        .assert_complains("log files altered: ");
}

/// Log files of the first day are read from its beginning on: one that is altered is said, whenever it was delivered.
#[test]
fn an_altered_log_file_before_the_time_asked_for_is_found() {
    let scene = Scene::new();
    let since = time(12, 0);
    let run = || scene.verify_since(&since, &[]).run();
    let ours = run();
    ours.assert_status(0);
    assert_eq!((ids(&ours).len(), periods(&ours).len()), (6, 3));
    assert_eq!(
        statuses(&ours).len(),
        9,
        "what is proved and not asked for is not in it"
    );
    let (text, metadata) = scene.get(&scene.logs[1]);
    scene.put(
        &scene.logs[1],
        &text.replace("e-10-35", "e-10-36"),
        &metadata,
    );
    scene.delete(&scene.logs[2]);
    let ours = run();
    ours.assert_status(2);
    assert_eq!(ids(&ours).len(), 6);
    let periods = periods(&ours);
    let words: Vec<_> = periods
        .iter()
        .map(|one| (&one["from"], &one["status"]))
        .collect();
    let expected = [
        (10, "altered"),
        (11, "missing"),
        (12, "proved"),
        (13, "proved"),
        (14, "proved"),
    ];
    let expected = expected.map(|(hour, status)| (json!(time(hour, 0)), json!(status)));
    assert_eq!(
        words,
        expected.each_ref().map(|(from, status)| (from, status))
    );
    let said = statuses(&ours);
    assert_eq!(said[&scene.place(&scene.logs[1])], "altered");
    assert_eq!(said[&scene.place(&scene.logs[2])], "missing");
}

#[test]
fn a_deleted_log_file_is_missed() {
    let scene = Scene::new();
    scene.delete(&scene.logs[9]);
    agree(&scene, &[(scene.logs[9].clone(), "missing")], &[]);
}

#[test]
fn a_deleted_digest_is_missed_and_what_it_named_is_not_proved() {
    let scene = Scene::new();
    scene.delete(&scene.digests[2]);
    let unproved = [&scene.logs[4], &scene.logs[5]];
    let ours = agree(&scene, &[(scene.digests[2].clone(), "missing")], &unproved);
    assert_eq!(ids(&ours).len(), 8);
    let periods = periods(&ours);
    let missing = periods
        .iter()
        .find(|period| period["status"] == "missing")
        .unwrap();
    assert_eq!(
        (&missing["from"], &missing["to"]),
        (&json!(time(12, 0)), &json!(time(13, 0)))
    );
}

#[test]
fn an_altered_digest_or_signature_is_found_and_what_it_names_is_not_proved() {
    let scene = Scene::new();
    let (text, metadata) = scene.get(&scene.digests[1]);
    // The hash of a forged log file.
    let at = text.find("\"hashValue\": \"").unwrap() + 15;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    let altered = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
    scene.put(&scene.digests[1], &altered, &metadata);
    let (text, mut metadata) = scene.get(&scene.digests[3]);
    let signature = metadata["signature"].as_str().unwrap();
    let digit = if signature.starts_with('0') { "1" } else { "0" };
    metadata["signature"] = format!("{digit}{}", &signature[1..]).into();
    scene.put(&scene.digests[3], &text, &metadata);
    let bad = [1, 3].map(|at| (scene.digests[at].clone(), "altered"));
    let unproved = [2, 3, 6, 7].map(|at| &scene.logs[at]);
    let ours = agree(&scene, &bad, &unproved);
    assert_eq!(ids(&ours).len(), 6);
}

#[test]
fn digests_removed_at_the_end_leave_hours_that_are_not_proved() {
    let scene = Scene::new();
    scene.digests[3..].iter().for_each(|key| scene.delete(key));
    let ours = scene.verify(&[]).run();
    ours.assert_status(2);
    assert_eq!(ids(&ours).len(), 6);
    let periods = periods(&ours);
    let hole = periods
        .iter()
        .find(|period| period["digest"].is_null() && period["trail"] == "all")
        .unwrap();
    assert_eq!(
        (&hole["status"], &hole["from"], &hole["to"]),
        (&json!("unproved"), &json!(time(13, 0)), &json!(UNTIL))
    );
    assert!(statuses(&ours).values().any(|status| status == "unproved"));
    // Nor do all of them: then nothing is proved, and no record is printed.
    scene.digests[..3].iter().for_each(|key| scene.delete(key));
    let none = scene.verify(&[]).run();
    none.assert_status(2);
    assert_eq!(ids(&none), [""; 0]);
    assert!(periods_say(&none, "there is no digest"));
}

#[test]
fn hours_without_validation_and_forged_files_are_not_proved_though_the_cli_passes_them() {
    let scene = Scene::empty();
    scene.log(10, 5, &json!({}));
    scene.digest(10, 11, &json!({}));
    scene.log(14, 5, &json!({}));
    scene.digest(14, 15, &json!({"restart": true}));
    let forged = format!(
        "AWSLogs/{0}/CloudTrail/us-east-1/2025/11/03/{0}_CloudTrail_us-east-1_20251103T1010Z_0123456789abcdef.json.gz",
        scene.account.id()
    );
    let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": time(10, 8), "eventID": "forged"});
    scene.put(
        &forged,
        &json!({"Records": [record]}).to_string(),
        &json!({}),
    );
    scene.validate_logs().assert_status(0).assert_complains("No log files were delivered by CloudTrail between 2025-11-03T11:00:00Z and 2025-11-03T14:00:00Z");
    let ours = scene.verify(&[]).run();
    ours.assert_status(2);
    assert_eq!(ids(&ours), ["e-10-5", "e-14-5"]);
    assert_eq!(statuses(&ours)[&scene.place(&forged)], "unproved");
    let periods = periods(&ours);
    let hole = periods
        .iter()
        .find(|period| period["digest"].is_null() && period["trail"] == "all")
        .unwrap();
    assert_eq!(
        (&hole["from"], &hole["to"]),
        (&json!(time(11, 0)), &json!(time(14, 0)))
    );
}

#[test]
fn late_files_are_proved_by_backfill_digests() {
    let scene = Scene::new();
    let late = scene.log(11, 50, &json!({}));
    let unproved = scene.verify(&[]).run();
    unproved.assert_status(2);
    assert_eq!(statuses(&unproved)[&scene.place(&late)], "unproved");
    scene.digest(11, 12, &json!({"backfill": true}));
    let ours = agree(&scene, &[], &[]);
    assert_eq!(statuses(&ours)[&scene.place(&late)], "proved");
    // And that one may be forged as well.
    let (text, _) = scene.get(&late);
    scene.put(&late, &text.replace("e-11-50", "e-11-51"), &json!({}));
    agree(&scene, &[(late, "altered")], &[]);
}

#[test]
fn backfill_digests_are_signed_when_they_are_made_and_follow_one_from_before() {
    let scene = Scene::new();
    let before =
        json!({"backfill": true, "from": "2025-11-02T08:00:00Z", "to": "2025-11-02T09:00:00Z"});
    scene.digest(8, 9, &before);
    let late = scene.log(11, 50, &json!({}));
    let made = json!({"backfill": true, "generated": "2025-12-01T00:00:00Z"});
    scene.digest(11, 12, &made);
    let ours = scene.verify(&[]).run();
    ours.assert_status(0);
    assert_eq!(statuses(&ours)[&scene.place(&late)], "proved");
}

#[test]
fn a_folder_of_another_day_deeper_down_does_not_end_the_listing() {
    let scene = Scene::new();
    let root = format!(
        "AWSLogs/{}/CloudTrail/us-east-1/2025/11/03",
        scene.account.id()
    );
    let (deep, forged) = (
        format!("{root}/0/2099/01/01/x.json.gz"),
        format!("{root}/forged.json.gz"),
    );
    for key in [&deep, &forged] {
        scene.put(key, "{}", &json!({}));
    }
    let ours = scene.verify(&[]).run();
    ours.assert_status(2);
    assert_eq!(ids(&ours).len(), 10);
    for key in [&deep, &forged] {
        assert_eq!(statuses(&ours)[&scene.place(key)], "unproved");
    }
}

#[test]
fn member_accounts_and_regions_have_chains_of_their_own() {
    let scene = Scene::empty();
    let places = [
        json!({}),
        json!({"region": "eu-west-1"}),
        json!({"organization": "o-abcdefghij", "member": "444455556666"}),
    ];
    let logs = places.each_ref().map(|place| {
        let log = scene.log(10, 5, place);
        scene.digest(10, 15, place);
        log
    });
    let ours = scene.verify(&[]).run();
    ours.assert_status(0);
    let said = statuses(&ours);
    assert!(
        said.len() == 6 && logs.iter().all(|log| said[&scene.place(log)] == "proved"),
        "{said:?}"
    );
    // What is not asked for is not looked at; what is, and is not there, is not proved.
    let own = ["--region", "eu-west-1", "--account", scene.account.id()];
    let one = scene.verify(&own).run();
    one.assert_status(0);
    assert_eq!(statuses(&one).len(), 2);
    let absent = scene.verify(&["--region", "eu-west-1"]).run();
    absent.assert_status(2);
    let member = json!({"account": "444455556666", "region": "eu-west-1"});
    let hole = periods(&absent);
    let hole = hole.iter().find(|period| period["target"] == member);
    assert_eq!(hole.unwrap()["status"], "unproved");
    let both = format!("{},999900001111", scene.account.id());
    let unknown = scene.verify(&["--account", &both]).run();
    unknown.assert_status(2);
    assert!(periods_say(&unknown, "no CloudTrail files of 999900001111"));
    let gone = scene.verify(&["--trail", "all,gone"]).run();
    gone.assert_status(2);
    assert!(periods_say(&gone, "there is no digest of this trail"));
}

#[test]
fn what_cannot_be_read_is_not_proved() {
    let scene = Scene::new();
    let denied = |service: &str, operation: &str| {
        let fault =
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1});
        scene.account.fault(fault);
        let ours = scene.verify(&[]).run();
        scene.account.clear_faults();
        ours.assert_status(2);
        assert_eq!(ids(&ours), [""; 0]);
        assert!(statuses(&ours).values().all(|status| status == "unproved"));
        assert!(periods_say(&ours, operation), "{}", ours.stdout);
    };
    denied("cloudtrail", "ListPublicKeys");
    denied("s3", "GetObject");
}

#[test]
fn verify_wants_log_files_with_names() {
    let account = account();
    let refused = |more: &[&str], words: &str| {
        let run = account
            .tool(EXE)
            .args(["history", "--verify"])
            .args(more)
            .run();
        run.assert_status(2).assert_complains(words);
    };
    refused(&["--since", "1d"], "<PATHS|--s3 <s3://BUCKET/PREFIX>>");
    refused(&["-"], "stdin has no name");
    refused(
        &["--s3", "s3://b", "--engine", "athena"],
        "cannot be used with",
    );
}
