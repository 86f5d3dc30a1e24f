//! Files and wrappings as AWS documents them.

mod foreign;
mod nameless;
mod pages;
mod rows;

use std::io::Write;

use serde_json::{Value, json};

use self::rows::lake;
use crate::wrapping::LISTS;
use crate::{Found, Verdict, WRAPPERS, objects, parse, unwrap};

fn record(id: &str) -> Value {
    json!({"eventVersion": "1.11", "eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id})
}

/// Returns the IDs of the records, how many objects were damaged, and how the reading ended.
fn read(bytes: &[u8]) -> (Vec<String>, usize, String) {
    let (mut ids, mut n_damaged) = (Vec::new(), 0);
    let ended = objects(bytes, |found| {
        let value = match &found {
            Found::Object(object) | Found::Json(object) => std::str::from_utf8(object)
                .ok()
                .and_then(|text| parse(text).ok()),
            Found::Damaged(_) => None,
        };
        let Some(value) = value else {
            n_damaged += 1;
            return Ok(Verdict::Damaged);
        };
        let unwrapped = unwrap(value);
        n_damaged += unwrapped.unread.len();
        ids.extend(
            unwrapped
                .objects
                .iter()
                .map(|one| one["eventID"].as_str().unwrap_or("none").to_owned()),
        );
        Ok(Verdict::Whole)
    });
    (
        ids,
        n_damaged,
        ended
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default(),
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn check(bytes: &[u8], ids: &[&str], n_damaged: usize) {
    let shown = String::from_utf8_lossy(bytes).into_owned();
    let (found, damaged, ended) = read(bytes);
    assert_eq!(
        (found, damaged, ended.as_str()),
        (
            ids.iter().map(|id| (*id).to_owned()).collect(),
            n_damaged,
            ""
        ),
        "{shown}"
    );
}

#[test]
fn every_wrapping_is_known_by_its_shape() {
    let (a, b) = (record("a"), record("b"));
    let lookup = |record: &Value| {
        json!({"EventId": record["eventID"], "EventName": "StartSession",
        "CloudTrailEvent": record.to_string()})
    };
    let envelope = json!({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ssm", "eventID": "e",
        "detail": a});
    let notification = json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:t",
        "Message": a.to_string()});
    let both = json!({"Records": [a, b]});
    for wrapped in [
        both.clone(),
        json!({"kind": "log", "list": [1, {"x": []}], "Records": [a, b], "more": [{"y": 1}]}),
        json!([a, b]),
        json!([{"Records": [a]}, [b]]),
        json!({"Events": [lookup(&a), lookup(&b)], "NextToken": null}),
        json!({"Records": [{"messageId": "m", "body": a.to_string()}, {"eventSource": "aws:sqs", "body": b.to_string()}]}),
        json!({"Messages": [{"MessageId": "m", "Body": both.to_string()}]}),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": both.to_string()}}]}),
        json!({"Records": [{"body": json!({"Type": "Notification", "Message": both.to_string()}).to_string()}]}),
    ] {
        check(wrapped.to_string().as_bytes(), &["a", "b"], 0);
        check(
            serde_json::to_string_pretty(&wrapped).unwrap().as_bytes(),
            &["a", "b"],
            0,
        );
    }
    check(envelope.to_string().as_bytes(), &["e"], 0);
    check(notification.to_string().as_bytes(), &["a"], 0);
    check(format!("{a}\n{b}\n").as_bytes(), &["a", "b"], 0);
}

#[test]
fn a_file_that_a_notification_names_is_unread() {
    let s3 = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "trail"}, "object": {"key": "AWSLogs/111122223333/CloudTrail/x.json.gz"}}}]});
    let keys = [
        "AWSLogs/111122223333/CloudTrail/x.json.gz",
        "AWSLogs/1/CloudTrail-Digest/d.json.gz",
    ];
    let own = json!({"s3Bucket": "trail", "s3ObjectKey": keys});
    let own = json!({"Type": "Notification", "Message": own.to_string()});
    for value in [s3, own] {
        let unwrapped = unwrap(value);
        assert_eq!(unwrapped.objects, [Value::Null; 0]);
        assert_eq!(
            unwrapped.unread,
            [
                "s3://trail/AWSLogs/111122223333/CloudTrail/x.json.gz is named by a notification, and was not read"
            ]
        );
    }
}

