//! What is there once the changes of a plan are made. Pure.

use cli::{Change, Reading, Target};
use records::{Document, DocumentVersion};

use crate::model::{Action, Bucket, Encryption, Key, LogGroup, ObjectLock, Observed};
use crate::resource_state;

/// Returns the world as it will be once the changes are made, for the rules that look ahead.
pub(crate) fn after(
    observed: &Observed,
    changes: &[Change<Action>],
    target: &Target,
    partition: &str,
) -> Observed {
    let mut after = observed.clone();
    // Policies name keys by ARN; that of a key to come is known but for its ID.
    let Target { account, region } = target;
    let new_key = format!("arn:{partition}:kms:{region}:{account}:key/new");
    for change in changes {
        foresee(&mut after, change, &new_key);
    }
    after
}

fn foresee(after: &mut Observed, change: &Change<Action>, new_key: &str) {
    let to = &resource_state::resolve(&change.to, after);
    match change.action {
        Action::CreateKey => {
            after.key = Reading::Present(Key {
                arn: new_key.to_owned(),
                state: "Enabled".to_owned(),
                spec: "SYMMETRIC_DEFAULT".to_owned(),
                rotation: Reading::Present(true),
                policy: Reading::Present(to["policy"].clone()),
            });
        }
        Action::PutKeyPolicy => {
            if let Reading::Present(key) = &mut after.key {
                key.policy = Reading::Present(to["policy"].clone());
            }
        }
        Action::PutBucketPolicy => {
            if let Reading::Present(bucket) = &mut after.bucket {
                bucket.policy = Reading::Present(to["policy"].clone());
            }
        }
        Action::CreateBucket => {
            after.bucket = Reading::Present(Bucket {
                region: to["region"].as_str().unwrap_or_default().to_owned(),
                // Every new bucket is encrypted with SSE-S3 since January 2023.
                // https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
                encryption: Reading::Present(Encryption {
                    algorithm: "AES256".to_owned(),
                    kms_key: None,
                }),
                versioning: Reading::Absent,
                public_access_block: Reading::Absent,
                policy: Reading::Absent,
                expirations: Reading::Absent,
                object_lock: match to["object_lock"] == true {
                    true => Reading::Present(ObjectLock::default()),
                    false => Reading::Absent,
                },
            });
        }
        Action::PutBucketEncryption => {
            if let (Reading::Present(bucket), Ok(encryption)) =
                (&mut after.bucket, serde_json::from_value(to.clone()))
            {
                bucket.encryption = Reading::Present(encryption);
            }
        }
        Action::PutObjectLockConfiguration => {
            if let (Reading::Present(bucket), Ok(retention)) = (
                &mut after.bucket,
                serde_json::from_value(to["retention"].clone()),
            ) {
                bucket.object_lock = Reading::Present(ObjectLock { retention });
            }
        }
        Action::CreateLogGroup => {
            after.log_group = Reading::Present(LogGroup {
                arn: change.resource.clone(),
                kms_key: to["kms_key"].as_str().map(str::to_owned),
                retention_days: None,
                deletion_protection: false,
            });
        }
        Action::AssociateKmsKey => {
            if let Reading::Present(group) = &mut after.log_group {
                group.kms_key = to["kms_key"].as_str().map(str::to_owned);
            }
        }
        Action::CreateDocument | Action::UpdateDocument => {
            let version = DocumentVersion {
                version: "next".to_owned(),
                content: to["content"].clone(),
            };
            after.document = Reading::Present(Document {
                default: version.clone(),
                latest: version,
            });
        }
        _ => {}
    }
}
