//! The `from` and `to` of every action: one place that says what part of the world an action reads and leaves.
//! `plan` fills them in with it and `apply` compares with it, so that the two cannot disagree.

use cli::Reading;
use records::Document;
use serde_json::{Value, json};

use crate::model::{Action, Bucket, Key, LogGroup, Observed};
use crate::session_document::normalized;

/// How names of buckets in the account-regional namespace end, and no others.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>
pub(crate) const ACCOUNT_REGIONAL: &str = "-an";
/// The ID of the lifecycle rule that this tool owns in a bucket; other rules are left alone.
pub(crate) const LIFECYCLE_RULE: &str = "ssm-session-logs-expiry";

/// Returns what is there now of the thing that an action changes; null when it is not there.
///
/// # Errors
/// The reading that could not be made.
pub(crate) fn current(
    action: Action,
    resource: &str,
    observed: &Observed,
) -> Result<Value, String> {
    match action {
        Action::PutObjectLegalHold => match observed.held.get(resource) {
            Some(held) => Ok(held
                .known()?
                .map_or(Value::Null, |held| json!({ "legal_hold": held }))),
            None => Ok(Value::Null),
        },
        Action::CreateKey => key(observed, |key| Ok(json!({ "arn": key.arn }))),
        Action::EnableKeyRotation | Action::DisableKeyRotation => key(observed, |key| {
            Ok(json!({ "rotation": key.rotation.known()? }))
        }),
        Action::PutKeyPolicy => key(observed, |key| Ok(json!({ "policy": key.policy.known()? }))),
        Action::CreateBucket => bucket(observed, |bucket| Ok(json!({ "region": bucket.region }))),
        Action::PutPublicAccessBlock => bucket(observed, |bucket| {
            Ok(json!(bucket.public_access_block.known()?))
        }),
        Action::PutBucketEncryption => {
            bucket(observed, |bucket| Ok(json!(bucket.encryption.known()?)))
        }
        Action::PutBucketVersioning => bucket(observed, |b| {
            Ok(json!({ "versioning": b.versioning.known()? }))
        }),
        Action::PutBucketPolicy | Action::DeleteBucketPolicy => bucket(observed, |bucket| {
            Ok(json!({ "policy": bucket.policy.known()? }))
        }),
        Action::PutBucketLifecycle => bucket(observed, |bucket| {
            let days = bucket
                .expirations
                .known()?
                .and_then(|rules| rules.get(LIFECYCLE_RULE).copied());
            Ok(json!({ "expire_days": days }))
        }),
        Action::PutObjectLockConfiguration => bucket(observed, |bucket| {
            let lock = bucket.object_lock.known()?;
            Ok(json!({ "retention": lock.and_then(|lock| lock.retention) }))
        }),
        Action::PutLogGroupDeletionProtection => log_group(
            observed,
            |group| json!({ "deletion_protection": group.deletion_protection }),
        ),
        Action::CreateLogGroup => log_group(observed, |group| json!({ "kms_key": group.kms_key })),
        Action::PutRetentionPolicy => log_group(
            observed,
            |group| json!({ "retention_days": group.retention_days }),
        ),
        Action::AssociateKmsKey => log_group(observed, |group| json!({ "kms_key": group.kms_key })),
        Action::CreateDocument | Action::UpdateDocument | Action::DeleteDocument => {
            match &observed.document {
                Reading::Present(document) => Ok(document_state(document)),
                Reading::Absent => Ok(Value::Null),
                Reading::Unknown(reason) => Err(reason.clone()),
            }
        }
    }
}

/// Returns whether the state that an action wants is the state that is there.
pub(crate) fn is_satisfied(action: Action, now: &Value, to: &Value, observed: &Observed) -> bool {
    match action {
        // Adopted rather than made a second time. One that is known to be another's, with another policy or without rotation, is not:
        // what may not be read is said by who reads it.
        Action::CreateKey => observed.key.present().is_some_and(|key| {
            let is_planned = |policy: &Value| *policy == to["policy"];
            key.rotation.present() != Some(&false) && key.policy.present().is_none_or(is_planned)
        }),
        Action::CreateBucket => !now.is_null(),
        Action::CreateDocument | Action::UpdateDocument => match &observed.document {
            Reading::Present(Document { default, latest }) => {
                default.version == latest.version
                    && normalized(&latest.content) == normalized(&to["content"])
            }
            _ => false,
        },
        Action::PutPublicAccessBlock
        | Action::PutBucketEncryption
        | Action::CreateLogGroup
        | Action::AssociateKmsKey => *now == resolve(to, observed),
        _ => now == to,
    }
}

/// Returns the state with the alias of the session key replaced by the key's ARN, once there is one.
///
/// A plan that creates the key cannot know its ARN, so it names the alias; AWS answers with the ARN.
pub(crate) fn resolve(to: &Value, observed: &Observed) -> Value {
    let mut resolved = to.clone();
    let by_alias = to["kms_key"]
        .as_str()
        .is_some_and(|key| key.starts_with("alias/"));
    if by_alias && let Some(key) = observed.key.present() {
        resolved["kms_key"] = json!(key.arn);
    }
    resolved
}

/// The content that is the default, and the other one when the latest version differs.
fn document_state(Document { default, latest }: &Document) -> Value {
    let mut state = json!({
        "default_version": default.version,
        "latest_version": latest.version,
        "content": default.content,
    });
    if latest.version != default.version {
        state["latest_content"] = latest.content.clone();
    }
    state
}

fn key(observed: &Observed, part: impl Fn(&Key) -> Result<Value, String>) -> Result<Value, String> {
    observed.key.known()?.map_or(Ok(Value::Null), part)
}

fn bucket(
    observed: &Observed,
    part: impl Fn(&Bucket) -> Result<Value, String>,
) -> Result<Value, String> {
    observed.bucket.known()?.map_or(Ok(Value::Null), part)
}

fn log_group(observed: &Observed, part: impl Fn(&LogGroup) -> Value) -> Result<Value, String> {
    Ok(observed.log_group.known()?.map_or(Value::Null, part))
}
