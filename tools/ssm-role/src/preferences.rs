//! Session Manager preferences as `ssm-prefs show` prints them, as far as roles must know them. Pure.

use anyhow::bail;
use records::{Reading, Target};
use serde_json::Value;
use transcripts::{BucketEncryption, Key, Preferences};

const NOT_SAID: &str = "the preferences do not say; pass those of this version of `ssm-prefs show`";

/// Returns the preferences of one record. The default version and the latest both count, as sessions may use either.
///
/// # Errors
/// The document could not be read.
pub(crate) fn preferences(
    record: &records::Preferences,
    partition: impl Fn(&str) -> String,
) -> anyhow::Result<Preferences> {
    let target = &record.target;
    let mut found = Preferences::default();
    let document = match &record.document {
        // Without a document sessions start with built-in defaults, which log nothing.
        Reading::Absent => return Ok(found),
        Reading::Present(document) => document,
        Reading::Unknown(reason) => {
            bail!("the preferences of {target} could not be read: {reason}")
        }
    };
    for version in [&document.default, &document.latest] {
        found.take(
            &version.content["inputs"],
            target,
            &partition(&target.region),
        );
    }
    for bucket in &mut found.buckets {
        bucket.encryption = encryption(record, &bucket.name);
        bucket.policy = reading_of(record.bucket_policies.get(&bucket.name));
        bucket.is_foreign = record.buckets_of_others.contains(&bucket.name);
    }
    for key in &mut found.keys {
        if let Some(alias) = &key.alias {
            key.arn = behind(record, alias);
        }
        key.policy = policy_of(record, key.arn.as_deref());
    }
    Ok(found)
}

fn reading_of<T: Clone>(reading: Option<&Reading<T>>) -> Reading<T> {
    reading.map_or_else(|| Reading::Unknown(NOT_SAID.to_owned()), Clone::clone)
}

/// Returns the ARN behind an alias, as far as the record says it.
fn behind(record: &records::Preferences, alias: &str) -> Option<String> {
    let mut named = record.session_keys.iter();
    let (_, arn) =
        named.find(|(name, _)| name.as_str() == alias || name.ends_with(&format!(":{alias}")))?;
    arn.present().cloned()
}

fn policy_of(record: &records::Preferences, arn: Option<&str>) -> Reading<Value> {
    match arn {
        Some(arn) => reading_of(record.key_policies.get(arn)),
        None => Reading::Unknown("it is not known which key that is".to_owned()),
    }
}

/// Returns what a document asks for in whichever account and region it is. It is as `ssm-prefs render` prints it, where
/// `{account}` and `{region}` are replaced by them.
///
/// # Errors
/// It is not a document, such as the record of one account.
pub(crate) fn of_document(document: &Value, target: &Target) -> anyhow::Result<Preferences> {
    if !document["inputs"].is_object() {
        bail!("expected a document as `ssm-prefs render` prints it, with `inputs`");
    }
    let mut inputs = document["inputs"].clone();
    for (_, input) in inputs.as_object_mut().into_iter().flatten() {
        if let Value::String(text) = input {
            *text = text
                .replace("{account}", &target.account)
                .replace("{region}", &target.region);
        }
    }
    let partition = partition_of(&target.region);
    let mut found = Preferences::default();
    found.take(&inputs, target, &partition);
    // A template has no bucket to look at. That of `ssm-prefs` encrypts its own with the key of the sessions where the document
    // demands encryption, and leaves it with SSE-S3 otherwise.
    let session_key = inputs["kmsKeyId"].as_str().filter(|id| !id.is_empty());
    let session_key = session_key.filter(|_| inputs["s3EncryptionEnabled"] == true);
    for bucket in &mut found.buckets {
        bucket.encryption = match session_key {
            Some(id) => BucketEncryption::Key {
                algorithm: "aws:kms".to_owned(),
                key: Key::named(id, target, &partition),
                has_bucket_key: true,
            },
            None => BucketEncryption::NeedsNothing {
                algorithm: "AES256".to_owned(),
            },
        };
    }
    Ok(found)
}

/// Returns the encryption of a bucket as a record has it.
fn encryption(record: &records::Preferences, bucket: &str) -> BucketEncryption {
    match record.bucket_encryption.get(bucket) {
        Some(Reading::Present(encryption)) => match &encryption.kms_key {
            Some(arn) => BucketEncryption::Key {
                algorithm: encryption.algorithm.clone(),
                key: Key {
                    arn: Some(arn.clone()),
                    alias: encryption.kms_alias.clone(),
                    policy: policy_of(record, Some(arn)),
                },
                has_bucket_key: encryption.bucket_key,
            },
            None => BucketEncryption::NeedsNothing {
                algorithm: encryption.algorithm.clone(),
            },
        },
        Some(Reading::Absent) => BucketEncryption::Unknown("it does not exist".to_owned()),
        Some(Reading::Unknown(reason)) => BucketEncryption::Unknown(reason.clone()),
        None => BucketEncryption::Unknown(NOT_SAID.to_owned()),
    }
}

