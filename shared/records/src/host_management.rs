//! How the nodes of an account and region get their credentials, and what those allow: what `ssm-role show` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::target::Target;

/// The `kind` of the record.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostManagementKind {
    /// The only value.
    #[default]
    HostManagement,
}

/// How nodes of one account and region get their credentials, and what those allow.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HostManagement {
    /// Always `host_management`.
    pub kind: HostManagementKind,
    /// Where; null in records that people wrote by hand of roles that may be anywhere.
    pub target: Option<Target>,
    /// Whether the roles are those of people who start sessions; nothing is said of nodes and their setting then.
    pub of_operators: bool,
    /// The service setting.
    pub default_host_management: DefaultHostManagement,
    /// Every role that nodes may have, by ARN.
    pub roles: Vec<NodeRole>,
    /// ARNs of instance profiles in use that hold no role.
    pub profiles_without_role: Vec<String>,
    /// Every existing instance and hybrid node with its profile and role, by ID; what the role may do is said above, once.
    pub instances: Vec<InstanceRole>,
}

/// Where an instance's credentials come from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InstanceRole {
    /// Its ID.
    pub instance_id: String,
    /// ARN of its instance profile.
    pub profile: Option<String>,
    /// Name of the role in it; that of Default Host Management when it has no profile.
    pub role: Option<String>,
}

/// Default Host Management as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DefaultHostManagement {
    /// AWS's word: `Default`, `Customized` or `PendingUpdate`; it does not say whether it is on.
    pub status: Option<String>,
    /// The role with its path but no leading slash, as the setting has it; null when it is off.
    pub role: Option<String>,
}

/// A role that nodes have.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeRole {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub role: String,
    /// Its path.
    pub path: String,
    /// Who may assume it.
    pub trust: Value,
    /// Whether it is the one of Default Host Management.
    pub is_default_host_management: bool,
    /// ARNs of the instance profiles in use that hold it.
    pub instance_profiles: Vec<String>,
    /// How many existing EC2 instances of the region use those.
    pub instances: usize,
    /// How many hybrid nodes of the region have it by their activation.
    pub hybrid_nodes: usize,
    /// Managed policies with the documents of their default versions.
    pub attached_policies: Vec<AttachedPolicy>,
    /// Inline policies by name.
    pub inline_policies: BTreeMap<String, Value>,
    /// The permissions boundary.
    pub boundary: Option<Boundary>,
    /// What a node needs, whether the policies above allow it, and the statement that decides.
    pub permissions: Vec<Permission>,
    /// Whether it has the managed policy of a node: AmazonSSMManagedInstanceCore, or the one for Default Host Management.
    pub has_core: bool,
}

/// A managed policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AttachedPolicy {
    /// Its ARN.
    pub arn: String,
    /// The document of its default version.
    pub document: Value,
}

/// A permissions boundary: the role may do no more than it allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// ARN of the managed policy.
    pub arn: String,
    /// Its document.
    pub document: Value,
}

/// An answer for one need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Permission {
    /// What the action is needed for.
    pub feature: Feature,
    /// The action, as policies name it.
    pub action: String,
    /// ARN, or `*`; null when it is not known on which.
    pub resource: Option<String>,
    /// Whether the role may do it.
    pub verdict: Verdict,
    /// What decided; null when it was the lack of a statement that allows.
    pub by: Option<By>,
}

impl Permission {
    /// Returns whether granting it would help: nothing denies it, it was only never allowed.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.verdict == Verdict::Denied && self.by.is_none()
    }
}

/// The statement that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct By {
    /// `identity`, `boundary`, `key_policy` or `bucket_policy`.
    pub layer: String,
    /// ARN or name of the policy; of a key's or a bucket's the ARN of the key or bucket.
    pub policy: String,
    /// Its Sid, if it has one.
    pub sid: Option<String>,
    /// Where in the document it is; null when a boundary or key policy just does not allow, or the policy was not read.
    pub path: Option<String>,
}

/// Whether a role may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its policies allow it.
    Allowed,
    /// They do not.
    Denied,
    /// It depends on something that is not known, or a policy could not be understood.
    Unknown,
}

/// What an action is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Reporting to SSM, without which the node never appears.
    Register,
    /// Sessions and commands.
    Channel,
    /// State Manager, inventory, patching.
    StateManager,
    /// Transcripts in S3.
    S3Log,
    /// The key that encrypts them there.
    S3Kms,
    /// Logs in CloudWatch Logs.
    CloudwatchLog,
    /// Encrypted sessions.
    Kms,
}
