//! What a verb upstream could not read: records of it are in the pipe, and count as what is missing.

use std::fmt;

use serde_json::Value;

/// One of these is in every object that says what could not be read, and in those that say what is proved.
pub const MARKS: [&str; 3] = [".unread\"", "\"unreachable\"", "\"log_integrity\""];

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gap {
    /// A file, an object, a place; empty where nobody knows.
    pub resource: String,
    pub reason: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource.as_str() {
            "" => f.write_str(&self.reason),
            resource => write!(f, "{resource}: {}", self.reason),
        }
    }
}

/// Returns what an object says that could not be read; `None` for every other object.
#[must_use]
pub fn gap(value: &Value) -> Option<Gap> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let gap = |resource, reason| Some(Gap { resource, reason });
    match value["kind"].as_str()? {
        "unreachable" => {
            let target = &value["target"];
            let (account, region) = (text(&target["account"]), text(&target["region"]));
            gap(format!("{account}/{region}"), text(&value["error"]))
        }
        "finding" if value["id"].as_str()?.ends_with(".unread") => {
            gap(text(&value["resource"]), text(&value["message"]))
        }
        "log_integrity" if !is_proof(value) => {
            let target = &value["target"];
            let place = match &value["digest"]["file"] {
                Value::String(digest) => digest.clone(),
                _ => format!(
                    "{}/{} {} - {}",
                    text(&target["account"]),
                    text(&target["region"]),
                    text(&value["from"]),
                    text(&value["to"])
                ),
            };
            let (status, why) = (text(&value["status"]), text(&value["message"]));
            gap(place, format!("log files {status}: {why}"))
        }
        _ => None,
    }
}

/// Returns whether an object says that log files are as CloudTrail delivered them: no record of a call, and nothing that is missing.
#[must_use]
pub fn is_proof(value: &Value) -> bool {
    value["kind"] == "log_integrity" && value["status"] == "proved"
}
