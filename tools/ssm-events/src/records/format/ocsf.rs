//! One event in the Open Cybersecurity Schema Framework, as class API Activity.
//!
//! <https://schema.ocsf.io/1.4.0/classes/api_activity>

use records::EcsTarget;
use serde_json::{Value, json};

use crate::records::record::{Event, Outcome};

const VERSION: &str = "1.4.0";
const CATEGORY_APPLICATION: u32 = 6;
const CLASS_API_ACTIVITY: u32 = 6003;

pub(super) fn api_activity(event: &Event) -> Value {
    let activity = activity(&event.event);
    let refused = event.outcome != Outcome::Allowed;
    // The class requires a time; one that cannot be read is 0, and stays as it came among what is not mapped.
    let time = time(&event.time);
    let (status_id, status) = if refused {
        (2, "Failure")
    } else {
        (1, "Success")
    };
    let (severity_id, severity) = match event.outcome {
        Outcome::Allowed => (1, "Informational"),
        Outcome::Failed => (2, "Low"),
        Outcome::Denied => (3, "Medium"),
    };
    let resources: Vec<Value> = event
        .nodes
        .iter()
        .map(|node| match EcsTarget::parse(node) {
            Some(container) => {
                json!({ "uid": node, "type": "container", "name": container.to_string() })
            }
            None => json!({ "uid": node, "type": "node" }),
        })
        .collect();
    let user = &event.who;
    let mut value = json!({
        "activity_id": activity.0,
        "activity_name": activity.1,
        "actor": {
            "user": {
                "type": user.principal_type, "uid": user.principal, "name": user.name(),
                "account": { "uid": event.account },
            },
            "session": { "uid": user.session_name, "is_mfa": user.mfa },
        },
        "api": {
            "operation": event.event,
            "service": { "name": event.source },
            "response": { "error": event.error, "error_message": event.error_message },
        },
        "category_name": "Application Activity",
        "category_uid": CATEGORY_APPLICATION,
        "class_name": "API Activity",
        "class_uid": CLASS_API_ACTIVITY,
        "cloud": { "provider": "AWS", "region": event.region, "account": { "uid": event.account } },
        "http_request": { "user_agent": event.user_agent },
        "message": event.reason,
        "metadata": {
            "uid": event.event_id,
            "version": VERSION,
            "product": { "name": "CloudTrail", "vendor_name": "AWS" },
            "profiles": ["cloud"],
        },
        "resources": resources,
        "severity": severity,
        "severity_id": severity_id,
        "src_endpoint": endpoint(&event.source_address),
        "status": status,
        "status_id": status_id,
        "time": time.unwrap_or_default(),
        "type_name": format!("API Activity: {}", activity.1),
        "type_uid": CLASS_API_ACTIVITY * 100 + activity.0,
        "unmapped": { "document": event.document, "session_id": event.session_id, "command_id": event.command_id,
                      "parameters": event.parameters, "time": time.is_none().then_some(&event.time) },
    });
    drop_empty(&mut value);
    // What the class requires is there though the event does not say it: EventBridge's own events have no caller.
    for (pointer, name, unknown) in REQUIRED {
        if let Some(Value::Object(members)) = value.pointer_mut(pointer)
            && !members.contains_key(*name)
        {
            members.insert((*name).to_owned(), unknown());
        }
    }
    value
}

/// Where an attribute is required, its name, and its value where nothing is known.
type Required = (&'static str, &'static str, fn() -> Value);

/// Attributes that API Activity requires of every event.
const REQUIRED: &[Required] = &[
    ("", "actor", || json!({ "user": { "name": "Unknown" } })),
    ("", "api", || json!({})),
    ("/api", "operation", || json!("Unknown")),
    ("", "src_endpoint", || json!({ "name": "Unknown" })),
];

/// Returns milliseconds since 1970. Exports of data warehouses write UTC as `2026-11-01 09:00:00.000000000`.
pub(super) fn time(text: &str) -> Option<i64> {
    let exported = || {
        let time = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(
            time.to_zoned_datetime(jiff::tz::TimeZone::UTC)
                .ok()?
                .timestamp(),
        )
    };
    let time = text.parse::<jiff::Timestamp>().ok().or_else(exported)?;
    Some(time.as_millisecond())
}

/// An address, or the name of the service that called.
fn endpoint(address: &str) -> Value {
    if address.parse::<std::net::IpAddr>().is_ok() {
        json!({ "ip": address })
    } else {
        json!({ "domain": address })
    }
}

/// What a call does to what it is about: the schema knows create, read, update and delete.
fn activity(event: &str) -> (u32, &'static str) {
    let begins = |verbs: &[&str]| verbs.iter().any(|verb| event.starts_with(verb));
    match () {
        () if begins(&["Create", "Start", "Send", "Register", "Put", "Open", "Add"]) => {
            (1, "Create")
        }
        () if begins(&["Get", "List", "Describe"]) => (2, "Read"),
        () if begins(&["Update", "Modify", "Reset", "Resume"]) => (3, "Update"),
        () if begins(&[
            "Delete",
            "Terminate",
            "Cancel",
            "Stop",
            "Deregister",
            "Remove",
        ]) =>
        {
            (4, "Delete")
        }
        () => (99, "Other"),
    }
}

/// An attribute that is not known is left out, never empty.
fn drop_empty(value: &mut Value) {
    if let Value::Object(members) = value {
        members.values_mut().for_each(drop_empty);
        members.retain(|_, member| match member {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        });
    }
}
