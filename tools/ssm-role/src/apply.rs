//! The only writes: step by step, each against its `from`, each read back, with the plan that leads back.

mod write;

use std::time::Duration;

use awsconf::{Interrupt, Session};
use serde_json::Value;
use toolio::{
    Applied, ApplyArgs, Change, ChangeStatus, Found, Outcome, Plan, Reading, ResultKind,
    ResultRecord,
};

use crate::TOOL;
use crate::current::{Clients, current, read_back};
use crate::model::Action;
use crate::step::{RoleState, Subject};
use crate::undo::inverse;
use write::write;

/// IAM is eventually consistent: for some seconds a new role exists for one server and not for the next.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of one change, and the state it left if that is not the one it found.
struct Tried {
    status: ChangeStatus,
    error: Option<String>,
    left: Option<Value>,
}

/// Carries out one plan; tells everything that was done, also when something failed.
pub(crate) async fn apply(
    session: &Session,
    plan: &Plan<Action>,
    subjects: &[Subject],
    how: ApplyArgs,
    interrupt: &Interrupt,
) -> (ResultRecord<Action>, Outcome) {
    let (iam, ssm) = (
        aws_sdk_iam::Client::new(&session.config),
        aws_sdk_ssm::Client::new(&session.config),
    );
    let mut clients = Clients {
        iam,
        ssm,
        ec2: awsec2::Client::new(&session.config),
        made_role: false,
    };
    let (mut results, mut undo, mut outcome) = (Vec::new(), Vec::new(), Outcome::Fine);
    for (change, subject) in plan.changes.iter().zip(subjects) {
        if let (Outcome::Fine, Some(signal)) = (outcome, interrupt.signal()) {
            outcome = Outcome::Interrupted(signal);
        }
        let tried = match outcome {
            _ if how.recover => recovered(&clients, change, subject).await,
            Outcome::Fine => one(&mut clients, change, subject).await,
            Outcome::Interrupted(_) => skipped("not tried: interrupted"),
            _ => skipped("not tried: an earlier change failed"),
        };
        if tried.status == ChangeStatus::Failed {
            outcome = Outcome::Trouble;
        }
        if let Some(left) = tried.left {
            undo.insert(0, inverse(change, left));
        }
        let (id, action, resource) = (change.id.clone(), change.action, change.resource.clone());
        results.push(Applied {
            id,
            action,
            resource,
            status: tried.status,
            error: tried.error,
        });
    }
    let target = plan.target.clone();
    let undo = (!undo.is_empty()).then(|| Plan::new(TOOL, target.clone(), undo));
    (
        ResultRecord {
            kind: ResultKind::Result,
            tool: TOOL.to_owned(),
            target,
            results,
            undo,
        },
        outcome,
    )
}

/// Looks only: what is there tells what an earlier run did.
async fn recovered(clients: &Clients, change: &Change<Action>, subject: &Subject) -> Tried {
    let now = match current(clients, subject).await {
        Ok(now) => now,
        Err(error) => return failed(format!("{error:#}"), None),
    };
    let found = match is_there(change, &now) {
        true => Found::Done,
        false => toolio::found(&change.from, &change.to, &Reading::Present(now.clone())),
    };
    let left = (found == Found::Done).then_some(now);
    let (status, error) = found.told();
    Tried {
        status,
        error,
        left,
    }
}

async fn one(clients: &mut Clients, change: &Change<Action>, subject: &Subject) -> Tried {
    let before = match current(clients, subject).await {
        Ok(before) => before,
        Err(error) => return failed(format!("{error:#}"), None),
    };
    if before == change.to || is_there(change, &before) {
        return Tried {
            status: ChangeStatus::Unchanged,
            error: None,
            left: None,
        };
    }
    if before != change.from {
        return failed(
            format!(
                "the plan expects {}, but {before} is there: plan again",
                change.from
            ),
            None,
        );
    }
    let written = write(clients, change, subject).await;
    clients.made_role |= matches!(
        change.action,
        Action::CreateRole | Action::CreateInstanceProfile
    );
    // A call that failed may have worked: the answer can be lost, and CreateRole is followed by attachments.
    let patience = if written.is_ok() {
        PATIENCE
    } else {
        Duration::ZERO
    };
    let after = read_back(clients, subject, &change.to, patience).await;
    match (written, after) {
        (_, Ok(after)) if after == change.to => Tried {
            status: ChangeStatus::Done,
            error: None,
            left: Some(after),
        },
        (Ok(()), Ok(after)) => {
            let left = (after != before).then_some(after.clone());
            failed(
                format!("written, but {after} is there instead of {}", change.to),
                left,
            )
        }
        (Ok(()), Err(error)) => failed(
            format!("written, but not read back: {error:#}"),
            Some(change.to.clone()),
        ),
        (Err(error), Ok(after)) => failed(format!("{error:#}"), (after != before).then_some(after)),
        (Err(error), Err(unread)) => failed(
            format!("{error:#}; whether it was written is unknown: {unread:#}"),
            None,
        ),
    }
}

/// A role that was made earlier may have got its inline policy since, by a later change of the same plan.
fn is_there(change: &Change<Action>, before: &Value) -> bool {
    let state = |value: &Value| serde_json::from_value::<RoleState>(value.clone()).ok();
    match (change.action, state(before), state(&change.to)) {
        (Action::CreateRole, Some(before), Some(to)) => {
            to == RoleState {
                inline_policies: Vec::new(),
                ..before
            }
        }
        _ => false,
    }
}

fn failed(error: String, left: Option<Value>) -> Tried {
    Tried {
        status: ChangeStatus::Failed,
        error: Some(error),
        left,
    }
}

fn skipped(reason: &str) -> Tried {
    Tried {
        status: ChangeStatus::Skipped,
        error: Some(reason.to_owned()),
        left: None,
    }
}
