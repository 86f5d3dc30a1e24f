//! The one `apply`: compares a whole plan, writes, looks again, waits, undoes, recovers, and stops when asked to. It knows
//! no service: a tool brings its [`Resources`].
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod attempt;
mod compare;
mod found;
mod resources;
#[cfg(test)]
mod tests;

use awsconf::Interrupt;
use cli::{
    Applied, ApplyArgs, Change, ChangeStatus, Outcome, Output, Plan, ResultKind, ResultRecord,
};

pub use compare::refusals;
pub use resources::Resources;

use attempt::attempt;
use found::recovered;

/// What the reason of every inverse begins with. A plan of inverses alone is an undo, which goes as far as it can.
const UNDO: &str = "undo";

/// What became of one change, and the change that leads back from what it left.
struct Tried<A> {
    status: ChangeStatus,
    error: Option<String>,
    inverse: Option<Change<A>>,
}

impl<A> Tried<A> {
    fn new(status: ChangeStatus) -> Tried<A> {
        Tried {
            status,
            error: None,
            inverse: None,
        }
    }

    fn because(status: ChangeStatus, reason: impl Into<String>) -> Tried<A> {
        Tried {
            error: Some(reason.into()),
            ..Tried::new(status)
        }
    }
}

/// Carries out one plan, or with `--recover` reports what an earlier run of it has done; returns the result, also when
/// something failed, and the outcome.
///
/// 1. Every `from` is compared before the first write; when one differs, nothing is written. An undo leaves alone what
///    differs, and goes on.
/// 2. After each write, a failed one above all, what is there is looked at again, until it shows what was written or the
///    service had all the time that it takes. What was changed has its inverse in `undo`, whatever the answer was.
/// 3. Refusals that pass by themselves are tried again.
/// 4. After a signal nothing more is begun; after a second one the call in flight is given up.
/// 5. When a change fails, those after it are skipped; in an undo only those that need it.
pub async fn apply<R: Resources>(
    resources: &R,
    plan: &Plan<R::Action>,
    how: ApplyArgs,
    interrupt: &Interrupt,
    out: &Output,
) -> (ResultRecord<R::Action>, Outcome) {
    let _working = out.working(&cli::count(plan.changes.len(), "change"));
    let mut run = Run {
        plan,
        results: Vec::new(),
        undo: Vec::new(),
        outcome: Outcome::Fine,
    };
    let changes: Vec<&Change<R::Action>> = plan.changes.iter().collect();
    let Some(seen) = interrupt.unless_given_up(resources.look(&changes)).await else {
        run.skip_all(interrupt);
        return run.end();
    };
    if how.recover {
        for (change, seen) in plan.changes.iter().zip(&seen) {
            run.note(change, recovered(resources, change, seen));
        }
        return run.end();
    }
    let compared = plan.changes.iter().zip(&seen);
    let refusals: Vec<Option<String>> = compared
        .map(|(change, seen)| compare::compare(resources, plan, change, seen).refusal())
        .collect();
    let is_undo = is_undo(plan);
    if !is_undo && refusals.iter().any(Option::is_some) {
        for (change, refusal) in plan.changes.iter().zip(refusals) {
            let tried = match refusal {
                Some(reason) => Tried::because(ChangeStatus::Failed, reason),
                None => Tried::because(
                    ChangeStatus::Skipped,
                    "another change of this plan was refused",
                ),
            };
            run.note(change, tried);
        }
        return run.end();
    }
    let mut failed: Vec<&Change<R::Action>> = Vec::new();
    for change in &plan.changes {
        let blocked = match is_undo {
            true => failed.iter().any(|failed| {
                failed.resource == change.resource || resources.needs(change, failed)
            }),
            false => !failed.is_empty(),
        };
        let tried = if interrupt.requested() {
            run.interrupted(interrupt);
            Tried::because(ChangeStatus::Skipped, "interrupted")
        } else if blocked {
            Tried::because(ChangeStatus::Skipped, "an earlier change failed")
        } else {
            attempt(resources, plan, change, run.made(), interrupt, out).await
        };
        if matches!(
            tried.status,
            ChangeStatus::Failed | ChangeStatus::Unknown | ChangeStatus::Skipped
        ) {
            failed.push(change);
        }
        run.note(change, tried);
    }
    if let (Outcome::Trouble, Some(signal)) = (run.outcome, interrupt.signal()) {
        run.outcome = Outcome::Interrupted(signal);
    }
    run.end()
}

/// Returns whether a plan takes back what others did.
fn is_undo<A>(plan: &Plan<A>) -> bool {
    plan.changes
        .iter()
        .all(|change| change.why.starts_with(UNDO))
}

/// Returns the reason of a change without what it begins with in an undo.
fn of_undo(why: &str) -> &str {
    let reason = why.strip_prefix(UNDO);
    let reason = reason.and_then(|reason| reason.strip_prefix(": "));
    reason.unwrap_or(why)
}

/// One plan under way.
struct Run<'a, A> {
    plan: &'a Plan<A>,
    results: Vec<Applied<A>>,
    /// The latest first.
    undo: Vec<Change<A>>,
    outcome: Outcome,
}

impl<'a, A: Clone> Run<'a, A> {
    fn note(&mut self, change: &Change<A>, tried: Tried<A>) {
        if matches!(tried.status, ChangeStatus::Failed | ChangeStatus::Unknown) {
            self.outcome = self.outcome.and(Outcome::Trouble);
        }
        if let Some(inverse) = tried.inverse {
            let why = match inverse.why.is_empty() {
                // The inverse of an inverse says so once.
                true => format!("{UNDO}: {}", of_undo(&change.why)),
                false => format!("{UNDO}; {}", inverse.why),
            };
            self.undo.insert(0, Change { why, ..inverse });
        }
        self.results
            .push(Applied::of(change, tried.status, tried.error));
    }

    fn skip_all(&mut self, interrupt: &Interrupt) {
        for change in &self.plan.changes {
            self.note(change, Tried::because(ChangeStatus::Skipped, "interrupted"));
        }
        self.interrupted(interrupt);
    }

    fn interrupted(&mut self, interrupt: &Interrupt) {
        self.outcome = self.outcome.and(match interrupt.signal() {
            Some(signal) => Outcome::Interrupted(signal),
            None => Outcome::Trouble,
        });
    }

    /// Returns the resources that this run has made itself.
    fn made(&self) -> Vec<&'a str> {
        let done = self.plan.changes.iter().zip(&self.results);
        done.filter(|(change, applied)| {
            change.from.is_null() && applied.status == ChangeStatus::Done
        })
        .map(|(change, _)| change.resource.as_str())
        .collect()
    }

    fn end(self) -> (ResultRecord<A>, Outcome) {
        let (tool, target) = (self.plan.tool.clone(), self.plan.target.clone());
        let undo = (!self.undo.is_empty()).then(|| Plan::new(&tool, target.clone(), self.undo));
        let record = ResultRecord {
            kind: ResultKind::Result,
            tool,
            target,
            results: self.results,
            undo,
        };
        (record, self.outcome)
    }
}
