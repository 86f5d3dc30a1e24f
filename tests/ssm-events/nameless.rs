//! Records that do not say what was called: damage, wherever they are wrapped, and never passed over. What is plainly something else is
//! passed over, and said to be.

use serde_json::{Value, json};
use testbed::{Home, Output, Slack, offline};

use crate::EXE;
use crate::reading::{over, record, verbs};
use crate::sending::{send, statuses};

fn without(name: &str) -> Value {
    let mut record = record("odd");
    record.as_object_mut().unwrap().remove(name);
    record
}

fn with(name: &str, value: Value) -> Value {
    let mut record = record("odd");
    record[name] = value;
    record
}

fn enveloped(detail: &Value) -> Value {
    json!({"version": "0", "source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "time": "2026-07-01T22:30:00Z",
        "account": "111122223333", "region": "eu-central-1", "detail": detail})
}

/// Every record that does not say what was called, and how often it is damaged.
fn nameless() -> Vec<Value> {
    let names = ["eventName", "eventSource"];
    let records = names.into_iter().flat_map(|name| {
        let values = [json!(null), json!(7), json!(["StartSession"])];
        let odd = values.into_iter().map(move |value| with(name, value));
        odd.chain([without(name)])
    });
    let records: Vec<Value> = records.collect();
    let lower = |record: &Value| -> Value {
        let members = record.as_object().unwrap().iter();
        let lower = members.map(|(name, value)| {
            let cell = value.as_str().map_or(value.to_string(), str::to_owned);
            (name.to_lowercase(), cell.into())
        });
        Value::Object(lower.collect())
    };
    let lookup = |record: Value| json!({"Events": [{"EventId": "e", "EventName": "StartSession", "CloudTrailEvent": record}]});
    let mut all: Vec<Value> = records.iter().map(enveloped).collect();
    all.extend(records.iter().map(|one| lookup(one.to_string().into())));
    all.extend(
        records
            .iter()
            .map(|one| json!({"Messages": [{"MessageId": "m", "Body": one.to_string()}]})),
    );
    all.extend(records.iter().map(|one| json!({"Records": [one]})));
    all.extend([
        lower(&records[0]),
        lower(&records[3]),
        lower(&records[7]),
        lookup(json!(null)),
        lookup(json!("nonsense")),
        lookup(json!("{}")),
        enveloped(&json!(null)),
        enveloped(&json!("a text")),
        enveloped(&json!("{\"cut\":")),
        enveloped(&json!([])),
        enveloped(&json!({})),
        json!({"detail": records[0]}),
        json!({"eventName": null}),
    ]);
    all.extend(records);
    all
}

/// Returns how many gaps the complaint of a verb, or the finding of `history`, counts.
fn n_gaps(verb: &str, output: &Output) -> usize {
    if verb == "history" {
        let said = output.records();
        let finding = said.iter().find(|one| one["id"] == "events.history.unread");
        let message = finding.map(|one| one["message"].as_str().unwrap().to_owned());
        let message = message.unwrap_or_default();
        let reason = message.trim_start_matches("could not be read to its end: ");
        let number = reason.split(' ').next().unwrap_or_default();
        return number.parse().unwrap_or(usize::from(!reason.is_empty()));
    }
    let (_, said) = output.stderr.split_once("not all was read: ").unwrap();
    let counted = said.lines().next().unwrap().strip_suffix(" gaps");
    let number = counted.and_then(|said| said.rsplit_once("; ")?.1.parse().ok());
    number.unwrap_or(1)
}

