//! The states that a plan carries, the organization as it was found, and the records that other verbs read and print.

use std::collections::{BTreeMap, BTreeSet};

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The id of a root, an organizational unit or an account.
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
        let account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
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
                "'{text}' is no target: expected an account id (12 digits), ou-xxxx-xxxxxxxx or r-xxxx"
            ))
        }
    }
}

impl From<TargetId> for String {
    fn from(target: TargetId) -> String {
        target.0
    }
}

/// What `apply` can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Enable service control policies in the root.
    EnablePolicyType,
    /// Create the policy.
    CreatePolicy,
    /// Replace the policy's description and document.
    UpdatePolicy,
    /// Attach the policy to a target.
    AttachPolicy,
    /// Detach the policy from a target; only to undo.
    DetachPolicy,
    /// Delete the policy; only to undo.
    DeletePolicy,
}

/// `from` and `to` of a change to the policy itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyState {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) document: Value,
}

/// `from` and `to` of an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentState {
    pub(crate) policy_name: String,
    pub(crate) target_id: TargetId,
    pub(crate) attached: bool,
}

/// What was found in the organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) account: String,
    pub(crate) partition: String,
    /// The management account's id; absent when the account is in no organization.
    pub(crate) management_account: Reading<String>,
    /// Whether the root has service control policies enabled.
    /// The root, and whether it has service control policies enabled.
    pub(crate) root: Reading<Root>,
    /// By name: the policies that the desired state renders to.
    pub(crate) policies: BTreeMap<String, Reading<Policy>>,
    /// How many policies are attached to each desired target; absent when there is no such target.
    pub(crate) targets: BTreeMap<TargetId, Reading<usize>>,
}

/// The root of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    pub(crate) root_id: TargetId,
    pub(crate) policy_type_enabled: bool,
}

/// A service control policy that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) aws_managed: bool,
    pub(crate) state: PolicyState,
    pub(crate) attached_to: BTreeSet<TargetId>,
}
