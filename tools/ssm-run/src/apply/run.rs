//! What all parts of a run share, and how they report: every record of a run is written here.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use awsconf::{Interrupt, Stopwatch};
use cli::{Next, Outcome, Output, Progress, Unreachable};
use records::Timestamp;

use crate::batch::{Batch, Node};
use crate::observe::place::Place;
use crate::output_files::OutputFiles;
use crate::run_id;
use crate::run_spec::RunSpec;
use crate::text::Folded;
use records::{Absence, Invocation, Reason};

/// How soon Ctrl-C is noticed while nothing happens.
pub(super) const ATTENTION: Duration = Duration::from_millis(100);

/// What all parts of a run share.
pub(crate) struct Run<'r> {
    pub(crate) order: &'r RunSpec,
    pub(crate) out: &'r Output,
    pub(crate) progress: &'r Progress,
    pub(crate) interrupt: &'r Interrupt,
    pub(crate) token: run_id::RunId,
    /// The number of the next command.
    pub(crate) number: Cell<u32>,
    pub(crate) outcome: Cell<Outcome>,
    /// Why records could not be printed, once that is so.
    pub(crate) lost: RefCell<Option<anyhow::Error>>,
    /// What nodes print, where people look at many of them: printed at the end, with like outputs as one.
    pub(crate) folded: RefCell<Option<Folded>>,
    /// Where what nodes print is kept as well.
    pub(crate) files: RefCell<Option<OutputFiles>>,
    /// How many nodes ended in which way.
    pub(crate) statuses: RefCell<BTreeMap<String, usize>>,
    /// The first command that was sent.
    pub(crate) first_command: RefCell<Option<String>>,
    pub(crate) began: Stopwatch,
    /// The time of day when it began.
    pub(crate) time: Timestamp,
    /// How many accounts and regions are worked in at once.
    pub(crate) max_concurrency: usize,
}

impl Run<'_> {
    /// Reports what became of one node.
    pub(crate) fn report(&self, record: &Invocation, outcome: Outcome) -> anyhow::Result<()> {
        self.count(outcome);
        self.progress.step();
        *self
            .statuses
            .borrow_mut()
            .entry(record.status.clone())
            .or_default() += 1;
        if let Some(files) = self.files.borrow_mut().as_mut() {
            self.printed(files.keep(record));
        }
        self.printed(match self.folded.borrow_mut().as_mut() {
            Some(folded) => {
                folded.add(record);
                Ok(())
            }
            None => self.out.write_block(record, || crate::text::block(record)),
        });
        Ok(())
    }

    /// Takes note of a record that could not be printed: nothing more is sent, and what was sent is followed to its end.
    pub(crate) fn printed(&self, written: anyhow::Result<()>) {
        if let Err(error) = written {
            self.interrupt.stop();
            self.lost.borrow_mut().get_or_insert(error);
        }
    }

    /// Prints what was kept to be folded, and on stderr how many nodes ended in which way.
    pub(crate) fn sum_up(&self) {
        if let Some(folded) = self.folded.take() {
            for block in folded.blocks() {
                self.printed(self.out.write_laid(&block));
            }
        }
        let note = self.files.borrow().as_ref().and_then(OutputFiles::note);
        if let Some(note) = note {
            self.out.note(&note);
        }
        let statuses = self.statuses.borrow();
        let n_nodes: usize = statuses.values().sum();
        // The record of a single node says it all.
        if n_nodes > usize::from(!self.out.is_text()) {
            let n_nodes = cli::count(n_nodes, "node");
            let mut counts: Vec<(&String, &usize)> = statuses.iter().collect();
            counts.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
            let counts = counts.iter().map(|(status, n)| format!("{n} {status}"));
            let counts: Vec<String> = counts.collect();
            self.out.sum_up(format!("{n_nodes}: {}", counts.join(", ")));
        }
        // Why SSM does not reach a node is more than the command can know.
        if statuses.contains_key("Unreachable") {
            self.out.suggest(Next::Other("ssm-agentcheck check"));
        }
    }

    /// Returns how the run came out.
    ///
    /// # Errors
    /// Not all records could be printed.
    pub(crate) fn came_to(&self) -> anyhow::Result<Outcome> {
        let Some(error) = self.lost.take() else {
            return Ok(self.outcome.get());
        };
        let advice = match self.first_command.take() {
            Some(id) => format!(
                "nothing more was sent; `ssm-run --resume {id}` goes on and prints what became of it"
            ),
            None => "nothing was sent".to_owned(),
        };
        Err(cli::lost(&error, &advice))
    }

    /// Reports nodes that no command is sent to.
    pub(crate) fn report_all_without_command<'n>(
        &self,
        place: &Place,
        nodes: impl IntoIterator<Item = &'n Node>,
        absence: Absence,
        reason: &Reason,
    ) -> anyhow::Result<()> {
        for node in nodes {
            let (id, name) = (&node.instance_id, node.name.as_deref());
            let target = &place.target;
            let record = Invocation::without_command(target, id, name, absence, reason.clone());
            self.report_without_command(record)?;
        }
        Ok(())
    }

    /// As [`Run::report`], of a node that no command is sent to: its record says what was to run there.
    pub(crate) fn report_without_command(&self, record: Invocation) -> anyhow::Result<()> {
        let jobs = self.order.jobs.as_ref();
        let job = jobs.and_then(|jobs| jobs.get(jobs.anywhere()?));
        let document = job.map(|job| job.document.clone());
        let record = Invocation {
            document: record.document.or(document),
            ..record
        };
        self.report(&record, Outcome::Trouble)
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        self.outcome.set(self.outcome.get().and(outcome));
    }

    pub(super) fn time(&self) -> Timestamp {
        self.time
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits, but not after Ctrl-C.
    pub(super) async fn nap(&self, pause: Duration) {
        let watch = Stopwatch::start();
        while !self.interrupt.requested() {
            let left = pause.saturating_sub(watch.elapsed());
            if left.is_zero() {
                return;
            }
            awsconf::sleep(left.min(ATTENTION)).await;
        }
    }

    /// Reports of everything in a batch that it is not sent.
    pub(super) fn report_not_sent(
        &self,
        place: &Place,
        batch: &Batch,
        reason: &Reason,
    ) -> anyhow::Result<()> {
        if batch.choice.is_some() {
            // Nobody knows its nodes.
            let error = anyhow::anyhow!("{}", reason.message);
            self.count(Outcome::Trouble);
            let record = Unreachable::new(crate::TOOL, &place.target, &error);
            self.printed(self.out.write(&record));
            return Ok(());
        }
        self.report_all_without_command(place, &batch.nodes, Absence::NotSent, reason)
    }
}
