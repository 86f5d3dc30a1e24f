//! A change as a step that cannot be wrong: its states are typed, its resource is in the plan's account, and it can write
//! nothing but what this tool is for, whoever has edited the plan.

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolio::{Change, Plan, Target};

use crate::TOOL;
use crate::model::{
    Action, CORE_POLICY, DEFAULT_POLICY, DESCRIPTION, ROLE_PATH, Role, managed_policy, setting_arn,
    ssm_trust,
};

/// The state of a role in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleState {
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) trust: Value,
    pub(crate) managed_policies: Vec<String>,
    pub(crate) inline_policies: Vec<String>,
}

impl RoleState {
    /// Returns the only role that this tool makes.
    pub(crate) fn to_create(partition: &str) -> RoleState {
        RoleState {
            path: ROLE_PATH.to_owned(),
            description: DESCRIPTION.to_owned(),
            trust: ssm_trust(),
            managed_policies: vec![managed_policy(partition, DEFAULT_POLICY)],
            inline_policies: Vec::new(),
        }
    }

    pub(crate) fn of(role: &Role) -> RoleState {
        RoleState {
            path: role.path.clone(),
            description: role.description.clone(),
            trust: role.trust.clone(),
            managed_policies: role.attached_policies.keys().cloned().collect(),
            inline_policies: role.inline_policies.keys().cloned().collect(),
        }
    }
}

/// The state of one attachment in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentState {
    pub(crate) policy_arn: String,
}

/// The state of the service setting in a plan, when it is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingState {
    /// The role with its path but no leading slash.
    pub(crate) role: String,
}

/// What a change touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Role { name: String },
    Attachment { role: String, policy_arn: String },
    Setting,
}

/// Returns the plans with their steps, all of them valid.
///
/// # Errors
/// No plan; one of another tool; a change that this tool would not have planned.
pub(crate) fn plans(plans: Vec<Plan<Action>>) -> anyhow::Result<Vec<(Plan<Action>, Vec<Subject>)>> {
    ensure!(
        !plans.is_empty(),
        "no plan on stdin: pipe the output of `{TOOL} plan` in"
    );
    let mut checked = Vec::with_capacity(plans.len());
    for plan in plans {
        ensure!(
            plan.tool == TOOL,
            "the plan is for {}, not for {TOOL}",
            plan.tool
        );
        let mut subjects = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            let subject =
                subject(change, &plan.target).with_context(|| format!("change {}", change.id))?;
            subjects.push(subject);
        }
        checked.push((plan, subjects));
    }
    Ok(checked)
}

fn subject(change: &Change<Action>, target: &Target) -> anyhow::Result<Subject> {
    let partition = change.resource.split(':').nth(1).unwrap_or_default();
    match change.action {
        Action::CreateRole => {
            ensure!(change.from.is_null(), "from must be null");
            let to: RoleState = state(&change.to).context("to")?;
            ensure!(
                to == RoleState::to_create(partition),
                "to is not the role that {TOOL} makes"
            );
            ensure!(
                change.resource.contains(&format!(":role{ROLE_PATH}")),
                "the role is not under {ROLE_PATH}"
            );
            Ok(Subject::Role {
                name: role(change, target)?,
            })
        }
        Action::DeleteRole => {
            ensure!(change.to.is_null(), "to must be null");
            let from: RoleState = state(&change.from).context("from")?;
            ensure!(
                from.description == DESCRIPTION,
                "only a role that {TOOL} has made is deleted"
            );
            Ok(Subject::Role {
                name: role(change, target)?,
            })
        }
        Action::AttachPolicy | Action::DetachPolicy => {
            let (attached, other) = match change.action {
                Action::AttachPolicy => (&change.to, &change.from),
                _ => (&change.from, &change.to),
            };
            ensure!(other.is_null(), "one of from and to must be null");
            let AttachmentState { policy_arn } = state(attached)?;
            let ours = [CORE_POLICY, DEFAULT_POLICY].map(|name| managed_policy(partition, name));
            ensure!(
                ours.contains(&policy_arn),
                "{TOOL} does not attach or detach {policy_arn}"
            );
            Ok(Subject::Attachment {
                role: role(change, target)?,
                policy_arn,
            })
        }
        Action::UpdateServiceSetting | Action::ResetServiceSetting => {
            ensure!(
                change.resource == setting_arn(partition, target),
                "{} is not the setting",
                change.resource
            );
            let _: Option<SettingState> = state(&change.from).context("from")?;
            let to: Option<SettingState> = state(&change.to).context("to")?;
            ensure!(
                to.is_some() == (change.action == Action::UpdateServiceSetting),
                "to does not fit the action"
            );
            Ok(Subject::Setting)
        }
    }
}

fn state<T: serde::de::DeserializeOwned>(value: &Value) -> anyhow::Result<T> {
    Ok(T::deserialize(value)?)
}

fn role(change: &Change<Action>, target: &Target) -> anyhow::Result<String> {
    let parts: Vec<&str> = change.resource.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, resource]
            if *account == target.account && resource.starts_with("role/") =>
        {
            Ok(resource.rsplit('/').next().unwrap_or_default().to_owned())
        }
        _ => bail!(
            "{} is not a role of account {}",
            change.resource,
            target.account
        ),
    }
}
