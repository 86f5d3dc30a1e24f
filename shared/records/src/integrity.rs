//! Whether the log files of CloudTrail are as it delivered them, hour by hour: what `ssm-events history --verify` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Target, Timestamp};

/// A period of a trail in one account and Region, most often an hour, and whether its log files are as CloudTrail delivered them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogIntegrity {
    /// Always `log_integrity`.
    pub kind: LogIntegrityKind,
    /// Account and Region of the log files; null for files whose names do not say it.
    pub target: Option<Target>,
    /// The trail that the digest names; null for log files that no digest names.
    pub trail: Option<String>,
    /// Begin of the period; null where nothing says it.
    pub from: Option<Timestamp>,
    /// End of the period; null where nothing says it.
    pub to: Option<Timestamp>,
    /// `proved` only if the digest and all log files that it names are.
    pub status: IntegrityStatus,
    /// The digest; null for a period that has none.
    pub digest: Option<VerifiedFile>,
    /// The log files that the digest names, or that no digest names.
    pub log_files: Vec<VerifiedFile>,
    /// Why the period is not proved; null when it is.
    pub message: Option<String>,
}

/// The `kind` of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogIntegrityKind {
    /// The only value.
    LogIntegrity,
}

/// What CloudTrail's signatures and hashes say, the best first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IntegrityStatus {
    /// As CloudTrail delivered it.
    Proved,
    /// It could not be checked: nothing is known.
    Unproved,
    /// CloudTrail delivered it, and it is not there.
    Missing,
    /// It differs from what CloudTrail delivered.
    Altered,
}

/// A log file, or a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedFile {
    /// The object or the file.
    pub file: String,
    /// What its hash, or its signature, says.
    pub status: IntegrityStatus,
    /// Why it is not proved; null when it is.
    pub message: Option<String>,
}
