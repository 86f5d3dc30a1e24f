//! What is printed of CloudTrail's records: sessions, commands and refused calls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SessionEnd, Target, Transcript};

/// A session on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedSession {
    /// Always `session`.
    pub kind: RecordedSessionKind,
    /// Account and Region; null where the record has neither.
    pub target: Option<Target>,
    /// As Systems Manager calls it; unique in a Region.
    pub session_id: String,
    /// ARN of the user or role.
    pub principal: String,
    /// Name of the role session.
    pub session_name: Option<String>,
    /// Whether the caller had signed in with a second factor.
    pub mfa: Option<bool>,
    /// IP address, or the AWS service that called.
    pub source_address: Option<String>,
    /// ID of the node.
    pub node: Option<String>,
    /// Its Name tag, where it is known.
    pub node_name: Option<String>,
    /// Session document; none is the account's preferences.
    pub document: Option<String>,
    /// As its user gave it.
    pub reason: Option<String>,
    /// Null when it began before the first record.
    pub started: Option<String>,
    /// When it was taken up again.
    pub resumed: Vec<String>,
    /// Null when no end is recorded.
    pub ended: Option<String>,
    /// From start to end, in seconds.
    pub duration_seconds: Option<i64>,
    /// `eventID` of the record.
    pub event_id: String,
    /// The name of who began it, as people know it: of an IAM Identity Center user, a role session, or a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_it_ended: Option<SessionEnd>,
    /// ARN of the user or role that ended it by `TerminateSession`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Its transcript, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
}

/// The `kind` of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedSessionKind {
    /// The only value.
    #[default]
    Session,
}

/// A command that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedCommand {
    /// Always `command`.
    pub kind: RecordedCommandKind,
    /// Account and Region; null where the record has neither.
    pub target: Option<Target>,
    /// As Systems Manager calls it.
    pub command_id: Option<String>,
    /// ARN of the user or role.
    pub principal: String,
    /// Name of the role session.
    pub session_name: Option<String>,
    /// IDs, or what they were chosen by: `tag:Name=web`.
    pub nodes: Vec<String>,
    /// Name tags by ID, of nodes whose name is known.
    #[serde(default)]
    pub node_names: BTreeMap<String, String>,
    /// The document that runs.
    pub document: Option<String>,
    /// When it was called.
    pub time: String,
    /// As its user gave it.
    pub comment: Option<String>,
    /// `eventID` of the record.
    pub event_id: String,
}

/// The `kind` of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedCommandKind {
    /// The only value.
    Command,
}

/// A call that was denied or failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedCall {
    /// Always `refused`.
    pub kind: RefusedCallKind,
    /// Account and Region; null where the record has neither.
    pub target: Option<Target>,
    /// Name of the call, such as `StartSession`.
    pub event: String,
    /// Service that was called, such as `ssm` or `athena`: calls of several services have the same name.
    pub service: Option<String>,
    /// Denied for want of permission; else it failed.
    pub denied: bool,
    /// `errorCode` of the record.
    pub error: String,
    /// `errorMessage` of the record.
    pub message: Option<String>,
    /// ARN of the user or role.
    pub principal: String,
    /// Name of the role session.
    pub session_name: Option<String>,
    /// IP address, or the AWS service that called.
    pub source_address: Option<String>,
    /// ID of the node.
    pub node: Option<String>,
    /// Its Name tag, where it is known.
    #[serde(default)]
    pub node_name: Option<String>,
    /// When it was called.
    pub time: String,
    /// `eventID` of the record.
    pub event_id: String,
}

/// The `kind` of a refused call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCallKind {
    /// The only value.
    Refused,
}
