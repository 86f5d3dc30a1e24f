//! One event as a Block Kit message.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>

use cli::is_hidden;
use serde_json::{Value, json};

use super::Marks;
use super::rules::Look;
use crate::records::record::{Event, Outcome, is_plain};

/// Characters of a header.
const HEADER_MAX: usize = 150;
/// Characters of a section's text.
const TEXT_MAX: usize = 3_000;
/// A single field is cut long before that, so that a whole message stays readable and under Slack's total.
const FIELD_MAX: usize = 400;
const DANGER: &str = "#d00000";
const WARNING: &str = "#f9a825";
const GOOD: &str = "#2e7d32";

/// Denied and failed calls are red unless a rule says otherwise. The only links are this program's own.
pub(super) fn message(
    event: &Event,
    facts: &[(&'static str, String)],
    transcripts: &[(&'static str, String)],
    look: &Look,
    marks: &Marks,
) -> Value {
    let refused = event.outcome != Outcome::Allowed || marks.is_break_glass;
    let mark = match (marks.is_break_glass, refused, &marks.missed) {
        (true, _, _) => ":rotating_light: ",
        (false, true, _) => ":red_circle: ",
        (false, false, Some(_)) => ":warning: ",
        (false, false, None) => "",
    };
    let title = cut(&super::title(event), HEADER_MAX - 20);
    let mut lines: Vec<String> = facts
        .iter()
        .map(|(label, value)| format!("*{label}*  {}", escape(&cut(value, FIELD_MAX))))
        .collect();
    if lines.is_empty() {
        lines.push("no details".to_owned());
    }
    lines.extend(look.mention.iter().cloned());
    lines.extend(
        event
            .console()
            .map(|url| format!("<{url}|open in the console>")),
    );
    let links = transcripts.iter();
    // An ampersand ends nothing, but Slack wants it escaped in addresses as well.
    lines.extend(
        links.map(|(place, url)| format!("<{}|transcript in {place}>", url.replace('&', "&amp;"))),
    );
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
    let who = escape(&cut(&event.who.name(), FIELD_MAX));
    let mention = look
        .mention
        .as_ref()
        .map(|mention| format!(" {mention}"))
        .unwrap_or_default();
    let color = match (refused, &marks.missed) {
        (true, _) => DANGER,
        (false, Some(_)) => WARNING,
        (false, None) => GOOD,
    };
    let header = format!("{mark}{}", shown(&title));
    let mut section =
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": body, "verbatim": true } });
    if is_plain(&event.event_id) {
        section["block_id"] = json!(format!("{}{}", super::BLOCK_ID, event.event_id));
    }
    json!({
        "text": format!("{mark}{} {who}{mention}", escape(&title)).trim_end(),
        "attachments": [{
            "color": look.color.clone().unwrap_or_else(|| color.to_owned()),
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": header, "emoji": true } },
                section,
            ],
        }],
    })
}

/// Escapes every text in a value.
pub(super) fn escape_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = escape(text),
        Value::Array(items) => items.iter_mut().for_each(escape_all),
        Value::Object(members) => members.values_mut().for_each(escape_all),
        _ => {}
    }
}

/// Nothing may become a mention, a link or formatting. <https://docs.slack.dev/messaging/formatting-message-text>
fn escape(text: &str) -> String {
    let text = shown(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    // A zero-width space after each mark keeps *, _, ~ and ` from pairing, and colons from making an emoji: a green tick
    // in a reason would look like an approval.
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        escaped.push(c);
        if "*_~`".contains(c) || (c == ':' && begins_emoji(&text[at + 1..])) {
            escaped.push('\u{200b}');
        }
    }
    escaped
}

/// Returns whether what follows a colon is a name with a letter, and a colon.
fn begins_emoji(rest: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_+-'".contains(c);
    let Some(end) = rest.find(|c| !is_name(c)) else {
        return false;
    };
    rest[end..].starts_with(':')
        && rest[..end].contains(|c: char| c.is_ascii_alphabetic() || c == '+')
}

fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if is_hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}
