//! Streams of records: no bytes panic or hang; objects come out whole; no secret is left.
#![no_main]

/// The tool is a binary, so its sources are part of this program.
#[path = "../../../tools/ssm-events/src/records"]
#[allow(dead_code, unused_imports, reason = "a target uses a part of a module")]
mod tool {
    pub(crate) mod record;
    pub(crate) mod redact;
}

use cloudtrail::{Found, Verdict};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tool::record::{self, Event};
use tool::redact;

/// What follows whatever was damaged.
const GOOD: &str = r#"{"eventVersion":"1.11","eventName":"StartSession","eventSource":"ssm.amazonaws.com","eventID":"good"}"#;

/// Returns the objects of bytes that can be read, and how many cannot.
fn objects(data: &[u8]) -> (Vec<Value>, usize) {
    let (mut objects, mut n_damaged) = (Vec::new(), 0);
    let read = cloudtrail::objects(data, |found| {
        let value = match found {
            Found::Object(object) | Found::Json(object) => {
                cloudtrail::text(object).and_then(cloudtrail::parse).ok()
            }
            Found::Damaged(_) => None,
        };
        match value {
            Some(value) => objects.push(value),
            None => {
                n_damaged += 1;
                return Ok(Verdict::Damaged);
            }
        }
        Ok(Verdict::Whole)
    });
    (objects, n_damaged + usize::from(read.is_err()))
}

/// Whether bytes are packed, or are UTF-16: what follows them is not.
fn is_encoded(data: &[u8]) -> bool {
    let is_packed = data.starts_with(&[0x1f, 0x8b]) || data.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    let is_utf_16 = match data {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [first, second, ..] => (*first == 0) != (*second == 0),
        [first] => *first == 0,
        [] => false,
    };
    is_packed || is_utf_16
}

fuzz_target!(|data: &[u8]| {
    let is_text = std::str::from_utf8(data).is_ok();
    if let Some(is_json) = json_splitter::is_json(data, |_, _| {}).filter(|_| is_text) {
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(data);
        assert_eq!(is_json, read.is_ok());
    }
    let (objects, n_damaged) = objects(data);
    // What can be read as one object is found as one object, unless it is a list of records, which is taken apart.
    if let Ok(Value::Object(members)) = cloudtrail::text(data).and_then(cloudtrail::parse)
        && !json_splitter::LISTS
            .iter()
            .any(|list| members.contains_key(*list))
    {
        assert!(objects.len() == 1 && n_damaged == 0);
    }
    // Whatever came before it, a good record is found.
    if !is_encoded(data) {
        let stream = [data, b"\n", GOOD.as_bytes(), b"\n"].concat();
        let (objects, _) = crate::objects(&stream);
        assert!(objects.iter().any(|object| object["eventID"] == "good"));
    }
    for mut value in objects {
        redact::strip(&mut value);
        let text = value.to_string();
        for name in ["tokenValue", "streamUrl"] {
            let key = format!("\"{name}\":");
            let parts = text.split(&key).skip(1);
            assert!(
                parts
                    .into_iter()
                    .all(|rest| rest.starts_with("\"stripped\"") || rest.starts_with("null"))
            );
        }
        for record in record::unwrap(value).events {
            let event = Event::of(&record);
            if let Some(console) = event.console() {
                assert!(
                    console.starts_with("https://") && !console.contains(['<', '>', '|', ' ', '"'])
                );
            }
        }
    }
});
