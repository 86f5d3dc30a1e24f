//! Follows the commands of one account and region until every node is reported: few calls, each node as soon as it is done.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use aws_sdk_ssm::primitives::DateTime;
use awsconf::Deadline;
use cli::Outcome;
use futures_util::stream::{self, StreamExt};

use super::budget::Budget;
use super::run::{ATTENTION, Run};
use crate::in_flight::{Flight, Heard, InFlightCommand};
use crate::invocation_status::InvocationStatus;
use crate::observe::commands::{self, Failure, FailureKind};
use crate::observe::invocations;
use crate::observe::output::{Reader, SETTLES};
use crate::observe::place::Place;
use crate::reason;
use crate::terminal_status::is_end;
use records::{Invocation, Reason};

/// How many commands are read at the same time, and how many outputs.
const AT_ONCE: usize = 4;
const OUTPUTS_AT_ONCE: usize = 16;
/// How many looks in a row may fail, each after the SDK's own retries, before what commands do counts as unknown.
const MAX_FAILED_LOOKS: u32 = 6;
/// How long to look on after Ctrl-C: what was canceled takes a moment to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// The longest pause while SSM throttles.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One account and region, being followed.
struct Follower<'f> {
    run: &'f Run<'f>,
    budget: &'f Budget,
    place: &'f Place,
    flight: &'f RefCell<Flight>,
    /// Whether a list of commands may be asked for.
    may_list: bool,
    n_failed_looks: u32,
    /// What is added to each pause after failed looks.
    penalty: Duration,
}

/// Returns when all nodes of what was and will be sent are reported.
pub(super) async fn follow(
    run: &Run<'_>,
    budget: &Budget,
    place: &Place,
    flight: &RefCell<Flight>,
    is_sending: &Cell<bool>,
) -> anyhow::Result<()> {
    let mut follower = Follower {
        run,
        budget,
        place,
        flight,
        may_list: true,
        n_failed_looks: 0,
        penalty: Duration::ZERO,
    };
    let (mut farewell, mut uncanceled) = (None, None);
    loop {
        if flight.borrow().is_empty() {
            if !is_sending.get() {
                return Ok(());
            }
            awsconf::sleep(ATTENTION).await;
            continue;
        }
        let pause = flight.borrow().pause(run.now()) + follower.penalty;
        match run.interrupt.signal().is_some() {
            false => run.nap(pause).await,
            true => awsconf::sleep(ATTENTION * 5).await,
        }
        if run.interrupt.signal().is_some() {
            let until = *farewell.get_or_insert_with(|| Deadline::after(FAREWELL));
            uncanceled = super::cancel::all(place, flight).await.or(uncanceled);
            if until.has_passed() {
                return follower.leave(&reason::left(uncanceled.as_deref()));
            }
        }
        match follower.look().await? {
            Ok(()) => {
                follower.n_failed_looks = 0;
                follower.penalty = Duration::ZERO;
            }
            Err(failure) => follower.failed(failure)?,
        }
        follower.land()?;
    }
}

