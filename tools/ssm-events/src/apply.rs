//! Carries out a plan: the only place that writes. Every `from` is compared before the first write, every `to` after
//! its own, and the way back is collected as it goes.

mod function;
pub(crate) mod test_event;
mod trail;
mod write;

use std::time::Duration;

use anyhow::bail;
use awsconf::{Interrupt, Session};
use serde_json::{Value, json};
use toolio::{
    Applied, ApplyArgs, Change, ChangeStatus, Found, Outcome, Plan, Reading, ResultKind,
    ResultRecord,
};

use crate::model::{Action, Observed};
use crate::observe::{self, Clients, Known, Names};
use crate::{rule, state};

/// Read-backs of one write before it counts as lost; a new connection takes a moment to be there.
const READ_BACKS: u32 = 100;

/// Carries out the plan and returns what was done, also when it stopped half way.
pub(crate) async fn apply(
    clients: &Clients,
    session: &Session,
    plan: &Plan<Action>,
    how: ApplyArgs,
    interrupt: &Interrupt,
) -> (ResultRecord<Action>, Outcome) {
    let mut results: Vec<Applied<Action>> = Vec::new();
    let mut undo: Vec<Change<Action>> = Vec::new();
    let names = names(plan, session);
    let observed = observe::observe(clients, &Known::default(), &names).await;
    let refusals: Vec<Option<String>> = plan
        .changes
        .iter()
        .map(|change| refusal(change, &observed))
        .collect();
    if how.recover {
        return recover(plan, &observed);
    }
    let mut outcome = if refusals.iter().any(Option::is_some) {
        Outcome::Trouble
    } else {
        Outcome::Fine
    };
    let refused = outcome == Outcome::Trouble;
    for (change, refusal) in plan.changes.iter().zip(refusals) {
        if let (Outcome::Fine, Some(signal)) = (outcome, interrupt.signal()) {
            outcome = Outcome::Interrupted(signal);
        }
        let (status, error) = match (outcome, refusal) {
            (_, Some(refusal)) => (ChangeStatus::Failed, Some(refusal)),
            (Outcome::Interrupted(_), _) => (ChangeStatus::Skipped, Some("interrupted".to_owned())),
            (Outcome::Fine, _) => {
                match carry_out(
                    clients,
                    session,
                    &names,
                    change,
                    plan.is_of_new(change),
                    &mut undo,
                )
                .await
                {
                    Ok(status) => (status, None),
                    Err(error) => {
                        outcome = Outcome::Trouble;
                        (ChangeStatus::Failed, Some(format!("{error:#}")))
                    }
                }
            }
            _ if refused => (
                ChangeStatus::Skipped,
                Some("another change of this plan was refused".to_owned()),
            ),
            _ => (
                ChangeStatus::Skipped,
                Some("an earlier change failed".to_owned()),
            ),
        };
        let (id, resource) = (change.id.clone(), change.resource.clone());
        results.push(Applied {
            id,
            action: change.action,
            resource,
            status,
            error,
        });
    }
    undo.reverse();
    let undo = (!undo.is_empty()).then(|| Plan::new(&plan.tool, plan.target.clone(), undo));
    let (tool, target) = (plan.tool.clone(), plan.target.clone());
    (
        ResultRecord {
            kind: ResultKind::Result,
            tool,
            target,
            results,
            undo,
        },
        outcome,
    )
}

/// Looks only: what is there tells what an earlier run did.
fn recover(plan: &Plan<Action>, observed: &Observed) -> (ResultRecord<Action>, Outcome) {
    let (mut results, mut undo) = (Vec::new(), Vec::new());
    let mut outcome = Outcome::Fine;
    for change in &plan.changes {
        let found = match state::now(change.action, observed) {
            Err(reason) => Found::Other(format!("could not be read: {reason}")),
            Ok(now) if state::reached(&now, &change.to) => {
                undo.splice(0..0, inverse(change));
                Found::Done
            }
            Ok(now) => {
                let found = toolio::found(&change.from, &change.to, &Reading::Present(now.clone()));
                if found == Found::Done {
                    let half = inverse(change).map(|inverse| Change {
                        from: now,
                        ..inverse
                    });
                    undo.splice(0..0, half);
                }
                found
            }
        };
        let (status, error) = found.told();
        if status == ChangeStatus::Failed {
            outcome = Outcome::Trouble;
        }
        let (id, resource) = (change.id.clone(), change.resource.clone());
        results.push(Applied {
            id,
            action: change.action,
            resource,
            status,
            error,
        });
    }
    let (tool, target) = (plan.tool.clone(), plan.target.clone());
    let undo = (!undo.is_empty()).then(|| Plan::new(&tool, target.clone(), undo));
    let record = ResultRecord {
        kind: ResultKind::Result,
        tool,
        target,
        results,
        undo,
    };
    (record, outcome)
}

