//! The writes that a plan may hold, and the states that lead from one to the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TargetId;

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
