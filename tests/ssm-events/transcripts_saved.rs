//! What saved answers cover and what they do not: dates of versions, prefixes of buckets; and sessions that no record has.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, offline};

use super::{PREFERENCES, document, ended, versions, with_all_saved};
use crate::EXE;
use crate::transcripts::{none, of, record};

const ACCOUNT: &str = "111122223333";
const TIME: &str = "2026-11-01T10:00:00Z";

/// A record of `ssm-prefs show`.
fn shown(account: &str, region: &str, bucket: &str) -> Value {
    let version = json!({"version": "1", "content": {"inputs": {"s3BucketName": bucket, "s3KeyPrefix": "x"}}});
    json!({"kind": "preferences", "target": {"account": account, "region": region}, "versions_differ": null,
        "document": {"state": "present", "value": {"default": version, "latest": version}}})
}

fn objects(prefix: &str, keys: &[&str]) -> Value {
    let objects = keys
        .iter()
        .map(|key| json!({"Key": key, "Size": 7, "LastModified": "2026-11-01T10:06:00Z"}));
    json!({"Contents": objects.collect::<Vec<_>>(), "RequestCharged": null, "Prefix": prefix})
}

/// The preferences of today were made, or switched off, after sessions had begun.
#[test]
fn saved_preferences_say_nothing_of_the_past_without_their_dates() {
    let of = |bucket: &str| shown(ACCOUNT, "us-east-1", bucket);
    let started = record(ACCOUNT, "StartSession", "ann-0", "ann", TIME);
    let sessions = ended(ACCOUNT, "ann-0");
    for bucket in ["", "b"] {
        let empty = objects("", &[]);
        let alone = with_all_saved(&[&of(bucket), &empty, &sessions], &started);
        alone.assert_status(2);
        let records = alone.records();
        assert_eq!(none(&records, "ann-0"), "unread");
        let message = records[0]["transcript"]["message"].to_string();
        let cure =
            "save `aws ssm list-document-versions --name SSM-SessionManagerRunShell` as well";
        assert!(message.contains(cure), "{message}");
        // The order in which they are read does not matter, and neither takes the other's place.
        let dates = versions(PREFERENCES);
        for answers in [
            [&of(bucket), &dates, &empty, &sessions],
            [&dates, &of(bucket), &empty, &sessions],
        ] {
            let both = with_all_saved(&answers, &started);
            both.assert_status(0);
            let expected = match bucket {
                "" => "preferences_off",
                _ => "upload_failed",
            };
            assert_eq!(none(&both.records(), "ann-0"), expected);
        }
        let mut late = versions(PREFERENCES);
        late["DocumentVersions"][0]["CreatedDate"] = json!("2026-11-02T00:00:00Z");
        let before = with_all_saved(&[&of(bucket), &late, &empty, &sessions], &started);
        before.assert_status(2);
        assert_eq!(none(&before.records(), "ann-0"), "unread");
    }
}

/// A version that is switched off by now may have been on when the session began, and nobody has saved what it says.
#[test]
fn versions_whose_content_was_not_saved_are_not_taken_for_others() {
    let mut two = versions(PREFERENCES);
    let second = json!({"Name": PREFERENCES, "DocumentVersion": "2", "CreatedDate": "2026-02-01T00:00:00Z", "IsDefaultVersion": true});
    two["DocumentVersions"][0]["IsDefaultVersion"] = json!(false);
    two["DocumentVersions"].as_array_mut().unwrap().push(second);
    let mut off = document(PREFERENCES, "");
    off["DocumentVersion"] = json!("2");
    let sessions = ended(ACCOUNT, "ann-0");
    let half = with_all_saved(&[&two, &off, &sessions], "");
    half.assert_status(2);
    assert_eq!(none(&half.records(), "ann-0"), "unread");
    // A record says that the second one became the default, and one that is missing may say that it was another one again.
    let began = |time: &str| {
        let started = record(ACCOUNT, "StartSession", "ann-0", "ann", TIME);
        let mut default: Value = serde_json::from_str(&started).unwrap();
        default["eventName"] = json!("UpdateDocumentDefaultVersion");
        default["eventTime"] = json!(time);
        default["requestParameters"] = json!({"name": PREFERENCES, "documentVersion": "2"});
        format!("{started}{default}")
    };
    for time in ["2026-10-01T00:00:00Z", "2026-11-02T00:00:00Z"] {
        let found = with_all_saved(&[&two, &off, &sessions], &began(time));
        found.assert_status(2);
        assert_eq!(none(&found.records(), "ann-0"), "unread", "{time}");
    }
    let mut first_is_off = document(PREFERENCES, "");
    first_is_off["DocumentVersion"] = json!("1");
    let whole = with_all_saved(&[&two, &off, &first_is_off, &sessions], "");
    whole.assert_status(0);
    assert_eq!(none(&whole.records(), "ann-0"), "preferences_off");
}

