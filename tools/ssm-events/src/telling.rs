//! The verb `format`: from whatever holds records to what is told of them.

use serde_json::Value;
use toolio::{IoArgs, Outcome, Output};

use crate::arguments::Template;
use crate::format::{CSV_HEADER, Style, To};
use crate::record::{self, Event};
use crate::{secrets, source, webhook};

/// How events become messages.
pub(crate) struct Telling {
    pub(crate) style: Style,
    pub(crate) template: Option<Template>,
}

impl Telling {
    /// Returns the messages about the records in a value, each with the id that keeps it from being sent twice.
    ///
    /// # Errors
    /// The template fails.
    pub(crate) fn messages(&self, mut value: Value) -> anyhow::Result<Vec<(String, Value)>> {
        secrets::strip(&mut value);
        let mut messages = Vec::new();
        for record in record::unwrap(value).events {
            let event = Event::of(&record);
            for (index, message) in self.made(&event, &record)?.into_iter().enumerate() {
                let id = match (event.event_id.as_str(), index) {
                    ("", _) => digest(&message),
                    (id, 0) => id.to_owned(),
                    (id, index) => format!("{id}/{index}"),
                };
                messages.push((id, message));
            }
        }
        Ok(messages)
    }

    fn made(&self, event: &Event, record: &Value) -> anyhow::Result<Vec<Value>> {
        match &self.template {
            None => Ok(vec![self.style.slack(event, record)]),
            Some(template) => template.messages(&self.style.template_input(event, record)),
        }
    }
}

/// A message without an event is known by what it says.
pub(crate) fn digest(message: &Value) -> String {
    format!("sha256-{}", webhook::sha256(&message.to_string()))
}

/// Prints every record of the input.
///
/// # Errors
/// The input is damaged, or holds objects and no record at all: then it is the wrong input.
pub(crate) fn run(
    io: &IoArgs,
    out: &Output,
    to: Option<To>,
    telling: &Telling,
) -> anyhow::Result<Outcome> {
    if to == Some(To::Csv) {
        out.write_text(CSV_HEADER)?;
    }
    let mut n_events = 0;
    let n_others = source::records(io, "events", |record, event| {
        n_events += 1;
        match to {
            None | Some(To::Slack) => {
                let mut messages = telling.made(event, record)?.into_iter();
                messages.try_for_each(|message| out.write(&message))
            }
            Some(To::Text) => out.write_text(&telling.style.text(event)),
            Some(To::Csv) => out.write_text(&telling.style.csv(event)?),
            Some(To::Ocsf) => out.write(&telling.style.ocsf(event)),
        }
    })?;
    if n_events == 0 && n_others > 0 {
        anyhow::bail!(
            "read events: no CloudTrail record, EventBridge event or log file among {n_others} objects"
        );
    }
    source::note_others(out, n_others);
    Ok(Outcome::Fine)
}
