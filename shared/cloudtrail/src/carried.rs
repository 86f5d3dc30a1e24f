//! Data of others that is carried in base64, packed or not: records may be in it, and nobody has read them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-example.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesisfirehose.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html>

use serde_json::{Map, Value};

use crate::nameless::{OF_FUNCTIONS, is_named};

/// Services whose events have no name, and data of others.
const CARRIERS: [&str; 5] = [
    "SelfManagedKafka",
    "aws:docdb",
    "aws:kafka",
    "aws:mq",
    "aws:rmq",
];
/// How base64 begins of gzip, of zstd, and of JSON.
const PACKED: [&str; 5] = ["H4sI", "KLUv/", "eyJ", "W3si", "WyJ7"];

/// Returns what an object carries that was not read, in words.
pub(crate) fn unread(members: &Map<String, Value>) -> Option<String> {
    let has_text =
        |members: &Map<String, Value>, name: &str| members.get(name).is_some_and(Value::is_string);
    let source = members.get("eventSource").and_then(Value::as_str);
    let is_carrier = |source: &&str| {
        CARRIERS.contains(source) || source.starts_with(OF_FUNCTIONS) && is_named(members)
    };
    if let Some(source) = source.filter(is_carrier) {
        return Some(format!("an event of {source}, whose data was not read"));
    }
    let logs = members.get("awslogs").and_then(Value::as_object);
    let batch = members.get("records").and_then(Value::as_array);
    let is_delivered = |item: &Value| {
        let item = item.as_object();
        item.is_some_and(|item| has_text(item, "recordId") && has_text(item, "data"))
    };
    let what = if logs.is_some_and(|logs| has_text(logs, "data")) {
        "a batch of CloudWatch Logs"
    } else if batch.is_some_and(|items| items.iter().any(is_delivered)) {
        "a batch of Data Firehose"
    } else if has_text(members, "Data") && has_text(members, "SequenceNumber") {
        "a record of Kinesis"
    } else {
        return None;
    };
    Some(format!("{what}, whose data was not read"))
}

/// Returns whether a text is base64 of what may be records.
pub(crate) fn is_packed(text: &str) -> bool {
    let text = text.trim();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    PACKED.iter().any(|begin| text.starts_with(begin)) && text.bytes().all(is_base64)
}
