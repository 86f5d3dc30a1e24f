//! The writes that a plan may hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    PutObjectLockConfiguration,
    PutObjectLegalHold,
    CreateLogGroup,
    PutRetentionPolicy,
    PutLogGroupDeletionProtection,
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
                | Action::PutObjectLockConfiguration
        )
    }

    /// Returns whether it is about the log group.
    pub(crate) fn is_of_log_group(self) -> bool {
        matches!(
            self,
            Action::CreateLogGroup
                | Action::PutRetentionPolicy
                | Action::PutLogGroupDeletionProtection
                | Action::AssociateKmsKey
        )
    }
}
