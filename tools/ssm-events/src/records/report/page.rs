//! A report as one page that needs no network.

use std::collections::BTreeMap;

use cli::visible;
use records::RecordedSession;
use serde::Serialize;
use serde_json::{Value, json};

use super::Report;
use crate::records::console;

/// What a page is made of; its data goes in place of [`MARKER`].
const PAGE: &str = include_str!("../report/page.html");
const MARKER: &str = "__DATA__";

/// How much a person or a node had to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Tally {
    n_sessions: u64,
    n_commands: u64,
    n_refused: u64,
    seconds: i64,
}

impl Report {
    /// Returns a page that needs no network.
    pub(crate) fn html(&self, names: &BTreeMap<String, String>) -> String {
        let sessions = self.sessions();
        // People who share a permission set are distinguished by the names of their sessions.
        let person = |principal: &str, session_name: &Option<String>| {
            (
                session_name.clone().unwrap_or_default(),
                principal.to_owned(),
            )
        };
        let (mut people, mut nodes) = (
            BTreeMap::<(String, String), Tally>::new(),
            BTreeMap::<String, Tally>::new(),
        );
        for session in &sessions {
            let tallies = [
                people
                    .entry(person(&session.principal, &session.session_name))
                    .or_default(),
                nodes
                    .entry(session.node.clone().unwrap_or_default())
                    .or_default(),
            ];
            for tally in tallies {
                tally.n_sessions += 1;
                tally.seconds += session.duration_seconds.unwrap_or_default();
            }
        }
        for command in &self.commands {
            people
                .entry(person(&command.principal, &command.session_name))
                .or_default()
                .n_commands += 1;
            for node in &command.nodes {
                nodes.entry(node.clone()).or_default().n_commands += 1;
            }
        }
        for refused in &self.refused {
            people
                .entry(person(&refused.principal, &refused.session_name))
                .or_default()
                .n_refused += 1;
            if let Some(node) = &refused.node {
                nodes.entry(node.clone()).or_default().n_refused += 1;
            }
        }
        people.remove(&(String::new(), String::new()));
        nodes.remove("");
        let tally = |name: &str, key: &str, tally: &Tally| {
            let mut row = json!({ key: name });
            if key == "node" {
                row["name"] = json!(super::name(name, names));
            }
            row["n_sessions"] = json!(tally.n_sessions);
            row["n_commands"] = json!(tally.n_commands);
            row["n_refused"] = json!(tally.n_refused);
            row["seconds"] = json!(tally.seconds);
            row
        };
        let n_denied = self.refused.iter().filter(|refused| refused.denied).count();
        let data = json!({
            "summary": {
                "first": self.first, "last": self.last, "n_records": self.n_records, "n_sessions": sessions.len(),
                "n_open": sessions.iter().filter(|session| session.ended.is_none()).count(),
                "n_commands": self.commands.len(), "n_denied": n_denied,
                "n_failed": self.refused.len() - n_denied, "time_zone": "UTC",
            },
            "gaps": self.gaps,
            "sessions": sessions.iter().map(|session| linked(session)).collect::<Vec<_>>(),
            "commands": self.commands,
            "refused": self.refused,
            "people": people.iter().map(|((session_name, principal), one)| {
                let mut row = tally(principal, "principal", one);
                row["session_name"] = json!(session_name);
                row
            }).collect::<Vec<_>>(),
            "nodes": nodes.iter().map(|(name, one)| tally(name, "node", one)).collect::<Vec<_>>(),
        });
        PAGE.replacen(MARKER, &inert(&shown(data).to_string()), 1)
    }
}

/// Returns a session with the addresses of its transcripts.
fn linked(session: &RecordedSession) -> Value {
    let mut made = json!(session);
    if let Some((transcript, target)) = session.transcript.as_ref().zip(session.target.as_ref()) {
        let links = console::transcript(transcript, &target.region);
        let links = links
            .into_iter()
            .map(|(text, url)| json!({ "text": text, "url": url }));
        made["links"] = links.collect();
    }
    made
}

/// Returns the data with texts that show what they hold: a browser turns the direction of text as a terminal does.
fn shown(data: Value) -> Value {
    match data {
        Value::String(text) => Value::String(visible(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(shown).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(key, field)| (key, shown(field))).collect()
        }
        other => other,
    }
}

/// Nothing in the data can end the script element that it stands in.
/// <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>
fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            c => text.push(c),
        }
    }
    text
}
