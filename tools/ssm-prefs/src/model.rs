//! What is desired, what is there, and the actions between them. Plain data without AWS types.

mod action;
mod desired;
mod observed;

use std::collections::BTreeMap;

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::action::Action;
pub(crate) use self::desired::{CloudWatch, Desired, KmsKey, S3, Shell};
pub(crate) use self::observed::{
    Bucket, BucketEncryption, Document, DocumentVersion, Encryption, Key, LogGroup, Observed,
    PublicAccessBlock, SessionDocument, Trail,
};

/// The name that makes a Session document the preferences of its account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const DOCUMENT: &str = "SSM-SessionManagerRunShell";

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
