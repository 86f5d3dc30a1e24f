//! Events for people and for other programs: as Slack messages, lines of text, CSV, OCSF or ASFF.

mod asff;
mod csv;
mod marks;
mod message;
mod ocsf;
mod rules;
mod slack;
mod text;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use records::EcsTarget;
use serde_json::{Value, json};

use crate::records::console;
pub(crate) use crate::records::format::asff::Lists;
pub(crate) use crate::records::format::csv::HEADER as CSV_HEADER;
pub(crate) use crate::records::format::marks::Marks;
pub(crate) use crate::records::format::message::{MessageRenderer, Template, digest, message_id};
pub(crate) use crate::records::format::rules::Rules;
use crate::records::reason::ReasonPattern;
use crate::records::record::Event;
use crate::records::sessions::{KnownSession, KnownSessions};
use crate::records::source::UNREAD_SESSIONS;

/// What stands before an event's ID in a message's `block_id`, so that a message is known from another.
pub(crate) const BLOCK_ID: &str = "event-";

/// What events are turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum To {
    /// Slack Block Kit messages, as an incoming webhook takes them
    Slack,
    /// One line per event
    Text,
    /// Comma-separated values with a header
    Csv,
    /// Open Cybersecurity Schema Framework: API Activity
    Ocsf,
    /// Findings of Security Hub, in lists of up to 100 of one account and region
    Asff,
}

/// How events are worded, beside the events themselves.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    /// Of every time in messages and lines; CSV and OCSF stay in UTC.
    pub(crate) zone: TimeZone,
    /// Names of nodes by ID.
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) rules: Rules,
    /// What is known of sessions beside their records, where somebody has said it.
    pub(crate) sessions: Option<KnownSessions>,
    /// What the reason of each session must have.
    pub(crate) reason_pattern: Option<ReasonPattern>,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            zone: TimeZone::UTC,
            names: BTreeMap::new(),
            rules: Rules::default(),
            sessions: None,
            reason_pattern: None,
        }
    }
}

impl Style {
    /// Returns a message of Slack, which says what the marks say first. The record is what the rules are asked about.
    pub(crate) fn slack(&self, event: &Event, record: &Value, marks: &Marks) -> Value {
        let facts = [marks.facts(), self.facts(event)].concat();
        slack::message(
            event,
            &facts,
            &self.links(event),
            &self.rules.look(record),
            marks,
        )
    }

    /// Returns what templates are given: the event, the same escaped for Slack, the message that this tool would send, how grave it
    /// is, and what is known of the transcript of its session.
    pub(crate) fn template_input(&self, event: &Event, record: &Value, marks: &Marks) -> Value {
        let plain = json!(event);
        let mut mrkdwn = plain.clone();
        slack::escape_all(&mut mrkdwn);
        json!({ "event": plain, "mrkdwn": mrkdwn, "message": self.slack(event, record, marks),
            "title": title(event), "who": event.who.name(), "severity": marks.severity,
            "break_glass": marks.is_break_glass, "missed": marks.missed, "console": event.console(),
            "transcript": self.transcript_record(event) })
    }

    /// Returns the subject of a notification.
    pub(crate) fn subject(&self, event: &Event, marks: &Marks) -> String {
        let mark = if marks.is_break_glass {
            "BREAK-GLASS: "
        } else {
            ""
        };
        let who = event.who.name();
        let by = if who.is_empty() { "" } else { " by " };
        let of = event.other_service();
        let of = of.map_or(String::new(), |service| format!(" of {service}"));
        format!("{mark}{}{of}{by}{who}", title(event))
    }

    /// Returns what a topic is sent: a line for people, and the event for programs.
    pub(crate) fn notification(&self, event: &Event, marks: &Marks) -> Value {
        let mut facts = [marks.facts(), self.facts(event)].concat();
        let links = self.links(event).into_iter();
        facts.extend(links.map(|(_, link)| ("transcript", link)));
        json!({ "text": text::line(event, &facts), "severity": marks.severity,
            "break_glass": marks.is_break_glass, "missed": marks.missed,
            "transcript": self.transcript_record(event), "event": event })
    }

    /// Returns one line of text; control characters are shown, not sent to the terminal.
    pub(crate) fn text(&self, event: &Event) -> String {
        text::line(event, &self.facts(event))
    }

    /// Returns one row of CSV without a line break.
    ///
    /// # Errors
    /// None that can happen in memory.
    pub(crate) fn csv(&self, event: &Event) -> anyhow::Result<String> {
        csv::row(event)
    }

    /// Returns an OCSF event.
    pub(crate) fn ocsf(&self, event: &Event) -> Value {
        ocsf::api_activity(event)
    }

