//! Patterns of principals, as a desired state exempts them.

use iam_policy::principal_mistake;
use schemars::JsonSchema;
use serde::Deserialize;

/// A pattern that `aws:PrincipalArn` can match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Principal(pub(crate) String);

impl TryFrom<String> for Principal {
    type Error = String;

    fn try_from(text: String) -> Result<Principal, String> {
        match principal_mistake(&text) {
            None => Ok(Principal(text)),
            Some(mistake) => Err(mistake.message().to_owned()),
        }
    }
}
