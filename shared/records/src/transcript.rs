//! How a session ended and where its transcript is, or why there is none: what `ssm-events sessions` adds to a session.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a session ended, as far as AWS says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// It has not ended.
    Open,
    /// Somebody called `TerminateSession`.
    Terminated,
    /// It lasted as long as its document allows.
    MaxDuration,
    /// Its user left it, or it was idle too long. AWS records neither.
    Closed,
    /// It failed to start.
    Failed,
    /// It is not known whether it has ended.
    Unknown,
}

/// Where the transcript of a session is, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// The object in the bucket; null when there is none.
    pub s3: Option<TranscriptObject>,
    /// The log stream; null when there is none.
    pub log_stream: Option<TranscriptStream>,
    /// Size of the object; CloudWatch Logs does not say that of a log stream.
    pub bytes: Option<u64>,
    /// Whether every copy is encrypted as preferences can demand it: the object at all, the log group with a KMS key. Null where
    /// that was not read.
    pub encrypted: Option<bool>,
    /// Why there is none; null when there is one.
    pub none: Option<NoTranscript>,
    /// Where one should be as well and is not: `s3://BUCKET/PREFIX/`, or a log group.
    pub missing_in: Vec<String>,
    /// What is missing, or could not be read, in words; null where nothing is. Also there for a session that has a transcript.
    pub message: Option<String>,
}

/// A transcript in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TranscriptObject {
    /// The bucket; null when a saved list of its objects does not name it.
    pub bucket: Option<String>,
    /// The key.
    pub key: String,
}

/// A transcript in a log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TranscriptStream {
    /// The log group; null when a saved list of its streams does not name it.
    pub log_group: Option<String>,
    /// The log stream.
    pub name: String,
}

/// Why a session has no transcript.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NoTranscript {
    /// Port forwarding: AWS logs none.
    Port,
    /// SSH: AWS sees encrypted bytes alone.
    Ssh,
    /// ECS Exec logs as the cluster is set up, not by Session Manager's preferences.
    Container,
    /// It failed to start.
    NotStarted,
    /// The preferences, or the document that it was started with, name neither bucket nor log group, or there were no preferences.
    PreferencesOff,
    /// It ended a moment ago: the transcript may still be on its way.
    TooRecent,
    /// It has not ended: the transcript is uploaded at the end.
    StillOpen,
    /// There should be one: the upload failed, or the transcript was removed. One without a byte or an event is none.
    UploadFailed,
    /// Something that it takes to know could not be read.
    Unread,
}
