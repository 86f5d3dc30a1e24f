//! The reasons why a session has no transcript, a case each.

#[path = "judge_copies_tests.rs"]
mod copies;
#[path = "judge_past_tests.rs"]
mod past;

use std::rc::Rc;

use records::{NoTranscript, Reading, SessionEnd, Transcript};
use serde_json::json;

use super::{Rules, judge};
use crate::records::record::Event;
use crate::records::sessions::{
    Book, Facts, Inputs, Listed, Object, PREFERENCES, Session, Store, Stream, Version,
};

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const RULES: Rules = Rules {
    now: NOW,
    grace: HOUR,
};

fn logging(bucket: &str, log_group: &str) -> Rc<Inputs> {
    let inputs =
        json!({"s3BucketName": bucket, "s3KeyPrefix": "/a/", "cloudWatchLogGroupName": log_group});
    Rc::new(Inputs::of(&json!({"inputs": inputs})))
}

fn version(number: u64, logging: Rc<Inputs>) -> Version {
    Version {
        number,
        created: Some(NOW - 100 * 24 * HOUR),
        is_default: number == 1,
        inputs: Reading::Present(logging),
    }
}

/// Preferences with these versions, of which everything was listed.
fn facts(versions: Vec<Version>) -> Facts {
    let mut facts = Facts::default();
    for version in &versions {
        if let Reading::Present(inputs) = &version.inputs {
            let stores = inputs.filled(None).unwrap().stores.clone().into_iter();
            facts.stores.extend(stores.map(|store| (store, None)));
        }
    }
    let name = PREFERENCES.to_owned();
    facts.documents.insert(name, Reading::Present(versions));
    facts
}

/// A session that has ended two hours ago.
fn ended() -> Listed {
    Listed {
        id: "ann-0".to_owned(),
        node: "i-0123456789abcdef0".to_owned(),
        status: "Terminated".to_owned(),
        started: Some(NOW - 3 * HOUR),
        ended: Some(NOW - 2 * HOUR),
        owner: "arn:aws:sts::111122223333:assumed-role/Admin/ann".to_owned(),
        ..Listed::default()
    }
}

fn book(listed: &Listed) -> Book {
    let mut book = Book::default();
    book.describe(listed);
    book
}

fn transcript(session: &Session, facts: &Facts, rules: &Rules) -> Transcript {
    judge(session, facts, rules).transcript
}

/// Returns whether something about the transcript of the first session is not known.
fn is_unread(book: &Book, facts: &Facts) -> bool {
    judge(&book.sessions[0], facts, &RULES).unknown.is_some()
}

fn none(listed: &Listed, facts: &Facts) -> Option<NoTranscript> {
    transcript(&book(listed).sessions[0], facts, &RULES).none
}

#[test]
fn each_reason_has_its_case() {
    use NoTranscript as No;
    let on = || facts(vec![version(1, logging("b", ""))]);
    let document = |name: &str| Listed {
        document: name.to_owned(),
        ..ended()
    };
    let status = |status: &str| Listed {
        status: status.to_owned(),
        ended: None,
        ..ended()
    };
    let at = |started: i64, ended: i64| Listed {
        started: Some(started),
        ended: Some(ended),
        ..self::ended()
    };
    let unlisted = || {
        let mut facts = on();
        facts.stores.clear();
        facts
    };
    let denied = || {
        let mut facts = on();
        let store = Store::Bucket {
            name: "b".into(),
            prefix: "a".into(),
        };
        facts.stores.insert(store, Some("AccessDenied".to_owned()));
        facts
    };
    let old = NOW - 40 * 24 * HOUR;
    let container = Listed {
        node: "ecs:web_0123456789abcdef0123456789abcdef_0123456789abcdef0123456789abcdef-1"
            .to_owned(),
        ..ended()
    };
    for (what, listed, facts, expected) in [
        ("ssh", document("AWS-StartSSHSession"), on(), No::Ssh),
        (
            "a port",
            document("AWS-StartPortForwardingSessionToRemoteHost"),
            on(),
            No::Port,
        ),
        (
            "Amazon's own",
            document("AWS-StartInteractiveCommand"),
            on(),
            No::PreferencesOff,
        ),
        ("a container", container, on(), No::Container),
        ("failed", status("Failed"), on(), No::NotStarted),
        ("connected", status("Connected"), on(), No::StillOpen),
        ("disconnected", status("Disconnected"), on(), No::StillOpen),
        (
            "just ended",
            at(NOW - 3 * HOUR, NOW - 60),
            on(),
            No::TooRecent,
        ),
        (
            "the grace is over",
            at(NOW - 3 * HOUR, NOW - HOUR),
            on(),
            No::UploadFailed,
        ),
        ("ended", ended(), on(), No::UploadFailed),
        (
            "no document",
            ended(),
            facts_of(Reading::Absent),
            No::Unread,
        ),
        ("never a document", ended(), never(), No::PreferencesOff),
        (
            "names nothing",
            ended(),
            facts(vec![version(1, logging("", ""))]),
            No::PreferencesOff,
        ),
        (
            "denied document",
            ended(),
            facts_of(Reading::Unknown("no".to_owned())),
            No::Unread,
        ),
        ("another document", document("Own"), on(), No::Unread),
        ("not listed", ended(), unlisted(), No::Unread),
        ("denied list", ended(), denied(), No::Unread),
        ("old", at(old, old + HOUR), on(), No::UploadFailed),
        (
            "before the document",
            at(NOW - 101 * 24 * HOUR, NOW - 101 * 24 * HOUR),
            on(),
            No::Unread,
        ),
    ] {
        assert_eq!(none(&listed, &facts), Some(expected), "{what}");
    }
}

