//! Records in objects of which nobody knows that they hold any: an answer of another service, a line of a log, a document of a search
//! engine. They are not taken out, as nobody knows what else is there, and never passed over.

use memchr::memmem;
use serde_json::{Map, Value};

use crate::nameless::{is_named, is_of_known_kind};
use crate::value::{parse, prefix};

/// What was put into something else is not put much deeper.
const DEEPEST: usize = 8;

/// Returns what is wrong with an object that holds a record where none should be.
pub(crate) fn record_in(members: &Map<String, Value>) -> Option<String> {
    // What is in the envelope of EventBridge is looked at as what it says that it is.
    if is_of_known_kind(members) || members.contains_key("detail") {
        return None;
    }
    let (name, _) = members.iter().find(|(_, value)| holds(value, 0))?;
    Some(format!(
        "its {name} holds a record, in a wrapping that is not known"
    ))
}

fn holds(value: &Value, depth: usize) -> bool {
    let deeper = |value: &Value| depth < DEEPEST && holds(value, depth + 1);
    match value {
        Value::Object(members) if is_named(members) => true,
        Value::Object(members) => !is_of_known_kind(members) && members.values().any(deeper),
        Value::Array(items) => items.iter().any(deeper),
        Value::String(text) => json_in(text).is_some_and(|value| deeper(&value)),
        _ => false,
    }
}

/// Returns the JSON in a text that has the name of what was called, from its first bracket on: lines of logs have a time before it.
fn json_in(text: &str) -> Option<Value> {
    memmem::find(text.as_bytes(), b"eventName")?;
    let json = &text[text.find(['{', '['])?..];
    parse(&json[..prefix(json)?]).ok()
}
