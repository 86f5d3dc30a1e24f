//! The directory in which messages wait: what is in it survives kill -9, and a message leaves the queue only when its
//! delivery is on the disk.
//!
//! `queue.jsonl`: `{"event_id", "destination", "form", "thread", "message"}`, in the order in which they came; a later line with the same
//! event and destination has the message made anew.
//! `deliveries.jsonl`: `{"event_id", "destination", "status", "time", "error"}`, the status one of `queued`, `unsent`, `sending`, `held`,
//! `delivered`, `rejected` and `muted`. `destination` is left out for the webhook of the flags.

mod files;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context, bail};
use cli::Output;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::files::private;
pub(super) use self::files::{append, lines, open};

/// A message that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queued {
    pub(crate) event_id: String,
    /// The name of the destination; empty for the webhook of the flags.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) destination: String,
    /// What kind of destination it is made for; older versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    /// What it is about, where what is about the same is in one thread: account, Region and ID of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
    pub(crate) message: Box<RawValue>,
}

/// Who understands a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// A webhook or a bot of Slack.
    Slack,
    /// A URL.
    Json,
    /// A topic.
    Topic,
}

/// A line of the delivery log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) destination: String,
    pub(crate) status: DeliveryStatus,
    pub(crate) time: String,
    /// Why it was rejected, muted or not made.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
    /// Written before it is queued: it is meant to arrive.
    Queued,
    /// No message could be made of it.
    Unsent,
    /// Written before the request leaves: after a crash nobody knows whether it was taken.
    Sending,
    Delivered,
    /// It was certainly not taken, and waits.
    Held,
    /// It will never be taken.
    Rejected,
    /// A rule sends it nowhere.
    Muted,
}

/// What became of a message that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Queued,
    /// It takes the place of one that waits.
    Renewed,
    /// Its event was delivered or rejected, or waits, as it is.
    Known,
}

/// A destination and an event.
type Key = (String, String);

/// The open directory; nobody else has it open.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: File,
    log: File,
    /// By destination.
    waiting: BTreeMap<String, VecDeque<Queued>>,
    /// What was delivered, rejected, or waits.
    known: HashSet<Key>,
    /// What a crash has left only the attempt of.
    in_doubt: HashSet<Key>,
    /// Destinations that have taken something since they last refused a message.
    taking: HashSet<String>,
    /// Events that are in the log as muted.
    muted: HashSet<String>,
    is_synced: bool,
    _lock: File,
}

impl Spool {
    /// Opens a directory, making it when missing; says so and waits while another process has it.
    ///
    /// # Errors
    /// It cannot be made, read or written, or holds something else.
    pub(crate) fn open(directory: &Path, out: &Output) -> anyhow::Result<Spool> {
        let action = || format!("open the spool {}", directory.display());
        private(directory).with_context(action)?;
        let lock = open(&directory.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let shown = directory.display();
                out.note(&format!(
                    "waiting for another `send` that has the spool {shown} open"
                ));
                lock.lock().with_context(action)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(action),
        }
        let (mut queue, mut log) = (
            open(&directory.join("queue").with_extension("jsonl"))?,
            open(&directory.join("deliveries").with_extension("jsonl"))?,
        );
        let deliveries: Vec<Delivery> =
            lines(&mut log).with_context(|| format!("{}/deliveries.jsonl", directory.display()))?;
        let queued: Vec<Queued> =
            lines(&mut queue).with_context(|| format!("{}/queue.jsonl", directory.display()))?;
        let mut spool = Spool {
            queue,
            log,
            waiting: BTreeMap::new(),
            known: HashSet::new(),
            in_doubt: HashSet::new(),
            taking: HashSet::new(),
            muted: HashSet::new(),
            is_synced: true,
            _lock: lock,
        };
        for delivery in deliveries {
            spool.remember(delivery);
        }
        for queued in queued {
            if spool
                .known
                .insert(key(&queued.destination, &queued.event_id))
            {
                spool.wait(queued);
            } else {
                spool.renew(queued);
            }
        }
        Ok(spool)
    }

    fn remember(&mut self, delivery: Delivery) {
        let key = key(&delivery.destination, &delivery.event_id);
        match delivery.status {
            DeliveryStatus::Queued | DeliveryStatus::Unsent => {}
            DeliveryStatus::Sending => {
                self.in_doubt.insert(key);
            }
            DeliveryStatus::Held => {
                self.in_doubt.remove(&key);
            }
            DeliveryStatus::Delivered | DeliveryStatus::Rejected => {
                self.in_doubt.remove(&key);
                self.known.insert(key);
                self.judged(&delivery.destination, delivery.status);
            }
            DeliveryStatus::Muted => {
                self.muted.insert(delivery.event_id);
            }
        }
    }

    /// Keeps in mind whether a destination takes messages, as the last one was taken or refused.
    fn judged(&mut self, destination: &str, status: DeliveryStatus) {
        match status {
            DeliveryStatus::Delivered => self.taking.insert(destination.to_owned()),
            _ => self.taking.remove(destination),
        };
    }

    fn wait(&mut self, queued: Queued) {
        match self.waiting.get_mut(&queued.destination) {
            Some(lane) => lane.push_back(queued),
            None => {
                let destination = queued.destination.clone();
                self.waiting.insert(destination, VecDeque::from([queued]));
            }
        }
    }

