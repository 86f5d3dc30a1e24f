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
use tool::record::{self, Event};
use tool::redact;

fuzz_target!(|data: &[u8]| {
    let mut objects: Vec<Vec<u8>> = Vec::new();
    let mut n_damaged = 0;
    let read = cloudtrail::objects(data, |found| {
        match found {
            Found::Object(object) => objects.push(object.to_vec()),
            Found::Damaged(_) => n_damaged += 1,
        }
        Ok(Verdict::Whole)
    });
    // What serde_json reads as one object is found as one object, unless it is a list of records, which is taken apart.
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(data)
        && !["Records", "Events", "Messages"]
            .iter()
            .any(|list| members.contains_key(*list))
    {
        assert!(read.is_ok() && objects.len() == 1 && n_damaged == 0);
    }
    for object in objects {
        let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&object) else {
            continue;
        };
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
