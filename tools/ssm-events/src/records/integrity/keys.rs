//! Public keys of CloudTrail, and signatures of digests that were copied without them.

use std::collections::HashMap;

use serde::Deserialize;

/// Keys by their fingerprints.
#[derive(Debug, Default)]
pub(crate) struct PublicKeys {
    keys: HashMap<String, Vec<u8>>,
    /// Why there may be others, which could not be read.
    pub(crate) unread: Option<String>,
}

/// What `aws cloudtrail list-public-keys` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    public_key_list: Vec<PrintedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedKey {
    fingerprint: String,
    /// PKCS #1, DER, in Base64.
    value: String,
}

impl PublicKeys {
    /// Reads what `aws cloudtrail list-public-keys` printed, once or for several Regions and times.
    ///
    /// # Errors
    /// It is something else, or has no key.
    pub(crate) fn read(text: &str) -> anyhow::Result<PublicKeys> {
        let mut keys = PublicKeys::default();
        for printed in serde_json::Deserializer::from_str(text).into_iter::<Printed>() {
            for key in printed?.public_key_list {
                let value = aws_smithy_types::base64::decode(&key.value)?;
                keys.add(&key.fingerprint, value);
            }
        }
        anyhow::ensure!(!keys.keys.is_empty(), "it has no public key");
        Ok(keys)
    }

    pub(crate) fn add(&mut self, fingerprint: &str, value: Vec<u8>) {
        self.keys.insert(fingerprint.to_owned(), value);
    }

    pub(crate) fn has(&self, fingerprint: &str) -> bool {
        self.keys.contains_key(fingerprint)
    }

    /// Returns a key.
    ///
    /// # Errors
    /// There is none; why, where that is known.
    pub(crate) fn get(&self, fingerprint: &str) -> Result<&[u8], String> {
        let why = || match &self.unread {
            Some(why) => format!(": {why}"),
            None => String::new(),
        };
        self.keys
            .get(fingerprint)
            .map(Vec::as_slice)
            .ok_or_else(why)
    }
}

/// Signatures by the names of digests.
#[derive(Debug, Default)]
pub(crate) struct Signatures(HashMap<String, String>);

/// The signature of an object, as in its metadata.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureOf {
    key: String,
    signature: String,
}

impl Signatures {
    /// Reads objects with a `key` and its `signature`, one after another.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn read(text: &str) -> anyhow::Result<Signatures> {
        let mut all = HashMap::new();
        for one in serde_json::Deserializer::from_str(text).into_iter::<SignatureOf>() {
            let one = one?;
            all.insert(last_part(&one.key).to_owned(), one.signature);
        }
        Ok(Signatures(all))
    }

    pub(crate) fn of(&self, path: &str) -> Option<&str> {
        self.0.get(last_part(path)).map(String::as_str)
    }
}

/// Returns what stands behind the last slash.
pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Reads hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}
