//! Which records and answers are of one session.

use serde_json::{Value, json};

use super::{Book, Listed, Status};
use crate::records::record::Event;

fn started(by: &str, id: &Value) -> Event {
    Event::of(
        &json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2026-11-01T10:00:00Z",
        "eventID": format!("e-{by}"), "requestParameters": {"target": "i-0a"}, "responseElements": id,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/Admin/{by}")}}),
    )
}

#[test]
fn without_any_id_two_people_begin_two_sessions_in_one_second() {
    let mut book = Book::default();
    for by in ["ann", "bob", "ann"] {
        let mut event = started(by, &Value::Null);
        event.event_id.clear();
        book.add(&event);
    }
    assert_eq!(book.sessions.len(), 2, "the same record twice is one");
}

/// IAM users have no session of a role, by whose name one is known from the other.
#[test]
fn two_users_who_begin_a_session_at_the_same_time_are_not_mixed_up() {
    let mut book = Book::default();
    let arn = |name: &str| format!("arn:aws:iam::111122223333:user/ops/{name}");
    for (name, time) in [("alice", "10:00:00"), ("bob", "10:00:01")] {
        book.add(&Event::of(
            &json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com",
            "eventTime": format!("2026-11-01T{time}Z"), "eventID": format!("e-{name}"), "requestParameters": {"target": "i-0a"},
            "userIdentity": {"type": "IAMUser", "arn": arn(name), "userName": name}}),
        ));
    }
    for name in ["bob", "alice", "eve"] {
        book.describe(&Listed {
            id: format!("{name}-0"),
            node: "i-0a".to_owned(),
            owner: arn(name),
            started: Some(1_793_527_201),
            ..Listed::default()
        });
    }
    for (name, event) in [
        ("alice", Some("e-alice")),
        ("bob", Some("e-bob")),
        ("eve", None),
    ] {
        let session = &book.sessions[book.find(&format!("{name}-0")).unwrap()];
        assert_eq!(session.event_id.as_deref(), event, "{name}");
        assert_eq!(session.person.as_deref(), Some(name));
    }
    assert_eq!(book.sessions.len(), 3);
}

/// Without a node there is no place and time by which to know it again.
#[test]
fn the_same_stripped_record_twice_is_one_session() {
    let mut book = Book::default();
    for by in ["ann", "ann", "bob"] {
        let mut event = started(by, &Value::Null);
        event.nodes.clear();
        book.add(&event);
    }
    assert_eq!(book.sessions.len(), 2);
}

#[test]
fn a_document_by_its_arn_is_the_one_of_that_name() {
    for (document, expected) in [
        ("arn:aws:ssm:eu-central-1:111122223333:document/Own", "Own"),
        (
            "arn:aws:ssm:eu-central-1::document/AWS-StartSSHSession",
            "AWS-StartSSHSession",
        ),
        ("Own", "Own"),
        (
            "arn:aws:ssm:eu-central-1:444455556666:document/Own",
            "arn:aws:ssm:eu-central-1:444455556666:document/Own",
        ),
    ] {
        let mut event = started("ann", &json!({"sessionId": "ann-0"}));
        event.account = "111122223333".to_owned();
        event.document = document.to_owned();
        let mut book = Book::default();
        book.add(&event);
        assert_eq!(book.sessions[0].document.as_deref(), Some(expected));
    }
}

#[test]
fn those_that_stay_are_found_where_they_are_now() {
    let mut book = Book::default();
    for id in ["a", "b", "c"] {
        book.add(&started(id, &json!({"sessionId": id})));
    }
    book.forget(|id| id == "a");
    assert_eq!(book.find("a"), None);
    for id in ["b", "c"] {
        assert_eq!(&*book.sessions[book.find(id).unwrap()].id, id);
    }
}

#[test]
fn a_record_without_an_id_gets_it_from_systems_manager() {
    let mut book = Book::default();
    for by in ["ann", "bob", "ann", "bob"] {
        book.add(&started(by, &Value::Null));
    }
    assert_eq!(book.sessions.len(), 2, "the same record twice is one");
    let listed = |by: &str, started| Listed {
        id: format!("{by}-0"),
        node: "i-0a".to_owned(),
        owner: format!("arn:aws:sts::111122223333:assumed-role/Admin/{by}"),
        started: Some(started),
        ..Listed::default()
    };
    // 2026-11-01T10:00:01Z
    book.describe(&listed("bob", 1_793_527_201));
    book.describe(&listed("eve", 1_793_527_200));
    book.describe(&listed("ann", 1_793_527_300));
    let mut ids: Vec<&str> = book.sessions.iter().map(|session| &*session.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["", "ann-0", "bob-0", "eve-0"]);
    // An answer from before its end, read later, does not open it.
    for status in ["Terminated", "Connected"] {
        let status = status.to_owned();
        book.describe(&Listed {
            status,
            ..listed("eve", 1_793_527_200)
        });
    }
    let eve = book.find("eve-0").unwrap();
    let described = book.sessions[eve].described.unwrap();
    assert_eq!(described.status, Status::Ended);
    let bob = book.find("bob-0").unwrap();
    assert_eq!(book.sessions[bob].event_id.as_deref(), Some("e-bob"));
}
