//! Records in whatever they are wrapped, known by its shape: lists, log files, answers of LookupEvents, messages of SQS and SNS,
//! rows of CloudTrail Lake and Athena.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use serde_json::{Map, Value};

use crate::value::parse;
use crate::{carried, hidden, nameless, rows};

/// No real wrapping is deeper: an envelope in a message in a notification in a batch in an array.
const DEEPEST: usize = 8;
/// Members that are lists of records, or of what wraps them.
pub(crate) const LISTS: [&str; 3] = ["Records", "Events", "Messages"];

/// One of these is in every object that wraps records, is a part of what should be read, or names files that were not. A list wraps
/// them as well.
pub const WRAPPERS: [&str; 17] = [
    "\"Records\"",
    "\"Events\"",
    "\"Messages\"",
    "\"CloudTrailEvent\"",
    "\"body\"",
    "\"Body\"",
    "\"Message\"",
    "\"QueryResultRows\"",
    "\"QueryStatus\"",
    "\"ResultSet\"",
    "\"eventname\"",
    "\"aws:s3\"",
    "\"Object Created\"",
    "\"NextToken\"",
    "\"nextToken\"",
    "\"NextContinuationToken\"",
    "\"IsTruncated\"",
];

/// What a value turned out to hold.
#[derive(Debug, Default, PartialEq)]
pub struct Unwrapped {
    /// Objects that wrap nothing: records, EventBridge's envelopes, digests, and whatever else is not known. Also records whose name is
    /// blank, which are unread as well: see [`crate::is_blank`].
    pub objects: Vec<Value>,
    /// What could not be read, in words.
    pub unread: Vec<String>,
}

/// Takes off whatever wraps records.
#[must_use]
pub fn unwrap(value: Value) -> Unwrapped {
    let mut unwrapped = Unwrapped::default();
    unwrapped.add(value, 0);
    unwrapped
}

impl Unwrapped {
    fn add(&mut self, value: Value, depth: usize) {
        if depth > DEEPEST {
            let why = format!("it is wrapped more than {DEEPEST} times");
            return self.unread.push(why);
        }
        match value {
            Value::Array(items) => match rows::of_lake(&items) {
                Ok(None) => items.into_iter().for_each(|item| self.add(item, depth + 1)),
                row => self.row(row, Value::Null),
            },
            Value::Object(members) => self.object(members, depth),
            other => {
                let why = format!("{} in place of a record", kind(&other));
                self.unread.push(why);
            }
        }
    }

    fn object(&mut self, mut members: Map<String, Value>, depth: usize) {
        // A record, or an event in EventBridge's envelope, may have members of any name inside.
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let is_event = text("detail-type").is_some()
            || text("detail").is_some_and(|detail| detail.starts_with('{'))
                && !LISTS.iter().any(|list| members.contains_key(*list));
        if nameless::is_named(&members) || is_event {
            return match notified(&members) {
                Some(objects) => self.unread.extend(objects),
                None if is_event => self.event(members),
                None => match carried::unread(&members) {
                    Some(why) => self.unread.push(why),
                    None => self.objects.push(Value::Object(members)),
                },
            };
        }
        if let Some(why) = carried::unread(&members) {
            return self.unread.push(why);
        }
        self.unread.extend(has_more(&members));
        let no_lists = no_lists(&members);
        // PowerShell writes a list of one as what is in it.
        let is_list = |list: &&mut Value| list.is_array() || list.is_object();
        let lists: Vec<Value> = LISTS
            .iter()
            .filter_map(|name| members.get_mut(*name).filter(is_list).map(Value::take))
            .collect();
        if !lists.is_empty() || !no_lists.is_empty() {
            self.unread.extend(no_lists);
            return lists.into_iter().for_each(|list| match list {
                Value::Array(items) => items.into_iter().for_each(|item| self.add(item, depth + 1)),
                one => self.add(one, depth + 1),
            });
        }
        if let Some(rows) = rows::of_answer(&members) {
            return rows
                .into_iter()
                .for_each(|(row, as_is)| self.row(row, as_is));
        }
        if let Some(Value::String(text)) = members.get("CloudTrailEvent") {
            return self.event_of_lookup(text);
        }
        if let Some(text) = text_in(&members) {
            return self.text(&text, depth);
        }
        match nameless::empty(&members) {
            Some(why) => self.unread.push(why),
            None => self.row(rows::of_athena(&members), Value::Object(members)),
        }
    }

    fn row(&mut self, row: rows::Row, as_is: Value) {
        match row {
            Ok(Some(record)) => self.objects.push(record),
            Ok(None) => self.last(as_is),
            Err(why) => self.unread.push(why),
        }
    }

    /// Takes what wraps nothing.
    fn last(&mut self, value: Value) {
        let why = value.as_object().and_then(|members| {
            let damage = nameless::damage(members);
            damage.or_else(|| hidden::record_in(members))
        });
        let is_shown = why.is_none() || nameless::is_blank(&value);
        self.unread.extend(why);
        if is_shown {
            self.objects.push(value);
        }
    }

