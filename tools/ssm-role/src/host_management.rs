//! Observed state as the record of `show`, which other tools read: who can use the key, the log group, the bucket.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use cli::{Reading, Target};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::model::{Boundary, CORE_POLICY, DEFAULT_POLICY, Observed};
use crate::preferences::Preferences;
use crate::required_permissions::{Permission, permissions, required_permissions};

/// The `kind` of the record.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostManagementKind {
    /// The only value.
    HostManagement,
}

/// How nodes of one account and region get their credentials, and what those allow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct HostManagement {
    /// Always `host_management`.
    kind: HostManagementKind,
    /// Where.
    target: Target,
    /// The service setting.
    default_host_management: DefaultHostManagement,
    /// Every role that nodes may have, by ARN.
    roles: Vec<NodeRole>,
    /// ARNs of instance profiles in use that hold no role.
    profiles_without_role: Vec<String>,
    /// Every existing instance with its profile and role, by id; what the role may do is said above, once.
    instances: Vec<InstanceRole>,
}

/// Where an instance's credentials come from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct InstanceRole {
    instance_id: String,
    /// ARN of its instance profile.
    profile: Option<String>,
    /// Name of the role in it; that of Default Host Management when it has no profile.
    role: Option<String>,
}

/// Default Host Management as it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct DefaultHostManagement {
    /// AWS's word: `Default`, `Customized` or `PendingUpdate`; it does not say whether it is on.
    status: Option<String>,
    /// The role with its path but no leading slash, as the setting has it; null when it is off.
    role: Option<String>,
}

/// A role that nodes have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct NodeRole {
    arn: String,
    /// Its name.
    role: String,
    path: String,
    /// Who may assume it.
    trust: Value,
    /// Whether it is the one of Default Host Management.
    is_default_host_management: bool,
    /// ARNs of the instance profiles in use that hold it.
    instance_profiles: Vec<String>,
    /// How many existing EC2 instances of the region use those.
    instances: usize,
    /// Managed policies with the documents of their default versions.
    attached_policies: Vec<AttachedPolicy>,
    /// Inline policies by name.
    inline_policies: BTreeMap<String, Value>,
    /// The permissions boundary.
    boundary: Option<Boundary>,
    /// What a node needs, whether the policies above allow it, and the statement that decides.
    permissions: Vec<Permission>,
    /// Whether it has the managed policy of a node: AmazonSSMManagedInstanceCore, or the one for Default Host Management.
    has_core: bool,
}

/// A managed policy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AttachedPolicy {
    arn: String,
    document: Value,
}

/// Returns the record; `preferences` decide what a node needs besides.
///
/// # Errors
/// Something could not be read: half a record would be taken for the whole.
pub(crate) fn record(
    observed: &Observed,
    preferences: Option<&Preferences>,
) -> anyhow::Result<HostManagement> {
    let needs = required_permissions(&observed.partition, &observed.target, preferences);
    let setting = known(&observed.setting)?;
    let profiles = known(&observed.profiles)?
        .map(Vec::as_slice)
        .unwrap_or_default();
    let managing = setting.and_then(|setting| setting.role());
    let mut roles = Vec::new();
    for (name, role) in &observed.roles {
        let Some(role) = known(role)? else { continue };
        let holders: Vec<_> = profiles
            .iter()
            .filter(|profile| profile.role.present() == Some(name))
            .collect();
        let is_default_host_management =
            managing.and_then(|value| value.rsplit('/').next()) == Some(name);
        let core = if is_default_host_management {
            DEFAULT_POLICY
        } else {
            CORE_POLICY
        };
        roles.push(NodeRole {
            arn: role.arn.clone(),
            role: name.clone(),
            path: role.path.clone(),
            trust: role.trust.clone(),
            is_default_host_management,
            instance_profiles: holders.iter().map(|profile| profile.arn.clone()).collect(),
            instances: holders.iter().map(|p| p.instance_ids.len()).sum(),
            attached_policies: role
                .attached_policies
                .iter()
                .map(|(arn, document)| AttachedPolicy {
                    arn: arn.clone(),
                    document: document.clone(),
                })
                .collect(),
            inline_policies: role.inline_policies.clone(),
            boundary: role.boundary.clone(),
            permissions: permissions(role, &needs),
            has_core: role.has(&observed.partition, CORE_POLICY)
                || role.has(&observed.partition, core),
        });
    }
    let mut profiles_without_role = BTreeSet::new();
    for profile in profiles {
        if known(&profile.role)?.is_none() {
            profiles_without_role.insert(profile.arn.clone());
        }
    }
    roles.sort_by(|a, b| a.arn.cmp(&b.arn));
    let by_default = managing.and_then(|value| value.rsplit('/').next());
    let bare = observed.bare_instances.iter().map(|id| InstanceRole {
        instance_id: id.clone(),
        profile: None,
        role: by_default.map(str::to_owned),
    });
    let mut instances: Vec<InstanceRole> = bare.collect();
    for profile in profiles {
        let role = known(&profile.role)?;
        instances.extend(profile.instance_ids.iter().map(|id| InstanceRole {
            instance_id: id.clone(),
            profile: Some(profile.arn.clone()),
            role: role.cloned(),
        }));
    }
    instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    Ok(HostManagement {
        kind: HostManagementKind::HostManagement,
        target: observed.target.clone(),
        default_host_management: DefaultHostManagement {
            status: setting.and_then(|setting| setting.status.clone()),
            role: managing.map(str::to_owned),
        },
        roles,
        profiles_without_role: profiles_without_role.into_iter().collect(),
        instances,
    })
}

fn known<T>(reading: &Reading<T>) -> anyhow::Result<Option<&T>> {
    match reading {
        Reading::Unknown(reason) => bail!("{reason}"),
        Reading::Present(value) => Ok(Some(value)),
        Reading::Absent => Ok(None),
    }
}