#[test]
fn a_list_of_one_prefix_says_nothing_of_another() {
    let (preferences, dates) = (document(PREFERENCES, "b"), versions(PREFERENCES));
    let sessions = ended(ACCOUNT, "ann-0");
    let found = |objects: &Value, status: i32| {
        let output = with_all_saved(&[objects, &preferences, &dates, &sessions], "");
        output.assert_status(status);
        output.records().remove(0)["transcript"].take()
    };
    for prefix in ["", "x", "x/"] {
        let found = found(&objects(prefix, &["x/bob-0.log"]), 0);
        assert_eq!(found["none"], "upload_failed", "{prefix}");
    }
    for prefix in ["y/", "x/a", "trash/"] {
        let found = found(&objects(prefix, &[]), 2);
        assert_eq!(found["none"], "unread", "{prefix}");
        let message = found["message"].as_str().unwrap();
        let why = format!("s3://b/x/: the saved list is of what begins with '{prefix}' alone");
        assert_eq!(message, why);
    }
    // A transcript is what lies where the document has it written.
    for (keys, expected) in [
        (&["x/ann-0.log", "y/ann-0.log"][..], json!("x/ann-0.log")),
        (&["trash/ann-0.log", "x/ann-0.log"], json!("x/ann-0.log")),
        (&["trash/ann-0.log"], Value::Null),
        (&["x/old/ann-0.log"], Value::Null),
        (&["ann-0.log"], Value::Null),
    ] {
        let found = found(&objects("", keys), 0);
        assert_eq!(found["s3"]["key"], expected, "{keys:?}");
    }
    let mut of_another = objects("", &["x/ann-0.log"]);
    of_another["Name"] = json!("c");
    assert_eq!(found(&of_another, 2)["s3"], Value::Null);
}

/// What Systems Manager lists and no record has is not left out: records may end before, or have a gap.
#[test]
fn sessions_that_no_record_has_are_in_the_report() {
    let home = Home::create();
    let path = home.path().join("sessions.jsonl");
    let started = |id: &str| record(ACCOUNT, "StartSession", id, "ann", TIME);
    let joined = offline(EXE)
        .args(["report"])
        .stdin(["ann-0", "bob-0"].map(started).concat())
        .run();
    let mut known = joined.records();
    for one in &mut known {
        one["how_it_ended"] = json!("closed");
        one["person"] = json!("ann");
    }
    let text: Vec<String> = known.iter().map(Value::to_string).collect();
    std::fs::write(&path, text.join("\n")).unwrap();
    let report = |input: &str, flags: &[&str]| {
        let run = offline(EXE).args([Path::new("report"), Path::new("--sessions"), &path]);
        run.args(flags).stdin(input).run()
    };
    let shown = report(&started("ann-0"), &[]);
    shown.assert_status(0).assert_complains("1 session is in ");
    let records = shown.records();
    assert_eq!(records.len(), 2, "{records:?}");
    for id in ["ann-0", "bob-0"] {
        assert_eq!(of(&records, id)["how_it_ended"], "closed");
        assert_eq!(of(&records, id)["started"], TIME);
    }
    let page = report(&started("ann-0"), &["--html"]).stdout;
    assert!(page.contains("bob-0"), "the page has a row of it");
    // A record without the ID is that of the session with the same record.
    let mut stripped: Value = serde_json::from_str(&started("bob-0")).unwrap();
    stripped["responseElements"] = Value::Null;
    stripped["requestParameters"]["sessionId"] = Value::Null;
    let shown = report(&format!("{}{stripped}", started("ann-0")), &[]);
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(of(&records, "bob-0")["how_it_ended"], "closed");
}
