//! Sessions put together from records: who, on which node, from when to when, what was refused. CloudTrail records no end
//! of a session that times out or whose user leaves, so an end that is not recorded stays unknown.

mod page;

use std::collections::{BTreeMap, HashMap, HashSet};

use cli::Target;
use jiff::Timestamp;
use records::{
    EcsTarget, RecordedCommand, RecordedCommandKind, RecordedSession, RefusedCall, RefusedCallKind,
    SessionEnd,
};

use crate::records::history::SYSTEMS_MANAGER;
use crate::records::record::{Event, Outcome};
use crate::records::sessions::{KnownSessions, SessionKey};

/// Everything that the records say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// By account, region and ID: a session ID is unique in its region only.
    sessions: BTreeMap<SessionKey, RecordedSession>,
    pub(crate) commands: Vec<RecordedCommand>,
    pub(crate) refused: Vec<RefusedCall>,
    seen: HashSet<String>,
    first: Option<String>,
    last: Option<String>,
    n_records: u64,
    /// What could not be read, in words: what is not in the report may have been in it.
    pub(crate) gaps: Vec<String>,
}

impl Report {
    /// Returns whether nothing is in it to be reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.commands.is_empty() && self.refused.is_empty()
    }

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
            self.refused.push(refused(event, names));
            return;
        }
        // Athena and others have sessions of their own.
        if event.source != SYSTEMS_MANAGER {
            return;
        }
        match event.event.as_str() {
            "StartSession" | "ResumeSession" | "TerminateSession" => self.session(event, names),
            "SendCommand" => self.commands.push(command(event, names)),
            _ => {}
        }
    }

    fn session(&mut self, event: &Event, names: &BTreeMap<String, String>) {
        // Stores strip the answer, and the ID with it: each such call is a session of its own.
        let known_by = match event.session_id.as_str() {
            "" => format!("record {} {}", self.n_records, event.event_id),
            id => id.to_owned(),
        };
        let key = (event.account.clone(), event.region.clone(), known_by);
        let session = self.sessions.entry(key).or_insert_with(|| RecordedSession {
            target: target(event),
            session_id: event.session_id.clone(),
            ..RecordedSession::default()
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
                let node = session.node.as_deref();
                session.node_name = node.and_then(|node| name(node, names));
                session.document = some(&event.document);
                session.reason = some(&event.reason);
            }
            "ResumeSession" => {
                session.resumed.push(event.time.clone());
                session.resumed.sort();
            }
            // Ending what has ended is not an error, and the first time counts.
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
        session.duration_seconds = duration(session);
    }

    /// Adds the ends and transcripts of sessions that are known otherwise, and sessions that no record has. Returns how many these
    /// are.
    pub(crate) fn know(&mut self, known: KnownSessions, names: &BTreeMap<String, String>) -> usize {
        // Of a session whose record was stripped of the ID, it may be known otherwise.
        let stripped = self
            .sessions
            .iter()
            .filter(|(_, session)| session.session_id.is_empty() && !session.event_id.is_empty());
        let stripped: HashMap<String, SessionKey> = stripped
            .map(|(key, session)| (session.event_id.clone(), key.clone()))
            .collect();
        let mut n_unrecorded = 0;
        for (key, more) in known.into_sessions() {
            let whole = more.whole.as_deref();
            let by_record = || whole.and_then(|whole| stripped.get(&whole.event_id));
            let of_record = match self.sessions.contains_key(&key) {
                true => Some(&key),
                false => by_record(),
            };
            let Some(session) = of_record.and_then(|key| self.sessions.get_mut(key)) else {
                if let Some(mut session) = more.whole {
                    let node = session.node.as_deref();
                    session.node_name = node.and_then(|node| name(node, names));
                    self.sessions.insert(key, *session);
                    n_unrecorded += 1;
                }
                continue;
            };
            if let Some(whole) = whole.filter(|_| session.session_id.is_empty()) {
                session.session_id.clone_from(&whole.session_id);
            }
            session.how_it_ended = more.how_it_ended.map(|how| match how {
                // What is known otherwise may be older than the record of the end.
                SessionEnd::Open | SessionEnd::Unknown if session.ended.is_some() => {
                    SessionEnd::Terminated
                }
                how => how,
            });
            session.ended = session.ended.take().or(more.ended);
            session.ended_by = more.ended_by;
            session.transcript = more.transcript;
            session.duration_seconds = duration(session);
        }
        n_unrecorded
    }

    /// Returns the sessions in the order of their beginnings.
    pub(crate) fn sessions(&self) -> Vec<&RecordedSession> {
        let mut sessions: Vec<&RecordedSession> = self.sessions.values().collect();
        sessions.sort_by_key(|session| session.started.as_ref().or(session.ended.as_ref()));
        sessions
    }

    /// Puts commands and refusals into the order of their times.
    pub(crate) fn sort(&mut self) {
        self.commands
            .sort_by(|one, other| one.time.cmp(&other.time));
        self.refused.sort_by(|one, other| one.time.cmp(&other.time));
    }
}

fn duration(session: &RecordedSession) -> Option<i64> {
    let parse = |time: &Option<String>| time.as_deref()?.parse::<Timestamp>().ok();
    parse(&session.started)
        .zip(parse(&session.ended))
        .map(|(from, to)| to.duration_since(from).as_secs())
}

fn command(event: &Event, names: &BTreeMap<String, String>) -> RecordedCommand {
    let named = event.nodes.iter();
    let named = named.filter_map(|node| Some((node.clone(), name(node, names)?)));
    let comment = event
        .parameters
        .iter()
        .find_map(|parameter| parameter.strip_prefix("comment="));
    RecordedCommand {
        kind: RecordedCommandKind::Command,
        target: target(event),
        command_id: some(&event.command_id),
        principal: event.who.principal.clone(),
        session_name: some(&event.who.session_name),
        nodes: event.nodes.clone(),
        node_names: named.collect(),
        document: some(&event.document),
        time: event.time.clone(),
        comment: comment.map(str::to_owned),
        event_id: event.event_id.clone(),
    }
}

fn refused(event: &Event, names: &BTreeMap<String, String>) -> RefusedCall {
    let node = event.nodes.first();
    RefusedCall {
        kind: RefusedCallKind::Refused,
        target: target(event),
        event: event.event.clone(),
        service: some(event.service()),
        denied: event.outcome == Outcome::Denied,
        error: event.error.clone(),
        message: some(&event.error_message),
        principal: event.who.principal.clone(),
        session_name: some(&event.who.session_name),
        source_address: some(&event.source_address),
        node: node.cloned(),
        node_name: node.and_then(|node| name(node, names)),
        time: event.time.clone(),
        event_id: event.event_id.clone(),
    }
}

/// Returns what people call a node; a container is called by its task and cluster.
pub(crate) fn name(node: &str, names: &BTreeMap<String, String>) -> Option<String> {
    let container = || EcsTarget::parse(node).map(|container| container.to_string());
    names.get(node).cloned().or_else(container)
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
