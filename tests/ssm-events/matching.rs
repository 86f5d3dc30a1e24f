//! `match` against what the local AWS says to the same patterns and events.

use serde_json::{Value, json};
use testbed::{offline, repository};

use crate::{EXE, account};

/// Returns the fixtures of the pattern language.
fn cases() -> Vec<(String, Value)> {
    let directory = repository().join("tests/fixtures/event_pattern");
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let cases = files.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (
            path.display().to_string(),
            serde_json::from_str(&text).unwrap(),
        )
    });
    cases.collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Asks TestEventPattern about every pair of a pattern and an event; one process, since the CLI takes half a second each.
const ASK: &str = "
import boto3, json, sys
client = boto3.client('events', region_name='us-east-1')
for pattern, event in json.load(sys.stdin):
    print(json.dumps(client.test_event_pattern(EventPattern=pattern, Event=event)['Result']))
";

#[test]
fn says_what_test_event_pattern_says() {
    let (account, mut pairs, mut names) = (account(), Vec::new(), Vec::new());
    for (name, case) in cases() {
        let pattern = case["pattern"].as_str().unwrap();
        let events = texts(&case["fit"])
            .into_iter()
            .chain(texts(&case["do_not_fit"]));
        // TestEventPattern wants a whole envelope; the fields of the fixture replace its own. They stay as they are written: a number
        // that no double holds is compared as text.
        for event in events {
            let own: serde_json::Map<String, Value> = serde_json::from_str(event).unwrap();
            let mut envelope = json!({"version": "0", "id": "1", "detail-type": "t", "source": "s", "account": "1",
                "time": "2026-11-24T00:00:00Z", "region": "us-east-1", "resources": [], "detail": {}});
            let members = envelope.as_object_mut().unwrap();
            members.retain(|name, _| !own.contains_key(name));
            let (begin, rest) = (envelope.to_string(), event.trim_start().split_at(1).1);
            let begin = begin.strip_suffix('}').unwrap();
            let comma = if own.is_empty() || begin == "{" {
                ""
            } else {
                ","
            };
            pairs.push((pattern.to_owned(), format!("{begin}{comma}{rest}")));
            names.push(name.clone());
        }
    }
    assert!(pairs.len() > 80);
    assert!(pairs.iter().any(|(_, event)| event.contains(".0")));
    let python = repository().join(".venv/bin/python");
    let asked = account
        .tool(python)
        .args(["-c", ASK])
        .stdin(json!(pairs).to_string())
        .run();
    asked.assert_status(0);
    assert_eq!(asked.records().len(), pairs.len());
    for (((pattern, event), name), said) in pairs.iter().zip(names).zip(asked.records()) {
        let ours = offline(EXE)
            .args(["match", pattern])
            .stdin(event.as_str())
            .run();
        assert_eq!(said, ours.status == 1, "{name}: {event}");
        assert_eq!(said, !ours.stdout.is_empty(), "{name}: {event}");
    }
}

#[test]
fn prints_what_fits_as_it_came_and_exits_with_1() {
    let pattern = r#"{"detail": {"eventName": ["StartSession"]}}"#;
    let events = "{\"id\": \"1\", \"detail\": {\"eventName\": \"StartSession\", \"n\": 1.50}}\n{\"detail\": {\"eventName\": \"Other\"}}\n{\n \"detail\": {\"eventName\":\n\"StartSession\"}}";
    let matched = offline(EXE).args(["match", pattern]).stdin(events).run();
    matched.assert_status(1).assert_stderr("");
    let expected = "{\"id\": \"1\", \"detail\": {\"eventName\": \"StartSession\", \"n\": 1.50}}\n{\"detail\":{\"eventName\":\"StartSession\"}}\n";
    assert_eq!(matched.stdout, expected);
    let other = r#"{"detail-type": "t", "detail": {}}"#;
    let none = offline(EXE).args(["match", pattern]).stdin(other).run();
    none.assert_status(0).assert_stderr("");
    assert_eq!(none.stdout, "");
}

#[test]
fn an_object_of_another_kind_is_no_answer_to_a_pattern_without_texts() {
    let other = r#"{"events": [{"message": "StartSession"}], "count": 7}"#;
    for pattern in [
        r#"{"number": [300]}"#,
        r#"{"number": [{"numeric": [">", 10]}]}"#,
        r#"{"detail": {"number": [{"exists": true}]}}"#,
        r#"{"number": [null, true]}"#,
        r#"{"number": [{"anything-but": [7]}]}"#,
        r#"{"name": ["x"]}"#,
    ] {
        let matched = offline(EXE).args(["match", pattern]).stdin(other).run();
        matched
            .assert_status(2)
            .assert_complains("no CloudTrail record, EventBridge event or log file among 1 object");
        // One that is known is enough, and what fits is found whatever it is.
        let known = format!(
            "{other}{}",
            r#"{"detail-type": "t", "detail": {}, "number": 7}"#
        );
        let matched = offline(EXE).args(["match", pattern]).stdin(known).run();
        assert_eq!(matched.stdout, "", "{pattern}");
        matched.assert_status(0).assert_stderr("");
    }
    // What has the field and does not fit is an answer.
    let asked = r#"{"count": [8]}"#;
    let matched = offline(EXE).args(["match", asked]).stdin(other).run();
    matched.assert_status(0).assert_stderr("");
    let fits = r#"{"count": [7]}"#;
    let matched = offline(EXE).args(["match", fits]).stdin(other).run();
    matched.assert_status(1).assert_stderr("");
}

#[test]
fn explains_which_field_decided() {
    let pattern = r#"{"source": ["aws.ssm"], "detail": {"errorCode": [{"exists": true}]}}"#;
    let event = r#"{"id": "e-1", "source": "aws.ssm", "detail": {}}"#;
    let explained = offline(EXE)
        .args(["match", pattern, "--explain"])
        .stdin(event)
        .run();
    explained.assert_status(0).assert_stderr("");
    let expected = json!({"kind": "explanation", "event": "e-1", "matched": false,
        "fields": [{"field": "$.detail.errorCode", "matched": false, "found": []}]});
    assert_eq!(explained.json(), expected);
}

#[test]
fn a_pattern_that_aws_would_refuse_is_refused_with_its_place() {
    let refused = offline(EXE)
        .args(["match", "{\n\"source\": \"aws.ssm\"}"])
        .stdin("{}")
        .run();
    refused.assert_status(2).assert_stderr(
        "ssm-events: pattern: line 2 column 11: Event pattern is not valid. Reason: \"source\" must be an object or an array\n",
    );
    // The other end of the pipe learns of it, too.
    assert_eq!(refused.json()["id"], "events.history.unread");
}

#[test]
fn a_damaged_stream_is_reported_after_what_fitted() {
    let output = offline(EXE)
        .args(["match", r#"{"a": [1]}"#])
        .stdin("{\"a\":1}\n{\"a\":")
        .run();
    output
        .assert_status(2)
        .assert_complains("not all was read: line 2: the end is missing");
    let (fitted, gap) = output.stdout.split_once('\n').unwrap();
    assert_eq!(fitted, "{\"a\":1}");
    assert!(gap.contains("events.history.unread"), "{gap}");
}
