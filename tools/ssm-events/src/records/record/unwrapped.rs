//! Records in whatever they are wrapped, and what of it could not be read.

use serde_json::Value;

use super::{TEST_SOURCE, text};

/// The source of Systems Manager's events on the bus.
const OWN_SOURCE: &str = "aws.ssm";

/// Members that are texts in every record.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
const TEXTS: [&str; 7] = [
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventID",
    "awsRegion",
    "recipientAccountId",
];

/// What a value turned out to hold.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Unwrapped {
    /// CloudTrail records of calls, and EventBridge's own events of Systems Manager in their envelope.
    pub(crate) events: Vec<Value>,
    /// Objects that are not records of a call: digests, insights, notifications of something else.
    pub(crate) n_others: usize,
    /// What in it could not be read, in words.
    pub(crate) unread: Vec<String>,
}

/// Returns whether an object that nobody looks into is a record, a digest, or wraps one.
///
/// # Errors
/// It is not JSON.
pub(crate) fn is_known(object: &str) -> anyhow::Result<bool> {
    let has_name = cloudtrail::is_known(object)?;
    let Ok(value) = cloudtrail::parse(object) else {
        return Ok(has_name);
    };
    // The name alone says little: whatever is listed may have it somewhere.
    let unwrapped = cloudtrail::unwrap(value);
    let names = ["eventName", "detail-type", "digestStartTime"];
    let is_one = |one: &Value| {
        names.iter().any(|name| one[*name].is_string()) || cloudtrail::is_beside_records(one)
    };
    let objects = &unwrapped.objects;
    Ok(objects.is_empty() || objects.iter().any(is_one))
}

/// Takes the records out of a value, whatever wraps them, out of EventBridge's envelope as well.
pub(crate) fn unwrap(value: Value) -> Unwrapped {
    let cloudtrail::Unwrapped { objects, unread } = cloudtrail::unwrap(value);
    let mut unwrapped = Unwrapped {
        unread,
        ..Unwrapped::default()
    };
    for object in objects {
        add_one(object, &mut unwrapped);
    }
    unwrapped
}

fn add_one(mut value: Value, unwrapped: &mut Unwrapped) {
    if let Some(why) = damage(&value) {
        unwrapped.unread.push(why);
    } else if is_call(&value) || is_native(&value) {
        unwrapped.events.push(value);
    } else if is_wrapped(&value) && is_call(&value["detail"]) {
        let mut record = value["detail"].take();
        // Anybody who may put events on the bus can send these; they must not look like a call.
        if value["source"] == TEST_SOURCE {
            record["eventName"] = format!("TEST: {}", text(&record["eventName"])).into();
        }
        unwrapped.events.push(record);
    } else {
        unwrapped.n_others += 1;
    }
}

/// Returns whether a value is the envelope of EventBridge, which may have lost its type on the way.
fn is_wrapped(value: &Value) -> bool {
    value["detail-type"].is_string() || is_call(&value["detail"]) && !is_call(value)
}

/// Returns what makes a record unreadable, by itself or in the envelope of EventBridge.
pub(crate) fn damage(value: &Value) -> Option<String> {
    let (detail, is_wrapped) = (&value["detail"], is_wrapped(value));
    let record = match is_wrapped && detail.is_object() {
        true => detail,
        false => value,
    };
    let is_empty = is_wrapped && value["source"] == OWN_SOURCE && !detail.is_object();
    mistyped(record).or_else(|| is_empty.then(|| "its detail is not an object".to_owned()))
}

/// Returns what makes a record unreadable: a member that says what was called, when and where is a text, if it is there.
pub(crate) fn mistyped(record: &Value) -> Option<String> {
    if record.get("eventName").is_none() || record.get("eventSource").is_none() {
        return None;
    }
    let is_text = |name: &&str| record[*name].is_null() || record[*name].is_string();
    let name = TEXTS.iter().find(|name| !is_text(name))?;
    Some(format!("its {name} is not a text"))
}

/// Insights, and what notifies functions, have names and sources too, but nobody called anything.
fn is_call(value: &Value) -> bool {
    let source = value["eventSource"].as_str();
    value["eventName"].is_string()
        && source.is_some_and(|source| !source.starts_with("aws:"))
        && value["eventType"] != "AwsCloudTrailInsight"
}

/// EventBridge's own events of commands and automations. They do not say who, and some carry parameters in clear.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-eventbridge-events.html>
pub(super) fn is_native(value: &Value) -> bool {
    value["source"] == OWN_SOURCE
        && value["detail-type"].is_string()
        && value["detail"].is_object()
        && !is_call(&value["detail"])
}
