//! The desired Session Manager preferences.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Desired Session Manager preferences. A field that is absent keeps what is live; `null` turns it off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desired {
    /// Encrypts the session stream between client and agent.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<KmsKey>")]
    pub(crate) kms_key: Option<Option<KmsKey>>,
    /// Uploads transcripts to S3 when a session ends.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<S3>")]
    pub(crate) s3: Option<Option<S3>>,
    /// Sends transcripts to CloudWatch Logs.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<CloudWatch>")]
    pub(crate) cloudwatch: Option<Option<CloudWatch>>,
    /// Minutes without input after which a session ends, 1 to 60; AWS's default is 20.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<u32>")]
    pub(crate) idle_timeout_minutes: Option<Option<u32>>,
    /// Minutes after which every session ends, 1 to 1440; AWS sets no limit by default.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<u32>")]
    pub(crate) max_duration_minutes: Option<Option<u32>>,
    /// Runs shells on Linux and macOS as a named user instead of ssm-user.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<RunAs>")]
    pub(crate) run_as: Option<Option<RunAs>>,
    /// The shell on Linux: `bash` starts /bin/bash where it exists, `sh` stays in /bin/sh.
    #[serde(default)]
    pub(crate) shell: Option<Shell>,
    /// Commands typed into the shell when a session starts.
    #[serde(default, deserialize_with = "mentioned")]
    #[schemars(with = "Option<ShellProfile>")]
    pub(crate) shell_profile: Option<Option<ShellProfile>>,
    /// Drops every live field that is not mentioned here, instead of keeping it.
    #[serde(default)]
    pub(crate) exact: bool,
}

/// Knows a field that is `null` from one that is absent: the one turns off, the other keeps.
fn mentioned<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The customer managed key of the sessions: exactly one of `alias` and `arn`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KmsKey {
    /// `alias/NAME` in the account and region worked on.
    #[serde(default)]
    pub(crate) alias: Option<String>,
    /// ARN of a key or alias, also of another account.
    #[serde(default)]
    pub(crate) arn: Option<String>,
    /// Creates the key and alias when missing, and keeps rotation and key policy right.
    #[serde(default)]
    pub(crate) create: bool,
    /// ARNs, with `*` and `?`, of those who may schedule the key's deletion, disable it or change its policy; the key policy
    /// denies it to everybody else but the root user. Needs `create`; absent leaves the policy as it is.
    #[serde(default)]
    pub(crate) administrators: Option<Vec<String>>,
}

/// Transcripts in S3. `{account}` and `{region}` in the bucket name are replaced by those worked on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    /// Bucket name.
    pub(crate) bucket: String,
    /// Key prefix without a slash at its ends.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Refuses sessions when the bucket is not encrypted.
    #[serde(default = "yes")]
    pub(crate) encrypted: bool,
    /// The account that the bucket belongs to, where it is not the one worked on: a bucket of a log archive, say. It is never
    /// changed; a plan prints the statements that its owner must add.
    #[serde(default)]
    pub(crate) account: Option<String>,
    /// ARN of the key that the bucket of another account is encrypted with, for it cannot be read before its owner lets it.
    #[serde(default)]
    pub(crate) kms_key: Option<String>,
    /// Creates the bucket when missing, and keeps its safeguards right.
    #[serde(default)]
    pub(crate) create: bool,
    /// Days after which transcripts expire; absent keeps them.
    #[serde(default)]
    pub(crate) expire_days: Option<i32>,
    /// Locks every transcript from its upload on. Needs `create`, and a bucket that is made with Object Lock or has it; absent
    /// leaves the bucket as it is.
    #[serde(default)]
    pub(crate) object_lock: Option<Retention>,
    /// IDs of the sessions whose transcripts are to be held until somebody releases them, however long they are locked. Needs
    /// `create` and a bucket with Object Lock; a hold is one of a transcript that exists, and one left out here is not released.
    #[serde(default)]
    pub(crate) legal_hold: Vec<String>,
}

/// How long a transcript can be neither overwritten nor deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    pub(crate) mode: RetentionMode,
    /// Days from the upload on, 1 to 36500 and not more than `expire_days`: expiry cannot remove what is locked.
    pub(crate) days: i32,
}

/// Who can shorten a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RetentionMode {
    /// Whoever may use s3:BypassGovernanceRetention.
    Governance,
    /// Nobody, the root user included.
    Compliance,
}

/// Transcripts in CloudWatch Logs. `{account}` and `{region}` in the name are replaced by those worked on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudWatch {
    /// Log group name.
    pub(crate) log_group: String,
    /// Refuses sessions when the log group has no key. Also the only switch that refuses them when it is missing.
    #[serde(default = "yes")]
    pub(crate) encrypted: bool,
    /// Sends lines while the session runs, instead of one text when it ends.
    #[serde(default = "yes")]
    pub(crate) streaming: bool,
    /// Creates the log group when missing, and keeps its key and retention right.
    #[serde(default)]
    pub(crate) create: bool,
    /// Days that events are kept; absent leaves it as it is.
    #[serde(default)]
    pub(crate) retention_days: Option<i32>,
    /// Refuses to delete the log group until the protection is turned off. Needs `create`; absent leaves it as it is.
    #[serde(default)]
    pub(crate) deletion_protection: Option<bool>,
}

fn yes() -> bool {
    true
}

/// The user that shells run as.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunAs {
    /// Used when the caller has no SSMSessionRunAs tag. It must exist on the nodes.
    #[serde(default)]
    pub(crate) user: String,
}

/// A shell on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shell {
    Bash,
    Sh,
}

/// Commands typed into the shell, by platform.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShellProfile {
    /// On Linux and macOS.
    #[serde(default)]
    pub(crate) linux: Option<String>,
    /// On Windows, in PowerShell.
    #[serde(default)]
    pub(crate) windows: Option<String>,
}
