//! The guard as desired, the organization as observed, and the actions between them. Never touches the world.

mod action;
mod denied_action;
mod desired;
mod document;
mod observed;
mod principal;
mod session_document;
mod session_records;
mod way;

use records::AccountId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::action::{Action, AttachmentState, PolicyState};
pub(crate) use self::desired::Desired;
pub(crate) use self::document::{Document, Documents};
pub(crate) use self::observed::{
    AccountPrincipals, NO_ORGANIZATION, Observed, Policy, PrincipalPolicies, Root, USE_MANAGEMENT,
};
pub(crate) use self::session_records::SessionRecords;
pub(crate) use self::way::{Area, Entry, Way, catalogue};

/// The ID of a root, an organizational unit or an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct TargetId(pub(crate) String);

impl TryFrom<String> for TargetId {
    type Error = String;

    fn try_from(text: String) -> Result<TargetId, String> {
        let word = |part: &str, shortest: usize, longest: usize| {
            (shortest..=longest).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let account = text.parse::<AccountId>().is_ok();
        let parts: Vec<&str> = text.split('-').collect();
        let known = match parts.as_slice() {
            ["r", root] => word(root, 4, 32),
            ["ou", root, unit] => word(root, 4, 32) && word(unit, 8, 32),
            _ => account,
        };
        if known {
            Ok(TargetId(text))
        } else {
            Err(format!(
                "'{text}' is not a target: expected an account ID (12 digits), ou-xxxx-xxxxxxxx or r-xxxx"
            ))
        }
    }
}

impl From<TargetId> for String {
    fn from(target: TargetId) -> String {
        target.0
    }
}