    /// Puts a message in the place of one that waits, made by another filter or for another kind of destination. What may have
    /// been taken stays as it is.
    fn renew(&mut self, queued: Queued) -> bool {
        if self.is_in_doubt(&queued.destination, &queued.event_id) {
            return false;
        }
        let lane = self.waiting.get_mut(&queued.destination);
        let mut lane = lane.into_iter().flatten();
        let Some(waiting) = lane.find(|one| one.event_id == queued.event_id) else {
            return false;
        };
        let is_same = waiting.form == queued.form && waiting.message.get() == queued.message.get();
        if !is_same {
            *waiting = queued;
        }
        !is_same
    }

    /// Puts a message at the end of its destination's queue. Of an event that waits there already it takes the place.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn add(&mut self, queued: Queued, now: jiff::Timestamp) -> anyhow::Result<Added> {
        let (destination, event_id) = (queued.destination.clone(), queued.event_id.clone());
        if self.known.contains(&key(&destination, &event_id)) {
            if !self.renew(queued.clone()) {
                return Ok(Added::Known);
            }
            append(&mut self.queue, &queued).context("write the queue")?;
            self.is_synced = false;
            return Ok(Added::Renewed);
        }
        // Before it is queued: whoever compares the log with what CloudTrail has must know of every destination.
        self.write(&event_id, &destination, DeliveryStatus::Queued, None, now)?;
        self.known.insert(key(&destination, &event_id));
        append(&mut self.queue, &queued).context("write the queue")?;
        self.is_synced = false;
        self.wait(queued);
        Ok(Added::Queued)
    }

    /// Makes sure that what was added is on the disk.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn sync(&mut self) -> anyhow::Result<()> {
        if !self.is_synced {
            self.queue.sync_data().context("write the queue")?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Returns the message that waits longest for a destination.
    pub(crate) fn first(&self, destination: &str) -> Option<&Queued> {
        self.waiting.get(destination).and_then(VecDeque::front)
    }

    /// Returns how many messages wait for each destination for which any do.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&str, usize)> {
        let lanes = self.waiting.iter();
        let lanes = lanes.map(|(destination, lane)| (destination.as_str(), lane.len()));
        lanes.filter(|(_, n_waiting)| *n_waiting > 0)
    }

    /// Returns whether a crash has left open if this event was delivered.
    pub(crate) fn is_in_doubt(&self, destination: &str, event_id: &str) -> bool {
        self.in_doubt.contains(&key(destination, event_id))
    }

    /// Keeps in mind that an attempt had no answer.
    pub(crate) fn doubt(&mut self, destination: &str, event_id: &str) {
        self.in_doubt.insert(key(destination, event_id));
    }

    /// Returns whether a destination has taken a message since it last refused one.
    pub(crate) fn has_taken(&self, destination: &str) -> bool {
        self.taking.contains(destination)
    }

    /// Writes down that no message for a destination could be made of an event.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn unsent(
        &mut self,
        event_id: &str,
        destination: &str,
        why: String,
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        self.write(
            event_id,
            destination,
            DeliveryStatus::Unsent,
            Some(why),
            now,
        )
    }

    /// Writes down that a rule sends an event nowhere, once.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn mute(
        &mut self,
        event_id: &str,
        why: &str,
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        if self.muted.insert(event_id.to_owned()) {
            self.write(
                event_id,
                "",
                DeliveryStatus::Muted,
                Some(why.to_owned()),
                now,
            )?;
        }
        Ok(())
    }

    /// Writes down what became of the message that waits longest for a destination.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn log(
        &mut self,
        destination: &str,
        status: DeliveryStatus,
        error: Option<String>,
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        let Some(first) = self.first(destination) else {
            bail!("nothing waits");
        };
        let event_id = first.event_id.clone();
        self.write(&event_id, destination, status, error, now)?;
        if matches!(status, DeliveryStatus::Delivered | DeliveryStatus::Rejected) {
            self.log.sync_data().context("write the delivery log")?;
            self.judged(destination, status);
            if let Some(lane) = self.waiting.get_mut(destination) {
                lane.pop_front();
            }
        }
        if self.waiting.values().all(VecDeque::is_empty) {
            // Everything in the queue is in the log, so that a crash in between changes nothing.
            self.queue.set_len(0).context("empty the queue")?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        event_id: &str,
        destination: &str,
        status: DeliveryStatus,
        error: Option<String>,
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        let line = Delivery {
            event_id: event_id.to_owned(),
            destination: destination.to_owned(),
            status,
            time: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            error,
        };
        append(&mut self.log, &line).context("write the delivery log")
    }

    /// Returns how long ago something was last delivered, so that the rate holds over restarts.
    pub(crate) fn last_delivery(&self, now: jiff::Timestamp) -> Option<std::time::Duration> {
        self.log
            .metadata()
            .ok()
            .filter(|log| log.len() > 0)?
            .modified()
            .ok()
            .and_then(|modified| jiff::Timestamp::try_from(modified).ok())
            .and_then(|modified| now.duration_since(modified).try_into().ok())
    }
}

fn key(destination: &str, event_id: &str) -> Key {
    (destination.to_owned(), event_id.to_owned())
}
