//! Records that do not say what was called. They are damaged, unless they are known to be something else: what is passed over may
//! have been what is searched for.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What every record of a call has: the name, and the service.
const NAMES: [&str; 2] = ["eventName", "eventSource"];
/// Members that records have and hardly anything else has.
const SIGNS: [&str; 9] = [
    "eventID",
    "eventSource",
    "eventVersion",
    "awsRegion",
    "recipientAccountId",
    "requestParameters",
    "responseElements",
    "sourceIPAddress",
    "userIdentity",
];
/// Members that events of others have as well.
const WEAK_SIGNS: [&str; 4] = ["eventName", "eventTime", "eventType", "eventCategory"];
/// What CloudTrail records beside calls, and has no name.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html>
const OTHER_CATEGORIES: [&str; 5] = [
    "Insight",
    "Aggregated",
    "ConfigurationItem",
    "Evidence",
    "ActivityAuditLog",
];
/// The end of the type of every event by which EventBridge hands on a record.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-aws-service-specific-topics.html>
const OF_RECORDS: &str = " via CloudTrail";

/// How the sources begin of what notifies functions.
pub(crate) const OF_FUNCTIONS: &str = "aws:";
/// What may stand in an object without a name: a member of a record, or what holds records, or others' data.
const MAY_HOLD: [&str; 12] = [
    "\"event",
    "\"Event",
    OF_RECORDS,
    "\\u00",
    "\"Records\"",
    "\"Messages\"",
    "\"Message\"",
    "\"TopicArn\"",
    "\"body\"",
    "\"Body\"",
    "\"data\"",
    "\"Data\"",
];

/// Every object is searched for these, so they are made once.
static NAME_FINDERS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| NAMES.map(Finder::new));
static SIGN_FINDERS: LazyLock<[Finder<'static>; 12]> = LazyLock::new(|| MAY_HOLD.map(Finder::new));

/// Returns whether an object may be a record that does not say what was called, or hold one: [`crate::unwrap`] knows. Parses nothing,
/// as most objects are looked at by no more than this: of a record the two names stand beside each other, whoever wrote it.
#[must_use]
pub fn may_be_nameless(object: &str) -> bool {
    let bytes = object.as_bytes();
    let [name, source] = &*NAME_FINDERS;
    let named = value_of(bytes, name).zip(value_of(bytes, source));
    let is_named = named.is_some_and(|(one, other)| {
        let between = &bytes[one.min(other)..one.max(other)];
        memchr::memchr3(b'{', b'}', b']', between).is_none()
            && begins_word(&bytes[one..])
            && begins_word(&bytes[other..])
            && !bytes[other..].starts_with(OF_FUNCTIONS.as_bytes())
    });
    let may_be = || SIGN_FINDERS.iter().any(|sign| sign.find(bytes).is_some());
    !is_named && may_be()
}

/// Returns where the text begins that is the value of the first key of this name.
fn value_of(object: &[u8], key: &Finder<'_>) -> Option<usize> {
    let at = key.find(object)?;
    let is_key = object[..at].ends_with(b"\"");
    let rest = object[at + key.needle().len()..].strip_prefix(b"\"")?;
    let rest = rest.trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    is_key.then(|| object.len() - rest.len())
}

/// Returns whether a text is for certain neither empty nor blank.
fn begins_word(text: &[u8]) -> bool {
    let is_one = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    text.first().is_some_and(is_one)
}

/// Returns whether an object says what was called.
pub(crate) fn is_named(members: &Map<String, Value>) -> bool {
    NAMES.iter().all(|name| says(members.get(*name)))
}

fn says(name: Option<&Value>) -> bool {
    let text = name.and_then(Value::as_str);
    text.is_some_and(|text| !text.trim().is_empty())
}

/// As much of an object as says what was called.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'r> {
    #[serde(borrow)]
    event_name: Option<Cow<'r, str>>,
    #[serde(borrow)]
    event_source: Option<Cow<'r, str>>,
    #[serde(borrow)]
    detail: Option<Box<Head<'r>>>,
}

impl Head<'_> {
    fn is_named(&self) -> bool {
        let mut names = [&self.event_name, &self.event_source].into_iter();
        names.all(|name| name.as_ref().is_some_and(|name| !name.trim().is_empty()))
    }
}

/// Returns whether an object says what was called, itself or in the envelope of EventBridge: nothing else of it is read.
#[must_use]
pub fn is_record(object: &str) -> bool {
    let Ok(head) = serde_json::from_str::<Head<'_>>(object) else {
        return false;
    };
    head.is_named() || head.detail.is_some_and(|detail| detail.is_named())
}

