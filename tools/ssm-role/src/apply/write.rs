//! One short function for each call that writes.

use anyhow::{anyhow, bail};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use awsconf::{describe, retried};
use cli::Change;
use serde_json::Value;

use crate::model::{Action, SETTING};
use crate::observe;
use crate::observe::resource::{Clients, association};
use crate::validated_change::{
    InlineState, OnInstanceState, ProfileState, RoleState, SettingState, Subject,
};

/// Carries out one change.
///
/// # Errors
/// A call fails, or the change does not fit what it is about.
pub(super) async fn write(
    clients: &Clients,
    change: &Change<Action>,
    subject: &Subject,
    before: &Value,
) -> anyhow::Result<()> {
    match (change.action, subject) {
        (Action::CreateRole, Subject::Role { name }) => {
            create_role(clients, name, &change.to, before).await
        }
        (Action::DeleteRole, Subject::Role { name }) => delete_role(clients, name, before).await,
        (Action::AttachPolicy, Subject::Attachment { role, policy_arn }) => {
            attach(clients, role, policy_arn).await
        }
        (Action::DetachPolicy, Subject::Attachment { role, policy_arn }) => {
            detach(clients, role, policy_arn).await
        }
        (Action::UpdateServiceSetting, Subject::Setting) => {
            let SettingState { role } = serde_json::from_value(change.to.clone())?;
            let call = clients.ssm.update_service_setting().setting_id(SETTING);
            let answer = call.setting_value(&role).send().await;
            answer.map(drop).map_err(|error| pass_role(&role, error))
        }
        (Action::ResetServiceSetting, Subject::Setting) => {
            let answer = clients
                .ssm
                .reset_service_setting()
                .setting_id(SETTING)
                .send()
                .await;
            answer
                .map(drop)
                .map_err(|error| describe(format!("ResetServiceSetting {SETTING}"), error))
        }
        (Action::PutRolePolicy, Subject::Inline { role, policy_name }) => {
            let InlineState { document, .. } = serde_json::from_value(change.to.clone())?;
            let call = clients.iam.put_role_policy().role_name(role);
            let call = call.policy_name(policy_name);
            let answer = call.policy_document(document.to_string()).send().await;
            answer
                .map(drop)
                .map_err(|error| describe(format!("PutRolePolicy {role} {policy_name}"), error))
        }
        (Action::DeleteRolePolicy, Subject::Inline { role, policy_name }) => {
            let answer = clients
                .iam
                .delete_role_policy()
                .role_name(role)
                .policy_name(policy_name)
                .send()
                .await;
            answer
                .map(drop)
                .map_err(|error| describe(format!("DeleteRolePolicy {role} {policy_name}"), error))
        }
        (Action::CreateInstanceProfile, Subject::Profile { name }) => {
            create_profile(clients, name, &change.to, before).await
        }
        (Action::DeleteInstanceProfile, Subject::Profile { name }) => {
            delete_profile(clients, name, before).await
        }
        (Action::AssociateInstanceProfile, Subject::OnInstance { instance_id }) => {
            associate(clients, instance_id, &change.to).await
        }
        (Action::DisassociateInstanceProfile, Subject::OnInstance { instance_id }) => {
            disassociate(clients, instance_id).await
        }
        (action, subject) => bail!("{action:?} does not fit {subject:?}"),
    }
}

/// The one permission that is easily forgotten is named.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
fn pass_role<E, R>(role: &str, error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let is_denied = awsconf::is_access_denied(&error);
    let error = describe(format!("UpdateServiceSetting {SETTING}"), error);
    match is_denied {
        true => anyhow!(
            "{error:#} (the caller needs ssm:UpdateServiceSetting on the setting, and iam:PassRole on role {role} with \
             iam:PassedToService ssm.amazonaws.com)"
        ),
        false => error,
    }
}

/// Goes on with a profile that holds no role yet.
async fn create_profile(
    clients: &Clients,
    name: &str,
    to: &Value,
    before: &Value,
) -> anyhow::Result<()> {
    let to: ProfileState = serde_json::from_value(to.clone())?;
    if before.is_null() {
        let call = clients.iam.create_instance_profile().path(&to.path);
        let answer = call.instance_profile_name(name).send().await;
        answer.map_err(|error| describe(format!("CreateInstanceProfile {name}"), error))?;
    }
    let Some(role) = to.role else { return Ok(()) };
    let add = async || {
        let call = clients.iam.add_role_to_instance_profile().role_name(&role);
        let answer = call.instance_profile_name(name).send().await;
        answer
            .map(drop)
            .map_err(|error| describe(format!("AddRoleToInstanceProfile {name} {role}"), error))
    };
    retried(add).await
}

