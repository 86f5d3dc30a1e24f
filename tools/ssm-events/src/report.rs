//! Sessions put together from records: who, on which node, from when to when, what was refused. CloudTrail records no end
//! of a session that times out or whose user leaves, so an end that is not recorded stays unknown.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use toolio::Target;

use crate::record::{Event, Outcome};

/// What a page is made of; its data goes in place of [`MARKER`].
const PAGE: &str = include_str!("report/page.html");
const MARKER: &str = "__DATA__";

/// A session on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Session {
    kind: SessionKind,
    target: Option<Target>,
    session_id: String,
    /// ARN of the user or role.
    principal: String,
    session_name: Option<String>,
    mfa: Option<bool>,
    source_address: Option<String>,
    node: Option<String>,
    node_name: Option<String>,
    /// Session document; none is the account's preferences.
    document: Option<String>,
    reason: Option<String>,
    /// Null when it began before the first record.
    started: Option<String>,
    resumed: Vec<String>,
    /// Null when no end is recorded.
    ended: Option<String>,
    duration_seconds: Option<i64>,
    event_id: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SessionKind {
    #[default]
    Session,
}

/// A command that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Command {
    kind: CommandKind,
    target: Option<Target>,
    command_id: Option<String>,
    principal: String,
    session_name: Option<String>,
    /// Ids, or what they were chosen by: `tag:Name=web`.
    nodes: Vec<String>,
    document: Option<String>,
    time: String,
    comment: Option<String>,
    event_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CommandKind {
    Command,
}

/// A call that was denied or failed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Refused {
    kind: RefusedKind,
    target: Option<Target>,
    event: String,
    /// Denied for want of permission; else it failed.
    denied: bool,
    error: String,
    message: Option<String>,
    principal: String,
    session_name: Option<String>,
    source_address: Option<String>,
    node: Option<String>,
    time: String,
    event_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RefusedKind {
    Refused,
}

/// How much a principal or a node had to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Tally {
    n_sessions: u64,
    n_commands: u64,
    n_refused: u64,
    seconds: i64,
}

/// Everything that the records tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// By account, region and id: a session id is unique in its region only.
    sessions: BTreeMap<(String, String, String), Session>,
    pub(crate) commands: Vec<Command>,
    pub(crate) refused: Vec<Refused>,
    seen: HashSet<String>,
    first: Option<String>,
    last: Option<String>,
    n_records: u64,
}

impl Report {
    /// Takes one record in; the same record twice is one. Records come in any order.
    pub(crate) fn add(&mut self, event: &Event, names: &BTreeMap<String, String>) {
        if !event.event_id.is_empty() && !self.seen.insert(event.event_id.clone()) {
            return;
        }
        self.n_records += 1;
        let time = event.time.clone();
        if self.first.as_ref().is_none_or(|first| time < *first) {
            self.first = Some(time.clone());
        }
        if self.last.as_ref().is_none_or(|last| time > *last) {
            self.last = Some(time.clone());
        }
        if event.outcome != Outcome::Allowed {
            self.refused.push(refused(event));
            return;
        }
        match event.event.as_str() {
            "StartSession" | "ResumeSession" | "TerminateSession" => self.session(event, names),
            "SendCommand" => self.commands.push(command(event)),
            _ => {}
        }
    }

    fn session(&mut self, event: &Event, names: &BTreeMap<String, String>) {
        let key = (
            event.account.clone(),
            event.region.clone(),
            event.session_id.clone(),
        );
        let session = self.sessions.entry(key).or_insert_with(|| Session {
            target: target(event),
            session_id: event.session_id.clone(),
            ..Session::default()
        });
        // Who ends or resumes a session need not be who began it; without a beginning they are all there is.
        if event.event == "StartSession" || session.principal.is_empty() {
            session.principal.clone_from(&event.who.principal);
            session.session_name = some(&event.who.session_name);
            session.mfa = event.who.mfa;
            session.source_address = some(&event.source_address);
            session.event_id.clone_from(&event.event_id);
        }
        match event.event.as_str() {
            "StartSession" => {
                session.started = some(&event.time);
                session.node = event.nodes.first().cloned();
                session.node_name = session
                    .node
                    .as_ref()
                    .and_then(|node| names.get(node))
                    .cloned();
                session.document = some(&event.document);
                session.reason = some(&event.reason);
            }
            "ResumeSession" => {
                session.resumed.push(event.time.clone());
                session.resumed.sort();
            }
            // Ending what has ended is no error, and the first time counts.
            _ => {
                if session
                    .ended
                    .as_ref()
                    .is_none_or(|ended| event.time < *ended)
                {
                    session.ended = some(&event.time);
                }
            }
        }
        let parse = |time: &Option<String>| time.as_deref()?.parse::<Timestamp>().ok();
        session.duration_seconds = parse(&session.started)
            .zip(parse(&session.ended))
            .map(|(from, to)| to.duration_since(from).as_secs());
    }

