//! CloudTrail records for people: recognised by shape, one Slack message or one line of text each. Nothing in an event
//! is trusted: a caller shapes the session name, the reason and the user agent.

use serde_json::{Value, json};

/// Limits of Block Kit, in characters. <https://docs.slack.dev/reference/block-kit/blocks>
const HEADER_MAX: usize = 150;
const TEXT_MAX: usize = 3_000;
/// A single field is cut long before that, so that a whole message stays readable and under Slack's total.
const FIELD_MAX: usize = 400;

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum To {
    /// Slack Block Kit messages, as an incoming webhook takes them
    Slack,
    /// One line per event
    Text,
}

/// Returns the CloudTrail records in a value: a log file, an EventBridge envelope or a record by itself.
pub(crate) fn records(value: &Value) -> Option<Vec<&Value>> {
    if let Some(records) = value["Records"].as_array() {
        return records
            .iter()
            .all(is_record)
            .then(|| records.iter().collect());
    }
    if value["detail-type"].is_string() && is_record(&value["detail"]) {
        return Some(vec![&value["detail"]]);
    }
    is_record(value).then(|| vec![value])
}

fn is_record(value: &Value) -> bool {
    value["eventName"].is_string() && value["eventSource"].is_string()
}

/// What a person wants to know of one event, by label; labels without a value are left out.
fn facts(record: &Value) -> Vec<(&'static str, String)> {
    let request = &record["requestParameters"];
    let mut facts = vec![
        ("who", who(&record["userIdentity"])),
        ("from", text(&record["sourceIPAddress"])),
        ("node", nodes(request)),
        ("document", text(&request["documentName"])),
        ("reason", text(&request["reason"])),
        ("session", text(&record["responseElements"]["sessionId"])),
        (
            "command",
            text(&record["responseElements"]["command"]["commandId"]),
        ),
        ("account", text(&record["recipientAccountId"])),
        ("region", text(&record["awsRegion"])),
        ("time", text(&record["eventTime"])),
        ("error", text(&record["errorCode"])),
        ("message", text(&record["errorMessage"])),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// An assumed role says who issued the session and what the caller called it.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
fn who(identity: &Value) -> String {
    let issuer = text(&identity["sessionContext"]["sessionIssuer"]["userName"]);
    let arn = text(&identity["arn"]);
    let session = arn.rsplit('/').next().unwrap_or_default();
    let name = match identity["type"].as_str() {
        Some("AssumedRole") if !issuer.is_empty() => format!("{issuer} as {session}"),
        Some("IAMUser") => text(&identity["userName"]),
        Some("AWSService") => text(&identity["invokedBy"]),
        Some("Root") => "the root user".to_owned(),
        _ => arn,
    };
    let mfa = identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true";
    if mfa { format!("{name} (MFA)") } else { name }
}

fn nodes(request: &Value) -> String {
    let ids = request["instanceIds"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let targets = request["targets"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut nodes: Vec<String> = ids.iter().map(text).collect();
    nodes.extend(
        targets
            .iter()
            .map(|target| format!("{}={}", text(&target["key"]), text(&target["values"]))),
    );
    nodes.push(text(&request["target"]));
    nodes.retain(|node| !node.is_empty());
    nodes.join(", ")
}

/// Returns a value as one line; `parameters` is a text such as HIDDEN_DUE_TO_SECURITY_REASONS and never shown.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn failed(record: &Value) -> bool {
    !record["errorCode"].is_null()
}

/// Says what happened in a few words.
fn title(record: &Value) -> String {
    let name = text(&record["eventName"]);
    match record["errorCode"].as_str() {
        Some(code)
            if code.starts_with("AccessDenied") || code.ends_with("UnauthorizedOperation") =>
        {
            format!("DENIED: {name}")
        }
        Some(_) => format!("FAILED: {name}"),
        None => name,
    }
}

/// Returns one line of text; control characters are shown, not sent to the terminal.
pub(crate) fn line(record: &Value) -> String {
    let facts = facts(record)
        .into_iter()
        .map(|(label, value)| format!("{label}={}", quoted(&value)));
    let parts: Vec<String> = std::iter::once(title(record)).chain(facts).collect();
    parts
        .join(" ")
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn quoted(value: &str) -> String {
    if value.contains(' ') {
        format!("\"{}\"", value.replace('"', "'"))
    } else {
        value.to_owned()
    }
}

/// Returns a Block Kit message. Denied and failed calls are red; there are no buttons, so nothing to click is made up.
pub(crate) fn slack(record: &Value) -> Value {
    let failed = failed(record);
    let mark = if failed { ":red_circle: " } else { "" };
    let title = cut(&title(record), HEADER_MAX - 20);
    let facts = facts(record);
    let lines: Vec<String> = facts
        .iter()
        .map(|(label, value)| format!("*{label}*  {}", escape(&cut(value, FIELD_MAX))))
        .collect();
    let mut body = String::new();
    for line in lines {
        // Whole lines only: cutting inside one could split an escape.
        if body.chars().count() + line.chars().count() < TEXT_MAX {
            body = if body.is_empty() {
                line
            } else {
                format!("{body}\n{line}")
            };
        }
    }
    if body.is_empty() {
        body = "no details".to_owned();
    }
    let summary = facts
        .iter()
        .find(|(label, _)| *label == "who")
        .map(|(_, who)| cut(who, FIELD_MAX));
    json!({
        "text": format!("{mark}{} {}", escape(&title), escape(&summary.unwrap_or_default())).trim_end(),
        "attachments": [{
            "color": if failed { "danger" } else { "good" },
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": format!("{mark}{title}"), "emoji": true } },
                { "type": "section", "text": { "type": "mrkdwn", "text": body, "verbatim": true } },
            ],
        }],
    })
}

/// Nothing may become a mention, a link or formatting. <https://docs.slack.dev/messaging/formatting-message-text>
fn escape(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    // A zero-width space after each mark keeps *, _, ~ and ` from pairing.
    text.chars()
        .flat_map(|c| [Some(c), "*_~`".contains(c).then_some('\u{200b}')])
        .flatten()
        .collect()
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}
