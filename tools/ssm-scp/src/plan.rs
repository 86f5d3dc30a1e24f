//! Decides what has to be done: create policies and attach them, target after target in the order in which they are listed, so that
//! the first is the canary; then the same of policies that are there. Detaching is planned only for an exact list of targets: elsewhere a
//! target that is not listed may be fenced on purpose.

use anyhow::bail;
use cli::{Change, Reading};
use iam_policy::{Arn, glob};
use serde_json::{Value, json};

use crate::gaps::LeftOpen;
use crate::guard::left_over::guard_of_part;
use crate::guard::{OUTSIDE, Part, exempt_patterns};
use crate::model::{
    Action, AttachmentState, Desired, NO_ORGANIZATION, Observed, Policy, PolicyState, Root,
    TargetId, USE_MANAGEMENT,
};
use crate::policy_equivalence;

/// Returns the changes in order; with `until` no target behind that one is attached.
///
/// # Errors
/// Something needed could not be read, or stands in the way; all of it is named at once.
pub(crate) fn plan(
    desired: &Desired,
    parts: &[Part],
    until: Option<&TargetId>,
    max_policies: usize,
    observed: &Observed,
) -> anyhow::Result<Vec<Change<Action>>> {
    let targets = targets(desired, until)?;
    let obstacles = obstacles(desired, parts, targets, max_policies, observed);
    if !obstacles.is_empty() {
        bail!("{}", obstacles.join("; "));
    }
    let mut changes: Vec<Change<Action>> = Vec::new();
    if let Reading::Present(root) = &observed.root
        && !root.policy_type_enabled
    {
        changes.push(enable(root));
    }
    // What moves from one part to another is denied by the new one before the old one loses it. An old one has its new exemptions
    // before it is attached to more targets.
    let (new, old): (Vec<&Part>, Vec<&Part>) = parts
        .iter()
        .partition(|part| found(observed, part).is_none());
    let is_alone = parts.len() == 1;
    let is_missing = |part: &Part, target: &TargetId| {
        let policy = found(observed, part);
        !policy.is_some_and(|policy| policy.attached_to.contains(target))
    };
    let gone_from_elsewhere = |part: &Part| -> Vec<Change<Action>> {
        let targets = elsewhere(desired, found(observed, part)).into_iter();
        let targets = targets.filter(|_| desired.exact);
        let change = |target: &TargetId| {
            let why = format!("{} is not among the targets, which are exact", target.0);
            attachment(&part.name, is_alone, target, false, why)
        };
        targets.map(change).collect()
    };
    // Whatever leaves a policy does so before its exemptions change, unless others have to be bound first.
    let is_late = |part: &Part| targets.iter().any(|target| is_missing(part, target));
    for group in [new, old] {
        for part in &group {
            if !is_late(part) {
                changes.extend(gone_from_elsewhere(part));
            }
        }
        for part in &group {
            let policy = found(observed, part);
            changes.extend(policy_change(desired, part, policy));
        }
        for target in targets {
            for part in group.iter().filter(|part| is_missing(part, target)) {
                let why = format!(
                    "{} is not attached to {}: nothing is denied there",
                    part.name, target.0
                );
                changes.push(attachment(&part.name, is_alone, target, true, why));
            }
        }
    }
    for part in parts.iter().filter(|part| is_late(part)) {
        changes.extend(gone_from_elsewhere(part));
    }
    if desired.exact {
        // What these deny is in the parts that are left, by the exemptions of today.
        for policy in left_over(observed) {
            let name = &policy.state.name;
            for target in &policy.attached_to {
                let why = format!("{name} is a part that the guard no longer has");
                changes.push(attachment(name, false, target, false, why));
            }
        }
    }
    Ok(changes)
}

/// Returns the targets up to the last desired one.
fn targets<'d>(desired: &'d Desired, until: Option<&TargetId>) -> anyhow::Result<&'d [TargetId]> {
    let targets = desired.targets.0.as_slice();
    let Some(until) = until else {
        return Ok(targets);
    };
    match targets.iter().position(|target| target == until) {
        Some(last) => Ok(&targets[..=last]),
        None => bail!("--until {}: it is not among $.targets", until.0),
    }
}

