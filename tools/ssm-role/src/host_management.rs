//! Observed state as the record of `show`, which other tools read: who can use the key, the log group, the bucket.

use std::collections::BTreeSet;

use records::{
    AttachedPolicy, DefaultHostManagement, HostManagement, HostManagementKind, InstanceRole,
    NodeRole,
};
use transcripts::Preferences;

use crate::model::{CORE_POLICY, DEFAULT_POLICY, Observed, Role};
use crate::required_permissions::{permissions, required_permissions};

/// Returns the record; `preferences` decide what a node needs besides.
///
/// # Errors
/// Something could not be read: half a record would be taken for the whole.
pub(crate) fn record(
    observed: &Observed,
    preferences: Option<&Preferences>,
) -> anyhow::Result<HostManagement> {
    let needs = required_permissions(&observed.partition, &observed.target, preferences);
    let setting = observed.setting.known().map_err(error)?;
    let profiles = observed
        .profiles
        .known()
        .map_err(error)?
        .map(Vec::as_slice)
        .unwrap_or_default();
    let hybrid_nodes = observed.hybrid_nodes.known().map_err(error)?;
    let managing = setting.and_then(|setting| setting.role());
    let mut roles = Vec::new();
    for (name, role) in &observed.roles {
        let Some(role) = role.known().map_err(error)? else {
            continue;
        };
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
            is_default_host_management,
            instance_profiles: holders.iter().map(|profile| profile.arn.clone()).collect(),
            instances: holders.iter().map(|p| p.instance_ids.len()).sum(),
            hybrid_nodes: hybrid_nodes
                .and_then(|nodes| nodes.get(name))
                .map_or(0, Vec::len),
            permissions: permissions(role, &needs),
            has_core: role.has(&observed.partition, CORE_POLICY)
                || role.has(&observed.partition, core),
            ..node_role(name, role)
        });
    }
    let mut profiles_without_role = BTreeSet::new();
    for profile in profiles {
        if profile.role.known().map_err(error)?.is_none() {
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
        let role = profile.role.known().map_err(error)?;
        instances.extend(profile.instance_ids.iter().map(|id| InstanceRole {
            instance_id: id.clone(),
            profile: Some(profile.arn.clone()),
            role: role.cloned(),
        }));
    }
    for (role, ids) in hybrid_nodes.into_iter().flatten() {
        instances.extend(ids.iter().map(|id| InstanceRole {
            instance_id: id.clone(),
            profile: None,
            role: Some(role.clone()),
        }));
    }
    instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    Ok(HostManagement {
        kind: HostManagementKind::HostManagement,
        target: Some(observed.target.clone()),
        of_operators: false,
        default_host_management: DefaultHostManagement {
            status: setting.and_then(|setting| setting.status.clone()),
            role: managing.map(str::to_owned),
        },
        roles,
        profiles_without_role: profiles_without_role.into_iter().collect(),
        instances,
    })
}

fn error(reason: &str) -> anyhow::Error {
    anyhow::anyhow!("{reason}")
}

/// Returns what IAM has of a role, as records have it; what it is for stays empty.
pub(crate) fn node_role(name: &str, role: &Role) -> NodeRole {
    let attached = role.attached_policies.iter();
    NodeRole {
        arn: role.arn.clone(),
        role: name.to_owned(),
        path: role.path.clone(),
        trust: role.trust.clone(),
        attached_policies: attached
            .map(|(arn, document)| AttachedPolicy {
                arn: arn.clone(),
                document: document.clone(),
            })
            .collect(),
        inline_policies: role.inline_policies.clone(),
        boundary: role.boundary.clone(),
        ..NodeRole::default()
    }
}
