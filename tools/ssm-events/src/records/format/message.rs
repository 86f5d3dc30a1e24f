//! Messages about records: as this tool makes them, or as a user's own jq filter does.

use std::path::Path;

use anyhow::Context;
use cli::Filter;
use serde_json::Value;

use super::{Marks, Style};
use crate::records::digest::sha256;
use crate::records::record::Event;
use crate::records::source::LeftOut;

/// How events become messages.
pub(crate) struct MessageRenderer {
    pub(crate) style: Style,
    pub(crate) template: Option<Template>,
}

impl MessageRenderer {
    /// Returns the messages about the records in a value, each with the ID that keeps it from being sent twice.
    ///
    /// # Errors
    /// The template fails.
    pub(crate) fn messages(
        &self,
        value: Value,
        left_out: &mut LeftOut,
    ) -> anyhow::Result<Vec<(String, Value)>> {
        let mut messages = Vec::new();
        for record in left_out.unwrapped(value) {
            let event = Event::of(&record);
            let marks = Marks::of(&event, self.style.reason_pattern.as_ref());
            let made = self.made(&event, &record, &marks)?.into_iter();
            messages.extend(
                made.enumerate()
                    .map(|(index, message)| (message_id(&event, index, &message), message)),
            );
        }
        Ok(messages)
    }

    /// Returns the messages about one record.
    ///
    /// # Errors
    /// The template fails.
    pub(crate) fn made(
        &self,
        event: &Event,
        record: &Value,
        marks: &Marks,
    ) -> anyhow::Result<Vec<Value>> {
        match &self.template {
            None => Ok(vec![self.style.slack(event, record, marks)]),
            Some(template) => template.messages(&self.style.template_input(event, record, marks)),
        }
    }
}

/// Returns what keeps the messages about an event from being sent twice, each its own.
pub(crate) fn message_id(event: &Event, index: usize, message: &Value) -> String {
    match (event.event_id.as_str(), index) {
        ("", _) => digest(message),
        (id, 0) => id.to_owned(),
        (id, index) => format!("{id}/{index}"),
    }
}

/// A message without an event is known by what it says.
pub(crate) fn digest(message: &Value) -> String {
    format!("sha256-{}", sha256(&message.to_string()))
}

/// A user's own jq filter from an event to messages.
pub(crate) struct Template(Filter);

impl Template {
    /// Reads the filter from a file.
    ///
    /// # Errors
    /// The file cannot be read, or jq does not understand it.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Template> {
        let action = || format!("read the template from {}", path.display());
        let code = std::fs::read_to_string(path).with_context(action)?;
        Ok(Template(Filter::compile(&code).with_context(action)?))
    }

    /// Returns the messages that the filter yields.
    ///
    /// # Errors
    /// The filter fails on this event.
    pub(crate) fn messages(&self, input: &Value) -> anyhow::Result<Vec<Value>> {
        let mut messages = Vec::new();
        self.0.run(&input.to_string(), |yielded| {
            messages.push(serde_json::from_str(&yielded.json())?);
            Ok(())
        })?;
        Ok(messages)
    }
}
