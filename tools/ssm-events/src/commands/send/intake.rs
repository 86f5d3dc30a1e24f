//! What is read becomes messages: for the one destination of the flags, or for those that the routes name for each record.

use std::collections::BTreeMap;

use anyhow::Context;
use cli::{IoArgs, Outcome, Output};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::destinations::Format;
use super::engine::Incoming;
use super::https::NO_OBJECT;
use super::spool::Queued;
use crate::records::format::{self, Marks, MessageRenderer, digest};
use crate::records::record::Event;
use crate::records::source::{self, LeftOut};
use crate::routing::{Routes, Subject};

/// How messages are made.
pub(super) struct Intake {
    pub(super) routes: Option<Routes>,
    /// By the name of the destination.
    pub(super) formats: Vec<(String, Format)>,
    pub(super) renderer: MessageRenderer,
}

/// What is to be said at the end.
#[derive(Debug, Default)]
pub(super) struct ReadAll {
    pub(super) left_out: LeftOut,
    /// By rule: its reason, and how many records it muted.
    muted: BTreeMap<String, (String, usize)>,
    /// Whether something could not be made into a message.
    is_unsent: bool,
}

impl ReadAll {
    /// Says what could not be read, how many records were sent nowhere, and by which rule. Returns trouble where something is missing.
    pub(super) fn end(&self, out: &Output, outcome: Outcome) -> Outcome {
        for (rule, (reason, n_muted)) in &self.muted {
            let records = cli::count(*n_muted, "record");
            out.note(&format!("{records} muted by rule '{rule}': {reason}"));
        }
        match (self.left_out.end(out, outcome), self.is_unsent) {
            (Outcome::Fine, true) => Outcome::Trouble,
            (outcome, _) => outcome,
        }
    }

    /// Says at once that something is not sent: more may come for days.
    fn unsent(&mut self, what: &str, why: &str) {
        self.is_unsent = true;
        cli::print_error(crate::TOOL, &format!("{what} is not sent: {why}"));
    }
}

impl Intake {
    /// Reads all of the input.
    ///
    /// # Errors
    /// The input, or that nobody takes the messages any more.
    pub(super) fn read(
        &self,
        io: &IoArgs,
        sender: &mpsc::Sender<Vec<Incoming>>,
    ) -> anyhow::Result<ReadAll> {
        let mut read = ReadAll::default();
        let mut left_out = LeftOut::default();
        source::objects(io, &mut left_out, |object, left_out| {
            let Some(value) = left_out.value(object)? else {
                return Ok(());
            };
            let mut batch = Vec::new();
            if is_message(&value) {
                self.ready(&value, &mut read, &mut batch)?;
            } else {
                for record in left_out.unwrapped(value) {
                    self.record(&record, &mut read, &mut batch)?;
                }
            }
            if sender.blocking_send(batch).is_err() {
                return Err(anyhow::anyhow!("stopped").into());
            }
            Ok(())
        })?;
        if let Some(sessions) = &self.renderer.style.sessions {
            left_out.sessions_unread(&sessions.gaps);
        }
        read.left_out = left_out;
        Ok(read)
    }

    /// Queues what is a message of Slack already. Only Slack understands it, and no rule can be asked about it.
    fn ready(
        &self,
        message: &Value,
        read: &mut ReadAll,
        batch: &mut Vec<Incoming>,
    ) -> anyhow::Result<()> {
        let event_id = id_of(message).unwrap_or_else(|| digest(message));
        let is_default = |name: &String| match &self.routes {
            Some(routes) => routes.default.contains(name),
            None => true,
        };
        let to = self.formats.iter().filter(|(name, _)| is_default(name));
        let to = to.filter(|(_, format)| matches!(format, Format::Slack { .. }));
        let before = batch.len();
        for (name, format) in to {
            batch.push(queued(&event_id, (name, format), None, message)?);
        }
        if batch.len() == before {
            let why = "it is one of Slack, and there is no such destination";
            read.unsent(&format!("the message {event_id}"), why);
        }
        Ok(())
    }

    fn record(
        &self,
        record: &Value,
        read: &mut ReadAll,
        batch: &mut Vec<Incoming>,
    ) -> anyhow::Result<()> {
        let event = Event::of(record);
        let mut marks = Marks::of(&event, self.renderer.style.reason_pattern.as_ref());
        let Some(routes) = &self.routes else {
            let all = self.formats.iter();
            all.for_each(|to| self.made(to, record, &event, &marks, (&mut *read, &mut *batch)));
            return Ok(());
        };
        let subject = Subject {
            record,
            event: &event,
            today: cli::today(),
        };
        let decision = routes.decide(&subject);
        if let (Some(rule), Some(mute)) = (decision.rule, decision.mute()) {
            let entry = read.muted.entry(rule.name.clone());
            entry.or_insert_with(|| (mute.reason.clone(), 0)).1 += 1;
            let event_id = match event.event_id.as_str() {
                "" => digest(record),
                id => id.to_owned(),
            };
            let why = format!("rule '{}': {}", rule.name, mute.reason);
            batch.push(Incoming::Muted { event_id, why });
            return Ok(());
        }
        marks.severity = decision.severity;
        marks.is_break_glass = decision.is_break_glass;
        for name in decision.to {
            let format = self.formats.iter().find(|(other, _)| other == name);
            let to = format.with_context(|| format!("no destination '{name}'"))?;
            self.made(to, record, &event, &marks, (&mut *read, &mut *batch));
        }
        Ok(())
    }

