//! One digest: what it names, and whether its signature is CloudTrail's.

use records::{IntegrityStatus, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

use super::keys::{PublicKeys, unhex};

/// Why something is not proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) status: IntegrityStatus,
    pub(crate) message: String,
}

impl Flaw {
    pub(crate) fn altered(message: impl Into<String>) -> Flaw {
        Flaw {
            status: IntegrityStatus::Altered,
            message: message.into(),
        }
    }

    pub(crate) fn unproved(message: impl Into<String>) -> Flaw {
        Flaw {
            status: IntegrityStatus::Unproved,
            message: message.into(),
        }
    }

    pub(crate) fn missing(message: impl Into<String>) -> Flaw {
        Flaw {
            status: IntegrityStatus::Missing,
            message: message.into(),
        }
    }
}

/// A digest as it is written. Until its signature is verified, nothing in it may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    content: Content,
    previous: Option<Previous>,
    from: Timestamp,
    to: Timestamp,
    /// SHA-256 of the whole, unpacked, in hexadecimal digits.
    sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    digest_start_time: String,
    /// As it is signed.
    digest_end_time: String,
    digest_s3_bucket: String,
    digest_s3_object: String,
    digest_public_key_fingerprint: String,
    digest_signature_algorithm: String,
    previous_digest_s3_bucket: Option<String>,
    previous_digest_s3_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_signature: Option<String>,
    log_files: Option<Vec<LogFile>>,
}

/// A log file that a digest names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogFile {
    pub(crate) s3_bucket: String,
    pub(crate) s3_object: String,
    /// Of the file, unpacked.
    pub(crate) hash_value: String,
    hash_algorithm: String,
}

impl LogFile {
    /// Returns the SHA-256 that the file should have.
    pub(crate) fn sha256(&self) -> Option<&str> {
        is_sha256(&self.hash_algorithm).then_some(&self.hash_value)
    }
}

/// The digest before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) bucket: String,
    pub(crate) object: String,
    pub(crate) sha256: Option<String>,
    pub(crate) signature: Option<String>,
}

impl Previous {
    /// Returns where its trail writes: bucket and prefix.
    pub(crate) fn root(&self) -> String {
        root(&self.bucket, &self.object)
    }
}

fn root(bucket: &str, object: &str) -> String {
    let prefix = object
        .split_once("AWSLogs/")
        .map_or("", |(prefix, _)| prefix);
    format!("{bucket}/{prefix}")
        .trim_end_matches('/')
        .to_owned()
}

fn is_sha256(algorithm: &str) -> bool {
    algorithm == "SHA-256"
}

impl Digest {
    /// Reads the text of a digest, of which the SHA-256 is given.
    ///
    /// # Errors
    /// It is not one: CloudTrail did not write it like this.
    pub(crate) fn read(text: &[u8], sha256: String) -> Result<Digest, Flaw> {
        let invalid = |why: String| Flaw::altered(format!("it is not a valid digest: {why}"));
        let content: Content =
            serde_json::from_slice(text).map_err(|error| invalid(error.to_string()))?;
        let time = |text: &str| text.parse::<Timestamp>().map_err(invalid);
        let (from, to) = (
            time(&content.digest_start_time)?,
            time(&content.digest_end_time)?,
        );
        let place = content.previous_digest_s3_bucket.clone();
        let place = place.zip(content.previous_digest_s3_object.clone());
        let previous = place.map(|(bucket, object)| Previous {
            bucket,
            object,
            sha256: content.previous_digest_hash_value.clone(),
            signature: content.previous_digest_signature.clone(),
        });
        Ok(Digest {
            content,
            previous,
            from,
            to,
            sha256,
        })
    }

    /// Returns whether the signature is that of CloudTrail over this digest.
    ///
    /// # Errors
    /// It is not, or that cannot be said.
    pub(crate) fn verify(&self, signature: Option<&str>, keys: &PublicKeys) -> Result<(), Flaw> {
        let content = &self.content;
        let Some(signature) = signature else {
            return Err(Flaw::unproved(
                "its signature is not here: it is in the metadata of the object in the bucket, and in the digest that follows",
            ));
        };
        if content.digest_signature_algorithm != "SHA256withRSA" {
            let algorithm = &content.digest_signature_algorithm;
            return Err(Flaw::unproved(format!(
                "its signature is by {algorithm}, which is not known"
            )));
        }
        let fingerprint = &content.digest_public_key_fingerprint;
        let key = keys.get(fingerprint).map_err(|why| {
            Flaw::unproved(format!("the public key {fingerprint} is not known{why}"))
        })?;
        let signed = format!(
            "{}\n{}/{}\n{}\n{}",
            content.digest_end_time,
            content.digest_s3_bucket,
            content.digest_s3_object,
            self.sha256,
            content
                .previous_digest_signature
                .as_deref()
                .unwrap_or("null"),
        );
        let verified = unhex(signature).is_some_and(|signature| {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
            key.verify(signed.as_bytes(), &signature).is_ok()
        });
        match verified {
            true => Ok(()),
            false => Err(Flaw::altered(
                "its signature is not CloudTrail's: the digest or the signature was altered",
            )),
        }
    }

    /// Returns where CloudTrail put it: bucket and key.
    pub(crate) fn place(&self) -> (&str, &str) {
        let content = &self.content;
        (&content.digest_s3_bucket, &content.digest_s3_object)
    }

    /// Returns where its trail writes: bucket and prefix.
    pub(crate) fn root(&self) -> String {
        let (bucket, object) = self.place();
        root(bucket, object)
    }

    /// Returns the fingerprint of the key that it says to be signed with.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.content.digest_public_key_fingerprint
    }

    pub(crate) fn from(&self) -> Timestamp {
        self.from
    }

    pub(crate) fn to(&self) -> Timestamp {
        self.to
    }

    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the digest before this one; `None` where a chain begins.
    pub(crate) fn previous(&self) -> Option<&Previous> {
        self.previous.as_ref()
    }

    pub(crate) fn log_files(&self) -> &[LogFile] {
        self.content.log_files.as_deref().unwrap_or_default()
    }
}
