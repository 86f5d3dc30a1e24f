//! What is desired and what is there, to changes. Pure.

mod assign;
mod excluded;

use std::collections::BTreeMap;
use std::sync::Arc;

use cli::{Change, Plan};
use iam_policy::Trust;
use records::{Feature, Verdict};
use serde_json::{Value, json};
use transcripts::Preferences;

use crate::TOOL;
use crate::model::{
    Action, CORE_POLICY, DEFAULT_POLICY, DefaultHostManagement, Desired, INLINE_POLICY, NodeRoles,
    Observed, ROLE_PATH, Role, managed_policy, setting_arn,
};
use crate::policy_builder::{self, TargetPreferences};
use crate::required_permissions::{
    Judged, is_preference, judged, permissions, required_permissions,
};
use crate::validated_change::{InlineState, RoleState};
pub(crate) use excluded::left_out;

/// Why no plan can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// Planning past a gap could grant or break something.
    #[error("no plan without knowing everything: {0}")]
    Unknown(String),
    #[error(
        "role {0} does not exist: create it or set default_host_management.create_role to true"
    )]
    RoleMissing(String),
    /// This tool never edits the trust of a role that it did not make.
    #[error(
        "role {0} exists, but {1} may not assume it: correct its trust policy or choose another name"
    )]
    Trust(String, &'static str),
    #[error("instance profile {0} exists and holds {1}: choose another assign_profile.name")]
    ForeignProfile(String, String),
    #[error("assign_profile.replace takes profiles off nodes in use: name them with --nodes")]
    ReplaceEverywhere,
    #[error(
        "{0} would enroll excluded nodes: {1}; leave it out of the desired state, or take the risk with --accept excluded-nodes"
    )]
    Excluded(String, String),
}

impl From<&str> for PlanError {
    fn from(reason: &str) -> PlanError {
        PlanError::Unknown(reason.to_owned())
    }
}

/// What a plan is made for, besides the desired state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlanContext<'a> {
    /// The preferences of the account and region; none when they were not given.
    pub(crate) preferences: Option<&'a Preferences>,
    /// Whether the nodes were named one by one.
    pub(crate) is_narrowed: bool,
    /// Whether nodes that the desired state excludes may be enrolled all the same.
    pub(crate) accepts_excluded: bool,
}

/// Returns the changes that lead from what is there to what is desired.
///
/// # Errors
/// Something that matters could not be read, or only a person can solve it.
pub(crate) fn plan(
    desired: &Desired,
    observed: &Observed,
    given: PlanContext<'_>,
) -> Result<Plan<Action>, PlanError> {
    let mut changes = Vec::new();
    if let Some(required) = &desired.default_host_management {
        default_host_management(required, observed, given, &mut changes)?;
    }
    if let Some(required) = &desired.instance_profiles {
        let instances = instances_by_role(observed)?;
        node_roles(required, instances, observed, given, &mut changes)?;
    }
    if let Some(required) = &desired.hybrid_activations {
        let nodes = hybrid_nodes_by_role(observed)?;
        node_roles(required, nodes, observed, given, &mut changes)?;
    }
    if let Some(required) = &desired.assign_profile {
        let grants = desired.instance_profiles.as_ref().is_some_and(|profiles| {
            profiles.grant_preferences && !profiles.exclude_roles.contains(&required.name)
        });
        assign::assign(required, observed, given, grants, &mut changes)?;
    }
    if !desired.exclude.is_empty() {
        excluded::refuse(desired, observed, given.accepts_excluded, &mut changes)?;
    }
    Ok(Plan::new(TOOL, observed.target.clone(), changes))
}

fn default_host_management(
    required: &DefaultHostManagement,
    observed: &Observed,
    given: PlanContext<'_>,
    changes: &mut Vec<Change<Action>>,
) -> Result<(), PlanError> {
    let current = observed.setting.known()?.and_then(|setting| setting.role());
    let mut setting = |action, to: Value, why: &str| {
        changes.push(Change {
            id: "service_setting".to_owned(),
            action,
            resource: setting_arn(&observed.partition, &observed.target),
            from: current.map_or(Value::Null, |role| json!({ "role": role })),
            to,
            why: why.to_owned(),
        });
    };
    if !required.enabled {
        if current.is_some() {
            let why = "Default Host Management is to be off; nodes without a sufficient profile disconnect";
            setting(Action::ResetServiceSetting, Value::Null, why);
        }
        return Ok(());
    }
    let adopted = current
        .and_then(|value| value.rsplit('/').next())
        .filter(|_| required.adopt);
    let name = adopted.unwrap_or(&required.role_name.0);
    let role = observed.role(name)?;
    let value = match role {
        Some(role) => role.setting_value(name),
        None => format!("{}{name}", ROLE_PATH.trim_start_matches('/')),
    };
    if current != Some(value.as_str()) {
        let why = match current {
            None => "instances without an instance profile get credentials",
            // A value without the role's path names a role that does not exist.
            Some(_) => "the setting must name the required role with its path",
        };
        setting(Action::UpdateServiceSetting, json!({ "role": value }), why);
    }
    let mut first = Vec::new();
    let arn = format!(
        "arn:{}:iam::{}:role{ROLE_PATH}{name}",
        observed.partition, observed.target.account
    );
    match role {
        None if !required.create_role => return Err(PlanError::RoleMissing(name.to_owned())),
        None => first.push(Change {
            id: format!("create_role/{name}"),
            action: Action::CreateRole,
            resource: arn.clone(),
            from: Value::Null,
            to: json!(RoleState::of_host_management(&observed.partition)),
            why: "Default Host Management needs a role that Systems Manager may assume".to_owned(),
        }),
        Some(role) if observed.trusts(role, "ssm.amazonaws.com") == Trust::No => {
            return Err(PlanError::Trust(name.to_owned(), "ssm.amazonaws.com"));
        }
        Some(role) if lacks_core(observed, role) => {
            let why = "nodes under Default Host Management may do nothing without it";
            first.push(attach(observed, name, &role.arn, DEFAULT_POLICY, why));
        }
        Some(_) => {}
    }
    if required.grant_preferences {
        let arn = role.map_or(arn, |role| role.arn.clone());
        first.extend(grant_preferences(observed, given, name, &arn, role));
    }
    changes.splice(0..0, first);
    Ok(())
}

