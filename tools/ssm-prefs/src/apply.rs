//! Carries out a plan: the only place that writes. Every `from` is compared before the first write, every `to` after
//! its own, and the way back is collected as it goes.

mod key;
mod undo;
mod write;

use std::time::Duration;

use awsconf::{Interrupt, Session};
use toolio::{
    Applied, ApplyArgs, Change, ChangeStatus, Found, Outcome, Plan, Reading, ResultKind,
    ResultRecord,
};

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
    how: ApplyArgs,
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
    if how.recover {
        outcome = run.recover(&plan.changes, &observed);
    } else if refusals.iter().any(Option::is_some) {
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
            if let (Outcome::Fine, Some(signal)) = (outcome, interrupt.signal()) {
                outcome = Outcome::Interrupted(signal);
            }
            match outcome {
                Outcome::Fine => {}
                Outcome::Interrupted(_) => {
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
            match run.carry_out(change, plan.is_of_new(change)).await {
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

    fn recover(&mut self, changes: &[Change<Action>], observed: &Observed) -> Outcome {
        let mut outcome = Outcome::Fine;
        for change in changes {
            let found = match state::now(change.action, observed) {
                Err(reason) => toolio::found(&change.from, &change.to, &Reading::Unknown(reason)),
                Ok(now) => {
                    let found = match state::reached(change.action, &now, &change.to, observed) {
                        true => Found::Done,
                        // "All new buckets have encryption configured by default": what a new bucket has is nobody's doing.
                        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html
                        false
                            if change.action == Action::PutBucketEncryption
                                && change.from.is_null() =>
                        {
                            Found::NotDone
                        }
                        false => {
                            let now = Reading::Present(now.clone());
                            toolio::found(&change.from, &change.to, &now)
                        }
                    };
                    if found == Found::Done {
                        self.undo.extend(undo::inverse(change, &now));
                    }
                    found
                }
            };
            let (status, error) = found.told();
            if status == ChangeStatus::Failed {
                outcome = Outcome::Trouble;
            }
            self.note(change, status, error);
        }
        outcome
    }

    async fn carry_out(
        &mut self,
        change: &Change<Action>,
        is_of_new: bool,
    ) -> anyhow::Result<ChangeStatus> {
        let before = self.observe().await;
        let now = state::now(change.action, &before).map_err(anyhow::Error::msg)?;
        if state::reached(change.action, &now, &change.to, &before) {
            return Ok(ChangeStatus::Unchanged);
        }
        // Somebody may have written since the first look.
        if now != change.from && !is_of_new {
            anyhow::bail!(
                "the plan expects {}, but there is {now}: make a new plan",
                change.from
            );
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
            action if action.is_of_bucket() => names.bucket = resource,
            Action::CreateLogGroup | Action::PutRetentionPolicy | Action::AssociateKmsKey => {
                names.log_group = resource
            }
            _ => {}
        }
        if names.key.is_none() {
            names.key = change.to["kms_key"].as_str().map(str::to_owned);
        }
    }
    names
}
