//! Sessions of the past: which version of their document was in force, whether there was one, and when they ended.

use std::rc::Rc;

use records::{NoTranscript, Reading};
use serde_json::json;

use super::{HOUR, NOW, RULES, book, ended, facts, logging, never, none, object, version};
use crate::records::record::Event;
use crate::records::sessions::judge::{is_unread, transcript};
use crate::records::sessions::{Book, Inputs, Listed, PREFERENCES, Store, Version};

#[test]
fn versions_that_differ_are_asked_both_and_never_taken_for_one() {
    let both = facts(vec![
        version(1, logging("b", "")),
        version(2, logging("c", "")),
    ]);
    let book = book(&ended());
    let made = transcript(&book.sessions[0], &both, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
    assert_eq!(made.missing_in, ["s3://c/a/", "s3://b/a/"]);
    // The version in between logs, before and after it none did.
    let one_is_off = facts(vec![
        version(1, logging("", "")),
        version(2, logging("b", "")),
        version(3, logging("", "")),
    ]);
    let made = transcript(&book.sessions[0], &one_is_off, &RULES);
    assert_eq!(made.none, Some(NoTranscript::Unread));
    let message = made.message.unwrap();
    assert!(message.contains("`ssm-events history`"), "{message}");
    let all_are_off = [1, 2, 3].map(|number| version(number, logging("", "")));
    assert_eq!(
        none(&ended(), &facts(all_are_off.to_vec())),
        Some(NoTranscript::PreferencesOff)
    );
}

/// Where a copy lies, a version was in force that has it written there.
#[test]
fn a_copy_says_which_versions_were_not_in_force() {
    let mut book = book(&ended());
    book.sessions[0].object = Some(object(Some(true)));
    let made =
        |versions: &[Version]| transcript(&book.sessions[0], &facts(versions.to_vec()), &RULES);
    let (off, on) = (version(1, logging("", "")), version(2, logging("b", "")));
    let found = made(&[off.clone(), on.clone()]);
    assert_eq!((found.none, found.message), (None, None));
    let both = version(2, logging("b", "/g"));
    let found = made(&[off.clone(), both.clone()]);
    assert_eq!(found.missing_in, ["log group /g"]);
    // One of two that fit wants another copy.
    let found = made(&[off, on, version(3, logging("b", "/g"))]);
    assert!(
        is_unread(&found) && found.missing_in.is_empty(),
        "{found:?}"
    );
    let message = found.message.unwrap();
    assert!(
        message.contains("in log group /g as well is not known"),
        "{message}"
    );
}

#[test]
fn a_session_before_its_preferences_were_deleted_is_not_taken_for_one_without() {
    let deleted = |at: i64| {
        let mut facts = never();
        let time = records::Timestamp::from_seconds(at).to_string();
        facts.changes.add(&Event::of(
            &json!({"eventName": "DeleteDocument", "eventSource": "ssm.amazonaws.com",
            "eventTime": time, "requestParameters": {"name": PREFERENCES}}),
        ));
        facts
    };
    let after = deleted(NOW - HOUR);
    assert_eq!(none(&ended(), &after), Some(NoTranscript::Unread));
    let before = deleted(NOW - 4 * HOUR);
    let made = transcript(&book(&ended()).sessions[0], &before, &RULES);
    assert_eq!(made.none, Some(NoTranscript::PreferencesOff));
    assert!(
        made.message.unwrap().contains("`ssm-prefs plan`"),
        "the cure"
    );
}

#[test]
fn a_session_of_long_ago_is_judged_where_its_end_is_known() {
    let facts = facts(vec![version(1, logging("b", ""))]);
    let time = |days: i64| records::Timestamp::from_seconds(NOW - days * 24 * HOUR).to_string();
    let record = |name: &str, days: i64| {
        Event::of(
            &json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time(days), "eventID": name,
            "requestParameters": {"target": "i-0a", "sessionId": "ann-0"}, "responseElements": {"sessionId": "ann-0"}}),
        )
    };
    let mut book = Book::default();
    book.add(&record("StartSession", 40));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::Unread));
    assert!(made.message.unwrap().contains("before the 30 days"));
    book.add(&record("TerminateSession", 40));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
}

#[test]
fn a_parameter_of_the_document_is_that_of_the_record() {
    let content = json!({"parameters": {"team": {"type": "String"}},
        "inputs": {"s3BucketName": "b", "s3KeyPrefix": "{{ team }}"}});
    let mut facts = facts(vec![]);
    let own = version(1, Rc::new(Inputs::of(&content)));
    facts
        .documents
        .insert("Own".to_owned(), Reading::Present(vec![own]));
    let listed = Listed {
        document: "Own".to_owned(),
        ..ended()
    };
    let mut book = book(&listed);
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::Unread), "no record says it");
    let started = records::Timestamp::from_seconds(NOW - 3 * HOUR).to_string();
    book.add(&Event::of(&json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": started,
        "requestParameters": {"target": "i-0a", "documentName": "Own", "parameters": {"team": ["blue"]}},
        "responseElements": {"sessionId": "ann-0"}})));
    let store = Store::Bucket {
        name: "b".into(),
        prefix: "blue".into(),
    };
    facts.stores.insert(store, None);
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.missing_in, ["s3://b/blue/"]);
}
