//! What was read of one account and region. Plain data without AWS types.

use std::collections::BTreeMap;

use records::{Document, Reading, SessionDocument};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::desired::Retention;

/// Everything that was read about one account and region.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) document: Reading<Document>,
    pub(crate) key: Reading<Key>,
    pub(crate) bucket: Reading<Bucket>,
    pub(crate) log_group: Reading<LogGroup>,
    /// The key that the bucket is encrypted with, where it is not that of the sessions.
    #[serde(default = "not_read")]
    pub(crate) bucket_key: Reading<Key>,
    /// The key that the log group is encrypted with, where it is not that of the sessions.
    #[serde(default = "not_read")]
    pub(crate) log_group_key: Reading<Key>,
    /// Whether they are held, by `BUCKET/KEY`: the transcripts that are to be.
    #[serde(default)]
    pub(crate) held: BTreeMap<String, Reading<bool>>,
    /// What the desired state says of a bucket of another account; null when it is this one's.
    #[serde(default)]
    pub(crate) archive: Option<Archive>,
    pub(crate) trails: Reading<Vec<Trail>>,
    pub(crate) session_documents: Reading<Vec<SessionDocument>>,
    /// What the account's own ones among them name, by the name of the document: keys, bucket and log group.
    #[serde(default)]
    pub(crate) behind_documents: BTreeMap<String, Observed>,
}

fn not_read() -> Reading<Key> {
    Reading::Unknown("it was not read".to_owned())
}

impl Observed {
    /// Returns what is known of a bucket that belongs to another account.
    pub(crate) fn archived(&self, bucket: &str) -> Option<&Archive> {
        self.archive.as_ref().filter(|known| known.bucket == bucket)
    }

    /// Returns the key of this ARN, wherever it was met.
    pub(crate) fn key_of<'o>(&'o self, arn: &str, other: &'o Reading<Key>) -> &'o Reading<Key> {
        match &self.key {
            Reading::Present(key) if key.arn == arn => &self.key,
            _ => other,
        }
    }
}

/// What is known of a bucket of another account without reading all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    pub(crate) bucket: String,
    pub(crate) account: String,
    /// ARN of its key, as the desired state has it.
    pub(crate) kms_key: Option<String>,
    /// What its owner lets this account read of it; absent when nothing was asked for.
    #[serde(default)]
    pub(crate) encryption: Reading<Encryption>,
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
    /// Days to expiry by the ID of the rule; only plain whole-bucket or prefix expirations are listed.
    pub(crate) expirations: Reading<BTreeMap<String, i32>>,
    /// Absent when the bucket has no Object Lock.
    #[serde(default)]
    pub(crate) object_lock: Reading<ObjectLock>,
}

/// Object Lock of a bucket that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectLock {
    /// What every new object gets; without it only those are locked that say so when they are uploaded.
    pub(crate) retention: Option<Retention>,
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

/// Returns whether a name is that of the AWS managed key, which is the account's own; S3 takes it where none is named.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
pub(crate) fn is_aws_managed(key: &str) -> bool {
    key == "alias/aws/s3" || key.ends_with(":alias/aws/s3")
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
    #[serde(default)]
    pub(crate) deletion_protection: bool,
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