/// Takes every bucket to be encrypted with this key.
pub(crate) fn encrypt_with(preferences: &mut Preferences, arn: &str) {
    for bucket in &mut preferences.buckets {
        bucket.encryption = BucketEncryption::Key {
            algorithm: "aws:kms".to_owned(),
            key: Key {
                arn: Some(arn.to_owned()),
                alias: None,
                policy: Reading::Unknown(NOT_SAID.to_owned()),
            },
            has_bucket_key: false,
        };
    }
}

/// Returns the partition of a region.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
pub(crate) fn partition_of(region: &str) -> String {
    // In a template both are known only where the stack is.
    if region == cloudformation::target().region {
        return cloudformation::partition();
    }
    awsdata::partition_of(region).name.to_owned()
}

#[cfg(test)]
mod tests {
    use records::Reading;
    use serde_json::{Value, json};

    use transcripts::{Bucket, BucketEncryption, Key, LogGroup, Preferences};

    use super::{NOT_SAID, partition_of, preferences};

    fn record(default: Value, latest: Value) -> records::Preferences {
        let record = json!({"kind": "preferences", "target": {"account": "111122223333", "region": "eu-central-1"},
            "bucket_encryption": {"logs": {"state": "present", "value":
                {"algorithm": "aws:kms", "kms_key": "arn:aws:kms:eu-central-1:111122223333:key/b", "kms_alias": null, "bucket_key": true}}},
            "document": {"state": "present", "value": {
                "default": {"version": "1", "content": {"inputs": default}},
                "latest": {"version": "2", "content": {"inputs": latest}}}}});
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn both_versions_count_once() {
        let record = record(
            json!({"s3BucketName": "logs", "s3KeyPrefix": "/ssm/", "s3EncryptionEnabled": true, "kmsKeyId": "alias/session"}),
            json!({"s3BucketName": "logs", "s3KeyPrefix": "ssm", "cloudWatchLogGroupName": "/ssm",
                "kmsKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}),
        );
        let found = preferences(&record, partition_of).unwrap();
        let not_said = || Reading::Unknown(NOT_SAID.to_owned());
        let key = |arn: Option<&str>, alias: Option<&str>, policy| Key {
            arn: arn.map(str::to_owned),
            alias: alias.map(str::to_owned),
            policy,
        };
        let by_id =
            "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let of_bucket = "arn:aws:kms:eu-central-1:111122223333:key/b";
        let expected = Preferences {
            buckets: vec![Bucket {
                name: "logs".to_owned(),
                prefix: "ssm".to_owned(),
                must_be_encrypted: true,
                encryption: BucketEncryption::Key {
                    algorithm: "aws:kms".to_owned(),
                    key: key(Some(of_bucket), None, not_said()),
                    has_bucket_key: true,
                },
                policy: not_said(),
                is_foreign: false,
                owner: None,
            }],
            log_groups: vec![LogGroup {
                name: "/ssm".to_owned(),
                must_be_encrypted: false,
                is_streamed: false,
            }],
            keys: vec![
                key(
                    None,
                    Some("alias/session"),
                    Reading::Unknown("it is not known which key that is".to_owned()),
                ),
                key(Some(by_id), None, not_said()),
            ],
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn no_document_needs_nothing_and_an_unread_one_is_an_error() {
        let mut record = record(json!({}), json!({}));
        record.document = Reading::Absent;
        assert_eq!(
            preferences(&record, partition_of).unwrap(),
            Preferences::default()
        );
        record.document = Reading::Unknown("denied".to_owned());
        assert!(preferences(&record, partition_of).is_err());
    }

    #[test]
    fn encryption_that_is_not_reported_is_unknown_and_never_none() {
        let inputs = json!({"s3BucketName": "logs"});
        for (encryption, expected) in [
            (json!({}), Some("the preferences do not say")),
            (
                json!({"other": {"state": "absent"}}),
                Some("the preferences do not say"),
            ),
            (
                json!({"logs": {"state": "absent"}}),
                Some("it does not exist"),
            ),
            (
                json!({"logs": {"state": "unknown", "value": "denied"}}),
                Some("denied"),
            ),
            (
                json!({"logs": {"state": "present", "value": {"algorithm": "AES256", "kms_key": null, "kms_alias": null, "bucket_key": false}}}),
                None,
            ),
            (
                json!({"logs": {"state": "present", "value": {"algorithm": "aws:kms", "kms_key": null, "kms_alias": null, "bucket_key": false}}}),
                None,
            ),
        ] {
            let mut record = record(inputs.clone(), inputs.clone());
            record.bucket_encryption = serde_json::from_value(encryption.clone()).unwrap();
            let found = preferences(&record, partition_of).unwrap();
            let reason = found.unknown_encryption().next().map(|(_, reason)| reason);
            match expected {
                Some(text) => assert!(
                    reason.unwrap().starts_with(text),
                    "{encryption}: {reason:?}"
                ),
                None => assert!(matches!(
                    found.buckets[0].encryption,
                    BucketEncryption::NeedsNothing { .. }
                )),
            }
        }
    }

    #[test]
    fn partitions_follow_from_regions() {
        for (region, expected) in [
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(partition_of(region), expected);
        }
    }
}
