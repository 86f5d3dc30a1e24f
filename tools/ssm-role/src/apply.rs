//! What `apply` needs to know of roles, profiles and the service setting: how they are read, written and taken back. The
//! only writes.

mod write;

use std::collections::BTreeSet;

use awsconf::{Service, Session};
use cli::{Change, Target};
use serde_json::Value;

use crate::model::Action;
use crate::observe::resource::{Clients, current};
use crate::undo::inverse;
use crate::validated_change::{ProfileState, RoleState, SettingState, subject};
use write::write;

/// What the plans of one account and region change.
pub(crate) struct Resources {
    clients: Clients,
    target: Target,
}

impl Resources {
    /// `target` is the plan's, whose region is that of the session.
    pub(crate) fn new(session: &Session, target: &Target) -> Resources {
        Resources {
            clients: Clients {
                iam: aws_sdk_iam::Client::new(&session.config),
                ssm: aws_sdk_ssm::Client::new(&session.config),
                ec2: ec2::Client::new(&session.config),
            },
            target: target.clone(),
        }
    }
}

impl apply::Resources for Resources {
    type Action = Action;
    type Seen = Value;

    async fn look(&self, changes: &[&Change<Action>]) -> Vec<anyhow::Result<Value>> {
        let mut seen = Vec::new();
        for change in changes {
            seen.push(match subject(change, &self.target) {
                Ok(subject) => current(&self.clients, &subject).await,
                Err(error) => Err(error),
            });
        }
        seen
    }

    fn state(&self, _: &Change<Action>, seen: &Value) -> Result<Value, String> {
        Ok(seen.clone())
    }

    /// A role that was made earlier may have got its inline policy since, by a later change of the same plan.
    fn is_satisfied(&self, change: &Change<Action>, seen: &Value) -> bool {
        let is_there = match (change.action, role(seen), role(&change.to)) {
            (Action::CreateRole, Some(seen), Some(to)) => without_inline(seen) == to,
            _ => false,
        };
        is_there || *seen == change.to
    }

    /// A role gets its policies, and a profile its role, after it was made, and loses them before it is deleted.
    fn is_between(&self, change: &Change<Action>, state: &Value) -> bool {
        let whole = match change.to.is_null() {
            true => &change.from,
            false => &change.to,
        };
        match change.action {
            Action::CreateRole | Action::DeleteRole => {
                role(state).zip(role(whole)).is_some_and(|(state, whole)| {
                    let policies = |role: &RoleState| {
                        role.managed_policies
                            .iter()
                            .cloned()
                            .collect::<BTreeSet<_>>()
                    };
                    policies(&state).is_subset(&policies(&whole))
                        && without_policies(state) == without_policies(whole)
                })
            }
            Action::CreateInstanceProfile | Action::DeleteInstanceProfile => profile(state)
                .zip(profile(whole))
                .is_some_and(|(state, whole)| state.role.is_none() && state.path == whole.path),
            _ => false,
        }
    }

    async fn write(&self, change: &Change<Action>, seen: &Value) -> anyhow::Result<()> {
        let subject = subject(change, &self.target)?;
        write(&self.clients, change, &subject, seen).await
    }

    fn inverse(&self, change: &Change<Action>, left: Value) -> Option<Change<Action>> {
        Some(inverse(change, left))
    }

    fn service(&self, change: &Change<Action>) -> Service {
        match change.action {
            Action::UpdateServiceSetting | Action::ResetServiceSetting => Service::Ssm,
            Action::AssociateInstanceProfile | Action::DisassociateInstanceProfile => Service::Ec2,
            _ => Service::Iam,
        }
    }

    /// What uses a role or a profile goes before it.
    fn needs(&self, change: &Change<Action>, failed: &Change<Action>) -> bool {
        let name = |change: &Change<Action>| {
            let name = change.resource.rsplit('/').next();
            name.unwrap_or_default().to_owned()
        };
        match (change.action, failed.action) {
            (Action::DeleteRole, Action::ResetServiceSetting | Action::UpdateServiceSetting) => {
                setting(&failed.from)
                    .is_some_and(|setting| setting.role.ends_with(&format!("/{}", name(change))))
            }
            (Action::DeleteRole, Action::DeleteInstanceProfile) => {
                profile(&failed.from).is_some_and(|profile| profile.role == Some(name(change)))
            }
            (
                Action::DeleteInstanceProfile,
                Action::DisassociateInstanceProfile | Action::AssociateInstanceProfile,
            ) => failed.from["profile_arn"] == change.resource.as_str(),
            _ => false,
        }
    }
}

fn without_inline(role: RoleState) -> RoleState {
    RoleState {
        inline_policies: Vec::new(),
        ..role
    }
}

fn without_policies(role: RoleState) -> RoleState {
    RoleState {
        managed_policies: Vec::new(),
        ..without_inline(role)
    }
}

fn role(state: &Value) -> Option<RoleState> {
    serde_json::from_value(state.clone()).ok()
}

fn profile(state: &Value) -> Option<ProfileState> {
    serde_json::from_value(state.clone()).ok()
}

fn setting(state: &Value) -> Option<SettingState> {
    serde_json::from_value(state.clone()).ok()
}
