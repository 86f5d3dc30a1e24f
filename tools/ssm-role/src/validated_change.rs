//! A change as a step that cannot be wrong: its states are typed, its resource is in the plan's account, and it can write
//! nothing but what this tool is for, whoever has edited the plan.

use anyhow::{Context, bail, ensure};
use cli::{Change, Plan, Target};
use records::Arn;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TOOL;
use crate::model::{
    Action, CORE_POLICY, DEFAULT_POLICY, DESCRIPTION, INLINE_POLICY, INSTANCE_DESCRIPTION,
    PROFILE_PATH, ROLE_PATH, Role, ec2_service, managed_policy, setting_arn, trust,
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
    /// Returns the role of Default Host Management that this tool makes.
    pub(crate) fn of_host_management(partition: &str) -> RoleState {
        RoleState {
            path: ROLE_PATH.to_owned(),
            description: DESCRIPTION.to_owned(),
            trust: trust("ssm.amazonaws.com"),
            managed_policies: vec![managed_policy(partition, DEFAULT_POLICY)],
            inline_policies: Vec::new(),
        }
    }

    /// Returns the role of instances that this tool makes.
    pub(crate) fn of_instances(partition: &str) -> RoleState {
        RoleState {
            path: "/".to_owned(),
            description: INSTANCE_DESCRIPTION.to_owned(),
            trust: trust(ec2_service(partition)),
            managed_policies: vec![managed_policy(partition, CORE_POLICY)],
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

/// The state of an inline policy in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InlineState {
    pub(crate) policy_name: String,
    pub(crate) document: Value,
}

/// The state of an instance profile in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileState {
    pub(crate) path: String,
    /// The name of its role.
    pub(crate) role: Option<String>,
}

/// The instance profile on an instance in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnInstanceState {
    pub(crate) profile_arn: String,
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
    Inline { role: String, policy_name: String },
    Profile { name: String },
    OnInstance { instance_id: String },
    Setting,
}

/// Refuses a plan with a change that this tool would not have planned.
///
/// # Errors
/// The first such change.
pub(crate) fn validate(plan: &Plan<Action>) -> anyhow::Result<()> {
    plan.changes.iter().try_for_each(|change| {
        let subject = subject(change, &plan.target);
        subject
            .map(drop)
            .with_context(|| format!("change {}", change.id))
    })
}

/// Returns what a change is about.
///
/// # Errors
/// A change that this tool would not have planned.
pub(crate) fn subject(change: &Change<Action>, target: &Target) -> anyhow::Result<Subject> {
    let partition = Arn::parse(&change.resource).map_or("", |arn| arn.partition);
    match change.action {
        Action::CreateRole => {
            ensure!(change.from.is_null(), "from must be null");
            let to: RoleState = state(&change.to).context("to")?;
            let ours = [
                RoleState::of_host_management(partition),
                RoleState::of_instances(partition),
            ];
            ensure!(ours.contains(&to), "to is not a role that {TOOL} makes");
            let name = role(change, target)?;
            let path = format!(":role{}{name}", to.path);
            ensure!(
                change.resource.ends_with(&path),
                "the role is not under {}",
                to.path
            );
            Ok(Subject::Role { name })
        }
        Action::DeleteRole => {
            ensure!(change.to.is_null(), "to must be null");
            let from: RoleState = state(&change.from).context("from")?;
            ensure!(
                [DESCRIPTION, INSTANCE_DESCRIPTION].contains(&from.description.as_str()),
                "only a role that {TOOL} has made is deleted"
            );
            Ok(Subject::Role {
                name: role(change, target)?,
            })
        }
        Action::PutRolePolicy | Action::DeleteRolePolicy => {
            let from: Option<InlineState> = state(&change.from).context("from")?;
            let to: Option<InlineState> = state(&change.to).context("to")?;
            ensure!(
                to.is_some() == (change.action == Action::PutRolePolicy),
                "to does not fit the action"
            );
            let policy_name = format!("{INLINE_POLICY}{}", target.region);
            ensure!(
                from.iter()
                    .chain(&to)
                    .all(|state| state.policy_name == policy_name),
                "{TOOL} writes no inline policy but {policy_name} here"
            );
            Ok(Subject::Inline {
                role: role(change, target)?,
                policy_name,
            })
        }
        Action::CreateInstanceProfile | Action::DeleteInstanceProfile => {
            let from: Option<ProfileState> = state(&change.from).context("from")?;
            let to: Option<ProfileState> = state(&change.to).context("to")?;
            let is_made = change.action == Action::CreateInstanceProfile;
            ensure!(
                to.is_some() == is_made && from.is_none() == is_made,
                "from and to do not fit the action"
            );
            ensure!(
                from.iter()
                    .chain(&to)
                    .all(|state| state.path == PROFILE_PATH),
                "only a profile under {PROFILE_PATH} is made or deleted"
            );
            let resource = format!("instance-profile{PROFILE_PATH}");
            Ok(Subject::Profile {
                name: named(change, target, "iam", "", &resource)?,
            })
        }
        Action::AssociateInstanceProfile | Action::DisassociateInstanceProfile => {
            let _: Option<OnInstanceState> = state(&change.from).context("from")?;
            let to: Option<OnInstanceState> = state(&change.to).context("to")?;
            ensure!(
                to.is_some() == (change.action == Action::AssociateInstanceProfile),
                "to does not fit the action"
            );
            Ok(Subject::OnInstance {
                instance_id: named(change, target, "ec2", &target.region, "instance/")?,
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

/// Returns the name of the role that a change is about.
fn role(change: &Change<Action>, target: &Target) -> anyhow::Result<String> {
    named(change, target, "iam", "", "role/")
}

/// Returns the last part of a resource's ARN, which must be in the plan's account.
fn named(
    change: &Change<Action>,
    target: &Target,
    service: &str,
    region: &str,
    prefix: &str,
) -> anyhow::Result<String> {
    match Arn::parse(&change.resource) {
        Some(arn)
            if arn.service == service
                && arn.region == region
                && arn.account == target.account
                && arn.resource.starts_with(prefix) =>
        {
            Ok(arn
                .resource
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned())
        }
        _ => bail!(
            "{} is not a {} of account {}",
            change.resource,
            prefix.trim_matches('/'),
            target.account
        ),
    }
}
