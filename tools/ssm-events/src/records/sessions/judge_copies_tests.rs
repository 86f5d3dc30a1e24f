//! Sessions with one copy of two, and copies that are empty or not encrypted.

use std::rc::Rc;

use records::NoTranscript;
use serde_json::json;

use super::{
    NOW, RULES, book, ended, facts, is_unread, logging, object, place, stream, transcript, version,
};
use crate::records::sessions::{Inputs, Listed, Object, Store, Stream, UNREAD, findings};

#[test]
fn an_empty_log_stream_is_not_a_transcript() {
    let facts = facts(vec![version(1, logging("b", "/g"))]);
    let mut book = book(&ended());
    let stream = |is_filled| Stream {
        log_group: Some("/g".into()),
        is_filled,
        encrypted: Some(true),
    };
    book.sessions[0].stream = Some(stream(false));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
    assert_eq!(made.missing_in, ["s3://b/a/", "log group /g"]);
    assert!(made.message.unwrap().ends_with("its log stream is empty"));
    book.sessions[0].stream = Some(stream(true));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!((made.none, made.encrypted), (None, Some(true)));
    assert_eq!(made.missing_in, ["s3://b/a/"]);
    book.sessions[0].object = Some(Object {
        bucket: Some("b".into()),
        folder: "a/".into(),
        bytes: 7,
        encrypted: None,
    });
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(
        (made.bytes, made.encrypted, made.message),
        (Some(7), None, None)
    );
    assert!(made.missing_in.is_empty());
}

/// Neither an object without a byte nor a log stream without an event shows anything of a session.
#[test]
fn an_empty_object_is_not_a_transcript() {
    let facts = facts(vec![version(1, logging("b", "/g"))]);
    let mut book = book(&ended());
    let empty = |bytes| Object {
        bytes,
        ..object(Some(true))
    };
    book.sessions[0].object = Some(empty(0));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
    assert_eq!((made.s3, made.bytes), (None, None));
    assert_eq!(made.missing_in, ["s3://b/a/", "log group /g"]);
    assert!(made.message.unwrap().ends_with("its object is empty"));
    book.sessions[0].stream = Some(stream(Some(true)));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.missing_in, ["s3://b/a/"]);
    book.sessions[0].object = Some(empty(1));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert!(made.missing_in.is_empty() && made.s3.is_some());
}

#[test]
fn one_of_two_transcripts_does_not_hide_that_the_other_was_not_read() {
    let mut facts = facts(vec![version(1, logging("b", "/g"))]);
    let group = Store::LogGroup { name: "/g".into() };
    facts.stores.insert(group, Some("AccessDenied".to_owned()));
    let mut book = book(&ended());
    book.sessions[0].object = Some(object(Some(true)));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!((made.none, is_unread(&book, &facts)), (None, true));
    assert_eq!(made.message.as_deref(), Some("log group /g: AccessDenied"));
    let found = findings(&book, &place(), &facts, &RULES);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].is_unread), (UNREAD, true));
    // Both are there, and nothing more has to be known.
    book.sessions[0].stream = Some(stream(Some(true)));
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!((made.message, is_unread(&book, &facts)), (None, false));
}

#[test]
fn encryption_that_is_demanded_and_not_known_is_unread() {
    let demanding = |is_on: bool| {
        let inputs = json!({"s3BucketName": "b", "s3KeyPrefix": "a", "s3EncryptionEnabled": is_on,
            "cloudWatchLogGroupName": "/g", "cloudWatchEncryptionEnabled": is_on.to_string()});
        let inputs = Inputs::of(&json!({"inputs": inputs}));
        let mut facts = facts(vec![version(1, Rc::new(inputs))]);
        let group = Store::LogGroup { name: "/g".into() };
        facts.unknown_keys.insert(group, "denied".to_owned());
        facts
    };
    for (of_object, of_stream, is_demanded, expected) in [
        (
            Some(true),
            None,
            true,
            "log group /g is encrypted is not known: denied",
        ),
        (
            None,
            Some(true),
            true,
            "s3://b/a/ is encrypted is not known: that was not read",
        ),
        (Some(true), Some(true), true, ""),
        (None, None, false, ""),
    ] {
        let facts = demanding(is_demanded);
        let mut book = book(&ended());
        book.sessions[0].object = Some(object(of_object));
        book.sessions[0].stream = Some(stream(of_stream));
        let made = transcript(&book.sessions[0], &facts, &RULES);
        assert_eq!(is_unread(&book, &facts), !expected.is_empty());
        assert!(made.message.unwrap_or_default().ends_with(expected));
        let found = findings(&book, &place(), &facts, &RULES);
        assert_eq!(found.len(), usize::from(!expected.is_empty()), "{found:?}");
        // Also where the other one is missing.
        book.sessions[0].object = None;
        let found = findings(&book, &place(), &facts, &RULES);
        let n_expected = 1 + usize::from(is_demanded && of_stream.is_none());
        assert_eq!(found.len(), n_expected, "{found:?}");
        assert_eq!(is_unread(&book, &facts), n_expected == 2);
    }
}

/// One copy is there while the session lasts, and for some time after it: what is still to come is not unknown.
#[test]
fn a_copy_that_may_still_come_is_not_unknown() {
    let facts = facts(vec![version(1, logging("b", "/g"))]);
    let open = Listed {
        status: "Connected".to_owned(),
        ended: None,
        ..ended()
    };
    let just_ended = Listed {
        ended: Some(NOW - 60),
        ..ended()
    };
    for listed in [open, just_ended] {
        let mut book = book(&listed);
        book.sessions[0].stream = Some(stream(Some(true)));
        let made = transcript(&book.sessions[0], &facts, &RULES);
        assert_eq!((made.none, made.message), (None, None));
        assert!(!is_unread(&book, &facts));
        assert_eq!(findings(&book, &place(), &facts, &RULES), []);
        book.sessions[0].object = Some(object(Some(true)));
        book.sessions[0].stream = None;
        let made = transcript(&book.sessions[0], &facts, &RULES);
        assert_eq!((made.none, made.message), (None, None));
    }
}

/// A stream in the log group of the one version says that the other one, which demands a key, was not in force.
#[test]
fn what_a_version_that_was_not_in_force_demands_is_not_demanded() {
    let demanding = |group: &str, is_on: bool| {
        let inputs = json!({"cloudWatchLogGroupName": group, "cloudWatchEncryptionEnabled": is_on});
        Rc::new(Inputs::of(&json!({"inputs": inputs})))
    };
    for (of_g, of_h, n_findings) in [(false, true, 0), (true, false, 1)] {
        let facts = facts(vec![
            version(1, demanding("/g", of_g)),
            version(2, demanding("/h", of_h)),
        ]);
        let mut book = book(&ended());
        book.sessions[0].stream = Some(stream(Some(false)));
        let found = findings(&book, &place(), &facts, &RULES);
        assert_eq!(found.len(), n_findings, "{found:?}");
    }
}
