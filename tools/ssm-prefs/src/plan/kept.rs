//! What keeps transcripts from being removed: locks and holds in the bucket, and who may destroy the key.

use cli::Reading;
use serde_json::json;

use super::{PlanError, Planner};
use crate::model::{Action, Retention, RetentionMode, S3};
use crate::session_document;

impl Planner<'_> {
    /// Locks and holds transcripts in a bucket that is right for the rest.
    pub(super) fn keep(&mut self, name: &str, s3: &S3) -> Result<(), PlanError> {
        if let Some(retention) = s3.object_lock {
            self.object_lock(name, retention)?;
        }
        if !s3.legal_hold.is_empty() {
            self.needs_object_lock(name)?;
        }
        for object in session_document::held(s3, self.target) {
            if self
                .observed
                .held
                .get(&object)
                .is_none_or(|held| *held == Reading::Absent)
            {
                return Err(PlanError::NoTranscript { object });
            }
            let to = json!({ "legal_hold": true });
            let why = "the transcript is to be held until somebody releases it, however long it is locked";
            self.want(Action::PutObjectLegalHold, &object, to, why)?;
        }
        Ok(())
    }

    fn needs_object_lock(&self, bucket: &str) -> Result<(), PlanError> {
        let existing = self.observed.bucket.present();
        match existing.is_some_and(|existing| existing.object_lock == Reading::Absent) {
            true => Err(PlanError::NoObjectLock {
                bucket: bucket.to_owned(),
            }),
            false => Ok(()),
        }
    }

    fn object_lock(&mut self, bucket: &str, retention: Retention) -> Result<(), PlanError> {
        self.needs_object_lock(bucket)?;
        let around = match retention.mode {
            RetentionMode::Governance => "only s3:BypassGovernanceRetention gets around that",
            RetentionMode::Compliance => "nobody gets around that, not even the root user",
        };
        // https://github.com/aws/amazon-ssm-agent/issues/682
        let why = format!(
            "transcripts are to be locked for {} days from their upload on; {around}, and an undo changes only what is uploaded \
             later; ECS Exec cannot upload to such a bucket",
            retention.days
        );
        let to = json!({ "retention": retention });
        self.want(Action::PutObjectLockConfiguration, bucket, to, &why)
    }
}

/// Says who is left who can destroy a key, and who has to apply the plan: KMS refuses a policy after which the caller could not
/// change it again, <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>.
pub(super) fn administered(administrators: &[String]) -> String {
    format!(
        "only {} and the root user are to delete or disable the key or change its policy, so it takes one of them to apply and to \
         undo this",
        administrators.join(", ")
    )
}