/// Deletes what is there `before`, which the caller has compared with the plan; a profile that an instance still has is
/// refused by nobody but us.
async fn delete_profile(clients: &Clients, name: &str, before: &Value) -> anyhow::Result<()> {
    let used = clients
        .ec2
        .describe_instances(&[("instance-state-name", &ec2::EXISTING)])
        .await
        .map_err(|error| describe("DescribeInstances", error))?;
    let ends = format!(":instance-profile{}{name}", crate::model::PROFILE_PATH);
    let has = |instance: &&ec2::Instance| {
        instance
            .iam_instance_profile_arn
            .as_ref()
            .is_some_and(|arn| arn.ends_with(&ends))
    };
    if let Some(instance) = used.iter().find(has) {
        bail!(
            "instance {} has the profile: take it off first",
            instance.instance_id
        );
    }
    let before: ProfileState = serde_json::from_value(before.clone())?;
    if let Some(role) = before.role {
        let call = clients
            .iam
            .remove_role_from_instance_profile()
            .instance_profile_name(name)
            .role_name(&role);
        let answer = call.send().await;
        answer.map_err(|error| {
            describe(
                format!("RemoveRoleFromInstanceProfile {name} {role}"),
                error,
            )
        })?;
    }
    let call = clients.iam.delete_instance_profile();
    let answer = call.instance_profile_name(name).send().await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DeleteInstanceProfile {name}"), error))
}

async fn associate(clients: &Clients, instance_id: &str, to: &Value) -> anyhow::Result<()> {
    let OnInstanceState { profile_arn } = serde_json::from_value(to.clone())?;
    let current = association(&clients.ec2, instance_id).await?;
    let (operation, answer) = match &current {
        Some(current) => {
            let id = &current.association_id;
            let call = clients
                .ec2
                .replace_iam_instance_profile_association(id, &profile_arn);
            ("ReplaceIamInstanceProfileAssociation", call.await)
        }
        None => {
            let call = clients
                .ec2
                .associate_iam_instance_profile(instance_id, &profile_arn);
            ("AssociateIamInstanceProfile", call.await)
        }
    };
    let what = format!("{operation} {instance_id} {profile_arn}");
    match answer {
        Err(error) if awsconf::is_access_denied(&error) => {
            let error = describe(what, error);
            Err(anyhow!(
                "{error:#} (the caller needs ec2:{operation} on the instance, and iam:PassRole on the \
                 profile's role with iam:PassedToService ec2.amazonaws.com)"
            ))
        }
        answer => answer.map(drop).map_err(|error| describe(what, error)),
    }
}

async fn disassociate(clients: &Clients, instance_id: &str) -> anyhow::Result<()> {
    let Some(current) = association(&clients.ec2, instance_id).await? else {
        return Ok(());
    };
    let id = &current.association_id;
    let answer = clients.ec2.disassociate_iam_instance_profile(id).await;
    answer.map(drop).map_err(|error| {
        describe(
            format!("DisassociateIamInstanceProfile {instance_id}"),
            error,
        )
    })
}

/// Goes on with a role that lacks some of its policies.
async fn create_role(
    clients: &Clients,
    name: &str,
    to: &Value,
    before: &Value,
) -> anyhow::Result<()> {
    let to: RoleState = serde_json::from_value(to.clone())?;
    let before: Option<RoleState> = serde_json::from_value(before.clone())?;
    if before.is_none() {
        let call = clients
            .iam
            .create_role()
            .role_name(name)
            .path(&to.path)
            .description(&to.description);
        let answer = call
            .assume_role_policy_document(to.trust.to_string())
            .send()
            .await;
        answer.map_err(|error| describe(format!("CreateRole {name}"), error))?;
    }
    let attached = before.map(|role| role.managed_policies).unwrap_or_default();
    for policy in &to.managed_policies {
        if !attached.contains(policy) {
            retried(async || attach(clients, name, policy).await).await?;
        }
    }
    Ok(())
}

/// Deletes what is there `before`, which the caller has compared with the plan: nobody has added anything to the role since
/// it was made.
async fn delete_role(clients: &Clients, name: &str, before: &Value) -> anyhow::Result<()> {
    let setting = observe::setting(&clients.ssm).await?;
    if setting.role().and_then(|value| value.rsplit('/').next()) == Some(name) {
        return Err(anyhow!(
            "Default Host Management uses the role: turn that off first"
        ));
    }
    let before: RoleState = serde_json::from_value(before.clone())?;
    for policy in &before.managed_policies {
        detach(clients, name, policy).await?;
    }
    let answer = clients.iam.delete_role().role_name(name).send().await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DeleteRole {name}"), error))
}

async fn attach(clients: &Clients, role: &str, policy: &str) -> anyhow::Result<()> {
    let call = clients.iam.attach_role_policy().role_name(role);
    let answer = call.policy_arn(policy).send().await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("AttachRolePolicy {role} {policy}"), error))
}

async fn detach(clients: &Clients, role: &str, policy: &str) -> anyhow::Result<()> {
    let answer = clients
        .iam
        .detach_role_policy()
        .role_name(role)
        .policy_arn(policy)
        .send()
        .await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DetachRolePolicy {role} {policy}"), error))
}
