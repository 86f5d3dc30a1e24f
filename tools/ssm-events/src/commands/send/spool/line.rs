//! Lines of the files of a spool.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::addresses::Address;

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
    /// It was certainly not taken, and waits.
    Held,
    /// It will never be taken.
    Rejected,
    /// A rule sends it nowhere.
    Muted,
}
