//! What is wished for and what is there, to changes. Pure.

use serde_json::{Value, json};
use toolio::{Change, Plan, Reading};

use crate::TOOL;
use crate::model::{
    Action, CORE_POLICY, DEFAULT_POLICY, DefaultHostManagement, Desired, InstanceProfiles,
    Observed, ROLE_PATH, managed_policy, setting_arn,
};
use crate::step::RoleState;

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
        "role {0} exists, but ssm.amazonaws.com may not assume it: correct its trust policy or choose another role_name"
    )]
    Trust(String),
}

/// Returns the changes that lead from what is there to what is wished for.
///
/// # Errors
/// Something that matters could not be read, or only a person can solve it.
pub(crate) fn plan(desired: &Desired, observed: &Observed) -> Result<Plan<Action>, PlanError> {
    let mut changes = Vec::new();
    if let Some(wished) = &desired.default_host_management {
        default_host_management(wished, observed, &mut changes)?;
    }
    if let Some(wished) = &desired.instance_profiles {
        instance_profiles(wished, observed, &mut changes)?;
    }
    Ok(Plan::new(TOOL, observed.target.clone(), changes))
}

fn default_host_management(
    wished: &DefaultHostManagement,
    observed: &Observed,
    changes: &mut Vec<Change<Action>>,
) -> Result<(), PlanError> {
    let current = known(&observed.setting)?.and_then(|setting| setting.role());
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
    if !wished.enabled {
        if current.is_some() {
            let why = "Default Host Management is wished off; nodes without a sufficient profile disconnect";
            setting(Action::ResetServiceSetting, Value::Null, why);
        }
        return Ok(());
    }
    let name = &wished.role_name.0;
    let role = observed.roles.get(name).map(known).transpose()?.flatten();
    let value = match role {
        Some(role) => role.setting_value(name),
        None => format!("{}{name}", ROLE_PATH.trim_start_matches('/')),
    };
    if current != Some(value.as_str()) {
        let why = match current {
            None => "instances without an instance profile get credentials",
            // A value without the role's path names a role that does not exist.
            Some(_) => "the setting must name the wished role with its path",
        };
        setting(Action::UpdateServiceSetting, json!({ "role": value }), why);
    }
    let needed_first = match role {
        None if !wished.create_role => return Err(PlanError::RoleMissing(name.clone())),
        None => Some(Change {
            id: format!("create_role/{name}"),
            action: Action::CreateRole,
            resource: format!(
                "arn:{}:iam::{}:role{ROLE_PATH}{name}",
                observed.partition, observed.target.account
            ),
            from: Value::Null,
            to: json!(RoleState::to_create(&observed.partition)),
            why: "Default Host Management needs a role that Systems Manager may assume".to_owned(),
        }),
        Some(role) if !role.trusts_ssm() => return Err(PlanError::Trust(name.clone())),
        // The policy for instance profiles allows the same and more.
        Some(role)
            if role.has(&observed.partition, DEFAULT_POLICY)
                || role.has(&observed.partition, CORE_POLICY) =>
        {
            None
        }
        Some(role) => {
            let why = "nodes under Default Host Management may do nothing without it";
            Some(attach(observed, name, &role.arn, DEFAULT_POLICY, why))
        }
    };
    if let Some(change) = needed_first {
        changes.insert(0, change);
    }
    Ok(())
}

fn instance_profiles(
    wished: &InstanceProfiles,
    observed: &Observed,
    changes: &mut Vec<Change<Action>>,
) -> Result<(), PlanError> {
    if !wished.attach_managed_policy {
        return Ok(());
    }
    let profiles = known(&observed.profiles)?
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (name, role) in &observed.roles {
        let mut instances = 0;
        for profile in profiles {
            if known(&profile.role)? == Some(name) {
                instances += profile.instances;
            }
        }
        if instances == 0
            || wished
                .exclude_roles
                .iter()
                .any(|excluded| &excluded.0 == name)
        {
            continue;
        }
        if let Some(role) = known(role)?.filter(|role| !role.has(&observed.partition, CORE_POLICY))
        {
            let plural = if instances == 1 { "" } else { "s" };
            let why =
                format!("{instances} instance{plural} of the region cannot be managed without it");
            changes.push(attach(observed, name, &role.arn, CORE_POLICY, &why));
        }
    }
    Ok(())
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

fn known<T>(reading: &Reading<T>) -> Result<Option<&T>, PlanError> {
    match reading {
        Reading::Unknown(reason) => Err(PlanError::Unknown(reason.clone())),
        Reading::Present(value) => Ok(Some(value)),
        Reading::Absent => Ok(None),
    }
}

#[cfg(test)]
#[path = "fixture_tests.rs"]
mod tests;
