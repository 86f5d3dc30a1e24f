//! Lines of the files of a spool.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::addresses::Address;
use crate::records::digest::sha256;

/// A message that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queued {
    pub(crate) event_id: String,
    /// The name of the destination; empty for the webhook of the flags.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) destination: String,
    /// What names the URL for which it was queued; none where there is none, or it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Address>,
    /// What kind of destination it is made for; older versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    /// What it is about, where what is about the same is in one thread: account, Region and ID of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
    pub(crate) message: Box<RawValue>,
}

/// What names what a message says: a part of a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Content(String);

impl Content {
    pub(crate) fn of(queued: &Queued) -> Content {
        const DIGITS: usize = 16;
        let form = queued.form.map(Form::name).unwrap_or_default();
        let sha256 = sha256(&format!("{form} {}", queued.message.get()));
        Content(sha256.chars().take(DIGITS).collect())
    }
}

/// What is for a destination at an address.
pub(super) trait Addressed {
    /// Returns both, unless it is for none.
    fn to(&mut self) -> Option<(&str, &mut Option<Address>)>;
}

impl Addressed for Queued {
    fn to(&mut self) -> Option<(&str, &mut Option<Address>)> {
        Some((self.destination.as_str(), &mut self.address))
    }
}

impl Addressed for Delivery {
    fn to(&mut self) -> Option<(&str, &mut Option<Address>)> {
        let is_muted = self.status == DeliveryStatus::Muted;
        (!is_muted).then_some((self.destination.as_str(), &mut self.address))
    }
}

/// Who understands a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// A webhook or a bot of Slack.
    Slack,
    /// A URL.
    Json,
    /// A topic.
    Topic,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Form::Slack => "slack",
            Form::Json => "json",
            Form::Topic => "topic",
        }
    }
}

/// A line of the delivery log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) destination: String,
    /// As in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Address>,
    pub(crate) status: DeliveryStatus,
    pub(crate) time: String,
    /// Of a rejected message what it said: another one about the event may be taken. Older versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content>,
    /// Why it was rejected, muted or not made.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
    /// Written before it is queued: it is meant to arrive.
    Queued,
    /// No message could be made of it.
    Unsent,
    /// Written before the request leaves: after a crash nobody knows whether it was taken.
    Sending,
    Delivered,
    /// It was certainly not taken, by any attempt until now.
    Held,
    /// It will never be taken.
    Rejected,
    /// A rule sends it nowhere.
    Muted,
}

impl Delivery {
    /// Returns until when the destination was called, if the line is written when it is, or when it has answered. It has the second only,
    /// whose end it was at the latest.
    pub(super) fn called(&self) -> Option<Timestamp> {
        let is_of_a_call = match self.status {
            DeliveryStatus::Sending
            | DeliveryStatus::Held
            | DeliveryStatus::Delivered
            | DeliveryStatus::Rejected => true,
            DeliveryStatus::Queued | DeliveryStatus::Unsent | DeliveryStatus::Muted => false,
        };
        let time = is_of_a_call.then(|| self.time.parse::<Timestamp>().ok())??;
        time.checked_add(SignedDuration::from_secs(1)).ok()
    }
}