/// Returns how many instances have each role by their profiles.
///
/// # Errors
/// Something could not be read.
fn instances_by_role(observed: &Observed) -> Result<BTreeMap<&str, usize>, PlanError> {
    let mut instances: BTreeMap<&str, usize> = BTreeMap::new();
    for profile in observed.profiles.known()?.into_iter().flatten() {
        if let Some(role) = profile.role.known()? {
            *instances.entry(role).or_default() += profile.instance_ids.len();
        }
    }
    Ok(instances)
}

fn hybrid_nodes_by_role(observed: &Observed) -> Result<BTreeMap<&str, usize>, PlanError> {
    let nodes = observed.hybrid_nodes.known()?.into_iter().flatten();
    Ok(nodes
        .map(|(role, ids)| (role.as_str(), ids.len()))
        .collect())
}

/// Adds what the roles lack that so many nodes have.
fn node_roles(
    required: &NodeRoles,
    n_nodes: BTreeMap<&str, usize>,
    observed: &Observed,
    given: PlanContext<'_>,
    changes: &mut Vec<Change<Action>>,
) -> Result<(), PlanError> {
    for (name, n_nodes) in n_nodes {
        if required.excludes(name) {
            continue;
        }
        let Some(role) = observed.role(name)? else {
            continue;
        };
        // A role that is in both lists is changed once.
        let mut want = |change: Change<Action>| {
            if changes.iter().all(|there| there.id != change.id) {
                changes.push(change);
            }
        };
        let plural = if n_nodes == 1 { "" } else { "s" };
        if required.attach_managed_policy && lacks_core(observed, role) {
            let why = format!("{n_nodes} node{plural} of the region cannot be managed without it");
            want(attach(observed, name, &role.arn, CORE_POLICY, &why));
        }
        if required.grant_preferences {
            grant_preferences(observed, given, name, &role.arn, Some(role))
                .into_iter()
                .for_each(want);
        }
    }
    Ok(())
}

/// Returns whether attaching the managed policy helps: something that it allows is allowed by nothing, and it is not there.
/// What a boundary or a statement denies, or what is not known, no further policy changes.
fn lacks_core(observed: &Observed, role: &Role) -> bool {
    let is_attached =
        role.has(&observed.partition, DEFAULT_POLICY) || role.has(&observed.partition, CORE_POLICY);
    let needs = required_permissions(&observed.partition, &observed.target, None);
    !is_attached && permissions(role, &needs).iter().any(|one| one.is_missing())
}

/// Returns the change that lets a role write and decrypt what the preferences say; a role that is still to be made has no
/// permissions yet.
fn grant_preferences(
    observed: &Observed,
    given: PlanContext<'_>,
    name: &str,
    arn: &str,
    role: Option<&Role>,
) -> Option<Change<Action>> {
    let preferences = given.preferences?;
    let place = TargetPreferences {
        target: observed.target.clone(),
        preferences: preferences.clone(),
    };
    let policy_name = format!("{INLINE_POLICY}{}", observed.target.region);
    let there = role.and_then(|role| role.inline_policies.get(&policy_name));
    let document = policy_builder::logs(&place, there)?;
    let needs = required_permissions(&observed.partition, &observed.target, Some(preferences));
    let judged = role.map(|role| judged(role, &Arc::default(), &needs));
    let is_missing = judged.as_ref().is_none_or(|judged| {
        judged
            .iter()
            .any(|one| is_preference(one.need.feature) && one.is_grantable())
    });
    // What is known by an alias alone can be judged only by the policy that grants it.
    let is_unknown_key = there.is_none()
        && judged.iter().flatten().any(|one| {
            let Judged {
                need, permission, ..
            } = one;
            need.resource.is_none()
                && need.feature == Feature::Kms
                && permission.verdict != Verdict::Allowed
        });
    if there == Some(&document) || !(is_missing || is_unknown_key) {
        return None;
    }
    let state = |document: &Value| {
        json!(InlineState {
            policy_name: policy_name.clone(),
            document: document.clone(),
        })
    };
    Some(Change {
        id: format!("put_role_policy/{name}/{policy_name}"),
        action: Action::PutRolePolicy,
        resource: arn.to_owned(),
        from: there.map_or(Value::Null, state),
        to: state(&document),
        why: "nodes must write the logs and decrypt the sessions that the preferences of the region ask for"
            .to_owned(),
    })
}

fn attach(observed: &Observed, role: &str, arn: &str, policy: &str, why: &str) -> Change<Action> {
    Change {
        id: format!("attach_policy/{role}/{policy}"),
        action: Action::AttachPolicy,
        resource: arn.to_owned(),
        from: Value::Null,
        to: json!({ "policy_arn": managed_policy(&observed.partition, policy) }),
        why: why.to_owned(),
    }
}

#[cfg(test)]
#[path = "fixture_tests.rs"]
mod tests;