#[test]
fn files_are_read_however_they_are_packed_and_marked() {
    let (a, b) = (record("a").to_string(), record("b").to_string());
    let lines = format!("{a}\n{b}\n");
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(lines.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for bytes in [
        gzip(&lines),
        [gzip(&a), gzip(&b)].concat(),
        [gzip(&lines), vec![0; 5_000]].concat(),
        zstd(&lines),
        utf16,
        format!("\u{feff}{lines}").into_bytes(),
        format!("{a}\n\u{feff}{b}").into_bytes(),
        format!("\u{1e}{a}\n\u{1e}{b}\n").into_bytes(),
        format!("{lines}{}", "\0".repeat(512)).into_bytes(),
    ] {
        check(&bytes, &["a", "b"], 0);
    }
    let junk = [gzip(&lines), b"junk".to_vec()].concat();
    let (ids, _, ended) = read(&junk);
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(
        ended,
        "what follows the packed records is not packed: it was passed over"
    );
}

#[test]
fn what_is_not_a_record_is_counted_and_the_next_one_read() {
    let (a, b) = (record("a"), record("b"));
    for odd in [
        "null",
        "7",
        "\"a text\"",
        "1e999",
        "nul",
        "{\"x\":\"\\ud800\"}",
        "{\"x\":1,\"x\":2}",
        "{\"x\":1e999}",
    ] {
        for (text, n) in [
            (format!("{{\"Records\":[{a},{odd},{b}]}}"), 1),
            (format!("[{a},{odd},{b}]"), 1),
            (format!("{a}\n{odd}\n{b}\n"), 1),
        ] {
            check(text.as_bytes(), &["a", "b"], n);
        }
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    check(format!("[{a},{deep},{b}]").as_bytes(), &["a", "b"], 1);
    let bytes = [
        a.to_string().as_bytes(),
        b"\n{\"x\":\"\xff\"}\n",
        b.to_string().as_bytes(),
    ]
    .concat();
    check(&bytes, &["a", "b"], 1);
    check(
        json!([a, {"body": "{\"cut\":"}, b]).to_string().as_bytes(),
        &["a", "b"],
        1,
    );
}

/// A source that gives at most so much at once.
struct Slow<'b>(&'b [u8], usize);

impl std::io::Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(self.0.len()).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(
        text.as_bytes(),
        ruzstd::encoding::CompressionLevel::Uncompressed,
    )
}

#[test]
fn a_part_is_known_though_its_first_bytes_come_one_by_one() {
    let (a, b) = (record("a").to_string(), record("b").to_string());
    for parts in [
        [gzip(&a), zstd(&b)].concat(),
        [zstd(&a), vec![0; 3], gzip(&b)].concat(),
        [zstd(&a), zstd(&b)].concat(),
        format!("{a}{b}").into_bytes(),
    ] {
        for at_once in 1..8 {
            let mut n_found = 0;
            let ended = objects(Slow(&parts, at_once), |found| {
                n_found += usize::from(matches!(found, Found::Object(_) | Found::Json(_)));
                Ok(Verdict::Whole)
            });
            assert_eq!(
                (n_found, ended.map_err(|error| error.to_string())),
                (2, Ok(())),
                "{at_once}"
            );
        }
    }
}

#[test]
fn a_checksum_of_zstd_that_differs_is_damage() {
    let mut packed = zstd(&record("a").to_string());
    check(&packed, &["a"], 0);
    let last = packed.len() - 1;
    packed[last] ^= 1;
    let (ids, _, ended) = read(&packed);
    assert_eq!(ids, ["a"]);
    assert_eq!(
        ended,
        "zstd: the checksum differs from that of what was unpacked"
    );
}

#[test]
fn records_in_a_second_list_and_one_in_place_of_a_list_are_read() {
    let (a, b) = (record("a"), record("b"));
    let long = "x".repeat(100_000);
    for text in [
        format!(r#"{{"Events": [], "Records": [{a}, {b}]}}"#),
        format!(
            r#"{{"Events": [{a}], "note": "{long}", "other": [{{}}],
            "Records" : [{b}]}}"#
        ),
        format!(r#"[{{"Events": [], "Records": [{a}, {b}]}}]"#),
        format!(r#"{{"Records": {a}}}{{"Records": [{b}]}}"#),
    ] {
        check(text.as_bytes(), &["a", "b"], 0);
    }
}

#[test]
fn one_of_the_wrappers_is_in_everything_that_wraps() {
    let record = record("a");
    let lists = LISTS.map(|list| json!({list: [record]}));
    let texts = ["CloudTrailEvent", "body", "Body"].map(|name| json!({name: record.to_string()}));
    let others = [
        json!({"Type": "Notification", "Message": record.to_string()}),
        json!({"Sns": {"Message": record.to_string()}}),
        json!({"eventname": "StartSession", "eventsource": "ssm.amazonaws.com", "eventid": "a"}),
        lake(&record),
    ];
    for wrapping in lists.into_iter().chain(texts).chain(others) {
        let text = wrapping.to_string();
        assert!(
            WRAPPERS.iter().any(|wrapper| text.contains(wrapper)),
            "{text}"
        );
        assert_eq!(unwrap(wrapping).objects.len(), 1);
        // A second look finds nothing to take off.
        assert!(
            !WRAPPERS
                .iter()
                .any(|wrapper| record.to_string().contains(wrapper))
        );
    }
}

#[test]
fn a_file_that_an_event_of_s3_names_is_unread() {
    let event = |kind: &str, key: &str| {
        json!({"version": "0", "source": "aws.s3", "detail-type": kind,
        "detail": {"version": "0", "bucket": {"name": "trail"}, "object": {"key": key, "size": 5}}})
    };
    let unwrapped = unwrap(event("Object Created", "AWSLogs/1/CloudTrail/x.json.gz"));
    assert_eq!(unwrapped.objects, [Value::Null; 0]);
    assert_eq!(
        unwrapped.unread,
        ["s3://trail/AWSLogs/1/CloudTrail/x.json.gz is named by a notification, and was not read"]
    );
    assert_eq!(
        unwrap(event(
            "Object Created",
            "AWSLogs/1/CloudTrail-Digest/d.json.gz"
        )),
        crate::Unwrapped::default()
    );
    assert_eq!(unwrap(event("Object Deleted", "x")).objects.len(), 1);
}
