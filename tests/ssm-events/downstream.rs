//! What was not read upstream: however much it is, it arrives as that at the other end of a pipe, once.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use crate::EXE;

fn piped(arguments: &[&str], input: &str) -> Output {
    offline(EXE).args(arguments).stdin(input).run()
}

fn gap(number: usize) -> Value {
    json!({"kind": "finding", "id": "events.history.unread", "severity": "error", "target": null,
        "resource": format!("file-{number}"), "message": "damaged", "fix": "fetch it again"})
}

/// Returns how many gaps an output has.
fn n_gaps(output: &Output) -> usize {
    let records = output.records();
    let gaps = records.iter();
    gaps.filter(|one| one["id"] == "events.history.unread")
        .count()
}

#[test]
fn every_gap_goes_on_through_a_pipe() {
    let home = Home::create();
    let gaps: Vec<String> = (0..150).map(|number| gap(number).to_string()).collect();
    let input = gaps.join("\n");
    let list = home.path().join("ids");
    std::fs::write(&list, "").unwrap();
    for hop in [
        &["history", "-"][..],
        &["match", r#"{"eventName": ["StartSession"]}"#],
        &["format", "--to", "slack"],
        &["reconcile", "--delivered", list.to_str().unwrap()],
    ] {
        let output = match hop {
            ["history", ..] => {
                let file = home.path().join("records.jsonl");
                std::fs::write(&file, &input).unwrap();
                piped(&["history", file.to_str().unwrap()], "")
            }
            hop => piped(hop, &input),
        };
        assert_eq!(n_gaps(output.assert_status(2)), 150, "{hop:?}");
        let report = piped(&["report", "--html"], &output.stdout);
        report.assert_status(2).assert_complains("150 gaps");
    }
}

/// Whoever reads the other end of a pipe sees no exit status, and would take nothing for nothing found.
#[test]
fn a_verb_that_ends_with_an_error_before_its_first_record_is_a_gap() {
    let home = Home::create();
    let list = home.path().join("ids");
    std::fs::write(&list, "").unwrap();
    let list = list.to_str().unwrap();
    let absent = home.path().join("absent");
    let absent = absent.to_str().unwrap();
    for (verb, why) in [
        (&["history", "--since", "7d"][..], "no region"),
        (
            &["history", "--profile", "absent", "--region", "us-east-1"],
            "absent",
        ),
        (&["history", "--since", "yesterday"], "expected a time"),
        (&["history", absent], "No such file"),
        (
            &["sessions", "--offline", "--listing", absent],
            "No such file",
        ),
        (&["match", "{"], "pattern"),
        (&["reconcile", "--delivered", absent], "No such file"),
        (&["report", "--nodes", absent], "No such file"),
        (
            &["format", "--to", "slack", "--rules", absent],
            "No such file",
        ),
    ] {
        let failed = piped(verb, "");
        failed.assert_status(2).assert_complains(why);
        assert_eq!(n_gaps(&failed), 1, "{verb:?}: {}", failed.stdout);
        let gap = &failed.records()[0];
        assert_eq!(gap["resource"], format!("ssm-events {}", verb[0]));
        assert!(gap["message"].as_str().unwrap().contains(why), "{gap}");
        let page = piped(&["report", "--html"], &failed.stdout);
        page.assert_status(2).assert_complains(why);
        assert!(page.stdout.contains(why), "{verb:?}");
        let reconcile = ["reconcile", "--delivered", list, "--exit-code"];
        piped(&reconcile, &failed.stdout).assert_status(2);
    }
    // People read the error itself, and other programs have no place for a record of it.
    for verb in [
        &["history", absent, "-o", "text"][..],
        &["report", "--html", "--nodes", absent],
        &["format", "--to", "csv", "--rules", absent],
    ] {
        let failed = piped(verb, "");
        failed.assert_status(2).assert_complains("No such file");
        assert!(!failed.stdout.contains("unread"), "{}", failed.stdout);
    }
}

/// What `sessions` says of the records that it has read, and those records, say the same once.
#[test]
fn a_gap_that_comes_twice_counts_once() {
    let home = Home::create();
    let listing = home.path().join("listing.json");
    std::fs::write(&listing, r#"{"Sessions": []}"#).unwrap();
    let listing = listing.to_str().unwrap();
    let input = gap(1).to_string();
    let sessions = piped(&["sessions", "--offline", "--listing", listing], &input);
    let file = home.path().join("sessions.jsonl");
    std::fs::write(&file, &sessions.stdout).unwrap();
    let report = ["report", "--html", "--sessions", file.to_str().unwrap()];
    let page = piped(&report, &input);
    page.assert_status(2);
    assert_eq!(page.stdout.matches("file-1").count(), 1, "{}", page.stdout);
}

/// What is only named, the first page of several, and what has but the name of a wrapper.
#[test]
fn what_has_no_record_is_not_fine() {
    let home = Home::create();
    let body = json!({"source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": "trail"}, "object": {"key": "AWSLogs/1/CloudTrail/a.json.gz"}}});
    let named = json!({"Messages": [{"MessageId": "m", "Body": body.to_string()}]}).to_string();
    let part = format!(
        r#"{{"x":"{}","NextToken":"t","Events":[]}}"#,
        "-".repeat(300_000)
    );
    let refused = r#"{"Message":"User is not authorized"}"#;
    let file = home.path().join("input.json");
    for (input, why) in [
        (named.as_str(), "was not read"),
        (&part, "more follows"),
        (refused, "no CloudTrail record"),
    ] {
        std::fs::write(&file, input).unwrap();
        let path = file.to_str().unwrap();
        for arguments in [
            &["history", path][..],
            &["report", "-f", path],
            &["match", "-f", path, r#"{"eventName": ["StartSession"]}"#],
        ] {
            let output = piped(arguments, "");
            let said = format!("{}{}", output.stdout, output.stderr);
            output.assert_status(2);
            assert!(said.contains(why), "{arguments:?}: {said}");
        }
    }
    // An event that is asked about and does not fit is an answer.
    let number = piped(&["match", r#"{"number": [300]}"#], r#"{"number": 301}"#);
    number.assert_status(0);
}
