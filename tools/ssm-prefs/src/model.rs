//! What the user wants, what AWS has, and the changes between the two. Plain data without AWS types.

use std::collections::BTreeMap;

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The name that makes a Session document the preferences of its account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const DOCUMENT: &str = "SSM-SessionManagerRunShell";

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
    /// Minutes after which every session ends, 1 to 1440; AWS's default is no limit.
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

/// Tells a field that is `null` from one that is absent: the one turns off, the other keeps.
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
}

/// Transcripts in S3. `{account}` and `{region}` in the bucket name stand for those worked on.
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
    /// Creates the bucket when missing, and keeps its safeguards right.
    #[serde(default)]
    pub(crate) create: bool,
    /// Days after which transcripts expire; absent keeps them.
    #[serde(default)]
    pub(crate) expire_days: Option<i32>,
}

/// Transcripts in CloudWatch Logs. `{account}` and `{region}` in the name stand for those worked on.
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
}

fn yes() -> bool {
    true
}

/// The user that shells run as.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunAs {
    /// Used when the caller has no SSMSessionRunAs tag; empty lets only tagged callers in.
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
    #[serde(default)]
    pub(crate) linux: Option<String>,
    #[serde(default)]
    pub(crate) windows: Option<String>,
}

/// Everything that was read about one account and region.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) document: Reading<Document>,
    pub(crate) key: Reading<Key>,
    pub(crate) bucket: Reading<Bucket>,
    pub(crate) log_group: Reading<LogGroup>,
    pub(crate) trails: Reading<Vec<Trail>>,
    pub(crate) session_documents: Reading<Vec<SessionDocument>>,
}

/// The two versions that matter: the console shows the default one, sessions are reported to use the latest.
/// <https://github.com/aws/session-manager-plugin/issues/112>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) default: DocumentVersion,
    pub(crate) latest: DocumentVersion,
}

/// One version of the preferences document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentVersion {
    pub(crate) version: String,
    pub(crate) content: Value,
}

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, ..
    pub(crate) state: String,
    /// `SYMMETRIC_DEFAULT` or another key spec.
    pub(crate) spec: String,
    pub(crate) rotation: Reading<bool>,
    pub(crate) policy: Reading<Value>,
}

/// An S3 bucket's settings that matter here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bucket {
    pub(crate) region: String,
    pub(crate) encryption: Reading<Encryption>,
    pub(crate) versioning: Reading<bool>,
    pub(crate) public_access_block: Reading<PublicAccessBlock>,
    pub(crate) policy: Reading<Value>,
    /// Days to expiry by the id of the rule; only plain whole-bucket or prefix expirations are listed.
    pub(crate) expirations: Reading<BTreeMap<String, i32>>,
}

/// Default encryption of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub(crate) algorithm: String,
    pub(crate) kms_key: Option<String>,
}

impl Encryption {
    /// Returns whether a bucket key is made for it, which cuts calls of KMS.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>
    pub(crate) fn has_bucket_key(&self) -> bool {
        self.algorithm == "aws:kms"
    }
}

/// How a bucket encrypts what nodes upload, as the roles of nodes must know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BucketEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub(crate) algorithm: String,
    /// ARN of the customer managed key; null for SSE-S3 and for the AWS managed key `aws/s3`.
    pub(crate) kms_key: Option<String>,
    /// The alias by which the document names the same key for sessions; null when it does not.
    pub(crate) kms_alias: Option<String>,
    /// Whether an S3 Bucket Key is made, so that KMS sees the ARN of the bucket instead of that of the object.
    pub(crate) bucket_key: bool,
}

/// The four switches of Block Public Access.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicAccessBlock {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

/// A CloudWatch Logs log group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogGroup {
    pub(crate) arn: String,
    pub(crate) kms_key: Option<String>,
    pub(crate) retention_days: Option<i32>,
}

/// A CloudTrail trail that covers this region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trail {
    pub(crate) arn: String,
    pub(crate) logging: Reading<bool>,
    /// Whether write management events are recorded.
    pub(crate) management_events: Reading<bool>,
}

/// A Session document other than the preferences, which a session may be started with instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionDocument {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) content: Reading<Value>,
}

/// Every write this tool can make. The last three only undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    CreateKey,
    EnableKeyRotation,
    PutKeyPolicy,
    CreateBucket,
    PutPublicAccessBlock,
    PutBucketEncryption,
    PutBucketVersioning,
    PutBucketPolicy,
    PutBucketLifecycle,
    CreateLogGroup,
    PutRetentionPolicy,
    AssociateKmsKey,
    CreateDocument,
    UpdateDocument,
    DeleteDocument,
    DisableKeyRotation,
    DeleteBucketPolicy,
}

impl Action {
    /// Returns whether it is about the bucket of transcripts.
    pub(crate) fn is_of_bucket(self) -> bool {
        matches!(
            self,
            Action::CreateBucket
                | Action::PutPublicAccessBlock
                | Action::PutBucketEncryption
                | Action::PutBucketVersioning
                | Action::PutBucketPolicy
                | Action::DeleteBucketPolicy
                | Action::PutBucketLifecycle
        )
    }
}

/// The record that `show` prints.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreferencesRecord {
    pub(crate) kind: PreferencesKind,
    pub(crate) target: cli::Target,
    /// What is wrong between default and latest version; null when they agree.
    pub(crate) versions_differ: Option<String>,
    pub(crate) document: Reading<Document>,
    /// How each bucket that the document names is encrypted, by its name; the document does not say.
    #[serde(default)]
    pub(crate) bucket_encryption: BTreeMap<String, Reading<BucketEncryption>>,
    pub(crate) session_documents: Reading<Vec<SessionDocument>>,
}

/// The `kind` of a preferences record.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PreferencesKind {
    Preferences,
}
