//! What was read of one account and region. Plain data without AWS types.

use std::collections::BTreeMap;

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
