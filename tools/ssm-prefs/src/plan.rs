//! From desired and observed state to the changes between them, in the order in which they must be made:
//! key, bucket, log group, and last the document that makes sessions use them.

mod foresight;
mod kept;

use cli::{Change, Reading, Target};
use serde_json::{Value, json};

use self::kept::administered;
use crate::model::{
    Action, Bucket, CloudWatch, DOCUMENT, Desired, Encryption, KmsKey, Observed, PublicAccessBlock,
    S3,
};
use crate::session_document::{self, expand, key_reference, normalized};
use crate::{policies, resource_state};

pub(crate) use self::foresight::after;

/// Why no plan can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// A guess in place of this reading could overwrite what somebody else set.
    #[error("{what} could not be read: {reason}")]
    Unreadable { what: String, reason: String },
    /// The bucket of another region or account cannot be put right from here.
    #[error(
        "bucket {bucket} is in {found}, sessions of {wanted} need one there: choose another name, {{region}} helps"
    )]
    BucketElsewhere {
        bucket: String,
        found: String,
        wanted: String,
    },
    /// Enabling it cannot be taken back, so that it is for somebody to decide.
    #[error(
        "bucket {bucket} has no Object Lock, and to enable it cannot be undone: do so with versioning on by `aws s3api \
         put-object-lock-configuration --bucket {bucket} --object-lock-configuration ObjectLockEnabled=Enabled`, name \
         another bucket, or leave object_lock and legal_hold out"
    )]
    NoObjectLock { bucket: String },
    /// A hold of what is not there would be taken for one that holds.
    #[error(
        "transcript {object} does not exist, so that it cannot be held: name it in a layer for the account and region of the \
         session, once the session has ended"
    )]
    NoTranscript { object: String },
}

/// Returns the changes that lead from what is observed to what is desired; none when nothing differs.
pub(crate) fn plan(
    desired: &Desired,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Result<Vec<Change<Action>>, PlanError> {
    let mut plan = Planner {
        observed,
        target,
        partition,
        changes: Vec::new(),
    };
    let key = desired.kms_key.as_ref().and_then(Option::as_ref);
    let logs = desired.cloudwatch.as_ref().and_then(Option::as_ref);
    if let Some(key) = key.filter(|key| key.create) {
        plan.key(key, logs)?;
    }
    if let Some(Some(s3)) = &desired.s3
        && s3.create
    {
        plan.bucket(s3, key)?;
    }
    if let Some(logs) = logs.filter(|logs| logs.create) {
        plan.log_group(logs, key)?;
    }
    plan.document(desired)?;
    Ok(plan.changes)
}

struct Planner<'a> {
    observed: &'a Observed,
    target: &'a Target,
    partition: &'a str,
    changes: Vec<Change<Action>>,
}

