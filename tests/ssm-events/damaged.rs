//! A record that cannot be read stops no other, and no verb takes it for something that it may not be.

use serde_json::{Value, json};
use testbed::Home;

use crate::reading::over;
use crate::unread::{piped, started};

/// Records that no parser takes, and those that do not say what was called.
fn damaged() -> [Vec<u8>; 16] {
    let odd = |from: &str, to: &str| started("odd", &json!({})).replace(from, to);
    let mut bytes = started("odd", &json!({})).into_bytes();
    let at = bytes.windows(2).position(|two| two == b"i-").unwrap();
    bytes[at] = 0xff;
    let texts = [
        odd("i-0123456789abcdef0", "\\ud800"),
        odd("\"2026-07-01T22:30:00Z\"", "1e999"),
        odd(
            "null}",
            &format!("{}1{}}}", "[".repeat(200), "]".repeat(200)),
        ),
        odd("null}", "nul}"),
        odd("\"2026-07-01T22:30:00Z\"", "7"),
        odd("\"eu-central-1\"", "{}"),
        odd("\"111122223333\",\"eventID\"", "111122223333,\"eventID\""),
        odd("\"StartSession\"", "null"),
        odd("\"StartSession\"", "7"),
        odd("\"eventName\":\"StartSession\",", ""),
        odd("\"ssm.amazonaws.com\"", "null"),
        odd("\"eventSource\":\"ssm.amazonaws.com\",", ""),
        enveloped(&json!(null)),
        enveloped(&json!("{\"cut\":")),
        odd("\"target\":", "\"target\":\"i-9\",\"target\":"),
    ];
    let mut texts = texts.into_iter().map(String::into_bytes).chain([bytes]);
    std::array::from_fn(|_| texts.next().unwrap())
}

/// A pattern that shows who did it, where it is explained.
const WHO: &str = r#"{"eventName": ["StartSession"], "eventSource": ["ssm.amazonaws.com"],
    "userIdentity": {"userName": [{"exists": true}]}}"#;

/// Writes records to a file, each on a line.
fn saved(home: &Home, records: &[&[u8]]) -> String {
    let file = home.path().join("log.json");
    std::fs::write(&file, records.join(&b'\n')).unwrap();
    file.to_str().unwrap().to_owned()
}

/// An event of EventBridge whose detail is not a record.
fn enveloped(detail: &Value) -> String {
    json!({"version": "0", "source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": detail}).to_string()
}

#[test]
fn a_record_that_cannot_be_read_stops_no_other() {
    let delivered = Home::create();
    let list = delivered.path().join("ids");
    std::fs::write(&list, "").unwrap();
    let list = list.to_str().unwrap();
    let [alice, bob] = ["alice", "bob"].map(|by| started(by, &json!({})));
    for odd in damaged() {
        let file = saved(&delivered, &[alice.as_bytes(), &odd, bob.as_bytes()]);
        for arguments in [
            &["format", "--to", "text"][..],
            &["format", "--to", "csv"],
            &["report"],
            &["report", "-q"],
            &["reconcile", "--delivered", list],
            &["reconcile", "--delivered", list, "--exit-code"],
            &["match", WHO],
            &["match", "--explain", WHO],
            &[
                "match",
                r#"{"userIdentity": {"userName": [{"anything-but": "odd"}]}}"#,
            ],
        ] {
            let output = over(&file, arguments);
            output
                .assert_status(2)
                .assert_complains("not all was read: ")
                .assert_complains("record 2 cannot be read: ");
            assert!(
                output.stdout.contains("alice") && output.stdout.contains("bob"),
                "{arguments:?}: {}",
                output.stdout
            );
            assert!(!output.stdout.contains("odd"), "{arguments:?}");
        }
        let history = piped(&["history", &file], "");
        history.assert_status(2).assert_complains("record 2");
        let text = piped(&["history", &file, "-o", "text"], "");
        assert!(
            text.stdout.contains("alice") && text.stdout.contains("bob"),
            "{}",
            text.stderr
        );
        // What is only handed on need not be taken apart.
        for id in ["e-alice", "e-bob"] {
            assert!(history.stdout.contains(id), "{}", history.stdout);
        }
    }
}

/// What `history` and `match` pass on, every verb behind the pipe can read: numbers, names and depth are judged alike.
#[test]
fn both_ends_of_a_pipe_take_the_same_records() {
    let home = Home::create();
    let good = started("alice", &json!({}));
    for odd in damaged() {
        let file = saved(&home, &[good.as_bytes(), &odd]);
        for first in [piped(&["history", &file], ""), over(&file, &["match", WHO])] {
            first.assert_status(2);
            let records: Vec<Value> = first.records();
            let passed: Vec<String> = records
                .iter()
                .filter(|one| one["kind"].is_null())
                .map(Value::to_string)
                .collect();
            assert_eq!(passed.len(), 1, "{}", String::from_utf8_lossy(&odd));
            piped(&["report"], &passed.concat()).assert_status(0);
        }
    }
}

/// One reader sees the first of two members of a name, and the next one the last: neither `target` is the one that was called.
#[test]
fn match_takes_no_event_with_a_repeated_name_for_one_that_does_not_fit() {
    let twice =
        started("alice", &json!({})).replace("\"target\":", "\"target\":\"i-9\",\"target\":");
    let enveloped = format!(r#"{{"detail-type": "t", "source": "s", "detail": {twice}}}"#);
    for (event, pattern) in [
        (&twice, r#"{"requestParameters": {"target": ["i-9"]}}"#),
        (
            &twice,
            r#"{"requestParameters": {"target": ["i-0123456789abcdef0"]}}"#,
        ),
        (
            &enveloped,
            r#"{"detail": {"requestParameters": {"target": [{"prefix": "i-"}]}}}"#,
        ),
    ] {
        for arguments in [&["match", pattern][..], &["match", "--explain", pattern]] {
            let output = piped(arguments, event);
            output
                .assert_status(2)
                .assert_complains("`target` is here twice");
            assert_eq!(output.records().len(), 1, "{}", output.stdout);
            assert_eq!(output.json()["id"], "events.history.unread");
        }
    }
}

/// A null in place of what was called is damage; who tries a pattern may leave out what that does not ask for.
#[test]
fn match_takes_a_part_of_an_event_and_none_whose_detail_is_null() {
    let envelope =
        json!({"source": "aws.ssm", "detail-type": "EC2 Command Status-change Notification"});
    let pattern = ["match", r#"{"source": ["aws.ssm"]}"#];
    let part = piped(&pattern, &envelope.to_string());
    part.assert_status(1).assert_stderr("");
    let mut null = envelope;
    null["detail"] = Value::Null;
    let null = piped(&pattern, &null.to_string());
    null.assert_status(2)
        .assert_complains("its detail is not an object");
}