    /// Queues the messages about a record for one destination. A filter that fails on it holds up neither other destinations nor
    /// later records.
    fn made(
        &self,
        (name, format): &(String, Format),
        record: &Value,
        event: &Event,
        marks: &Marks,
        (read, batch): (&mut ReadAll, &mut Vec<Incoming>),
    ) {
        let made = self.messages(name, format, record, event, marks);
        match made {
            Ok(messages) => batch.extend(messages),
            Err(error) => {
                let to = match self.routes {
                    Some(_) => format!(" for {name}"),
                    None => String::new(),
                };
                let what = format!("event {}{to}", event.event_id);
                let why = format!("{error:#}");
                read.unsent(&what, &why);
                batch.push(Incoming::Unsent {
                    event_id: event.event_id.clone(),
                    destination: name.to_owned(),
                    why,
                });
            }
        }
    }

    fn messages(
        &self,
        name: &str,
        format: &Format,
        record: &Value,
        event: &Event,
        marks: &Marks,
    ) -> anyhow::Result<Vec<Incoming>> {
        let renderer = &self.renderer;
        let messages = match format {
            Format::Slack { .. } => renderer.made(event, record, marks)?,
            Format::Json { own, .. } => {
                let template = own.as_ref().or(renderer.template.as_ref());
                let template = template.context("--url needs --jq-file")?;
                template.messages(&renderer.style.template_input(event, record, marks))?
            }
            Format::Topic => {
                let subject = renderer.style.subject(event, marks);
                let bodies = match &renderer.template {
                    Some(template) if self.routes.is_none() => {
                        template.messages(&renderer.style.template_input(event, record, marks))?
                    }
                    _ => vec![renderer.style.notification(event, marks)],
                };
                let bodies = bodies.into_iter();
                let wrapped = bodies.map(|body| json!({ "subject": subject, "message": body }));
                wrapped.collect()
            }
        };
        // A filter that leaves records out would make them look as if they had arrived: rules do that, and are counted.
        anyhow::ensure!(!messages.is_empty(), "the jq filter yields nothing");
        if let Format::Json { has_fields, .. } = format {
            let is_good = |message: &Value| !has_fields || message.is_object();
            anyhow::ensure!(messages.iter().all(is_good), NO_OBJECT);
        }
        let thread = match format {
            Format::Slack { has_threads: true } => session(event),
            _ => None,
        };
        let numbered = messages.into_iter().enumerate();
        numbered
            .map(|(index, message)| {
                let id = format::message_id(event, index, &message);
                queued(&id, (name, format), thread.clone(), &message)
            })
            .collect()
    }
}

fn queued(
    event_id: &str,
    (destination, format): (&str, &Format),
    thread: Option<String>,
    message: &Value,
) -> anyhow::Result<Incoming> {
    Ok(Incoming::Message(Queued {
        event_id: event_id.to_owned(),
        destination: destination.to_owned(),
        address: None,
        form: Some(format.form()),
        thread,
        message: serde_json::value::to_raw_value(message)?,
    }))
}

/// Returns what names the session that an event is about; an ID is unique in an account and Region.
fn session(event: &Event) -> Option<String> {
    let id = Some(&event.session_id).filter(|id| !id.is_empty())?;
    Some(format!("{}/{}/{id}", event.account, event.region))
}

/// Returns whether a value is a message for a webhook already.
fn is_message(value: &Value) -> bool {
    let names = ["text", "blocks", "attachments"];
    value.is_object()
        && names.iter().any(|name| !value[*name].is_null())
        && value["eventSource"].is_null()
        && value["detail"].is_null()
}

/// `format` puts the event's ID into the `block_id` of a message.
fn id_of(message: &Value) -> Option<String> {
    let attached = message["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|attachment| &attachment["blocks"]);
    let blocks = attached
        .chain([&message["blocks"]])
        .filter_map(Value::as_array)
        .flatten();
    let mut ids = blocks.filter_map(|block| {
        block["block_id"]
            .as_str()?
            .strip_prefix(crate::records::format::BLOCK_ID)
    });
    ids.next().map(str::to_owned)
}
