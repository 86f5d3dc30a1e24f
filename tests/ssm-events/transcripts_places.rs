//! Of which account and Region a saved answer is: it names neither.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::{PREFERENCES, document, ended, versions};
use crate::EXE;
use crate::transcripts::{BROKEN, NOW, Scene, none, of, record};

const ACCOUNT: &str = "111122223333";
const TIME: &str = "2026-11-01T10:00:00Z";

/// An answer with several sessions that have ended.
fn all_ended(ids: &[&str]) -> Value {
    let sessions = ids.iter().flat_map(|id| {
        let mut answer = ended(ACCOUNT, id);
        answer["Sessions"].as_array_mut().unwrap().split_off(0)
    });
    json!({"Sessions": sessions.collect::<Vec<_>>()})
}

fn offline_in(region: Option<&str>, answers: &[Value], input: &str) -> Output {
    let folder = Home::create();
    let path = folder.path().join("saved");
    let answers: Vec<String> = answers.iter().map(Value::to_string).collect();
    std::fs::write(&path, answers.join("\n")).unwrap();
    let flags = ["--offline", "--listing", &path.display().to_string()];
    let run = offline(EXE).args(NOW).args(flags).stdin(input);
    match region {
        Some(region) => run.env("AWS_REGION", region).run(),
        None => run.run(),
    }
}

/// The records are of a week, and Systems Manager keeps a month.
#[test]
fn an_answer_is_of_the_region_of_those_of_its_sessions_that_records_have() {
    let started = record(ACCOUNT, "StartSession", "bob-0", "bob", TIME);
    let answers = [
        all_ended(&["ann-0", "bob-0", "carol-0"]),
        document(PREFERENCES, ""),
        versions(PREFERENCES),
    ];
    for region in [None, Some("us-east-1"), Some("eu-west-1")] {
        let shown = offline_in(region, &answers, &started);
        shown.assert_status(0).assert_stderr("");
        let records = shown.records();
        assert_eq!(records.len(), 3, "{records:?}");
        for id in ["ann-0", "bob-0", "carol-0"] {
            assert_eq!(of(&records, id)["target"]["region"], "us-east-1");
            assert_eq!(none(&records, id), "preferences_off");
        }
    }
    // Of another answer nothing is known.
    let mut two = answers.to_vec();
    two.insert(0, all_ended(&["dave-0"]));
    let shown = offline_in(None, &two, &started);
    shown.assert_status(2);
    let records = shown.records();
    assert_eq!(of(&records, "dave-0")["target"]["region"], "");
    assert_eq!(of(&records, "carol-0")["target"]["region"], "us-east-1");
}

#[test]
fn without_records_an_answer_is_of_the_region_that_the_environment_names() {
    let answers = [
        all_ended(&["ann-0"]),
        document(PREFERENCES, ""),
        versions(PREFERENCES),
    ];
    for (region, expected) in [(Some("eu-west-1"), "eu-west-1"), (None, "")] {
        let shown = offline_in(region, &answers, "");
        shown.assert_status(0);
        let records = shown.records();
        assert_eq!(of(&records, "ann-0")["target"]["region"], expected);
    }
}

/// AWS was asked, and does not list one of those that were saved.
#[test]
fn what_was_saved_and_is_not_listed_gets_nobody_elses_transcript() {
    let scene = Scene::new();
    let here = scene.start(BROKEN);
    let path = scene.save("ended", &["ssm", "describe-sessions", "--state", "History"]);
    let mut saved: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut gone = saved["Sessions"][0].clone();
    gone["SessionId"] = json!("gone-0");
    let sessions = saved["Sessions"].as_array_mut().unwrap();
    sessions.insert(0, gone.clone());
    gone["SessionId"] = json!("gone-1");
    sessions.push(gone);
    let key = |id: &str| json!({"Key": format!("sessions/here/{id}.log"), "Size": 7, "LastModified": TIME});
    let objects = json!({"Contents": [key("gone-1"), key(&here)], "RequestCharged": null, "Prefix": "sessions/here/"});
    std::fs::write(&path, format!("{saved}{objects}")).unwrap();
    let flags = [
        "--listing",
        &path.display().to_string(),
        "--region",
        "us-east-1,us-west-2",
    ];
    let shown = scene.run(&[&NOW[..], &flags].concat(), "");
    // Of which Region the others are is not known.
    shown.assert_status(2);
    let records = shown.records();
    let key = &of(&records, &here)["transcript"]["s3"]["key"];
    assert_eq!(*key, format!("sessions/here/{here}.log"));
    assert_eq!(of(&records, "gone-0")["transcript"]["s3"], Value::Null);
    let key = &of(&records, "gone-1")["transcript"]["s3"]["key"];
    assert_eq!(*key, "sessions/here/gone-1.log");
}

#[test]
fn saved_content_that_is_not_json_is_said_to_be_that() {
    let answers = [
        all_ended(&["ann-0"]),
        json!({"Name": PREFERENCES, "DocumentVersion": "1", "Content": "schemaVersion: '1.0'"}),
        versions(PREFERENCES),
    ];
    let shown = offline_in(Some("eu-west-1"), &answers, "");
    shown.assert_status(2);
    let message = shown.records()[0]["transcript"]["message"].to_string();
    let expected = format!("{PREFERENCES} version 1 is not JSON: ");
    assert!(message.contains(&expected), "{message}");
}
