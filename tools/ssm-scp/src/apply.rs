//! Carries out a plan: the only place that writes. What is there must be what the plan saw, and nobody may be locked out,
//! else nothing is written.

pub(crate) mod preconditions;

use anyhow::{Context, bail};
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::ProvideErrorMetadata;
use aws_sdk_organizations::types::PolicyType;
use awsconf::{Service, describe};
use cli::{Change, Reading};
use serde_json::{Value, json};

use crate::model::{Action, AttachmentState, Policy, PolicyState, Root};
use crate::{observe, plan as planning};

/// A change whose states were parsed, so that an edited plan fails before the first write.
pub(crate) enum Step {
    /// `None` deletes.
    Policy(Option<PolicyState>),
    Attachment(AttachmentState),
    PolicyType(Root),
}

/// What was found of what a change is about.
pub(crate) enum Found {
    Policy(Option<Policy>),
    PolicyType(Root),
}

/// The policies of the organization, where they are attached, and whether there may be any.
pub(crate) struct Resources {
    pub(crate) client: Client,
}

impl apply::Resources for Resources {
    type Action = Action;
    type Seen = (Step, Found);

    async fn look(&self, changes: &[&Change<Action>]) -> Vec<anyhow::Result<(Step, Found)>> {
        let mut seen = Vec::new();
        for change in changes {
            seen.push(match step(change) {
                Ok(step) => find(&self.client, change, &step)
                    .await
                    .map(|found| (step, found)),
                Err(error) => Err(error),
            });
        }
        seen
    }

    fn state(&self, _: &Change<Action>, (step, found): &(Step, Found)) -> Result<Value, String> {
        Ok(current(found, step))
    }

    fn is_satisfied(&self, _: &Change<Action>, (step, found): &(Step, Found)) -> bool {
        is_satisfied(found, step)
    }

    async fn write(
        &self,
        change: &Change<Action>,
        (step, found): &(Step, Found),
    ) -> anyhow::Result<()> {
        write(&self.client, change, step, found).await
    }

    fn inverse(&self, change: &Change<Action>, left: Value) -> Option<Change<Action>> {
        inverse(change, left)
    }

    fn service(&self, _: &Change<Action>) -> Service {
        Service::Organizations
    }

    /// A policy cannot be deleted while it is attached.
    fn needs(&self, change: &Change<Action>, failed: &Change<Action>) -> bool {
        failed.action == Action::DetachPolicy
            && failed.to["policy_name"] == change.resource.as_str()
    }
}

fn step(change: &Change<Action>) -> anyhow::Result<Step> {
    let parse = || format!("`to` of {}", change.id);
    Ok(match change.action {
        Action::CreatePolicy | Action::UpdatePolicy => Step::Policy(Some(
            serde_json::from_value(change.to.clone()).with_context(parse)?,
        )),
        Action::DeletePolicy if !change.to.is_null() => {
            bail!("{} and its `to` contradict each other", change.id)
        }
        Action::DeletePolicy => Step::Policy(None),
        Action::EnablePolicyType => {
            let root: Root = serde_json::from_value(change.to.clone()).with_context(parse)?;
            if !root.policy_type_enabled {
                bail!("{} and its `to` contradict each other", change.id);
            }
            Step::PolicyType(root)
        }
        Action::AttachPolicy | Action::DetachPolicy => {
            let state: AttachmentState =
                serde_json::from_value(change.to.clone()).with_context(parse)?;
            if state.attached != (change.action == Action::AttachPolicy)
                || state.target_id.0 != change.resource
            {
                bail!("{} and its `to` contradict each other", change.id);
            }
            Step::Attachment(state)
        }
    })
}

/// Reads what the change is about.
async fn find(client: &Client, change: &Change<Action>, step: &Step) -> anyhow::Result<Found> {
    let name = match step {
        Step::Policy(Some(state)) => &state.name,
        Step::Policy(None) => &change.resource,
        Step::Attachment(state) => &state.policy_name,
        Step::PolicyType(_) => {
            return match observe::root(client).await {
                Reading::Present(root) => Ok(Found::PolicyType(root)),
                Reading::Absent => bail!("the organization shows no root"),
                Reading::Unknown(reason) => bail!("{reason}"),
            };
        }
    };
    match observe::policy(client, name).await {
        Reading::Present(policy) => Ok(Found::Policy(Some(policy))),
        Reading::Absent => Ok(Found::Policy(None)),
        Reading::Unknown(reason) => bail!("{reason}"),
    }
}