    /// Returns the sessions in the order of their beginnings.
    pub(crate) fn sessions(&self) -> Vec<&Session> {
        let mut sessions: Vec<&Session> = self.sessions.values().collect();
        sessions.sort_by_key(|session| session.started.as_ref().or(session.ended.as_ref()));
        sessions
    }

    /// Puts commands and refusals into the order of their times.
    pub(crate) fn sort(&mut self) {
        self.commands
            .sort_by(|one, other| one.time.cmp(&other.time));
        self.refused.sort_by(|one, other| one.time.cmp(&other.time));
    }

    /// Returns a page that needs no network.
    pub(crate) fn html(&self, names: &BTreeMap<String, String>) -> String {
        let sessions = self.sessions();
        let (mut principals, mut nodes) = (
            BTreeMap::<String, Tally>::new(),
            BTreeMap::<String, Tally>::new(),
        );
        for session in &sessions {
            let tallies = [
                principals.entry(session.principal.clone()).or_default(),
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
            principals
                .entry(command.principal.clone())
                .or_default()
                .n_commands += 1;
            for node in &command.nodes {
                nodes.entry(node.clone()).or_default().n_commands += 1;
            }
        }
        for refused in &self.refused {
            principals
                .entry(refused.principal.clone())
                .or_default()
                .n_refused += 1;
            if let Some(node) = &refused.node {
                nodes.entry(node.clone()).or_default().n_refused += 1;
            }
        }
        principals.remove("");
        nodes.remove("");
        let tally = |name: &str, key: &str, tally: &Tally| {
            let mut row = json!({ key: name });
            if key == "node" {
                row["name"] = json!(names.get(name));
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
            "sessions": sessions,
            "commands": self.commands,
            "refused": self.refused,
            "principals": principals.iter().map(|(name, one)| tally(name, "principal", one)).collect::<Vec<_>>(),
            "nodes": nodes.iter().map(|(name, one)| tally(name, "node", one)).collect::<Vec<_>>(),
        });
        PAGE.replacen(MARKER, &inert(&data.to_string()), 1)
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

fn command(event: &Event) -> Command {
    let comment = event
        .parameters
        .iter()
        .find_map(|parameter| parameter.strip_prefix("comment="));
    Command {
        kind: CommandKind::Command,
        target: target(event),
        command_id: some(&event.command_id),
        principal: event.who.principal.clone(),
        session_name: some(&event.who.session_name),
        nodes: event.nodes.clone(),
        document: some(&event.document),
        time: event.time.clone(),
        comment: comment.map(str::to_owned),
        event_id: event.event_id.clone(),
    }
}

fn refused(event: &Event) -> Refused {
    Refused {
        kind: RefusedKind::Refused,
        target: target(event),
        event: event.event.clone(),
        denied: event.outcome == Outcome::Denied,
        error: event.error.clone(),
        message: some(&event.error_message),
        principal: event.who.principal.clone(),
        session_name: some(&event.who.session_name),
        source_address: some(&event.source_address),
        node: event.nodes.first().cloned(),
        time: event.time.clone(),
        event_id: event.event_id.clone(),
    }
}

fn target(event: &Event) -> Option<Target> {
    let target = Target {
        account: event.account.clone(),
        region: event.region.clone(),
    };
    (!target.account.is_empty() || !target.region.is_empty()).then_some(target)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Session {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        let duration = self
            .duration_seconds
            .map_or("no end recorded".to_owned(), |seconds| {
                format!(
                    "{}:{:02}:{:02}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                )
            });
        row(&[
            "session",
            self.started.as_deref().unwrap_or("earlier"),
            &duration,
            &who(&self.principal, self.session_name.as_deref()),
            self.node.as_deref().unwrap_or("-"),
            self.reason.as_deref().unwrap_or("-"),
        ])
    }
}

impl Command {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        row(&[
            "command",
            &self.time,
            self.document.as_deref().unwrap_or("-"),
            &who(&self.principal, self.session_name.as_deref()),
            &self.nodes.join(","),
            self.comment.as_deref().unwrap_or("-"),
        ])
    }
}

impl Refused {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        let what = if self.denied { "DENIED" } else { "FAILED" };
        row(&[
            what,
            &self.time,
            &self.event,
            &who(&self.principal, self.session_name.as_deref()),
            self.node.as_deref().unwrap_or("-"),
            &self.error,
        ])
    }
}

fn who(principal: &str, session_name: Option<&str>) -> String {
    let name = principal.rsplit('/').next().unwrap_or_default();
    session_name.map_or(name.to_owned(), |session| format!("{session} ({name})"))
}

/// Control characters are shown, not sent to the terminal.
fn row(cells: &[&str]) -> String {
    let widths = [8, 20, 16, 40, 19];
    let padded = cells.iter().enumerate().map(|(index, cell)| {
        let cell: String = cell
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        let width = widths.get(index).copied().unwrap_or(0);
        format!("{cell:<width$}")
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