impl Follower<'_> {
    /// Looks at all commands, then reads those that have moved and reports their nodes that have ended.
    async fn look(&mut self) -> anyhow::Result<Result<(), Failure>> {
        let moved = match self.moved().await {
            Ok(moved) => moved,
            Err(failure) => return Ok(Err(failure)),
        };
        let client = &self.place.client;
        let mut reading = stream::iter(moved)
            .map(async |id| (invocations::of(client, &id).await, id))
            .buffer_unordered(AT_ONCE);
        let mut failed = None;
        while let Some((seen, id)) = reading.next().await {
            match seen {
                Ok(seen) => {
                    self.report_ended(&id, seen).await?;
                    let now = self.run.now();
                    self.flight.borrow_mut().looked(now, &id);
                }
                // The others may still be read.
                Err(failure) => failed = Some(failure),
            }
        }
        Ok(failed.map_or(Ok(()), Err))
    }

    /// Returns the commands to read now.
    async fn moved(&mut self) -> Result<Vec<String>, Failure> {
        let now = self.run.now();
        let (n_flying, is_open) = {
            let flight = self.flight.borrow();
            let commands = flight.commands();
            (commands.len(), commands.iter().any(|flown| flown.is_open))
        };
        // One command of up to 50 nodes is one page: a list would only be a call more.
        if (n_flying == 1 && !is_open) || !self.may_list {
            return Ok(self.flight.borrow().due(now));
        }
        match self.heard().await {
            Ok(heard) => Ok(self.flight.borrow_mut().hear(now, &heard)),
            Err(failure) if failure.kind == FailureKind::Denied => {
                self.may_list = false;
                Ok(self.flight.borrow().due(now))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn heard(&self) -> Result<Vec<Heard>, Failure> {
        let (ids, document, since) = {
            let flight = self.flight.borrow();
            let commands = flight.commands();
            let ids: Vec<String> = commands.iter().map(|one| one.command_id.clone()).collect();
            let first = commands.first().map(|flown| flown.document.clone());
            let is_same = |flown: &InFlightCommand| Some(&flown.document) == first.as_ref();
            let document = first.clone().filter(|_| commands.iter().all(is_same));
            let since = commands.iter().filter_map(|one| one.requested).min();
            (ids, document, since)
        };
        let since = DateTime::from_secs(since.unwrap_or_else(|| self.run.token.began()) - 1);
        let client = &self.place.client;
        let mut n_checked = 0;
        let mut n_found = 0;
        let has_all = |found: &[aws_sdk_ssm::types::Command]| {
            let new = found.get(n_checked..).unwrap_or_default().iter();
            n_found += new
                .filter(|one| ids.iter().any(|id| Some(id.as_str()) == one.command_id()))
                .count();
            n_checked = found.len();
            n_found >= ids.len()
        };
        let found = commands::since(client, since, document.as_deref(), has_all).await?;
        let heard = found.into_iter().map(|command| Heard {
            n_completed: command.completed_count,
            is_over: command
                .status
                .as_ref()
                .is_some_and(|status| is_end(status.as_str())),
            command_id: command.command_id.unwrap_or_default(),
        });
        Ok(heard.collect())
    }

    /// Reports the nodes of a command that have ended and were not reported; those with a long output as it is read.
    async fn report_ended(
        &self,
        command_id: &str,
        seen: Vec<InvocationStatus>,
    ) -> anyhow::Result<()> {
        let settled = Deadline::after(SETTLES);
        let mut ended = Vec::new();
        for mut one in seen {
            let mut flight = self.flight.borrow_mut();
            flight.meet(command_id, &one.instance_id, &one.status);
            if is_end(&one.status)
                && let Some(waiting) = flight.take(command_id, &one.instance_id)
            {
                // What SSM calls the name is that of the host.
                one.name = waiting.name.or(one.name);
                ended.push(one);
            }
        }
        for one in &ended {
            if one.end().is_error() {
                self.budget.failed();
            }
        }
        let reader = Reader {
            place: self.place,
            order: self.run.order,
            settled,
        };
        let mut whole = stream::iter(ended)
            .map(async |seen| (reader.read(&seen).await, seen))
            .buffer_unordered(OUTPUTS_AT_ONCE);
        while let Some(((known, trouble), seen)) = whole.next().await {
            let outcome = match trouble {
                Some(_) => seen.end().outcome().and(Outcome::Trouble),
                None => seen.end().outcome(),
            };
            let reason = trouble.map(|trouble| reason::not_whole(&trouble));
            let record = seen.record(&self.place.target, known, reason);
            if record.exit_code.is_some() {
                let mut ran = self.place.ran.borrow_mut();
                ran.push((record.instance_id.clone(), record.started.clone()));
            }
            self.run.report(&record, outcome)?;
        }
        Ok(())
    }

    fn failed(&mut self, failure: Failure) -> anyhow::Result<()> {
        self.penalty = (self.penalty * 2).clamp(ATTENTION * 5, LONGEST_PAUSE);
        match failure.kind {
            FailureKind::Throttled => return Ok(()),
            FailureKind::Other => self.n_failed_looks += 1,
            FailureKind::Denied => self.n_failed_looks = MAX_FAILED_LOOKS,
        }
        match self.n_failed_looks < MAX_FAILED_LOOKS {
            true => Ok(()),
            false => self.leave(&reason::lost(&format!("{:#}", failure.error))),
        }
    }

    /// Reports what has ended without reporting all its nodes.
    fn land(&self) -> anyhow::Result<()> {
        self.budget
            .give_back(self.flight.borrow_mut().unused_slots());
        let landed = self.flight.borrow_mut().land(self.run.now());
        for flown in landed {
            self.budget.give_back(flown.n_slots);
            if flown.has_nobody() {
                let target = &self.place.target;
                self.run.count(Outcome::Trouble);
                let note = format!("{target}: SSM has chosen no node for {}", flown.command_id);
                self.run.out.note(&note);
            }
            self.give_up(flown, &reason::lost("SSM does not report the end"))?;
        }
        Ok(())
    }

    /// Reports everything that is in flight as it stood at last.
    fn leave(&self, reason: &Reason) -> anyhow::Result<()> {
        let left = self.flight.borrow_mut().leave();
        for flown in left {
            self.budget.give_back(flown.n_slots);
            self.give_up(flown, reason)?;
        }
        Ok(())
    }

    fn give_up(&self, flown: InFlightCommand, reason: &Reason) -> anyhow::Result<()> {
        for (instance_id, waiting) in flown.waiting {
            let (target, name) = (&self.place.target, waiting.name.as_deref());
            let status = waiting.status.as_deref().unwrap_or("Pending");
            let record = Invocation {
                command_id: Some(flown.command_id.clone()),
                document: Some(flown.document.clone()),
                ..Invocation::without_result(target, &instance_id, name, status, reason.clone())
            };
            self.run.report(&record, Outcome::Trouble)?;
        }
        Ok(())
    }
}
