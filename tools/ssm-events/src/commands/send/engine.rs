//! The one delivery engine: a lane for each destination, side by side, so that one that is down holds up no other. A message leaves
//! only when it is on the disk, and leaves the disk only when it is delivered.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::time::Duration;

use cli::{Outcome, Output};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::posting::{Posted, Poster, until};
use super::spool::{Added, Content, DeliveryStatus, Queued, Spool};
use super::threads::Threads;
use super::{Status, say};

/// While messages keep coming a destination that was down is tried again after so long.
const REST: Duration = Duration::from_secs(60);

/// What is said of a message for a destination whose URL cannot be read.
pub(super) const IF_SAME: &str = "sent before, if the URL is still the same";

/// What is said of a message that another one was to take the place of, while it was on its way.
const AS_BEFORE: &str = "as it was before it was made anew";

/// What is said of a message after an attempt of which nobody knows what became.
const MAYBE_TWICE: &str = "may be there twice: an earlier attempt had no clear answer";

/// One destination.
#[derive(Debug)]
pub(super) struct Lane {
    /// Empty for the webhook of the flags.
    pub(super) name: String,
    pub(super) poster: Poster,
    /// The channel, where there are threads.
    pub(super) channel: Option<String>,
}

/// What is read: a message, an event that a rule mutes, or one of which no message can be made.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Queued),
    Muted {
        event_id: String,
        why: String,
    },
    Unsent {
        event_id: String,
        destination: String,
        why: String,
    },
}

/// What the lanes and the intake share. Never borrowed while something is awaited.
struct Shared<'o> {
    spool: RefCell<Spool>,
    threads: RefCell<Threads>,
    outcome: Cell<Outcome>,
    is_open: Cell<bool>,
    /// Destinations whose first message was made anew, so that it is worth another attempt.
    renewed: RefCell<HashSet<String>>,
    news: Notify,
    out: &'o Output,
}

/// Delivers what waits and what comes in, until nothing more comes and nothing more can be done. Returns trouble where something was
/// rejected or held, and the lanes for what is to be said of them.
///
/// # Errors
/// The spool or stdout.
pub(super) async fn run(
    mut lanes: Vec<Lane>,
    spool: Spool,
    threads: Threads,
    mut incoming: mpsc::Receiver<Vec<Incoming>>,
    out: &Output,
) -> anyhow::Result<(Outcome, Spool, Vec<Lane>)> {
    let shared = Shared {
        spool: RefCell::new(spool),
        threads: RefCell::new(threads),
        outcome: Cell::new(Outcome::Fine),
        is_open: Cell::new(true),
        renewed: RefCell::new(HashSet::new()),
        news: Notify::new(),
        out,
    };
    {
        let intake = async {
            while let Some(batch) = incoming.recv().await {
                batch.into_iter().try_for_each(|one| shared.take(one))?;
                shared.news.notify_waiters();
            }
            shared.is_open.set(false);
            shared.news.notify_waiters();
            anyhow::Ok(())
        };
        let delivering = try_join_all(lanes.iter_mut().map(|lane| lane.run(&shared)));
        tokio::try_join!(intake, delivering)?;
    }
    Ok((shared.outcome.get(), shared.spool.into_inner(), lanes))
}

impl Shared<'_> {
    /// Queues what came in.
    fn take(&self, incoming: Incoming) -> anyhow::Result<()> {
        let mut spool = self.spool.borrow_mut();
        match incoming {
            Incoming::Message(queued) => {
                let (event_id, destination) = (queued.event_id.clone(), queued.destination.clone());
                let note = match spool.add(queued, Timestamp::now())? {
                    Added::Queued => return Ok(()),
                    Added::Renewed => {
                        let first = spool.first(&destination);
                        if first.is_some_and(|first| first.event_id == event_id) {
                            self.renewed.borrow_mut().insert(destination.clone());
                        }
                        Some("the message that waits is made anew".to_owned())
                    }
                    Added::Known => None,
                    Added::Rejected => {
                        self.outcome.set(Outcome::Trouble);
                        let note = "rejected before, and the message is still the same".to_owned();
                        return say(
                            self.out,
                            event_id,
                            &destination,
                            Status::Rejected,
                            Some(note),
                        );
                    }
                };
                say(self.out, event_id, &destination, Status::Duplicate, note)
            }
            Incoming::Unsent {
                event_id,
                destination,
                why,
            } => spool.unsent(&event_id, &destination, why, Timestamp::now()),
            Incoming::Muted { event_id, why } => {
                spool.mute(&event_id, &why, Timestamp::now())?;
                say(self.out, event_id, "", Status::Muted, Some(why))
            }
        }
    }

    fn log(&self, lane: &str, status: DeliveryStatus, error: Option<String>) -> anyhow::Result<()> {
        let mut spool = self.spool.borrow_mut();
        spool.log(lane, status, error, Timestamp::now())
    }
}