impl Planner<'_> {
    /// Adds a change unless the state it leads to is there already.
    fn want(
        &mut self,
        action: Action,
        resource: &str,
        to: Value,
        why: &str,
    ) -> Result<(), PlanError> {
        let from = resource_state::current(action, resource, self.observed).map_err(|reason| {
            PlanError::Unreadable {
                what: resource.to_owned(),
                reason,
            }
        })?;
        if !resource_state::is_satisfied(action, &from, &to, self.observed) {
            let id = format!("{}:{resource}", json!(action).as_str().unwrap_or_default());
            self.changes.push(Change {
                id,
                action,
                resource: resource.to_owned(),
                from,
                to,
                why: why.to_owned(),
            });
        }
        Ok(())
    }

    fn key(&mut self, key: &KmsKey, logs: Option<&CloudWatch>) -> Result<(), PlanError> {
        let alias = key_reference(key);
        let log_group = logs
            .filter(|logs| logs.encrypted)
            .map(|logs| expand(&logs.log_group, Some(self.target)));
        let named = key.administrators.as_deref().map(|named| {
            let expanded = named.iter().map(|name| expand(name, Some(self.target)));
            expanded.collect::<Vec<_>>()
        });
        let named = named.as_deref();
        match &self.observed.key {
            Reading::Unknown(reason) => Err(PlanError::Unreadable {
                what: alias,
                reason: reason.clone(),
            }),
            Reading::Absent => {
                let policy =
                    policies::key_policy(self.partition, self.target, log_group.as_deref(), named);
                let to = json!({ "alias": alias, "rotation": true, "policy": policy });
                let mut why = "encrypt sessions with a dedicated key".to_owned();
                if let Some(named) = named {
                    why = format!("{why}; {}", administered(named));
                }
                self.want(Action::CreateKey, &alias, to, &why)
            }
            Reading::Present(existing) => {
                let to = json!({ "rotation": true });
                self.want(
                    Action::EnableKeyRotation,
                    &alias,
                    to,
                    "the key does not rotate",
                )?;
                if log_group.is_none() && named.is_none() {
                    return Ok(());
                }
                let mut policy = existing.policy.present().cloned().unwrap_or(Value::Null);
                if let Reading::Unknown(reason) = &existing.policy {
                    return Err(PlanError::Unreadable {
                        what: format!("policy of {alias}"),
                        reason: reason.clone(),
                    });
                }
                let (partition, target) = (self.partition, self.target);
                let mut why = Vec::new();
                if let Some(log_group) = &log_group
                    && let Some(changed) =
                        policies::with_logs_statement(&policy, partition, target, log_group)
                {
                    policy = changed;
                    why.push("CloudWatch Logs may not use the key for the log group".to_owned());
                }
                if let Some(named) = named
                    && let Some(changed) =
                        policies::with_administrators(&policy, partition, target, named)
                {
                    policy = changed;
                    why.push(administered(named));
                }
                if why.is_empty() {
                    return Ok(());
                }
                let to = json!({ "policy": policy });
                self.want(Action::PutKeyPolicy, &alias, to, &why.join("; "))
            }
        }
    }

    /// Returns the key's ARN, or its alias while the key is still to be created.
    fn key_arn(&self, key: &KmsKey) -> String {
        self.observed
            .key
            .present()
            .map_or_else(|| key_reference(key), |key| key.arn.clone())
    }

    fn bucket(&mut self, s3: &S3, key: Option<&KmsKey>) -> Result<(), PlanError> {
        let name = expand(&s3.bucket, Some(self.target));
        if let Reading::Present(Bucket { region, .. }) = &self.observed.bucket
            && *region != self.target.region
        {
            let (found, wanted) = (region.clone(), self.target.region.clone());
            return Err(PlanError::BucketElsewhere {
                bucket: name,
                found,
                wanted,
            });
        }
        let mut to = json!({ "region": self.target.region });
        if s3.object_lock.is_some() {
            to["object_lock"] = json!(true);
        }
        self.want(Action::CreateBucket, &name, to, "transcripts need a bucket")?;
        let all = PublicAccessBlock {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        };
        self.want(
            Action::PutPublicAccessBlock,
            &name,
            json!(all),
            "transcripts must never be public",
        )?;
        if let Some(key) = key.filter(|_| s3.encrypted) {
            let encryption = Encryption {
                algorithm: "aws:kms".to_owned(),
                kms_key: Some(self.key_arn(key)),
            };
            let why = "the document requires encryption, and agents do not recognize DSSE-KMS as encryption";
            self.want(Action::PutBucketEncryption, &name, json!(encryption), why)?;
        }
        let to = json!({ "versioning": true });
        self.want(
            Action::PutBucketVersioning,
            &name,
            to,
            "an overwritten transcript must not be lost",
        )?;
        let existing = self.observed.bucket.present().map(|bucket| &bucket.policy);
        if let Some(Reading::Unknown(reason)) = existing {
            return Err(PlanError::Unreadable {
                what: format!("policy of {name}"),
                reason: reason.clone(),
            });
        }
        let policy = existing.and_then(Reading::present);
        if let Some(policy) = policies::with_tls_statement(policy, self.partition, &name) {
            let why = "the bucket must refuse requests over plain HTTP";
            self.want(
                Action::PutBucketPolicy,
                &name,
                json!({ "policy": policy }),
                why,
            )?;
        }
        if let Some(days) = s3.expire_days {
            let to = json!({ "expire_days": days });
            self.want(Action::PutBucketLifecycle, &name, to, "expire transcripts")?;
        }
        self.keep(&name, s3)
    }

    fn log_group(&mut self, logs: &CloudWatch, key: Option<&KmsKey>) -> Result<(), PlanError> {
        let name = expand(&logs.log_group, Some(self.target));
        let key_arn = key.filter(|_| logs.encrypted).map(|key| self.key_arn(key));
        let why = "sessions start unlogged while the log group is missing";
        if let Reading::Unknown(reason) = &self.observed.log_group {
            return Err(PlanError::Unreadable {
                what: name,
                reason: reason.clone(),
            });
        }
        if self.observed.log_group.present().is_none() {
            self.want(
                Action::CreateLogGroup,
                &name,
                json!({ "kms_key": key_arn }),
                why,
            )?;
        } else if let Some(key_arn) = key_arn {
            let why = "the document demands encryption, and sessions are refused while the log group has no key";
            self.want(
                Action::AssociateKmsKey,
                &name,
                json!({ "kms_key": key_arn }),
                why,
            )?;
        }
        if let Some(days) = logs.retention_days {
            let to = json!({ "retention_days": days });
            self.want(Action::PutRetentionPolicy, &name, to, "set log retention")?;
        }
        if let Some(is_on) = logs.deletion_protection {
            let why = match is_on {
                true => "one call of logs:DeleteLogGroup is enough to delete the log group",
                false => "the log group is protected from deletion, which is not to be so",
            };
            let to = json!({ "deletion_protection": is_on });
            self.want(Action::PutLogGroupDeletionProtection, &name, to, why)?;
        }
        Ok(())
    }

    fn document(&mut self, desired: &Desired) -> Result<(), PlanError> {
        let existing = match &self.observed.document {
            Reading::Present(document) => Some(document),
            Reading::Absent => None,
            Reading::Unknown(reason) => {
                return Err(PlanError::Unreadable {
                    what: DOCUMENT.to_owned(),
                    reason: reason.clone(),
                });
            }
        };
        let live = existing.map(|document| &document.default.content);
        let mut content = session_document::render(desired, live, Some(self.target));
        if let Some(live) = live {
            self.keep_spelling_of_key(&mut content, live);
        }
        let to = json!({ "content": content });
        let (action, why) = match existing {
            None => (
                Action::CreateDocument,
                "there are no preferences; sessions run with AWS's defaults",
            ),
            Some(document) if normalized(&document.default.content) != normalized(&content) => (
                Action::UpdateDocument,
                "the preferences in force differ from the desired ones",
            ),
            Some(document) if normalized(&document.latest.content) != normalized(&content) => (
                Action::UpdateDocument,
                "a newer version that is not the default differs from the desired preferences, and sessions may use it",
            ),
            Some(_) => (
                Action::UpdateDocument,
                "the latest version is right but not the default one",
            ),
        };
        self.want(action, DOCUMENT, to, why)
    }

    /// Keeps the live spelling of the key when it names the same key: alias and ARN mean the same.
    fn keep_spelling_of_key(&self, content: &mut Value, live: &Value) {
        let (Some(key), Some(live)) = (
            self.observed.key.present(),
            live["inputs"]["kmsKeyId"].as_str(),
        ) else {
            return;
        };
        let id = key.arn.rsplit('/').next().unwrap_or_default();
        if live == key.arn || live == id {
            content["inputs"]["kmsKeyId"] = json!(live);
        }
    }
}
