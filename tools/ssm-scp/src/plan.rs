//! Decides what has to be done: create or update the policy, then attach it. Detaching is never planned, because a
//! target that is not listed may be fenced on purpose; it is only the way back.

use anyhow::bail;
use serde_json::{Value, json};
use toolio::{Change, Reading};

use crate::document;
use crate::model::{
    Action, AttachmentState, Desired, MAX_POLICIES_PER_TARGET, Observed, Policy, PolicyState,
};

/// Returns the changes in order.
///
/// # Errors
/// Something needed could not be read, or stands in the way; all of it is named at once.
pub(crate) fn plan(desired: &Desired, observed: &Observed) -> anyhow::Result<Vec<Change<Action>>> {
    let obstacles = obstacles(desired, observed);
    if !obstacles.is_empty() {
        bail!("{}", obstacles.join("; "));
    }
    let policy = observed.policy.present();
    let mut changes: Vec<_> = policy_change(desired, policy)?.into_iter().collect();
    let name = &desired.policy_name.0;
    for target in &desired.targets.0 {
        if policy.is_some_and(|policy| policy.attached_to.contains(target)) {
            continue;
        }
        let state = |attached| AttachmentState {
            policy_name: name.clone(),
            target_id: target.clone(),
            attached,
        };
        changes.push(Change {
            id: format!("attach_policy:{}", target.0),
            action: Action::AttachPolicy,
            resource: target.0.clone(),
            from: json!(state(false)),
            to: json!(state(true)),
            why: format!(
                "{name} is not attached to {}: nothing is denied there",
                target.0
            ),
        });
    }
    Ok(changes)
}

/// Returns what the reader of a plan has to know and no change can say.
pub(crate) fn notes(desired: &Desired, observed: &Observed) -> Vec<String> {
    let mut notes = vec![
        "service-linked roles and all principals of the management account are outside any SCP".to_owned(),
        "whoever may create or change an exempt role, or a role whose name matches a pattern, may take the exemption"
            .to_owned(),
    ];
    if let Some(policy) = observed.policy.present() {
        let others: Vec<&str> = policy
            .attached_to
            .difference(&desired.targets.0)
            .map(|target| target.0.as_str())
            .collect();
        if !others.is_empty() {
            notes.push(format!(
                "{} is also attached to {}, where it stays attached",
                policy.state.name,
                others.join(", ")
            ));
        }
    }
    notes
}

/// Returns the desired policy as a state.
pub(crate) fn wished(desired: &Desired) -> anyhow::Result<PolicyState> {
    Ok(PolicyState {
        name: desired.policy_name.0.clone(),
        description: desired.description.0.clone(),
        document: document::render(desired)?,
    })
}

/// Returns whether two states of the policy mean the same.
pub(crate) fn same(left: &PolicyState, right: &PolicyState) -> bool {
    left.name == right.name
        && left.description == right.description
        && document::same(&left.document, &right.document)
}

fn policy_change(
    desired: &Desired,
    policy: Option<&Policy>,
) -> anyhow::Result<Option<Change<Action>>> {
    let to = wished(desired)?;
    let (action, id, from, why) = match policy {
        None => (
            Action::CreatePolicy,
            "create_policy",
            Value::Null,
            "there is no service control policy of this name",
        ),
        Some(policy) if same(&policy.state, &to) => return Ok(None),
        Some(policy) if document::same(&policy.state.document, &to.document) => (
            Action::UpdatePolicy,
            "update_policy",
            json!(policy.state),
            "the description differs from the desired one",
        ),
        Some(policy) => (
            Action::UpdatePolicy,
            "update_policy",
            json!(policy.state),
            "the document means something else than the desired one",
        ),
    };
    Ok(Some(Change {
        id: id.to_owned(),
        action,
        resource: to.name.clone(),
        from,
        to: json!(to),
        why: why.to_owned(),
    }))
}

/// Returns everything that would make a write fail halfway or leave the fence open.
fn obstacles(desired: &Desired, observed: &Observed) -> Vec<String> {
    let mut obstacles = Vec::new();
    match &observed.management_account {
        Reading::Present(_) => {}
        Reading::Absent => {
            return vec![format!(
                "account {} is in no organization",
                observed.account
            )];
        }
        Reading::Unknown(why) => obstacles.push(why.clone()),
    }
    match &observed.type_enabled {
        Reading::Present(true) => {}
        Reading::Present(false) | Reading::Absent => obstacles.push(
            "service control policies are not enabled in the root: run `aws organizations enable-policy-type \
             --policy-type SERVICE_CONTROL_POLICY --root-id r-xxxx` in the management account"
                .to_owned(),
        ),
        Reading::Unknown(why) => obstacles.push(format!(
            "{why} (Organizations answers only the management account and delegated administrators)"
        )),
    }
    let policy = observed.policy.present();
    match &observed.policy {
        Reading::Unknown(why) => obstacles.push(why.clone()),
        Reading::Present(policy) if policy.aws_managed => obstacles.push(format!(
            "$.policy_name: {} is a policy of AWS and cannot be changed: choose another name",
            policy.state.name
        )),
        _ => {}
    }
    for target in &desired.targets.0 {
        let id = &target.0;
        if observed.management_account.present() == Some(id) {
            obstacles.push(format!(
                "$.targets: {id} is the management account, which no SCP binds"
            ));
            continue;
        }
        let attached = policy.is_some_and(|policy| policy.attached_to.contains(target));
        match observed.targets.get(target) {
            Some(Reading::Present(n_policies))
                if !attached && *n_policies >= MAX_POLICIES_PER_TARGET =>
            {
                obstacles.push(format!(
                    "$.targets: {id} has {n_policies} service control policies and may have \
                     {MAX_POLICIES_PER_TARGET}: detach or join some"
                ));
            }
            Some(Reading::Present(_)) => {}
            Some(Reading::Unknown(why)) => obstacles.push(why.clone()),
            Some(Reading::Absent) | None => {
                obstacles.push(format!("$.targets: {id} is not in the organization"));
            }
        }
    }
    let foreign = desired
        .exempt_principals
        .0
        .iter()
        .find(|principal| !crate::model::glob(principal.partition(), &observed.partition));
    if let Some(principal) = foreign {
        obstacles.push(format!(
            "$.exempt_principals: {} can match nobody in partition {}",
            principal.0, observed.partition
        ));
    }
    obstacles
}