/// Returns whether a record has its two names as texts, and one is empty or blank. It is damaged, and still shows who, when and where.
#[must_use]
pub fn is_blank(record: &Value) -> bool {
    let is_text = |record: &Value| NAMES.iter().all(|name| record[*name].is_string());
    let is_one = |record: &Value| {
        let members = record.as_object();
        is_text(record) && members.is_some_and(|members| !is_named(members))
    };
    is_one(record) || is_one(&record["detail"])
}

/// Returns whether a name is that of a column of records in a table, which is in lower case.
pub(crate) fn is_column(name: &str) -> bool {
    let mut signs = SIGNS.iter().chain(&WEAK_SIGNS);
    signs.any(|sign| name != *sign && name == sign.to_ascii_lowercase())
}

/// Returns what is wrong with a record, by itself or in the envelope of EventBridge, that does not say what was called; `None` for one
/// that does, and for everything else.
pub(crate) fn damage(members: &Map<String, Value>) -> Option<String> {
    let kind = members.get("detail-type").and_then(Value::as_str);
    match (kind, members.get("detail")) {
        (Some(kind), Some(Value::Object(record))) if kind.ends_with(OF_RECORDS) => of_call(record),
        (Some(kind), _) if kind.ends_with(OF_RECORDS) => {
            Some("its detail is not a record".to_owned())
        }
        (None, Some(Value::Object(record))) if is_alike(record) => of_call(record),
        _ if is_alike(members) => of_call(members),
        _ => None,
    }
}

/// As [`damage`], of what should be the record of a call.
pub(crate) fn of_call(members: &Map<String, Value>) -> Option<String> {
    if is_named(members) || is_of_other_kind(members) {
        return None;
    }
    let name = NAMES.into_iter().find(|name| !says(members.get(*name)))?;
    Some(match members.get(name) {
        Some(Value::String(_)) => format!("its {name} is empty"),
        Some(_) => format!("its {name} is not a text"),
        None => format!("it has no {name}"),
    })
}

fn is_alike(members: &Map<String, Value>) -> bool {
    let has = |name: &&&str| members.contains_key(**name);
    let n_signs = SIGNS.iter().filter(has).count();
    let n_weak = WEAK_SIGNS.iter().filter(has).count();
    let is_odd = |name: &&str| members.get(*name).is_some_and(|value| !value.is_string());
    let is_event = members.keys().any(|key| key.starts_with("event"));
    NAMES.iter().any(is_odd) || is_event && n_signs > 0 && n_signs + n_weak > 1
}

/// What notifies functions has names of services that begin with `aws:`, and not all of it says what happened.
/// <https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html>
fn is_of_other_kind(members: &Map<String, Value>) -> bool {
    let source = members.get("eventSource").and_then(Value::as_str);
    is_of_cloudtrail(members) || source.is_some_and(|source| source.starts_with(OF_FUNCTIONS))
}

fn is_of_cloudtrail(members: &Map<String, Value>) -> bool {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    text("eventType") == Some("AwsCloudTrailInsight")
        || text("eventCategory").is_some_and(|category| OTHER_CATEGORIES.contains(&category))
}

/// Returns whether an object is what lies beside records in AWS's own buckets: insights of CloudTrail and its like, snapshots and
/// histories of AWS Config. A file of them has no record, and is as it should be.
/// <https://docs.aws.amazon.com/config/latest/developerguide/view-manage-resource-console.html>
#[must_use]
pub fn is_beside_records(value: &Value) -> bool {
    let is_one = |members| is_of_cloudtrail(members) || is_of_config(members);
    value.as_object().is_some_and(is_one)
}

fn is_of_config(members: &Map<String, Value>) -> bool {
    let is_list = |name: &str| members.get(name).is_some_and(Value::is_array);
    members.contains_key("fileVersion") && is_list("configurationItems")
}

/// Returns whether what an object holds is known: no record is looked for in it.
pub(crate) fn is_of_known_kind(members: &Map<String, Value>) -> bool {
    is_named(members) || is_of_other_kind(members) || is_of_config(members)
}

/// Returns what is wrong with an event of LookupEvents, or with a message or notification, that has no text in it.
pub(crate) fn empty(members: &Map<String, Value>) -> Option<String> {
    let has = |name: &str| members.contains_key(name);
    let is_message = has("messageId") || has("MessageId");
    let is_event = has("CloudTrailEvent") || has("EventId") && has("EventName");
    let is_notification = members
        .get("Type")
        .is_some_and(|kind| kind == "Notification")
        && (has("Message") || has("TopicArn"))
        || members.get("Sns").is_some_and(Value::is_object);
    match () {
        () if is_event => Some("an event without its record".to_owned()),
        () if is_message && (has("body") || has("Body")) => {
            Some("a message without a text".to_owned())
        }
        () if is_notification => Some("a notification without a text".to_owned()),
        () => None,
    }
}
