//! What preferences name, and what was read of it.

use records::{Reading, Target};
use serde_json::Value;

/// What nodes of one account and region write and decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The buckets of transcripts and the prefixes in them.
    pub buckets: Vec<Bucket>,
    /// The log groups.
    pub log_groups: Vec<LogGroup>,
    /// The keys of sessions.
    pub keys: Vec<Key>,
}

/// A bucket for transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Without slashes at its ends; empty for none.
    pub prefix: String,
    /// Whether sessions are refused unless the agent sees that it is encrypted.
    pub must_be_encrypted: bool,
    /// How it encrypts what is uploaded, which the document does not say.
    pub encryption: BucketEncryption,
    /// Its policy; absent when it has none.
    pub policy: Reading<Value>,
    /// Whether it is known to belong to another account: then its policy has to allow what the role's allow.
    pub is_foreign: bool,
    /// The other account that it belongs to, where that is known.
    pub owner: Option<String>,
}

/// What the encryption of a bucket asks of those who upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketEncryption {
    /// Nothing: the keys of SSE-S3 are S3's own, and the policy of the AWS managed key `aws/s3` lets everybody of the account
    /// use it through S3.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-services.html>
    NeedsNothing {
        /// `AES256` or `aws:kms`.
        algorithm: String,
    },
    /// Using a customer managed key.
    Key {
        /// `aws:kms` or `aws:kms:dsse`.
        algorithm: String,
        /// The key; a template knows its alias only.
        key: Key,
        /// Whether KMS sees the ARN of the bucket as encryption context instead of that of the object.
        /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>
        has_bucket_key: bool,
    },
    /// It could not be read, for this reason.
    Unknown(String),
}

/// A log group for transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Whether sessions are refused unless the agent sees that it is encrypted.
    pub must_be_encrypted: bool,
    /// Whether events are sent while the session runs; otherwise the transcript is uploaded at its end.
    pub is_streamed: bool,
}

/// A KMS key: by its ARN, by an alias, or by both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its ARN; `None` when only the alias is known.
    pub arn: Option<String>,
    /// The alias by which the preferences name it: `alias/..`.
    pub alias: Option<String>,
    /// Its policy. A key always has one, so that absent means unknown as well.
    pub policy: Reading<Value>,
}

impl Preferences {
    /// Adds what the inputs of a document ask for. What they say nothing of is unknown at first.
    pub fn take(&mut self, inputs: &Value, target: &Target, partition: &str) {
        let text = |key: &str| inputs[key].as_str().filter(|text| !text.is_empty());
        // Agents take these switches as text as well.
        let is_on = |key: &str| inputs[key] == true || inputs[key] == "true";
        if let Some(name) = text("s3BucketName") {
            let prefix = text("s3KeyPrefix").unwrap_or_default().trim_matches('/');
            let same = |bucket: &&mut Bucket| bucket.name == name && bucket.prefix == prefix;
            let must_be_encrypted = is_on("s3EncryptionEnabled");
            match self.buckets.iter_mut().find(same) {
                Some(bucket) => bucket.must_be_encrypted |= must_be_encrypted,
                None => self.buckets.push(Bucket {
                    name: name.to_owned(),
                    prefix: prefix.to_owned(),
                    must_be_encrypted,
                    encryption: BucketEncryption::Unknown(String::new()),
                    policy: Reading::Unknown(String::new()),
                    is_foreign: false,
                    owner: None,
                }),
            }
        }
        if let Some(name) = text("cloudWatchLogGroupName") {
            let must_be_encrypted = is_on("cloudWatchEncryptionEnabled");
            let is_streamed = is_on("cloudWatchStreamingEnabled");
            match self.log_groups.iter_mut().find(|group| group.name == name) {
                Some(group) => {
                    group.must_be_encrypted |= must_be_encrypted;
                    group.is_streamed |= is_streamed;
                }
                None => self.log_groups.push(LogGroup {
                    name: name.to_owned(),
                    must_be_encrypted,
                    is_streamed,
                }),
            }
        }
        if let Some(id) = text("kmsKeyId") {
            let key = Key::named(id, target, partition);
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
    }

    /// Returns each bucket whose encryption is not known, and why.
    pub fn unknown_encryption(&self) -> impl Iterator<Item = (&str, &str)> {
        self.buckets
            .iter()
            .filter_map(|bucket| match &bucket.encryption {
                BucketEncryption::Unknown(reason) => Some((bucket.name.as_str(), reason.as_str())),
                BucketEncryption::NeedsNothing { .. } | BucketEncryption::Key { .. } => None,
            })
    }
}

impl Key {
    /// Returns a key as a document names it: by ARN, ID, alias or the ARN of an alias.
    #[must_use]
    pub fn named(id: &str, target: &Target, partition: &str) -> Key {
        let Target { account, region } = target;
        let (arn, alias) = match id.split_once(":alias/") {
            _ if id.starts_with("alias/") => (None, Some(id.to_owned())),
            Some((_, name)) => (None, Some(format!("alias/{name}"))),
            None if id.starts_with("arn:") => (Some(id.to_owned()), None),
            None => {
                let arn = format!("arn:{partition}:kms:{region}:{account}:key/{id}");
                (Some(arn), None)
            }
        };
        Key {
            arn,
            alias,
            policy: Reading::Unknown(String::new()),
        }
    }
}