    /// What a person wants to know of one event, by label; labels without a value are left out.
    fn facts(&self, event: &Event) -> Vec<(&'static str, String)> {
        let nodes: Vec<String> = event.nodes.iter().map(|node| self.node(node)).collect();
        // In a command's place CloudTrail has a text of its own; saying so keeps people from looking for it.
        let hidden = if event.is_hidden {
            "hidden by CloudTrail".to_owned()
        } else {
            event.parameters.join("; ")
        };
        let parameters = if event.is_hidden && !event.parameters.is_empty() {
            format!("{}; the rest {hidden}", event.parameters.join("; "))
        } else {
            hidden
        };
        let mut facts = vec![
            (
                "service",
                event.other_service().unwrap_or_default().to_owned(),
            ),
            ("who", event.who.name()),
            ("from", event.source_address.clone()),
            ("node", nodes.join(", ")),
            ("document", event.document.clone()),
            ("reason", event.reason.clone()),
            ("parameters", parameters),
            ("session", event.session_id.clone()),
            self.transcript(event),
            ("command", event.command_id.clone()),
            ("account", event.account.clone()),
            ("region", event.region.clone()),
            ("time", self.time(&event.time)),
            ("error", event.error.clone()),
            ("message", event.error_message.clone()),
        ];
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    /// Returns what is known of the session that an event is about.
    fn known(&self, event: &Event) -> Option<&KnownSession> {
        let sessions = self.sessions.as_ref()?;
        sessions.of(&event.account, &event.region, &event.session_id)
    }

    /// Returns the addresses of the transcripts of a session.
    fn links(&self, event: &Event) -> Vec<(&'static str, String)> {
        let transcript = self.known(event).and_then(|one| one.transcript.as_ref());
        transcript.map_or_else(Vec::new, |transcript| {
            console::transcript(transcript, &event.region)
        })
    }

    /// Returns where the transcript of a session is, and what there is to say of it; null where nobody has looked.
    fn transcript_record(&self, event: &Event) -> Value {
        let (label, words) = self.transcript(event);
        let note = (!words.is_empty()).then(|| format!("{label}: {words}"));
        let links = self.links(event).into_iter();
        let links: Vec<Value> = links
            .map(|(place, url)| json!({ "place": place, "url": url }))
            .collect();
        match (links.is_empty(), &note) {
            (true, None) => Value::Null,
            _ => json!({ "links": links, "note": note }),
        }
    }

    /// Returns what there is to say of the transcript of a session, in words; nothing where all of it is there, or nobody has looked.
    fn transcript(&self, event: &Event) -> (&'static str, String) {
        let known = self.known(event);
        let is_session = !event.session_id.is_empty() && event.other_service().is_none();
        // A message without a word on it would look like that of a session with a transcript.
        if let (Some(sessions), None, true) = (&self.sessions, known, is_session) {
            let why = match sessions.gaps.is_empty() {
                true => "not among the sessions given",
                false => UNREAD_SESSIONS,
            };
            return ("transcript", format!("not known: {why}"));
        }
        let transcript = known.and_then(|known| known.transcript.as_ref());
        let message = transcript.and_then(|transcript| transcript.message.clone());
        let label = match transcript.is_some_and(|transcript| transcript.none.is_some()) {
            true => "no transcript",
            // A second copy may be missing, or something about it not be known.
            false => "transcript",
        };
        (label, message.unwrap_or_default())
    }

    fn node(&self, id: &str) -> String {
        match self.names.get(id) {
            Some(name) if !name.is_empty() => format!("{name} ({id})"),
            _ => match EcsTarget::parse(id) {
                Some(container) => format!("{container} ({id})"),
                None => id.to_owned(),
            },
        }
    }

    fn time(&self, text: &str) -> String {
        // What is not a time is shown as it came.
        let Ok(time) = text.parse::<jiff::Timestamp>() else {
            return text.to_owned();
        };
        time.to_zoned_datetime(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S %Z")
            .to_string()
    }
}

/// Says what happened in a few words.
fn title(event: &Event) -> String {
    // Slack takes no header without text. <https://docs.slack.dev/reference/block-kit/blocks/header-block>
    let unnamed = |text: &str| text.chars().all(|c| c.is_whitespace() || cli::is_hidden(c));
    if unnamed(&event.event) {
        return "a call without a name".to_owned();
    }
    match event.outcome {
        crate::records::record::Outcome::Denied => format!("DENIED: {}", event.event),
        crate::records::record::Outcome::Failed => format!("FAILED: {}", event.event),
        crate::records::record::Outcome::Allowed => event.event.clone(),
    }
}
