//! Carries out a plan: the only place that writes. Every `from` is compared before the first write, every `to` after
//! its own, and the way back is collected as it goes.

mod undo;
mod write;

use std::time::Duration;

use awsconf::{Interrupt, Session};
use toolio::{Applied, Change, ChangeStatus, Outcome, Plan, ResultKind, ResultRecord};

use crate::model::{Action, Observed};
use crate::observe::{self, Clients, Names};
use crate::state;

/// Read-backs of one write before it counts as lost; S3 and KMS take a moment to show what was written.
const READ_BACKS: u32 = 10;

/// Carries out the plan and returns what was done, also when it stopped half way.
pub(crate) async fn apply(
    clients: &Clients,
    session: &Session,
    plan: &Plan<Action>,
    interrupt: &Interrupt,
) -> (ResultRecord<Action>, Outcome) {
    let names = names(plan);
    let mut run = Run {
        clients,
        session,
        names,
        results: Vec::new(),
        undo: Vec::new(),
    };
    let observed = run.observe().await;
    let refusals: Vec<Option<String>> = plan
        .changes
        .iter()
        .map(|change| refusal(change, &observed))
        .collect();
    let mut outcome = Outcome::Fine;
    if refusals.iter().any(Option::is_some) {
        for (change, refusal) in plan.changes.iter().zip(refusals) {
            let status = if refusal.is_some() {
                ChangeStatus::Failed
            } else {
                ChangeStatus::Skipped
            };
            run.note(
                change,
                status,
                refusal.or_else(|| Some("another change of this plan was refused".to_owned())),
            );
        }
        outcome = Outcome::Trouble;
    } else {
        for change in &plan.changes {
            if outcome == Outcome::Fine && interrupt.requested() {
                outcome = Outcome::Interrupted;
            }
            match outcome {
                Outcome::Fine => {}
                Outcome::Interrupted => {
                    run.note(
                        change,
                        ChangeStatus::Skipped,
                        Some("interrupted".to_owned()),
                    );
                    continue;
                }
                _ => {
                    run.note(
                        change,
                        ChangeStatus::Skipped,
                        Some("an earlier change failed".to_owned()),
                    );
                    continue;
                }
            }
            match run.carry_out(change).await {
                Ok(status) => run.note(change, status, None),
                Err(error) => {
                    run.note(change, ChangeStatus::Failed, Some(format!("{error:#}")));
                    outcome = Outcome::Trouble;
                }
            }
        }
    }
    run.undo.reverse();
    let undo = (!run.undo.is_empty()).then(|| Plan::new(&plan.tool, plan.target.clone(), run.undo));
    let record = ResultRecord {
        kind: ResultKind::Result,
        tool: plan.tool.clone(),
        target: plan.target.clone(),
        results: run.results,
        undo,
    };
    (record, outcome)
}

struct Run<'a> {
    clients: &'a Clients,
    session: &'a Session,
    names: Names,
    results: Vec<Applied<Action>>,
    undo: Vec<Change<Action>>,
}

impl Run<'_> {
    async fn observe(&self) -> Observed {
        let document = observe::document(&self.clients.ssm).await;
        Observed {
            document,
            ..observe::resources(self.clients, &self.names).await
        }
    }

    fn note(&mut self, change: &Change<Action>, status: ChangeStatus, error: Option<String>) {
        let (id, resource) = (change.id.clone(), change.resource.clone());
        self.results.push(Applied {
            id,
            action: change.action,
            resource,
            status,
            error,
        });
    }

    async fn carry_out(&mut self, change: &Change<Action>) -> anyhow::Result<ChangeStatus> {
        let before = self.observe().await;
        let now = state::now(change.action, &before).map_err(anyhow::Error::msg)?;
        if state::reached(change.action, &now, &change.to, &before) {
            return Ok(ChangeStatus::Unchanged);
        }
        let to = state::resolve(&change.to, &before);
        write::write(self.clients, self.session, change, &to, &before).await?;
        for _ in 0..READ_BACKS {
            let after = self.observe().await;
            let now = state::now(change.action, &after).map_err(anyhow::Error::msg)?;
            if state::reached(change.action, &now, &to, &after) {
                self.undo.extend(undo::inverse(change, &now));
                return Ok(ChangeStatus::Done);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        // It may still have been written, so the way back is kept.
        self.undo.extend(undo::inverse(change, &to));
        anyhow::bail!("was written, but reading it back does not show it")
    }
}

/// Returns why a change may not be made: what is there is neither what the plan saw nor what it wants.
fn refusal(change: &Change<Action>, observed: &Observed) -> Option<String> {
    match state::now(change.action, observed) {
        Err(reason) => Some(format!("could not be read: {reason}")),
        Ok(now)
            if now == change.from || state::reached(change.action, &now, &change.to, observed) =>
        {
            None
        }
        Ok(now) => Some(format!(
            "the plan expects {}, but there is {now}: make a new plan",
            change.from
        )),
    }
}

/// Returns the resources that the plan speaks of.
fn names(plan: &Plan<Action>) -> Names {
    let mut names = Names::default();
    for change in &plan.changes {
        let resource = Some(change.resource.clone());
        match change.action {
            Action::CreateKey
            | Action::EnableKeyRotation
            | Action::DisableKeyRotation
            | Action::PutKeyPolicy => {
                names.key = resource;
            }
            Action::CreateBucket
            | Action::PutPublicAccessBlock
            | Action::PutBucketEncryption
            | Action::PutBucketVersioning
            | Action::PutBucketPolicy
            | Action::DeleteBucketPolicy
            | Action::PutBucketLifecycle => names.bucket = resource,
            Action::CreateLogGroup | Action::PutRetentionPolicy | Action::AssociateKmsKey => {
                names.log_group = resource
            }
            Action::CreateDocument | Action::UpdateDocument | Action::DeleteDocument => {}
        }
        if names.key.is_none() {
            names.key = change.to["kms_key"].as_str().map(str::to_owned);
        }
    }
    names
}
