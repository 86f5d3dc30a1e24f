//! What a probe saw, and the record that it prints. Plain data without AWS types.

use records::Target;
use schemars::JsonSchema;
use serde::Serialize;

/// The `kind` of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProbeKind {
    /// The only value.
    Probe,
}

/// One session on one node, and whether its transcript is where the preferences send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// Always `probe`.
    pub(crate) kind: ProbeKind,
    /// Where the node is.
    pub(crate) target: Target,
    /// ID of the node.
    pub(crate) instance_id: String,
    /// What is proved.
    pub(crate) verdict: ProbeVerdict,
    /// The session; null when none was started.
    pub(crate) session_id: Option<String>,
    /// What was typed into it; null when nothing was.
    pub(crate) nonce: Option<String>,
    /// What became of the session, or why there is none.
    pub(crate) session: SessionState,
    /// Why, in the words of the agent, the plugin or AWS; null for a session that ran.
    pub(crate) reason: Option<String>,
    /// The document that AWS says the session was started with; null when it does not say.
    pub(crate) document: Option<String>,
    /// The version of the preferences whose destinations were looked at.
    pub(crate) document_version: Option<String>,
    /// ARN of the node's role; null when no record names it.
    pub(crate) role: Option<String>,
    /// The bucket.
    pub(crate) s3: Destination,
    /// The log group.
    pub(crate) logs: Destination,
    /// IDs of the findings that follow and may be the cause, the certain ones first.
    pub(crate) causes: Vec<String>,
}

/// What a probe proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProbeVerdict {
    /// What was typed is in every destination that the preferences name.
    Proved,
    /// It is not.
    NotProved,
    /// The session could not be opened, or a destination could not be read.
    Unknown,
}

/// What became of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    /// What was typed came back.
    Ran,
    /// The agent ended it before there was a shell.
    Refused,
    /// The plugin did not get as far as that.
    NotOpened,
    /// It was not asked for, as its transcript would go nowhere.
    NotStarted,
}

/// One place for transcripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    /// Whether the transcript is there.
    pub(crate) state: DestinationState,
    /// The bucket or log group; null when the preferences name none.
    pub(crate) container: Option<String>,
    /// Key of the object, or name of the log stream.
    pub(crate) name: Option<String>,
    /// What is there instead, or why that is not known.
    pub(crate) detail: Option<String>,
}

/// Whether a transcript is in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DestinationState {
    /// The preferences name no such place, so nothing was looked for.
    Off,
    /// It is there, with what was typed.
    Found,
    /// It is not.
    Missing,
    /// It could not be read.
    Unread,
    /// No session ran that could have left one.
    NotLookedFor,
}

/// Where the transcript of one session is to be, each a container and a name in it; `None` for a place that the preferences do
/// not name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) s3: Option<(String, String)>,
    pub(crate) logs: Option<(String, String)>,
}

impl Places {
    /// Returns whether transcripts go nowhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.s3.is_none() && self.logs.is_none()
    }
}

/// What one look into a destination shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Found,
    /// Not there, or without what was typed: in these words.
    Missing(&'static str),
    /// For this reason; whether it can change is for the one who looks to know.
    Unread(String),
}

/// What came of talking to the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conversation {
    /// What was typed came back.
    Ran,
    /// The agent's words.
    Refused(String),
    /// The plugin's words, or what it did not do.
    NotOpened(String),
}

/// What Systems Manager says of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ManagedNode {
    /// The role that Systems Manager gives it; `None` for one of an instance profile.
    pub(crate) iam_role: Option<String>,
    /// `Linux`, `Windows` or `MacOS`.
    pub(crate) platform: Option<String>,
}
