//! Session Manager preferences of an account and region: what `ssm-prefs show` prints.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reading::Reading;
use crate::target::Target;

/// The record that `show` prints.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Preferences {
    /// Always `preferences`.
    pub kind: PreferencesKind,
    /// Where they are in force.
    pub target: Target,
    /// What is wrong between default and latest version; null when they agree.
    pub versions_differ: Option<String>,
    /// The document.
    pub document: Reading<Document>,
    /// How each bucket that the document names is encrypted, by its name; the document does not say.
    #[serde(default)]
    pub bucket_encryption: BTreeMap<String, Reading<BucketEncryption>>,
    /// ARN of each key that the document names for sessions, by that name.
    #[serde(default)]
    pub session_keys: BTreeMap<String, Reading<String>>,
    /// The policies of the keys of sessions and of buckets, by ARN.
    #[serde(default)]
    pub key_policies: BTreeMap<String, Reading<Value>>,
    /// The policy of each bucket that the document names, by its name; absent for one that has none.
    #[serde(default)]
    pub bucket_policies: BTreeMap<String, Reading<Value>>,
    /// Those of the buckets that are known to belong to another account, where a role needs s3:PutObjectAcl as well.
    #[serde(default)]
    pub buckets_of_others: BTreeSet<String>,
    /// The account's other Session documents.
    #[serde(default)]
    pub session_documents: Reading<Vec<SessionDocument>>,
}

/// The `kind` of a preferences record.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferencesKind {
    /// The only value.
    Preferences,
}

/// The two versions that matter: the console shows the default one, sessions are reported to use the latest.
/// <https://github.com/aws/session-manager-plugin/issues/112>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The default version.
    pub default: DocumentVersion,
    /// The latest version.
    pub latest: DocumentVersion,
}

/// One version of the preferences document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentVersion {
    /// Its number, as text.
    pub version: String,
    /// The document itself.
    pub content: Value,
}

/// How a bucket encrypts what nodes upload, as the roles of nodes must know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// ARN of the customer managed key; null for SSE-S3 and for the AWS managed key `aws/s3`.
    pub kms_key: Option<String>,
    /// The alias by which the document names the same key for sessions; null when it does not.
    pub kms_alias: Option<String>,
    /// Whether an S3 Bucket Key is made, so that KMS sees the ARN of the bucket instead of that of the object.
    pub bucket_key: bool,
}

/// A Session document other than the preferences, which a session may be started with instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionDocument {
    /// Its name.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// The document itself.
    pub content: Reading<Value>,
}