/// It may have forwarded a port, which is never logged.
#[test]
fn a_session_of_which_no_record_says_the_document_is_not_taken_for_one_with_the_preferences() {
    let facts = facts(vec![version(1, logging("b", ""))]);
    let time = records::Timestamp::from_seconds(NOW - 2 * HOUR).to_string();
    let record = |name: &str| {
        Event::of(
            &json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time, "eventID": name,
            "requestParameters": {"sessionId": "ann-0"}, "responseElements": {"sessionId": "ann-0"}}),
        )
    };
    let why = "no record says which document the session was started with";
    for name in ["TerminateSession", "ResumeSession"] {
        let mut book = Book::default();
        book.add(&record(name));
        let made = transcript(&book.sessions[0], &facts, &RULES);
        let found = (made.none, made.message.as_deref());
        assert_eq!(found, (Some(NoTranscript::Unread), Some(why)), "{name}");
        // What lies where the preferences have it written is shown, and says nothing of a copy elsewhere.
        book.sessions[0].object = Some(object(Some(true)));
        let made = transcript(&book.sessions[0], &facts, &RULES);
        assert_eq!((made.none, made.message.as_deref()), (None, Some(why)));
        assert_eq!(facts.stores_of(&book.sessions[0]).len(), 1, "{name}");
    }
    let mut book = Book::default();
    for name in ["TerminateSession", "StartSession"] {
        book.add(&record(name));
    }
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
}

/// There is no document, and the whole history has none that was deleted.
fn never() -> Facts {
    let mut facts = facts_of(Reading::Absent);
    facts.changes.whole_since = Some(NOW - 90 * 24 * HOUR);
    facts
}

fn facts_of(document: Reading<Vec<Version>>) -> Facts {
    let mut facts = Facts::default();
    facts.documents.insert(PREFERENCES.to_owned(), document);
    facts
}

#[test]
fn a_document_of_ones_own_decides_for_its_sessions() {
    let own = || Listed {
        document: "Own".to_owned(),
        ..ended()
    };
    for (bucket, session_type, expected) in [
        ("b", "Standard_Stream", NoTranscript::UploadFailed),
        ("", "Standard_Stream", NoTranscript::PreferencesOff),
        ("b", "Port", NoTranscript::Port),
    ] {
        // The preferences log, whatever the document does.
        let mut facts = facts(vec![version(1, logging("b", ""))]);
        let content = json!({"sessionType": session_type, "inputs": {"s3BucketName": bucket, "s3KeyPrefix": "a"}});
        let version = version(1, Rc::new(Inputs::of(&content)));
        let name = "Own".to_owned();
        facts
            .documents
            .insert(name, Reading::Present(vec![version]));
        assert_eq!(none(&own(), &facts), Some(expected), "{session_type}");
    }
}

#[test]
fn a_session_that_has_ended_without_a_time_is_said_to_have_ended() {
    let facts = facts(vec![version(1, logging("b", ""))]);
    let listed = Listed {
        ended: None,
        ..ended()
    };
    let made = transcript(&book(&listed).sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::Unread));
    let expected = "the session has ended, and when is not known";
    assert_eq!(made.message.as_deref(), Some(expected));
}

fn place() -> cli::Target {
    cli::Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    }
}

fn object(encrypted: Option<bool>) -> Object {
    Object {
        bucket: Some("b".into()),
        folder: "a/".into(),
        bytes: 7,
        encrypted,
    }
}

fn stream(encrypted: Option<bool>) -> Stream {
    Stream {
        log_group: Some("/g".into()),
        is_filled: true,
        encrypted,
    }
}

#[test]
fn how_a_session_ended() {
    let ends = |listed: &Listed| book(listed).sessions[0].how_it_ended();
    assert_eq!(ends(&ended()), SessionEnd::Closed);
    for (minutes, expected) in [(60, SessionEnd::MaxDuration), (120, SessionEnd::Closed)] {
        let listed = Listed {
            max_minutes: Some(minutes),
            ..ended()
        };
        assert_eq!(ends(&listed), expected, "{minutes}");
    }
    let failed = Listed {
        status: "Failed".to_owned(),
        ..ended()
    };
    assert_eq!(ends(&failed), SessionEnd::Failed);
}

/// The answer was saved while the session lasted, and the record is of later.
#[test]
fn a_record_of_the_end_counts_more_than_an_older_answer() {
    let facts = facts(vec![version(1, logging("b", ""))]);
    let mut book = book(&Listed {
        status: "Connected".to_owned(),
        ended: None,
        ..ended()
    });
    assert_eq!(book.sessions[0].how_it_ended(), SessionEnd::Open);
    let time = records::Timestamp::from_seconds(NOW - 2 * HOUR).to_string();
    book.add(&Event::of(
        &json!({"eventName": "TerminateSession", "eventSource": "ssm.amazonaws.com", "eventTime": time, "eventID": "e",
        "requestParameters": {"sessionId": "ann-0"}, "responseElements": {"sessionId": "ann-0"}}),
    ));
    assert_eq!(book.sessions[0].how_it_ended(), SessionEnd::Terminated);
    let made = transcript(&book.sessions[0], &facts, &RULES);
    assert_eq!(made.none, Some(NoTranscript::UploadFailed));
}