fn current(found: &Found, step: &Step) -> Value {
    let policy = match found {
        Found::PolicyType(root) => return json!(root),
        Found::Policy(policy) => policy.as_ref(),
    };
    match step {
        Step::Attachment(state) => {
            let attached =
                policy.is_some_and(|policy| policy.attached_to.contains(&state.target_id));
            json!(AttachmentState {
                attached,
                ..state.clone()
            })
        }
        _ => policy.map_or(Value::Null, |policy| json!(policy.state)),
    }
}

fn is_satisfied(found: &Found, step: &Step) -> bool {
    match (step, found) {
        (Step::Policy(None), Found::Policy(policy)) => policy.is_none(),
        (Step::Policy(Some(desired)), Found::Policy(policy)) => policy
            .as_ref()
            .is_some_and(|policy| planning::same(&policy.state, desired)),
        (Step::Attachment(desired), _) => current(found, step) == json!(desired),
        (Step::PolicyType(desired), _) => current(found, step) == json!(desired),
        (Step::Policy(_), Found::PolicyType(_)) => false,
    }
}

async fn write(
    client: &Client,
    change: &Change<Action>,
    step: &Step,
    existing: &Found,
) -> anyhow::Result<()> {
    let id = || match existing {
        Found::Policy(Some(policy)) => Ok(policy.id.clone()),
        Found::Policy(None) | Found::PolicyType(_) => bail!("the policy is gone"),
    };
    match step {
        Step::PolicyType(root) => {
            let request = client.enable_policy_type().root_id(&root.root_id.0);
            let sent = request
                .policy_type(PolicyType::ServiceControlPolicy)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("EnablePolicyType {}", root.root_id.0), error))
        }
        Step::Policy(Some(state)) if change.action == Action::CreatePolicy => {
            let request = client
                .create_policy()
                .name(&state.name)
                .description(&state.description);
            let request = request
                .r#type(PolicyType::ServiceControlPolicy)
                .content(state.document.to_string());
            let sent = request.send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("CreatePolicy {}", state.name), error))
        }
        Step::Policy(Some(state)) => {
            let request = client
                .update_policy()
                .policy_id(id()?)
                .name(&state.name)
                .description(&state.description);
            let sent = request.content(state.document.to_string()).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("UpdatePolicy {}", state.name), error))
        }
        Step::Policy(None) => {
            let sent = client.delete_policy().policy_id(id()?).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeletePolicy {}", change.resource), error))
        }
        Step::Attachment(state) if state.attached => {
            let sent = client
                .attach_policy()
                .policy_id(id()?)
                .target_id(&state.target_id.0)
                .send()
                .await;
            match sent {
                Ok(_) => Ok(()),
                // Somebody attached it a moment ago; the read-back shows whether it is there.
                Err(error) if error.code() == Some("DuplicatePolicyAttachmentException") => Ok(()),
                Err(error) => Err(describe(
                    format!("AttachPolicy to {}", state.target_id.0),
                    error,
                )),
            }
        }
        Step::Attachment(state) => {
            let sent = client
                .detach_policy()
                .policy_id(id()?)
                .target_id(&state.target_id.0)
                .send()
                .await;
            sent.map(drop).map_err(|error| {
                describe(format!("DetachPolicy from {}", state.target_id.0), error)
            })
        }
    }
}

/// Returns the change that leads back. Disabling the policy type would detach every policy of the organization for good.
fn inverse(change: &Change<Action>, left: Value) -> Option<Change<Action>> {
    let (action, name) = match change.action {
        Action::EnablePolicyType => return None,
        Action::CreatePolicy => (Action::DeletePolicy, "delete_policy"),
        Action::DeletePolicy => (Action::CreatePolicy, "create_policy"),
        Action::UpdatePolicy => (Action::UpdatePolicy, "update_policy"),
        Action::AttachPolicy => (Action::DetachPolicy, "detach_policy"),
        Action::DetachPolicy => (Action::AttachPolicy, "attach_policy"),
    };
    let suffix = change
        .id
        .split_once(':')
        .map(|(_, rest)| format!(":{rest}"))
        .unwrap_or_default();
    Some(Change {
        id: format!("{name}{suffix}"),
        action,
        resource: change.resource.clone(),
        from: left,
        to: change.from.clone(),
        why: String::new(),
    })
}