fn found<'o>(observed: &'o Observed, part: &Part) -> Option<&'o Policy> {
    observed.policies.get(&part.name).and_then(Reading::present)
}

fn enable(root: &Root) -> Change<Action> {
    let state = |policy_type_enabled| {
        json!(Root {
            policy_type_enabled,
            ..root.clone()
        })
    };
    Change {
        id: "enable_policy_type".to_owned(),
        action: Action::EnablePolicyType,
        resource: root.root_id.0.clone(),
        from: state(false),
        to: state(true),
        why: "service control policies are not enabled in the root: none has any effect".to_owned(),
    }
}

/// Returns the parts that the guard no longer has and that are attached still, as far as they are known.
pub(crate) fn left_over(observed: &Observed) -> impl Iterator<Item = &Policy> {
    let policies = observed.left_over.present().into_iter().flatten();
    policies.filter(|policy| !policy.attached_to.is_empty())
}

/// Returns where a policy is attached beside the targets.
pub(crate) fn elsewhere<'o>(desired: &Desired, policy: Option<&'o Policy>) -> Vec<&'o TargetId> {
    let attached = policy.into_iter().flat_map(|policy| &policy.attached_to);
    attached
        .filter(|target| !desired.targets.0.contains(target))
        .collect()
}

fn attachment(
    name: &str,
    is_alone: bool,
    target: &TargetId,
    attached: bool,
    why: String,
) -> Change<Action> {
    let state = |attached| AttachmentState {
        policy_name: name.to_owned(),
        target_id: target.clone(),
        attached,
    };
    let (action, verb) = match attached {
        true => (Action::AttachPolicy, "attach_policy"),
        false => (Action::DetachPolicy, "detach_policy"),
    };
    // With one policy its name says nothing that the target does not.
    let id = match is_alone {
        true => format!("{verb}:{}", target.0),
        false => format!("{verb}:{}:{name}", target.0),
    };
    Change {
        id,
        action,
        resource: target.0.clone(),
        from: json!(state(!attached)),
        to: json!(state(attached)),
        why,
    }
}

/// Returns what the reader of a plan has to know and no change can say.
pub(crate) fn notes(
    desired: &Desired,
    parts: &[Part],
    observed: &Observed,
    left_open: LeftOpen,
) -> Vec<String> {
    let mut notes = vec![OUTSIDE.to_owned()];
    notes.extend(left_open.lines());
    if !desired.protect_exempt_roles {
        notes.push(
            "whoever may create or change an exempt role, or a role whose name matches a pattern, may take the exemption"
                .to_owned(),
        );
    }
    if let Some(guard) = guard_of_part(&desired.policy_name.0) {
        notes.push(format!(
            "a second part of a guard named {guard} would have this name: give this one another, without a number at its end"
        ));
    }
    for policy in parts.iter().filter_map(|part| found(observed, part)) {
        let others = elsewhere(desired, Some(policy));
        if !others.is_empty() && !desired.exact {
            notes.push(format!(
                "{} is also attached to {}, where it stays attached",
                policy.state.name,
                in_list(others)
            ));
        }
    }
    for policy in left_over(observed).filter(|_| !desired.exact) {
        notes.push(format!(
            "{}, a part that the guard no longer has, stays attached to {} and denies by its old exemptions: set \"exact\" to have it \
             detached",
            policy.state.name,
            in_list(&policy.attached_to)
        ));
    }
    notes
}

/// Returns targets as a list.
pub(crate) fn in_list<'t>(targets: impl IntoIterator<Item = &'t TargetId>) -> String {
    let targets: Vec<&str> = targets
        .into_iter()
        .map(|target| target.0.as_str())
        .collect();
    targets.join(", ")
}

/// Returns a part of the guard as a state.
pub(crate) fn desired_state(desired: &Desired, part: &Part) -> PolicyState {
    PolicyState {
        name: part.name.clone(),
        description: desired.description.0.clone(),
        document: part.document.clone(),
    }
}

