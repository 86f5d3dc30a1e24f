//! What was read of one account and region. Never touches the world.

use std::collections::BTreeMap;

use iam_policy::{Trust, TrustSource};
use records::{Boundary, Reading, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::managed_policy;

/// Everything that was looked at in one account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) target: Target,
    pub(crate) partition: String,
    pub(crate) setting: Reading<Setting>,
    /// Running and stopped instances without a profile; those that the desired state excludes are left out.
    #[serde(default)]
    pub(crate) bare_instances: Vec<String>,
    /// The instances that the desired state excludes, all of the region; absent when it excludes none.
    #[serde(default)]
    pub(crate) excluded: Reading<Vec<ExcludedInstance>>,
    /// By ID, the nodes that Systems Manager manages though the desired state excludes them, with the tag that does; absent when
    /// nobody asks.
    #[serde(default)]
    pub(crate) enrolled: Reading<BTreeMap<String, String>>,
    /// Instance profiles in use, by ARN; absent never.
    pub(crate) profiles: Reading<Vec<Profile>>,
    /// Hybrid nodes by the name of their activation's role; absent when nobody asks for them.
    #[serde(default)]
    pub(crate) hybrid_nodes: Reading<BTreeMap<String, Vec<String>>>,
    /// Every role that a profile, the setting, a hybrid node or the desired state names, by name.
    pub(crate) roles: BTreeMap<String, Reading<Role>>,
    /// The profile that instances without one are to get; absent when it does not exist or none is desired.
    #[serde(default)]
    pub(crate) assigned: Reading<OwnProfile>,
}

impl Observed {
    /// Returns a role by its name, if there is one.
    ///
    /// # Errors
    /// It could not be read; the text says why.
    pub(crate) fn role(&self, name: &str) -> Result<Option<&Role>, &str> {
        self.roles.get(name).map_or(Ok(None), Reading::known)
    }

    /// Returns whether a service such as `ssm.amazonaws.com` may assume a role here.
    pub(crate) fn trusts(&self, role: &Role, service: &str) -> Trust {
        let source = TrustSource {
            partition: &self.partition,
            account: &self.target.account,
            region: &self.target.region,
        };
        iam_policy::trusts(&role.trust, service, Some(source))
    }
}

/// An instance that the desired state excludes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExcludedInstance {
    pub(crate) instance_id: String,
    /// What excludes it: `Role=dc`.
    pub(crate) tag: String,
    /// The name of the role in its instance profile; absent when it has no profile, or that no role.
    #[serde(default)]
    pub(crate) role: Reading<String>,
}

impl std::fmt::Display for ExcludedInstance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({})", self.instance_id, self.tag)
    }
}

/// The instance profile that instances without one are to get.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnProfile {
    pub(crate) arn: String,
    /// The name of its role.
    pub(crate) role: Option<String>,
}

/// The service setting of Default Host Management.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) status: Option<String>,
}

impl Setting {
    /// Returns the role with its path but no leading slash, null when it is off. The status does not help: AWS's own
    /// example shows `Default` beside a role.
    pub(crate) fn role(&self) -> Option<&str> {
        Some(self.value.as_str()).filter(|value| !value.is_empty() && *value != "$None")
    }
}

/// An instance profile that EC2 instances use.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) arn: String,
    /// The existing instances that have it.
    pub(crate) instance_ids: Vec<String>,
    /// The name of its role; it has at most one.
    pub(crate) role: Reading<String>,
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) trust: Value,
    /// Documents by ARN.
    pub(crate) attached_policies: BTreeMap<String, Value>,
    /// Documents by name.
    pub(crate) inline_policies: BTreeMap<String, Value>,
    /// The permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<Boundary>,
}

impl Role {
    /// Returns whether the AWS managed policy of this name is attached.
    pub(crate) fn has(&self, partition: &str, policy: &str) -> bool {
        self.attached_policies
            .contains_key(&managed_policy(partition, policy))
    }

    /// Returns the value of the service setting that names this role.
    pub(crate) fn setting_value(&self, name: &str) -> String {
        format!("{}{name}", self.path.trim_start_matches('/'))
    }
}
