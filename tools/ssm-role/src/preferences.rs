//! Session Manager preferences as `ssm-prefs show` prints them, as far as roles must know them. Pure.

use anyhow::bail;
use records::{Reading, Target};
use serde_json::Value;

/// What nodes of one account and region write and decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// The buckets of transcripts and the prefixes in them.
    pub(crate) buckets: Vec<Bucket>,
    /// The log groups.
    pub(crate) log_groups: Vec<String>,
    /// The keys of sessions.
    pub(crate) keys: Vec<Key>,
}

/// A bucket for transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Without slashes at its ends; empty for none.
    pub(crate) prefix: String,
    /// How it encrypts what is uploaded, which the document does not say.
    pub(crate) encryption: BucketEncryption,
}

/// What the encryption of a bucket asks of those who upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BucketEncryption {
    /// Nothing: the keys of SSE-S3 are S3's own, and the policy of the AWS managed key `aws/s3` lets everybody of the account
    /// use it through S3.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-services.html>
    NeedsNothing,
    /// Using a customer managed key.
    Key {
        /// Not known for a template, which has the alias.
        arn: Option<String>,
        /// The alias by which the preferences name the same key.
        alias: Option<String>,
        /// Whether KMS sees the ARN of the bucket as encryption context instead of that of the object.
        /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>
        has_bucket_key: bool,
    },
    /// It could not be read, for this reason.
    Unknown(String),
}

/// A KMS key, as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// By ARN.
    Arn(String),
    /// By `alias/..`: which key that is stands in no preferences.
    Alias(String),
}

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
        bucket.encryption = encryption(record.bucket_encryption.get(&bucket.name));
    }
    Ok(found)
}

/// Returns what a document asks for in whichever account and region it is. It is as `ssm-prefs render` prints it, where
/// `{account}` and `{region}` stand for them.
///
/// # Errors
/// It is no document, such as the record of one account.
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
            Some(id) => {
                let (arn, alias) = match key(id, target, &partition) {
                    Key::Arn(arn) => (Some(arn), None),
                    Key::Alias(alias) => (None, Some(alias)),
                };
                BucketEncryption::Key {
                    arn,
                    alias,
                    has_bucket_key: true,
                }
            }
            None => BucketEncryption::NeedsNothing,
        };
    }
    Ok(found)
}

/// Returns the encryption of a bucket as a record has it.
fn encryption(reading: Option<&Reading<records::BucketEncryption>>) -> BucketEncryption {
    match reading {
        Some(Reading::Present(encryption)) => match &encryption.kms_key {
            Some(arn) => BucketEncryption::Key {
                arn: Some(arn.clone()),
                alias: encryption.kms_alias.clone(),
                has_bucket_key: encryption.bucket_key,
            },
            None => BucketEncryption::NeedsNothing,
        },
        Some(Reading::Absent) => BucketEncryption::Unknown("it does not exist".to_owned()),
        Some(Reading::Unknown(reason)) => BucketEncryption::Unknown(reason.clone()),
        None => BucketEncryption::Unknown(
            "the preferences do not say; pass those of this version of `ssm-prefs show`".to_owned(),
        ),
    }
}

impl Preferences {
    /// Returns each bucket whose encryption is not known, and why.
    pub(crate) fn unknown_encryption(&self) -> impl Iterator<Item = (&str, &str)> {
        self.buckets
            .iter()
            .filter_map(|bucket| match &bucket.encryption {
                BucketEncryption::Unknown(reason) => Some((bucket.name.as_str(), reason.as_str())),
                BucketEncryption::NeedsNothing | BucketEncryption::Key { .. } => None,
            })
    }

    /// Takes every bucket to be encrypted with this key.
    pub(crate) fn encrypt_with(&mut self, arn: &str) {
        for bucket in &mut self.buckets {
            bucket.encryption = BucketEncryption::Key {
                arn: Some(arn.to_owned()),
                alias: None,
                has_bucket_key: false,
            };
        }
    }

    /// Adds what the inputs of a document ask for.
    fn take(&mut self, inputs: &Value, target: &Target, partition: &str) {
        let text = |key: &str| inputs[key].as_str().filter(|text| !text.is_empty());
        if let Some(name) = text("s3BucketName") {
            let prefix = text("s3KeyPrefix").unwrap_or_default();
            let bucket = Bucket {
                name: name.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
                encryption: BucketEncryption::Unknown(String::new()),
            };
            add(&mut self.buckets, bucket);
        }
        if let Some(name) = text("cloudWatchLogGroupName") {
            add(&mut self.log_groups, name.to_owned());
        }
        if let Some(id) = text("kmsKeyId") {
            add(&mut self.keys, key(id, target, partition));
        }
    }
}

fn key(id: &str, target: &Target, partition: &str) -> Key {
    if id.starts_with("alias/") {
        return Key::Alias(id.to_owned());
    }
    match id.split_once(":alias/") {
        Some((_, name)) => Key::Alias(format!("alias/{name}")),
        None if id.starts_with("arn:") => Key::Arn(id.to_owned()),
        None => Key::Arn(format!(
            "arn:{partition}:kms:{}:{}:key/{id}",
            target.region, target.account
        )),
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
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

    use super::{Bucket, BucketEncryption, Key, Preferences, partition_of, preferences};

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
            json!({"s3BucketName": "logs", "s3KeyPrefix": "/ssm/", "kmsKeyId": "alias/session"}),
            json!({"s3BucketName": "logs", "s3KeyPrefix": "ssm", "cloudWatchLogGroupName": "/ssm",
                "kmsKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}),
        );
        let found = preferences(&record, partition_of).unwrap();
        let expected = Preferences {
            buckets: vec![Bucket {
                name: "logs".to_owned(),
                prefix: "ssm".to_owned(),
                encryption: BucketEncryption::Key {
                    arn: Some("arn:aws:kms:eu-central-1:111122223333:key/b".to_owned()),
                    alias: None,
                    has_bucket_key: true,
                },
            }],
            log_groups: vec!["/ssm".to_owned()],
            keys: vec![
                Key::Alias("alias/session".to_owned()),
                Key::Arn(
                    "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                        .to_owned(),
                ),
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
    fn encryption_that_is_not_told_is_unknown_and_never_none() {
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
                None => assert_eq!(found.buckets[0].encryption, BucketEncryption::NeedsNothing),
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
