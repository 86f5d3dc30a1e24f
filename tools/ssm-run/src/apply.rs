//! A run: its commands are sent wave by wave, followed while others are sent, and every node is told exactly once.

mod cancel;
mod fault;
mod follow;
mod send;
mod wave;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::{Client, types};
use awsconf::{Interrupt, Session};
use reach::Timestamp;
use tokio::sync::OnceCell;
use toolio::{Outcome, Output, Progress, Target, Unreachable};

use crate::batch::{Batch, Node};
use crate::flight::{Flown, Waiting};
use crate::model::{Absence, Invocation, Reason};
use crate::order::Order;
use crate::token;
use wave::Work;

/// After which one try of a call counts as failed: a connection that hangs must not keep a run, nor Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the SDK tries. What follows a run backs off by itself, and knows what it can leave for later; the SDK's adaptive
/// retry would hold back every call for a minute after some throttled ones.
const MAX_ATTEMPTS: u32 = 3;
/// How soon Ctrl-C is noticed while nothing happens.
const ATTENTION: Duration = Duration::from_millis(100);

/// An account and region to work in.
pub(crate) struct Place {
    pub(crate) target: Target,
    /// Who sends, for the comment.
    pub(crate) caller: String,
    pub(crate) client: Client,
    pub(crate) session: Session,
    /// The nodes on which a command has ended.
    pub(crate) ran: RefCell<Vec<String>>,
    /// Made when the first output has to be read from there.
    pub(crate) s3: OnceCell<aws_sdk_s3::Client>,
}

impl Place {
    pub(crate) fn new(session: &Session) -> Place {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE);
        let config = aws_sdk_ssm::config::Builder::from(&session.config);
        let given = session.config.retry_config();
        let max_attempts = given.map_or(MAX_ATTEMPTS, |retry| retry.max_attempts());
        let retry = RetryConfig::standard().with_max_attempts(max_attempts.min(MAX_ATTEMPTS));
        let config = config.timeout_config(timeouts.build()).retry_config(retry);
        Place {
            target: session.target.clone(),
            caller: session.caller.clone(),
            client: Client::from_conf(config.build()),
            session: session.clone(),
            ran: RefCell::default(),
            s3: OnceCell::new(),
        }
    }
}

/// What all parts of a run share.
pub(crate) struct Run<'r> {
    pub(crate) order: &'r Order,
    pub(crate) out: &'r Output,
    pub(crate) progress: &'r Progress,
    pub(crate) interrupt: &'r Interrupt,
    pub(crate) token: token::Run,
    /// The number of the next command.
    pub(crate) number: Cell<u32>,
    pub(crate) outcome: Cell<Outcome>,
    /// Why records could not be printed, once that is so.
    pub(crate) lost: RefCell<Option<anyhow::Error>>,
    /// The first command that was sent.
    pub(crate) first_command: RefCell<Option<String>>,
    pub(crate) began: Instant,
    /// The time of day when it began.
    pub(crate) time: Timestamp,
    /// How many accounts and regions are worked in at once.
    pub(crate) max_concurrency: usize,
}

impl Run<'_> {
    /// Tells what became of one node.
    pub(crate) fn tell(&self, record: &Invocation, outcome: Outcome) -> anyhow::Result<()> {
        self.count(outcome);
        self.progress.step();
        self.printed(self.out.write_row(record, || crate::text::row(record)));
        Ok(())
    }

    /// Takes note of a record that could not be printed: nothing more is sent, and what was sent is followed to its end.
    pub(crate) fn printed(&self, written: anyhow::Result<()>) {
        if let Err(error) = written {
            self.interrupt.stop();
            self.lost.borrow_mut().get_or_insert(error);
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
        Err(toolio::lost(&error, &advice))
    }

    /// Tells of nodes that no command is sent to.
    pub(crate) fn tell_without_command<'n>(
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
            self.tell(&record, Outcome::Trouble)?;
        }
        Ok(())
    }

    pub(crate) fn count(&self, outcome: Outcome) {
        self.outcome.set(self.outcome.get().and(outcome));
    }

    fn time(&self) -> Timestamp {
        self.time
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits, but not after Ctrl-C.
    async fn nap(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.interrupt.requested() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(ATTENTION)).await;
        }
    }

    /// Tells of everything in a batch that it is not sent.
    fn tell_not_sent(&self, place: &Place, batch: &Batch, reason: &Reason) -> anyhow::Result<()> {
        if batch.choice.is_some() {
            // Nobody knows its nodes.
            let error = anyhow::anyhow!("{}", reason.message);
            self.count(Outcome::Trouble);
            let record = Unreachable::new(crate::TOOL, &place.target, &error);
            self.printed(self.out.write(&record));
            return Ok(());
        }
        self.tell_without_command(place, &batch.nodes, Absence::NotSent, reason)
    }

    /// Runs on all nodes, in their order, wave by wave; what was sent before is followed first.
    ///
    /// # Errors
    /// Stdout cannot be written; everything else is told as a record.
    pub(crate) async fn on(&self, places: &[Place], what: Targets) -> anyhow::Result<()> {
        let Targets {
            mut nodes,
            choices,
            flown,
        } = what;
        let Some(waves) = &self.order.waves else {
            let work = Work {
                nodes,
                choices,
                flown,
            };
            self.wave(places, work).await?;
            self.end();
            return Ok(());
        };
        let n_before: usize = flown.iter().map(|(_, flown)| flown.waiting.len()).sum();
        let n_nodes = n_before + nodes.len();
        let mut n_done = n_before;
        let before = Work {
            flown,
            ..Work::default()
        };
        let mut stopped = self.wave(places, before).await?;
        for end in waves.ends(n_nodes, n_before) {
            let rest = nodes.split_off(end - n_done);
            let wave = std::mem::replace(&mut nodes, rest);
            n_done = end;
            match &stopped {
                None => {
                    self.progress.say(&format!("{end} of {n_nodes} nodes"));
                    let work = Work {
                        nodes: wave,
                        ..Work::default()
                    };
                    stopped = self.wave(places, work).await?;
                }
                Some(reason) => {
                    for node in &wave {
                        if let Some(place) = places.get(node.place) {
                            self.tell_without_command(place, [node], Absence::NotSent, reason)?;
                        }
                    }
                }
            }
        }
        self.end();
        Ok(())
    }

    fn end(&self) {
        if let Some(signal) = self.interrupt.signal() {
            self.count(Outcome::Interrupted(signal));
        }
    }
}

/// What a run is sent to, and what was sent before it.
#[derive(Default)]
pub(crate) struct Targets {
    /// In the order of the waves.
    pub(crate) nodes: Vec<Node>,
    /// What SSM chooses the nodes of, by place.
    pub(crate) choices: Vec<(usize, Batch)>,
    /// Commands of a run that is resumed, by place.
    pub(crate) flown: Vec<(usize, Flown)>,
}

/// Returns a command as it is followed.
pub(crate) fn flown(
    now: Duration,
    command: &types::Command,
    waiting: BTreeMap<String, Waiting>,
) -> Flown {
    let lasts = match (command.requested_date_time(), command.expires_after()) {
        (Some(from), Some(to)) => u64::try_from(to.secs() - from.secs()).ok(),
        _ => None,
    };
    let is_open = !command.targets().is_empty();
    let mut flown = Flown::new(
        command.command_id().unwrap_or_default().to_owned(),
        command.document_name().unwrap_or_default().to_owned(),
        waiting,
        is_open,
        now,
        lasts.map(Duration::from_secs),
    );
    flown.requested = command.requested_date_time().map(|time| time.secs());
    flown
}