/// Returns the names that the changes of a plan are about; of what a plan does not change nothing is read.
fn names(plan: &Plan<Action>, session: &Session) -> Names {
    let mut names = Names::default();
    for change in &plan.changes {
        let resource = change.resource.as_str();
        match change.action {
            Action::CreateRole | Action::PutRolePolicy | Action::DeleteRole => {
                names.role = resource.to_owned();
            }
            Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => {
                names.rule = rule::rule_of_queue(resource).unwrap_or_default().to_owned();
            }
            action if action.is_of_trail() => {
                names.trail_arn = crate::trail::arn(resource, &session.target, &session.partition);
            }
            action if action.is_of_function() => names.function = resource.to_owned(),
            action if action.is_of_bucket() => names.bucket = resource.to_owned(),
            _ => names.rule = resource.to_owned(),
        }
    }
    names
}

async fn carry_out(
    clients: &Clients,
    session: &Session,
    names: &Names,
    change: &Change<Action>,
    is_of_new: bool,
    undo: &mut Vec<Change<Action>>,
) -> anyhow::Result<ChangeStatus> {
    let before = observe::about(clients, names, change.action).await;
    let now = state::now(change.action, &before).map_err(anyhow::Error::msg)?;
    if state::reached(&now, &change.to) {
        return Ok(ChangeStatus::Unchanged);
    }
    // Somebody may have written since the first look.
    if now != change.from && !is_of_new {
        bail!(
            "the plan expects {}, but there is {now}: make a new plan",
            change.from
        );
    }
    write::write(clients, session, change, &before).await?;
    undo.extend(inverse(change));
    for _ in 0..READ_BACKS {
        let after = observe::about(clients, names, change.action).await;
        let now = state::now(change.action, &after).map_err(anyhow::Error::msg)?;
        if state::reached(&now, &change.to) {
            return Ok(ChangeStatus::Done);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    bail!("was written, but reading it back does not show it")
}

/// Returns why a change may not be made: what is there is neither what the plan saw nor what it wants.
fn refusal(change: &Change<Action>, observed: &Observed) -> Option<String> {
    match state::now(change.action, observed) {
        Err(reason) => Some(format!("could not be read: {reason}")),
        Ok(now) if now == change.from || state::reached(&now, &change.to) => None,
        Ok(now) => Some(format!(
            "the plan expects {}, but there is {now}: make a new plan",
            change.from
        )),
    }
}

/// Returns the change that leads back. The URL that a destination had before is a secret nobody kept, so there is no
/// way back from its replacement.
fn inverse(change: &Change<Action>) -> Option<Change<Action>> {
    let existed = !change.from.is_null();
    let action = match change.action {
        Action::CreateRole => Action::DeleteRole,
        Action::CreateFunction => Action::DeleteFunction,
        // Of a function that was made just before, which is taken back as a whole.
        Action::PutFunctionEventInvokeConfig | Action::AddPermission if !existed => return None,
        Action::UpdateFunctionConfiguration
        | Action::PutFunctionEventInvokeConfig
        | Action::AddPermission => change.action,
        Action::CreateTrail => Action::DeleteTrail,
        // Of what was made just before, which is taken back as a whole, or stays as the bucket does.
        Action::StartLogging | Action::PutBucketPolicy if !existed => return None,
        Action::StartLogging => Action::StopLogging,
        // Locking a bucket down is never taken back.
        Action::UpdateTrail | Action::PutBucketPolicy => change.action,
        Action::CreateQueue => Action::DeleteQueue,
        Action::SetQueueAttributes => Action::SetQueueAttributes,
        Action::CreateConnection => Action::DeleteConnection,
        Action::CreateApiDestination => Action::DeleteApiDestination,
        Action::PutRule if !existed => Action::DeleteRule,
        Action::PutTargets if !existed => Action::RemoveTargets,
        Action::PutRule | Action::PutTargets => change.action,
        Action::PutRolePolicy => Action::PutRolePolicy,
        // The last ones are an undo already; making a new plan is the way forward again.
        _ => return None,
    };
    let mut from = change.to.clone();
    if let Value::Object(fields) = &mut from {
        fields.remove("webhook");
        fields.remove("zip");
    }
    let id = format!(
        "{}:{}",
        json!(action).as_str().unwrap_or_default(),
        change.resource
    );
    let (resource, why) = (change.resource.clone(), format!("undo: {}", change.why));
    Some(Change {
        id,
        action,
        resource,
        from,
        to: change.from.clone(),
        why,
    })
}
