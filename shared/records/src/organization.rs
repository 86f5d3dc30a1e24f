//! What `ssm-scp show` prints of an organization: its tree, and the policies that are attached to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The `kind` of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// The only value.
    Entity,
}

/// The `kind` of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// The only value.
    Policy,
}

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// The root of the organization.
    Root,
    /// A unit below it.
    OrganizationalUnit,
    /// A member account, or the management account.
    Account,
}

/// A root, organizational unit or account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Always `entity`.
    pub kind: EntityKind,
    /// `r-..`, `ou-..` or the account ID.
    pub id: String,
    /// What it is.
    pub r#type: EntityType,
    /// As Organizations calls it.
    pub name: String,
    /// The entity above; null for the root.
    pub parent: Option<String>,
    /// Names from the root down, joined by `/`.
    pub path: String,
    /// Whether this is the management account, which no policy binds.
    pub management: bool,
    /// Names of the service control policies attached here, inherited ones not among them.
    pub policies: Vec<String>,
    /// Names of the resource control policies attached here, inherited ones not among them.
    #[serde(default)]
    pub resource_control_policies: Vec<String>,
    /// ID of the organization, `o-..`; of the root only.
    #[serde(default)]
    pub organization_id: Option<String>,
}

/// The type of a policy of an organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyType {
    /// Bounds what the principals of an account may do.
    #[default]
    ServiceControlPolicy,
    /// Bounds what may be done to the resources of an account.
    ResourceControlPolicy,
}

/// A service control policy or a resource control policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Always `policy`.
    pub kind: PolicyKind,
    /// Its type; a service control policy where it is left out.
    #[serde(default)]
    pub policy_type: PolicyType,
    /// `p-..`; empty for one that is not made yet.
    pub id: String,
    /// Unique among the policies of its type.
    pub name: String,
    /// Whether it is one of AWS's own, which cannot be changed.
    pub aws_managed: bool,
    /// Length of the document as it is stored, which is what the quota counts.
    pub n_characters: usize,
    /// The policy.
    pub document: Value,
    /// IDs of the entities that it is attached to.
    pub attached_to: Vec<String>,
}
