//! A report as one page that needs no network.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cli::visible;
use records::RecordedSession;
use serde::Serialize;
use serde_json::{Value, json};

use super::Report;
use crate::records::console;
use crate::records::record::permission_set;

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

/// The name of a session, and the principal unless it is the role of a permission set.
type Person = (String, String);

/// Who did something, each with the principals as which they did.
type People = BTreeMap<Person, (Tally, BTreeSet<String>)>;

/// Returns who somebody is. IAM Identity Center names the session after its user, in the roles of all permission sets and accounts;
/// of another role, the caller chooses the name.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>
fn person(principal: &str, session_name: Option<&str>) -> Person {
    let name = session_name.unwrap_or_default();
    let is_user = !name.is_empty() && permission_set(principal).is_some();
    let principal = if is_user { "" } else { principal };
    (name.to_owned(), principal.to_owned())
}

fn tally<'p>(
    people: &'p mut People,
    principal: &str,
    session_name: &Option<String>,
) -> &'p mut Tally {
    let person = person(principal, session_name.as_deref());
    let (tally, principals) = people.entry(person).or_default();
    if !principals.contains(principal) {
        principals.insert(principal.to_owned());
    }
    tally
}

impl Report {
    /// Returns a page that needs no network.
    pub(crate) fn html(&self, names: &BTreeMap<String, String>) -> String {
        let sessions = self.sessions();
        let (mut people, mut nodes) = (People::new(), BTreeMap::<String, Tally>::new());
        for session in &sessions {
            let tallies = [
                tally(&mut people, &session.principal, &session.session_name),
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
            tally(&mut people, &command.principal, &command.session_name).n_commands += 1;
            for node in &command.nodes {
                nodes.entry(node.clone()).or_default().n_commands += 1;
            }
        }
        for refused in &self.refused {
            tally(&mut people, &refused.principal, &refused.session_name).n_refused += 1;
            if let Some(node) = &refused.node {
                nodes.entry(node.clone()).or_default().n_refused += 1;
            }
        }
        people.remove(&Person::default());
        nodes.remove("");
        let places: HashMap<&Person, usize> = people.keys().zip(0..).collect();
        // Each row names its person by the place among all, so that the page need not know who is the same.
        let whose = |mut row: Value, principal: &str, session_name: &Option<String>| {
            let person = person(principal, session_name.as_deref());
            row["whose"] = json!(places.get(&person));
            row
        };
        let row = |mut row: Value, tally: &Tally| {
            row["n_sessions"] = json!(tally.n_sessions);
            row["n_commands"] = json!(tally.n_commands);
            row["n_refused"] = json!(tally.n_refused);
            row["seconds"] = json!(tally.seconds);
            row
        };
        let data = json!({
            "summary": { "first": self.first, "last": self.last, "n_records": self.n_records },
            "gaps": self.gaps,
            "sessions": sessions.iter().map(|one| whose(linked(one), &one.principal, &one.session_name)).collect::<Vec<_>>(),
            "commands": self.commands.iter().map(|one| whose(json!(one), &one.principal, &one.session_name)).collect::<Vec<_>>(),
            "refused": self.refused.iter().map(|one| whose(json!(one), &one.principal, &one.session_name)).collect::<Vec<_>>(),
            "people": people.iter().map(|((session_name, _), (tally, principals))| {
                let one = json!({ "principal": principals.first(), "principals": principals, "session_name": session_name });
                row(one, tally)
            }).collect::<Vec<_>>(),
            "nodes": nodes.iter().map(|(node, tally)| {
                row(json!({ "node": node, "name": super::name(node, names) }), tally)
            }).collect::<Vec<_>>(),
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