#[test]
fn a_record_without_a_name_is_damaged_in_every_wrapping_and_for_every_verb() {
    let home = Home::create();
    let (good, all) = ([record("a"), record("b")], nameless());
    let mut lines = vec![good[0].to_string()];
    lines.extend(all.iter().map(Value::to_string));
    lines.push(good[1].to_string());
    for (verb, output) in verbs(&home, lines.join("\n").as_bytes()) {
        output.assert_status(2);
        // What `match` is asked for may be all that an event has, and is printed.
        let is_odd = |one: &&Value| one["kind"].is_null() && one.to_string().contains("odd");
        let n_out = match verb {
            "match" => output.records().iter().filter(is_odd).count(),
            _ => 0,
        };
        assert_eq!(
            n_gaps(verb, &output) + n_out,
            all.len(),
            "{verb}: {}",
            output.stderr
        );
        assert!(!output.stderr.contains("passed over"), "{}", output.stderr);
        for id in ["a-0", "b-0"] {
            assert!(output.stdout.contains(id), "{verb}: {}", output.stdout);
        }
    }
    // Each by itself, and quiet: only the status and the reason are left.
    let file = home.path().join("one");
    for odd in &all {
        let text = format!("{}\n{odd}\n{}\n", good[0], good[1]);
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        for output in [
            over(file, &["report", "-q"]),
            over(file, &["match", "-q", r#"{"eventName": ["StopSession"]}"#]),
            offline(EXE)
                .args(["history", "-q", "--event", "StopSession", file])
                .run(),
        ] {
            output.assert_status(2);
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(said.contains("record 2"), "{odd}: {said}");
        }
    }
}

#[test]
fn a_record_without_a_name_stops_no_message_and_is_damaged() {
    let (slack, home) = (Slack::start(), Home::create());
    let odd = [without("eventName"), enveloped(&json!(null))].map(|odd| odd.to_string());
    let input = format!("{}\n{}\n{}\n", record("a"), odd.join("\n"), record("b"));
    let sent = send(&slack, home.path(), &input, &[]);
    sent.assert_status(2)
        .assert_complains("not all was read: record 2 cannot be read: it has no eventName; 2 gaps");
    let delivered = statuses(&sent);
    let delivered = delivered.iter().filter(|one| one.ends_with(" delivered"));
    assert_eq!(delivered.count(), 2);
}

/// A detail that was put into JSON once more, and an envelope without its type, hide no record.
#[test]
fn an_envelope_with_a_text_is_read() {
    let home = Home::create();
    let text = |id: &str| record(id).to_string();
    let lines = [
        enveloped(&text("a").into()),
        json!({"source": "aws.ssm", "detail": record("b")}),
        json!([enveloped(&text("c").into())]),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    for (verb, output) in verbs(&home, lines.join("\n").as_bytes()) {
        assert!(!output.stderr.contains("not all was read"), "{verb}");
        for id in ["a", "b", "c"] {
            let shown = format!("{id}-0");
            let is_there =
                output.stdout.contains(&shown) || output.stdout.contains(&format!("/{id}"));
            assert!(is_there, "{verb} {id}: {}", output.stdout);
        }
    }
}

/// Systems Manager's own event of a command: only `format` and its like show those.
#[test]
fn an_event_of_a_command_without_its_detail_is_damaged() {
    let cut = json!({"source": "aws.ssm", "detail-type": "EC2 Command Status-change Notification", "detail": null});
    let text = offline(EXE)
        .args(["format", "--to", "text"])
        .stdin(format!("{}\n{cut}\n", record("a")));
    text.run()
        .assert_status(2)
        .assert_complains("record 2 cannot be read: its detail is not an object");
}

/// Digests, insights, what CloudTrail aggregates and what notifies a function say nothing of a call.
#[test]
fn what_is_plainly_something_else_is_passed_over() {
    let others = [
        json!({"eventVersion": "1.07", "eventTime": "2026-07-01T22:30:00Z", "awsRegion": "us-east-1", "eventID": "i",
            "eventType": "AwsCloudTrailInsight", "recipientAccountId": "111122223333", "eventCategory": "Insight",
            "insightDetails": {"state": "Start", "eventSource": "ssm.amazonaws.com", "eventName": "SendCommand"}}),
        json!({"eventVersion": "1.0", "accountId": "111122223333", "eventId": "a", "eventCategory": "Aggregated",
            "eventType": "AwsAggregatedEvent", "awsRegion": "us-east-1", "eventSource": "s3.amazonaws.com"}),
        json!({"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": {}}}),
        json!({"eventVersion": "1.0", "eventCategory": "ConfigurationItem", "eventID": "c", "awsRegion": "us-east-1"}),
        json!({"eventName": "page_view", "eventTime": "2026-07-01T22:30:00Z"}),
        json!({"x": 1}),
    ];
    let lines: Vec<String> = others.iter().map(Value::to_string).collect();
    let input = format!("{}\n{}\n", record("a"), lines.join("\n"));
    let text = offline(EXE)
        .args(["format", "--to", "text"])
        .stdin(input.as_str())
        .run();
    text.assert_status(0)
        .assert_stderr("ssm-events: passed over 6 objects that are not records of a call\n");
    let matched = offline(EXE).args(["match", r#"{"eventName": ["StartSession"]}"#]);
    matched
        .stdin(input)
        .run()
        .assert_status(1)
        .assert_stderr("");
}

/// Who tries a pattern writes no more of an event than that asks for: what fits, fits.
#[test]
fn a_part_of_an_event_that_fits_is_matched() {
    let part = r#"{"detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "StartSession"}}"#;
    let run = |pattern: &str| offline(EXE).args(["match", pattern]).stdin(part).run();
    run(r#"{"detail": {"eventName": ["StartSession"]}}"#)
        .assert_status(1)
        .assert_stderr("");
    run(r#"{"detail": {"eventName": ["StopSession"]}}"#)
        .assert_status(2)
        .assert_complains("it has no eventSource");
}
