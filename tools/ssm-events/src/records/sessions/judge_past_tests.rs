//! Sessions of the past: which version of their document was in force, whether there was one, and when they ended.

use std::rc::Rc;

use records::{NoTranscript, Reading};
use serde_json::json;

use super::{
    HOUR, NOW, RULES, book, ended, facts, is_unread, logging, never, none, object, place,
    transcript, version,
};
use crate::records::record::Event;
use crate::records::sessions::{
    Book, Inputs, Listed, PREFERENCES, Store, UNREAD, Version, findings,
};

#[test]
fn versions_that_differ_are_asked_both_and_never_taken_for_one() {
    let both = facts(vec![
        version(1, logging("b", "")),
        version(2, logging("c", "")),
    ]);
    let book = book(&ended());
    let made = transcript(&book.sessions[0], &both, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
    // One of them should have it, and nobody knows which.
    assert!(made.missing_in.is_empty(), "{made:?}");
    let message = made.message.unwrap();
    let expected = "neither in s3://c/a/ nor in s3://b/a/, one of which should have it: ";
    assert!(message.starts_with(expected), "{message}");
    let common = facts(vec![
        version(1, logging("b", "")),
        version(2, logging("b", "/g")),
    ]);
    let made = transcript(&book.sessions[0], &common, &RULES);
    assert_eq!(made.missing_in, ["s3://b/a/"]);
    let message = made.message.unwrap();
    assert!(message.starts_with("nothing in s3://b/a/: "), "{message}");
    // The version in between logs, before and after it none did.
    let one_is_off = facts(vec![
        version(1, logging("", "")),
        version(2, logging("b", "")),
        version(3, logging("", "")),
    ]);
    let made = transcript(&book.sessions[0], &one_is_off, &RULES);
    assert_eq!(made.none, Some(NoTranscript::Unread));
    let message = made.message.unwrap();
    assert!(message.contains("run without --offline"), "{message}");
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
    let two = [off, on, version(3, logging("b", "/g"))];
    let found = made(&two);
    assert!(
        is_unread(&book, &facts(two.to_vec())) && found.missing_in.is_empty(),
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
    let mut facts = facts(vec![version(1, logging("b", ""))]);
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
    // All that are open were listed, and this one was not among them.
    facts.lists_all_open = true;
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
    facts.lists_all_open = false;
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

fn change(name: &str, at: i64, version: Option<&str>) -> Event {
    let time = records::Timestamp::from_seconds(at).to_string();
    Event::of(
        &json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time,
        "requestParameters": {"name": PREFERENCES, "documentVersion": version}}),
    )
}

/// The record on stdin is one of some: the document was made again after it.
#[test]
fn a_record_that_preferences_were_deleted_does_not_overrule_those_that_were_there() {
    for whole_since in [None, Some(NOW - 90 * 24 * HOUR)] {
        let mut facts = facts(vec![version(1, logging("b", ""))]);
        facts.changes.whole_since = whole_since;
        let deleted = change("DeleteDocument", NOW - 110 * 24 * HOUR, None);
        facts.changes.add(&deleted);
        assert_eq!(none(&ended(), &facts), Some(NoTranscript::UploadFailed));
    }
}

#[test]
fn an_old_record_of_a_default_that_is_off_does_not_hide_that_the_one_of_today_logs() {
    let mut off_on_off = vec![
        version(1, logging("", "")),
        version(2, logging("b", "")),
        version(3, logging("b", "")),
    ];
    off_on_off[1].is_default = true;
    off_on_off[0].is_default = false;
    let mut facts = facts(off_on_off);
    let old = NOW - 95 * 24 * HOUR;
    let default = change("UpdateDocumentDefaultVersion", old, Some("1"));
    facts.changes.add(&default);
    assert_eq!(none(&ended(), &facts), Some(NoTranscript::Unread));
    facts.changes.whole_since = Some(NOW - 90 * 24 * HOUR);
    assert_eq!(none(&ended(), &facts), Some(NoTranscript::UploadFailed));
}

/// Preferences that were deleted three minutes ago are in no history yet.
#[test]
fn what_a_change_of_the_last_minutes_would_make_another_answer_says_so_and_is_a_finding() {
    let mut facts = never();
    facts.changes.whole_until = Some(NOW - HOUR / 4);
    let book = book(&ended());
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::PreferencesOff));
    let message = made.message.unwrap();
    assert!(message.contains("the last 15 minutes"), "{message}");
    let found = findings(&book, &place(), &facts, &RULES);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].id, "events.transcript.unsettled");
    assert!(found[0].message.contains("of 1 session: "), "{found:?}");
    // A record that is shown settles it.
    let deleted = change("DeleteDocument", NOW - 24 * HOUR, None);
    facts.changes.add(&deleted);
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::PreferencesOff));
    assert!(!made.message.unwrap().contains("15 minutes"));
    assert_eq!(findings(&book, &place(), &facts, &RULES), []);
}

#[test]
fn what_helps_is_said_of_what_was_read_and_what_was_not() {
    let said = |whole_since: Option<i64>, unread: Option<&str>| {
        let mut facts = facts(vec![
            version(1, logging("", "")),
            version(2, logging("b", "")),
        ]);
        facts.changes.whole_since = whole_since;
        facts.changes.unread = unread.map(str::to_owned);
        let found = findings(&book(&ended()), &place(), &facts, &RULES).remove(0);
        assert_eq!(found.id, UNREAD);
        (found.message, found.fix)
    };
    for (whole_since, unread, message, fix) in [
        (None, None, "run without --offline", "no permission is "),
        (Some(NOW), None, "cannot be known any", "no permission is "),
        (None, Some("LookupEvents: no"), "LookupEvents: no", "grant "),
    ] {
        let found = said(whole_since, unread);
        assert!(found.0.contains(message), "{found:?}");
        assert!(found.1.starts_with(fix), "{found:?}");
    }
}

/// The bucket that the versions name is looked into, though nobody knows which of them was in force.
#[test]
fn a_version_that_is_gone_does_not_keep_from_looking_where_the_others_log() {
    let facts = facts(vec![
        version(1, logging("b", "")),
        version(3, logging("c", "")),
    ]);
    let mut book = book(&ended());
    let stores = facts.stores_of(&book.sessions[0]);
    let names: Vec<String> = stores.iter().map(Store::to_string).collect();
    assert_eq!(names, ["s3://b/a/", "s3://c/a/"]);
    assert_eq!(none(&ended(), &facts), Some(NoTranscript::Unread));
    book.sessions[0].object = Some(object(Some(true)));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!((made.none, is_unread(&book, &facts)), (None, true));
    assert!(made.s3.is_some());
}