    /// Takes an event in EventBridge's envelope. Its detail is an object: where it is a text, somebody has put that into JSON once more.
    /// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
    fn event(&mut self, mut members: Map<String, Value>) {
        let text = members.get("detail").and_then(Value::as_str);
        match text.map(parse) {
            Some(Ok(detail @ Value::Object(_))) => {
                members.insert("detail".to_owned(), detail);
            }
            // Nobody knows what it was.
            Some(Err(error)) if !members.contains_key("detail-type") => {
                return self.unread.push(format!("the text in it: {error}"));
            }
            _ => {}
        }
        self.last(Value::Object(members));
    }

    /// Takes the record that an event of LookupEvents holds as a text.
    fn event_of_lookup(&mut self, text: &str) {
        match parse(text) {
            Ok(Value::Object(record)) => {
                let why = nameless::of_call(&record);
                let record = Value::Object(record);
                if why.is_none() || nameless::is_blank(&record) {
                    self.objects.push(record);
                }
                self.unread.extend(why);
            }
            Ok(_) => self
                .unread
                .push("the text in it: it is not a record".to_owned()),
            Err(error) => self.unread.push(format!("the text in it: {error}")),
        }
    }

    fn text(&mut self, text: &str, depth: usize) {
        // Notifications are for people, too: only what looks like JSON is taken for it.
        if carried::is_packed(text) {
            let why = "the text in it is base64, and was not read".to_owned();
            return self.unread.push(why);
        }
        if !text.trim_start().starts_with(['{', '[']) {
            return self.objects.push(Value::Object(Map::new()));
        }
        match parse(text) {
            Ok(value) => match files_of(&value) {
                Some(objects) => self.unread.extend(objects),
                None => self.add(value, depth + 1),
            },
            Err(error) => self.unread.push(format!("the text in it: {error}")),
        }
    }
}

/// Returns what an answer says of others that belong to it: pages behind it, or a query that has not ended well. A saved answer
/// comes without them.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
pub(crate) fn has_more(members: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| members.get(name)?.as_str();
    if let Some(status) = text("QueryStatus").filter(|status| *status != "FINISHED") {
        return Some(format!(
            "the query is {status}: not all of its rows are in this answer"
        ));
    }
    awsdata::part(members)
}

/// Returns what is wrong with members that should be lists: a log file without its records looks like one of other things.
fn no_lists(members: &Map<String, Value>) -> Vec<String> {
    let is_odd = |value: &&Value| !value.is_array() && !value.is_object();
    let odd = |name: &&'static str| {
        let value = members.get(*name).filter(is_odd)?;
        Some(format!("its {name} is {} and not a list", kind(value)))
    };
    LISTS.iter().filter_map(odd).collect()
}

/// Returns the text that an object wraps: a message of SQS (`body` to a function, `Body` of ReceiveMessage), a notification of SNS
/// as a function or a subscriber gets it.
fn text_in(members: &Map<String, Value>) -> Option<String> {
    let names = ["body", "Body"];
    let text = names.iter().find_map(|name| members.get(*name)?.as_str());
    let notification = || {
        let is_one = members
            .get("Type")
            .is_some_and(|kind| kind == "Notification");
        is_one.then(|| members.get("Message")?.as_str()).flatten()
    };
    let of_function = || members.get("Sns")?.get("Message")?.as_str();
    text.or_else(notification)
        .or_else(of_function)
        .map(str::to_owned)
}

/// Returns the objects that a notification of S3 names: the records are in them, and nobody has read them.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
fn notified(members: &Map<String, Value>) -> Option<Vec<String>> {
    let is = |name: &str, text: &str| members.get(name).is_some_and(|value| value == text);
    if is("source", "aws.s3") && is("detail-type", "Object Created") {
        let detail = members.get("detail")?;
        let key = detail["object"]["key"].as_str()?;
        return Some(unread_file(detail["bucket"]["name"].as_str()?, key));
    }
    if members.get("eventSource")? != "aws:s3" {
        return None;
    }
    let s3 = members.get("s3")?;
    let key = s3["object"]["key"].as_str()?;
    Some(unread_file(s3["bucket"]["name"].as_str()?, key))
}

/// Returns the log files that a notification of CloudTrail itself names.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html>
fn files_of(value: &Value) -> Option<Vec<String>> {
    let bucket = value["s3Bucket"].as_str()?;
    let keys = value["s3ObjectKey"].as_array()?.iter();
    let keys = keys.filter_map(Value::as_str);
    Some(keys.flat_map(|key| unread_file(bucket, key)).collect())
}

fn unread_file(bucket: &str, key: &str) -> Vec<String> {
    // A digest holds no records.
    if key.contains("/CloudTrail-Digest/") {
        return Vec::new();
    }
    vec![format!(
        "s3://{bucket}/{key} is named by a notification, and was not read"
    )]
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