impl Lane {
    async fn run(&mut self, shared: &Shared<'_>) -> anyhow::Result<()> {
        let mut rests_until = None::<Instant>;
        loop {
            let is_waiting = shared.spool.borrow().first(&self.name).is_some();
            let is_open = shared.is_open.get();
            if shared.renewed.borrow_mut().remove(&self.name) {
                // The message is another one; the service has asked for its pause all the same.
                rests_until = self.poster.paused_until();
            }
            if !is_open && (!is_waiting || rests_until.is_some()) {
                return Ok(());
            }
            if !is_waiting {
                shared.news.notified().await;
                continue;
            }
            if let Some(rested) = rests_until.filter(|rested| *rested > Instant::now()) {
                tokio::select! {
                    () = until(rested) => {}
                    () = shared.news.notified() => {}
                }
                continue;
            }
            // Before the message is read: what comes in meanwhile may make it anew. One that is closed is not called.
            if self.poster.is_open() {
                self.poster.wait().await;
            }
            // Everything that has been read goes to the disk before the next request, for it may take a while.
            shared.spool.borrow_mut().sync()?;
            let is_up = self.one(shared).await?;
            rests_until = (!is_up).then(|| self.poster.rests_until(REST));
            // What has come in meanwhile is taken first: reading must not wait for a destination.
            tokio::task::yield_now().await;
        }
    }

    /// Sends the first message; `false` when the destination does not take any.
    async fn one(&mut self, shared: &Shared<'_>) -> anyhow::Result<bool> {
        let first = shared.spool.borrow().read_first(&self.name)?;
        let Some(queued) = first else {
            return Ok(true);
        };
        // It is the newest until now.
        shared.renewed.borrow_mut().remove(&self.name);
        if let Some(mut why) = self.poster.refusal(&queued) {
            let Queued { event_id, .. } = queued;
            let is_sent = |spool: &Spool| spool.sent_elsewhere(&self.name).contains(&*event_id);
            if !self.poster.is_open() && is_sent(&shared.spool.borrow()) {
                why += &format!("; {IF_SAME}");
            }
            say(shared.out, event_id, &self.name, Status::Held, Some(why))?;
            return Ok(false);
        }
        let was_in_doubt = shared
            .spool
            .borrow()
            .is_in_doubt(&self.name, &queued.event_id);
        shared.log(&self.name, DeliveryStatus::Sending, None)?;
        let thread = self.thread_of(&queued, shared);
        let posted = self.poster.post(&queued, thread.as_deref()).await;
        let Queued { event_id, .. } = queued.clone();
        match posted {
            Posted::Taken {
                thread,
                is_doubtful,
            } => {
                if let (Some(channel), Some(session), Some(ts)) =
                    (&self.channel, &queued.thread, &thread)
                {
                    let mut threads = shared.threads.borrow_mut();
                    threads.keep(&self.name, channel, session, ts)?;
                }
                let is_before = self.is_renewed(&queued, shared);
                shared.log(&self.name, DeliveryStatus::Delivered, None)?;
                let notes = [
                    is_before.then_some(AS_BEFORE),
                    (was_in_doubt || is_doubtful).then_some(MAYBE_TWICE),
                ];
                let notes: Vec<&str> = notes.into_iter().flatten().collect();
                let note = (!notes.is_empty()).then(|| notes.join("; "));
                say(shared.out, event_id, &self.name, Status::Delivered, note)?;
                Ok(true)
            }
            // Meanwhile it was made anew: that one has not been tried.
            Posted::Rejected(_) if self.is_renewed(&queued, shared) => {
                self.not_taken(&event_id, was_in_doubt, shared)?;
                Ok(true)
            }
            Posted::Rejected(reason) => {
                // The answer is about the last attempt: an earlier one may have been taken.
                self.not_taken(&event_id, was_in_doubt, shared)?;
                shared.log(&self.name, DeliveryStatus::Rejected, Some(reason.clone()))?;
                shared.outcome.set(Outcome::Trouble);
                say(
                    shared.out,
                    event_id,
                    &self.name,
                    Status::Rejected,
                    Some(reason),
                )?;
                Ok(true)
            }
            Posted::Down => {
                self.not_taken(&event_id, was_in_doubt, shared)?;
                let why = self.poster.trouble().map(str::to_owned);
                say(shared.out, event_id, &self.name, Status::Held, why)?;
                Ok(false)
            }
        }
    }

    /// Writes down that the first message was certainly not taken, unless an attempt, of an earlier run as well, may have been.
    fn not_taken(
        &self,
        event_id: &str,
        was_in_doubt: bool,
        shared: &Shared<'_>,
    ) -> anyhow::Result<()> {
        if self.poster.is_certain() && !was_in_doubt {
            return shared.log(&self.name, DeliveryStatus::Held, None);
        }
        shared.spool.borrow_mut().doubt(&self.name, event_id);
        Ok(())
    }

    fn is_renewed(&self, queued: &Queued, shared: &Shared<'_>) -> bool {
        let spool = shared.spool.borrow();
        let first = spool.first(&self.name);
        first.is_some_and(|first| first.content != Content::of(queued))
    }

    fn thread_of(&self, queued: &Queued, shared: &Shared<'_>) -> Option<String> {
        let (channel, session) = (self.channel.as_ref()?, queued.thread.as_ref()?);
        let threads = shared.threads.borrow();
        threads.of(&self.name, channel, session).map(str::to_owned)
    }
}
