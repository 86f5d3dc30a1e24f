//! Records in what is not known to hold any, data of others, and files that hold nothing.

use serde_json::{Value, json};

use super::{gzip, record};
use crate::{Verdict, is_beside_records, is_record, may_be_nameless, objects_of_file, unwrap};

/// Returns how many objects come out, and what is unread.
fn of(value: Value) -> (usize, Vec<String>) {
    let unwrapped = unwrap(value);
    (unwrapped.objects.len(), unwrapped.unread)
}

#[test]
fn a_record_in_a_wrapping_that_is_not_known_is_unread() {
    let (one, text) = (record("a"), record("a").to_string());
    for (name, wrapped) in [
        ("log", json!({"log": text, "stream": "stdout"})),
        (
            "log",
            json!({"log": format!("2026-11-01T00:00:00Z stdout F {text}\n")}),
        ),
        ("message", json!({"message": text})),
        ("_source", json!({"_index": "ct", "_source": one})),
        (
            "hits",
            json!({"hits": {"total": 1, "hits": [{"_source": one}]}}),
        ),
        (
            "events",
            json!({"events": [{"timestamp": 1, "message": text}]}),
        ),
        (
            "logEvents",
            json!({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": text}]}),
        ),
        ("Payload", json!({"Payload": {"Records": [one]}})),
        (
            "event",
            json!({"event": {"detail-type": "x", "detail": one}}),
        ),
        ("Item", json!({"id": 1, "Item": one})),
        ("records", json!({"records": [one]})),
        ("0", json!({"Records": {"0": one}})),
    ] {
        let why = format!("its {name} holds a record, in a wrapping that is not known");
        assert_eq!(of(wrapped.clone()), (0, vec![why]), "{wrapped}");
        assert!(!is_record(&wrapped.to_string()), "{wrapped}");
    }
    assert!(is_record(&text) && is_record(&json!({"detail": one}).to_string()));
}

#[test]
fn a_list_or_a_text_of_another_type_is_unread() {
    let one = record("a");
    for (wrapped, why) in [
        (
            json!({"Records": null}),
            "its Records is null and not a list",
        ),
        (
            json!({"Records": 5}),
            "its Records is a number and not a list",
        ),
        (
            json!({"Records": "x"}),
            "its Records is a text and not a list",
        ),
        (json!({"Events": null}), "its Events is null and not a list"),
        (
            json!({"Messages": true}),
            "its Messages is true or false and not a list",
        ),
        (
            json!({"Type": "Notification", "Message": one}),
            "a notification without a text",
        ),
        (
            json!({"Type": "Notification", "TopicArn": "t"}),
            "a notification without a text",
        ),
        (
            json!({"EventSource": "aws:sns", "Sns": {"Message": one}}),
            "a notification without a text",
        ),
        (
            json!({"messageId": "m", "body": one}),
            "a message without a text",
        ),
    ] {
        assert_eq!(of(wrapped.clone()), (0, vec![why.to_owned()]), "{wrapped}");
        // Who searches for what was called finds that.
        let text = wrapped.to_string();
        let is_said = text.contains("StartSession");
        assert!(may_be_nameless(&text) || is_said, "{wrapped}");
    }
    // A list beside it is read.
    let (n_objects, unread) = of(json!({"Records": [one], "Events": null}));
    assert_eq!((n_objects, unread.len()), (1, 1));
    assert_eq!(of(json!({"Records": []})), (0, vec![]));
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-example.html>
#[test]
fn data_of_others_that_is_carried_is_unread() {
    let event = |source: &str| json!({"eventID": "1", "eventName": "x", "eventVersion": "1.0", "eventSource": source, "awsRegion": "us-east-1"});
    for (carried, what) in [
        (event("aws:kinesis"), "an event of aws:kinesis, whose data"),
        (
            event("aws:dynamodb"),
            "an event of aws:dynamodb, whose data",
        ),
        (
            event("aws:codecommit"),
            "an event of aws:codecommit, whose data",
        ),
        (event("aws:s3"), "an event of aws:s3, whose data"),
        (
            json!({"eventSource": "aws:kafka", "records": {"t-0": [{"value": "e30="}]}}),
            "an event of aws:kafka, whose data",
        ),
        (
            json!({"awslogs": {"data": "H4sI"}}),
            "a batch of CloudWatch Logs, whose data",
        ),
        (
            json!({"invocationId": "i", "records": [{"recordId": "1", "data": "e30="}]}),
            "a batch of Data Firehose, whose data",
        ),
        (
            json!({"SequenceNumber": "1", "PartitionKey": "p", "Data": "e30="}),
            "a record of Kinesis, whose data",
        ),
        (
            json!({"MessageId": "m", "Body": "H4sIAK7qDWsC/4VTTW/bMAz9K4bPs2O7"}),
            "the text in it is base64, and",
        ),
        (
            json!({"messageId": "m", "body": "eyJldmVudFZlcnNpb24iOiAiMS4wOCJ9"}),
            "the text in it is base64, and",
        ),
    ] {
        assert_eq!(
            of(carried.clone()),
            (0, vec![format!("{what} was not read")]),
            "{carried}"
        );
        assert!(may_be_nameless(&carried.to_string()), "{carried}");
    }
}

/// Insights have names inside, and a snapshot of AWS Config whatever its resources have.
#[test]
fn no_record_is_looked_for_in_what_is_known_to_be_something_else() {
    let insight = json!({"eventVersion": "1.07", "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight", "eventID": "i",
        "insightDetails": {"state": "Start", "eventSource": "ssm.amazonaws.com", "eventName": "SendCommand"}});
    let config = json!({"fileVersion": "1.0", "configSnapshotId": "1", "configurationItems": [{"configuration": record("a")}]});
    for beside in [insight, config] {
        assert!(is_beside_records(&beside));
        assert_eq!(of(beside), (1, vec![]));
    }
    for other in [
        json!({"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": {}}}),
        json!({"detail-type": "Note", "detail": {"body": record("a").to_string()}}),
        json!({"Type": "Notification", "Message": "hello"}),
        json!({"events": [{"message": "StartSession"}]}),
        json!({"eyJ": "eyJhbGciOiJIUzI1NiJ9"}),
        json!({"x": 1}),
    ] {
        assert!(!is_beside_records(&other));
        assert_eq!(of(other.clone()), (1, vec![]), "{other}");
    }
}

/// It still shows who called, when and where.
#[test]
fn a_name_that_is_empty_or_blank_is_damage_and_is_shown() {
    for name in ["eventName", "eventSource"] {
        for blank in ["", " ", "\t\u{a0}"] {
            let mut one = record("a");
            one[name] = blank.into();
            let envelope = json!({"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": one});
            let lookup = json!({"EventId": "a", "CloudTrailEvent": one.to_string()});
            for wrapped in [one.clone(), json!({"Records": [one]}), envelope, lookup] {
                let why = format!("its {name} is empty");
                assert_eq!(of(wrapped.clone()), (1, vec![why]), "{wrapped}");
                assert!(!is_record(&wrapped.to_string()), "{wrapped}");
            }
            assert!(may_be_nameless(&one.to_string()), "{one}");
        }
    }
}

#[test]
fn a_file_without_a_byte_or_of_zeros_alone_is_unread() {
    let read = |bytes: &[u8]| {
        let read = objects_of_file(bytes, |_| Ok(Verdict::Whole));
        read.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(read(b""), "it is empty");
    assert_eq!(read(&gzip("")), "it is empty");
    assert_eq!(read(&[0; 4096]), "it has nothing but zeros");
    assert_eq!(
        read(&gzip(&"\0".repeat(100_000))),
        "it has nothing but zeros"
    );
    for whole in [
        b"\n \n".to_vec(),
        br#"{"Records":[]}"#.to_vec(),
        gzip(&record("a").to_string()),
        [record("a").to_string().as_bytes(), &[0; 512]].concat(),
    ] {
        assert_eq!(read(&whole), "");
    }
}
