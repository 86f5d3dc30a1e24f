//! Preferences that changed: which were in force when a session began, whether there were any, and what says so.

use std::time::Duration;

use serde_json::{Value, json};

use super::{BROKEN, GOOD, NOW, Scene, none, of, of_transcripts};
use crate::DESIRED;

const CHECK: [&str; 4] = ["check", "--transcripts", "--grace", "0"];
const NAME: &str = "SSM-SessionManagerRunShell";

/// CloudTrail and Systems Manager give times in seconds.
fn wait_for_another_second() {
    std::thread::sleep(Duration::from_millis(1100));
}

fn deny_the_history(scene: &Scene) {
    scene.account.fault(
        json!({"service": "cloudtrail", "operation": "LookupEvents", "kind": "denied", "times": -1}),
    );
}

fn message(records: &[Value], session: &str) -> String {
    let message = &of(records, session)["transcript"]["message"];
    message.as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_account_that_never_had_preferences_is_not_taken_for_one_that_lost_them() {
    let scene = Scene::without_preferences();
    let session = scene.start(GOOD);
    let shown = scene.run(&NOW, "");
    shown.assert_status(0).assert_stderr("");
    assert_eq!(none(&shown.records(), &session), "preferences_off");
    let said = message(&shown.records(), &session);
    assert!(
        said.contains("`ssm-prefs plan` says what makes it"),
        "{said}"
    );
    // They may have been deleted a moment ago.
    assert!(said.contains("the last 15 minutes"), "{said}");
    let found = scene.run(&CHECK, DESIRED);
    found.assert_status(1);
    let found = of_transcripts(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["id"], "events.transcript.unsettled");
    scene.account.forget_calls();
    scene.run(&NOW, "").assert_status(0);
    let calls = scene.account.operations();
    let is_asked = |one: &&String| one.ends_with("LookupEvents");
    assert_eq!(calls.iter().filter(is_asked).count(), 3, "{calls:?}");
    // Nobody says that there were none.
    scene.start(GOOD);
    deny_the_history(&scene);
    let shown = scene.run(&NOW, "");
    shown
        .assert_status(2)
        .assert_complains("is not known of 2 sessions");
    let said = message(&shown.records(), &session);
    assert!(
        said.contains("does not exist") && said.contains("LookupEvents"),
        "{said}"
    );
    let found = scene.run(&CHECK, DESIRED);
    found.assert_status(2);
    let found = of_transcripts(&found);
    assert_eq!(found.len(), 1, "one finding for all sessions: {found:?}");
    assert_eq!(found[0]["id"], "events.transcript.unread");
}

#[test]
fn sessions_before_preferences_were_deleted_are_unread_and_those_after_have_none() {
    let scene = Scene::new();
    let before = scene.start(BROKEN);
    wait_for_another_second();
    scene
        .account
        .call("AmazonSSM.DeleteDocument", &json!({"Name": NAME}));
    wait_for_another_second();
    let after = scene.start(BROKEN);
    let shown = scene.run(&NOW, "");
    shown.assert_status(2);
    let records = shown.records();
    let words = [&before, &after].map(|one| none(&records, one));
    assert_eq!(words, ["unread", "preferences_off"]);
    let said = message(&records, &before);
    assert!(
        said.contains("was deleted after the session began"),
        "{said}"
    );
    // Where the event history may not be read, the record of the call does not say that there was none ever since.
    deny_the_history(&scene);
    let of_document = |started: &str| {
        json!({"eventName": "DeleteDocument", "eventSource": "ssm.amazonaws.com", "eventTime": started, "awsRegion": "us-east-1",
            "recipientAccountId": scene.account.id(), "eventID": "e-1", "requestParameters": {"name": NAME}})
        .to_string()
    };
    let started = of(&records, &after)["started"].as_str().unwrap();
    let again = scene.run(&NOW, &of_document(started)).records();
    let words = [&before, &after].map(|one| none(&again, one));
    assert_eq!(words, ["unread", "unread"]);
    let said = message(&again, &before);
    assert!(
        said.contains("was deleted after the session began"),
        "{said}"
    );
    let none_said = scene.run(&NOW, "").records();
    let words = [&before, &after].map(|one| none(&none_said, one));
    assert_eq!(words, ["unread", "unread"]);
}

#[test]
fn which_version_was_the_default_is_asked_where_versions_differ() {
    let scene = Scene::new();
    let mut off = scene.preferences();
    off["inputs"]["s3BucketName"] = json!("");
    off["inputs"]["cloudWatchLogGroupName"] = json!("");
    scene.account.call(
        "AmazonSSM.UpdateDocument",
        &json!({"Name": NAME, "Content": off.to_string(), "DocumentVersion": "$LATEST", "DocumentFormat": "JSON"}),
    );
    scene.account.call(
        "AmazonSSM.UpdateDocumentDefaultVersion",
        &json!({"Name": NAME, "DocumentVersion": "2"}),
    );
    wait_for_another_second();
    let session = scene.start(GOOD);
    let shown = scene.run(&NOW, "");
    shown.assert_status(0);
    assert_eq!(none(&shown.records(), &session), "preferences_off");
    let said = message(&shown.records(), &session);
    assert!(
        said.contains("names neither bucket nor log group"),
        "{said}"
    );
    // The first version may have been the default one again in between.
    deny_the_history(&scene);
    let shown = scene.run(&NOW, "");
    shown.assert_status(2);
    assert_eq!(none(&shown.records(), &session), "unread");
    let said = message(&shown.records(), &session);
    assert!(said.contains("LookupEvents"), "{said}");
    let found = of_transcripts(&scene.run(&CHECK, DESIRED));
    assert_eq!(found[0]["id"], "events.transcript.unread");
}

#[test]
fn one_version_for_all_sessions_needs_no_history() {
    let scene = Scene::new();
    scene.start(GOOD);
    scene.account.forget_calls();
    scene.run(&NOW, "").assert_status(0);
    let calls = scene.account.operations();
    let is_asked = |one: &String| one.ends_with("LookupEvents");
    assert!(!calls.iter().any(is_asked), "{calls:?}");
}
