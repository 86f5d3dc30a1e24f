//! The session documents that a desired state allows, by name or by ARN.

use std::collections::BTreeSet;

use iam_policy::{Arn, is_placeholder};
use schemars::JsonSchema;
use serde::Deserialize;

/// How names begin that only AWS gives, in lower case. Its documents have no account in their ARN.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
const OF_AWS: [&str; 3] = ["aws", "amazon", "amzn"];

/// Allowed session documents: at least one, each once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeSet<SessionDocument>")]
#[schemars(with = "BTreeSet<String>")]
pub(crate) struct SessionDocuments(pub(crate) BTreeSet<SessionDocument>);

impl TryFrom<BTreeSet<SessionDocument>> for SessionDocuments {
    type Error = String;

    fn try_from(documents: BTreeSet<SessionDocument>) -> Result<SessionDocuments, String> {
        if documents.is_empty() {
            return Err(
                "name at least one session document, or leave the key out: without any, nobody could start a session"
                    .to_owned(),
            );
        }
        Ok(SessionDocuments(documents))
    }
}

/// The name of a session document, or its ARN where it is one of another account; no wildcards in the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct SessionDocument(String);

impl TryFrom<String> for SessionDocument {
    type Error = String;

    fn try_from(text: String) -> Result<SessionDocument, String> {
        if is_placeholder(&text) {
            return Err(format!(
                "'{text}' is a placeholder: write the real document"
            ));
        }
        let name = match Arn::parse(&text) {
            Some(arn) if arn.service == "ssm" => arn.resource.strip_prefix("document/"),
            Some(_) => None,
            None => Some(text.as_str()),
        };
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html
        let sound = |name: &str| {
            let bytes = name.bytes();
            let mut sound = bytes.map(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            (3..=128).contains(&name.len()) && sound.all(|sound| sound)
        };
        match name {
            Some(name) if sound(name) => Ok(SessionDocument(text)),
            _ => Err(format!(
                "'{text}' is not a session document: expected a name without wildcards, or arn:aws:ssm:REGION:ACCOUNT:document/NAME"
            )),
        }
    }
}

impl SessionDocument {
    /// Returns the pattern of its ARN.
    pub(crate) fn arn(&self, partition: &str) -> String {
        let name = &self.0;
        if name.starts_with("arn:") {
            return name.clone();
        }
        let lower = name.to_ascii_lowercase();
        let is_of_aws = OF_AWS.iter().any(|prefix| lower.starts_with(prefix));
        let account = if is_of_aws { "" } else { "*" };
        format!("arn:{partition}:ssm:*:{account}:document/{name}")
    }
}