/// Returns whether two states of the policy mean the same.
pub(crate) fn same(left: &PolicyState, right: &PolicyState) -> bool {
    left.name == right.name
        && left.description == right.description
        && policy_equivalence::same(&left.document, &right.document)
}

fn policy_change(
    desired: &Desired,
    part: &Part,
    policy: Option<&Policy>,
) -> Option<Change<Action>> {
    let to = desired_state(desired, part);
    let (action, verb, from, why) = match policy {
        None => (
            Action::CreatePolicy,
            "create_policy",
            Value::Null,
            "there is no service control policy of this name",
        ),
        Some(policy) if same(&policy.state, &to) => return None,
        Some(policy) if policy_equivalence::same(&policy.state.document, &to.document) => (
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
    // The first policy has the name of the guard, which need not be said.
    let id = if to.name == desired.policy_name.0 {
        verb.to_owned()
    } else {
        format!("{verb}:{}", to.name)
    };
    Some(Change {
        id,
        action,
        resource: to.name.clone(),
        from,
        to: json!(to),
        why: why.to_owned(),
    })
}

/// Returns everything that would make a write fail halfway or leave the fence open.
fn obstacles(
    desired: &Desired,
    parts: &[Part],
    targets: &[TargetId],
    max_policies: usize,
    observed: &Observed,
) -> Vec<String> {
    let mut obstacles = Vec::new();
    match &observed.management_account {
        Reading::Present(_) => {}
        Reading::Absent => {
            return vec![format!(
                "account {} {NO_ORGANIZATION}: {USE_MANAGEMENT}",
                observed.account
            )];
        }
        Reading::Unknown(why) => obstacles.push(why.clone()),
    }
    match &observed.root {
        Reading::Present(root) if root.policy_type_enabled || desired.enable_policy_type => {}
        Reading::Present(_) => obstacles.push(
            "service control policies are not enabled in the root: set \"enable_policy_type\": true to have them enabled"
                .to_owned(),
        ),
        Reading::Absent => obstacles.push("the organization shows no root".to_owned()),
        Reading::Unknown(why) => obstacles.push(why.clone()),
    }
    for part in parts {
        match observed.policies.get(&part.name) {
            Some(Reading::Unknown(why)) => obstacles.push(why.clone()),
            Some(Reading::Present(policy)) if policy.aws_managed => obstacles.push(format!(
                "$.policy_name: {} is a policy of AWS and cannot be changed: choose another name",
                part.name
            )),
            _ => {}
        }
    }
    if let Reading::Unknown(why) = &observed.left_over
        && !obstacles.contains(why)
    {
        obstacles.push(why.clone());
    }
    for target in targets {
        let id = &target.0;
        if observed.management_account.present() == Some(id) {
            obstacles.push(format!(
                "$.targets: {id} is the management account, which no SCP binds"
            ));
            continue;
        }
        let n_missing = parts
            .iter()
            .filter(|part| {
                !found(observed, part).is_some_and(|policy| policy.attached_to.contains(target))
            })
            .count();
        match observed.targets.get(target) {
            Some(Reading::Present(n_policies))
                if n_policies + n_missing > max_policies && n_missing > 0 =>
            {
                obstacles.push(format!(
                    "$.targets: {id} has {n_policies} service control policies, needs {n_missing} more and may have \
                     {max_policies}: detach or join some"
                ));
            }
            Some(Reading::Present(_)) => {}
            Some(Reading::Unknown(why)) => obstacles.push(why.clone()),
            Some(Reading::Absent) | None => {
                obstacles.push(format!("$.targets: {id} is not in the organization"));
            }
        }
    }
    let here = |pattern: &&String| {
        glob(
            Arn::parse(pattern).map_or("", |arn| arn.partition),
            &observed.partition,
        )
    };
    if let Some(pattern) = exempt_patterns(desired)
        .iter()
        .find(|pattern| !here(pattern))
    {
        obstacles.push(format!(
            "$.exempt_principals: {pattern} can match nobody in partition {}",
            observed.partition
        ));
    }
    if desired.partition.0 != observed.partition {
        obstacles.push(format!(
            "$.partition: the organization is in partition {}, not in {}",
            observed.partition, desired.partition.0
        ));
    }
    obstacles
}
