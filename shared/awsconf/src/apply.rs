//! Plans of many accounts and regions, carried out: the order of writes, and what is reported when.

use anyhow::bail;
use cli::{Outcome, Output, Plan, Plans, ResultRecord, TO_RECOVER, Unreachable};
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{AwsArgs, GLOBAL, Interrupt, Session};

/// What became of one plan.
enum PlanOutcome<A> {
    Tried(ResultRecord<A>, Outcome),
    Lost(Unreachable),
}

impl AwsArgs {
    /// Carries out plans, those of one account one after another, accounts side by side; each result is printed as soon as it
    /// is there, since its undo must survive whatever comes next. `work` gets the number of its plan, too. What was unreachable to the plans' maker is passed on.
    ///
    /// # Errors
    /// The credentials cannot be those of a plan's account, before anything is written; stdout cannot be written; the
    /// session of the only plan fails.
    pub async fn apply<A: Clone + Serialize>(
        &self,
        out: &Output,
        plans: &Plans<A>,
        interrupt: &Interrupt,
        work: impl AsyncFn(&Session, &Plan<A>, usize) -> (ResultRecord<A>, Outcome),
    ) -> anyhow::Result<Outcome> {
        out.refuse_closed()?;
        let mut outcome = Outcome::Fine;
        for record in &plans.unreachable {
            out.write(record)?;
            outcome = Outcome::Trouble;
        }
        if let [plan] = plans.plans.as_slice() {
            let (record, one) = match self.session_for(&plan.target).await {
                Ok(session) => work(&session, plan, 0).await,
                // Ctrl-C where a code was asked for.
                Err(_) if interrupt.requested() => skipped(plan, interrupt),
                Err(error) => return Err(error),
            };
            out.write(&record)
                .map_err(|error| cli::lost(&error, TO_RECOVER))?;
            return Ok(outcome.and(one));
        }
        self.refuse_foreign(&plans.plans).await?;
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let applying = stream::iter(by_account(&plans.plans)).map(async |group| {
            let mut opened = None;
            for (number, plan) in group {
                let done = self.carry_out(plan, number, interrupt, &work, &mut opened);
                // The receiver lives as long as this does.
                let _ = sender.send(done.await);
            }
        });
        let mut applying = std::pin::pin!(applying.buffer_unordered(self.max_concurrency.get()));
        let progress = out.progress();
        // What is done of one plan, the tool says.
        if plans.plans.len() > 1 {
            progress.begin(plans.plans.len(), "plan");
        }
        let mut lost = None;
        for _ in &plans.plans {
            let received = loop {
                tokio::select! {
                    biased;
                    received = receiver.recv() => break received,
                    Some(()) = applying.next() => {}
                }
            };
            let (written, one) = match received {
                Some(PlanOutcome::Tried(record, one)) => (out.write(&record), one),
                Some(PlanOutcome::Lost(record)) => (out.write(&record), Outcome::Trouble),
                None => break,
            };
            outcome = outcome.and(one);
            if let Err(error) = written {
                // Plans under way end their call in flight; what they have done nobody reads, so nothing more is begun.
                interrupt.stop();
                lost.get_or_insert(error);
            }
            progress.step();
        }
        progress.end();
        match lost {
            Some(error) => Err(cli::lost(&error, TO_RECOVER)),
            None => Ok(outcome),
        }
    }

    async fn carry_out<A: Clone>(
        &self,
        plan: &Plan<A>,
        number: usize,
        interrupt: &Interrupt,
        work: &impl AsyncFn(&Session, &Plan<A>, usize) -> (ResultRecord<A>, Outcome),
        opened: &mut Option<Session>,
    ) -> PlanOutcome<A> {
        let interrupted = || {
            let (record, outcome) = skipped(plan, interrupt);
            PlanOutcome::Tried(record, outcome)
        };
        if interrupt.requested() {
            return interrupted();
        }
        let region = &plan.target.region;
        let session = match opened {
            // The regions of an account share its credentials, and who they belong to.
            Some(session) if region != GLOBAL && session.target.region != GLOBAL => {
                Ok(session.in_region(region))
            }
            _ => self.session_for(&plan.target).await,
        };
        match session {
            Ok(session) => {
                *opened = Some(session.clone());
                let (record, one) = work(&session, plan, number).await;
                PlanOutcome::Tried(record, one)
            }
            Err(_) if interrupt.requested() => interrupted(),
            Err(error) => PlanOutcome::Lost(Unreachable::new(&plan.tool, &plan.target, &error)),
        }
    }

    /// Without a role for each account, all plans must be for the account of the credentials.
    async fn refuse_foreign<A>(&self, plans: &[Plan<A>]) -> anyhow::Result<()> {
        plans
            .iter()
            .try_for_each(|plan| self.allows(&plan.target, "plan is for"))?;
        let (_, roles) = self.split_account_roles();
        let Some(first) = plans.first().filter(|_| roles.is_empty()) else {
            return Ok(());
        };
        let session = self.session_for(&first.target).await?;
        let other = plans
            .iter()
            .find(|plan| plan.target.account != first.target.account);
        match other {
            Some(other) => bail!(
                "plan is for account {}, but the credentials belong to account {} ({})",
                other.target.account,
                session.target.account,
                session.caller
            ),
            None => Ok(()),
        }
    }
}

/// Returns the result of a plan of which nothing was begun when the run was asked to stop.
fn skipped<A: Clone>(plan: &Plan<A>, interrupt: &Interrupt) -> (ResultRecord<A>, Outcome) {
    let outcome = interrupt.signal().map(Outcome::Interrupted);
    (
        ResultRecord::skipped(plan, "interrupted"),
        outcome.unwrap_or(Outcome::Trouble),
    )
}

/// Returns the plans in groups, one an account, in the order in which accounts appear.
fn by_account<A>(plans: &[Plan<A>]) -> Vec<Vec<(usize, &Plan<A>)>> {
    let mut groups: Vec<Vec<(usize, &Plan<A>)>> = Vec::new();
    let mut at: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (number, plan) in plans.iter().enumerate() {
        let group = *at.entry(&plan.target.account).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push((number, plan)),
            None => groups.push(vec![(number, plan)]),
        }
    }
    groups
}
