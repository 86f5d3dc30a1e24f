//! The directory in which messages wait: what is in it survives kill -9, and a message leaves the queue only when its
//! delivery is on the disk.
//!
//! `queue.jsonl`: `{"event_id", "destination", "address", "form", "thread", "message"}`, in the order in which they came; a later line with
//! the same event, destination and address has the message made anew.
//! `deliveries.jsonl`: `{"event_id", "destination", "address", "status", "time", "content", "error"}`, the status one of `queued`, `unsent`,
//! `sending`, `held`, `delivered`, `rejected` and `muted`. `destination` is left out for the webhook of the flags, `address` where there is no
//! URL; `content` names what a rejected message said.

mod addresses;
mod adoption;
mod files;
mod line;
mod queue;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

pub(super) use self::addresses::{Address, Addresses, Recipient, named};
use self::adoption::{adopt, is_adopted, recipients};
pub(super) use self::files::{append, lines, open};
use self::files::{each_line, private};
pub(crate) use self::line::{Content, Delivery, DeliveryStatus, Form, Queued};
use self::queue::{Queue, Waiting};
use anyhow::{Context, bail};
use cli::Output;
use jiff::Timestamp;

/// What became of a message that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Queued,
    /// It takes the place of one that waits.
    Renewed,
    /// Its event was delivered, or waits, as it is.
    Known,
    /// This very message was rejected.
    Rejected,
}

/// A recipient and an event.
type Key = (Recipient, String);

/// The open directory; nobody else has it open.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: Queue,
    log: File,
    addresses: Addresses,
    /// What was delivered, or waits.
    known: HashSet<Key>,
    /// What was rejected, with what it said, and was not made anew.
    rejected: HashMap<Key, Option<Content>>,
    /// Of these an attempt may have been taken that has had no answer: a crash or an error came in between. A rejection of a later
    /// attempt says nothing about it, so that only the next delivery ends it.
    in_doubt: HashSet<Key>,
    /// Those that have taken something since they last refused a message.
    taking: HashSet<Recipient>,
    /// When each was last called, by an earlier run.
    called: HashMap<Recipient, Timestamp>,
    /// Events that are in the log as muted.
    muted: HashSet<String>,
    is_synced: bool,
    _lock: File,
}

impl Spool {
    /// Opens a directory, making it when missing; says so and waits while another process has it. What is in it for one of the
    /// addresses and does not say so, as older versions did not, is of this one from now on.
    ///
    /// # Errors
    /// It cannot be made, read or written, or holds something else.
    pub(crate) fn open(
        directory: &Path,
        addresses: Addresses,
        out: &Output,
    ) -> anyhow::Result<Spool> {
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
        let [log_file, queue_file] =
            ["deliveries", "queue"].map(|name| directory.join(name).with_extension("jsonl"));
        let (mut queue, mut log) = (open(&queue_file)?, open(&log_file)?);
        let of = |path: &Path| path.display().to_string();
        let of_log = recipients::<Delivery>(&mut log).with_context(|| of(&log_file))?;
        let of_queue = recipients::<Queued>(&mut queue).with_context(|| of(&queue_file))?;
        let all = of_log.iter().chain(&of_queue);
        for note in addresses.unused(all.map(|(name, address)| (&**name, address))) {
            out.note(&note);
        }
        // The log first: what it has as delivered must not wait, where this process is killed in between.
        if is_adopted(&addresses, of_log) {
            log = adopt::<Delivery>(&log_file, &mut log, &addresses).with_context(action)?;
        }
        if is_adopted(&addresses, of_queue) {
            queue = adopt::<Queued>(&queue_file, &mut queue, &addresses).with_context(action)?;
        }
        let mut spool = Spool {
            queue: Queue::new(queue, &queue_file)?,
            log: log.try_clone().with_context(action)?,
            addresses,
            known: HashSet::new(),
            rejected: HashMap::new(),
            in_doubt: HashSet::new(),
            taking: HashSet::new(),
            called: HashMap::new(),
            muted: HashSet::new(),
            is_synced: true,
            _lock: lock,
        };
        each_line(&mut log, |delivery, _| {
            spool.remember(delivery);
            Ok(())
        })?;
        let Spool {
            queue,
            addresses,
            known,
            rejected,
            ..
        } = &mut spool;
        queue.each(|queue, queued, place| {
            let recipient = addresses.recipient(&queued.destination, &queued.address);
            let key = (recipient.clone(), queued.event_id.clone());
            if rejected.contains_key(&key) {
                return Ok(());
            }
            match known.insert(key) {
                true => queue.wait(recipient, &queued, place),
                false => queue.renew(&recipient, &queued, place),
            }
            Ok(())
        })?;
        spool.queue.shorten().with_context(action)?;
        Ok(spool)
    }

    fn remember(&mut self, delivery: Delivery) {
        let addresses = &self.addresses;
        let recipient = addresses.recipient(&delivery.destination, &delivery.address);
        if let Some(called) = delivery.called() {
            self.called.insert(recipient.clone(), called);
        }
        let key = (recipient, delivery.event_id);
        match delivery.status {
            DeliveryStatus::Queued => {
                self.rejected.remove(&key);
            }
            DeliveryStatus::Unsent => {}
            DeliveryStatus::Sending => {
                self.in_doubt.insert(key);
            }
            DeliveryStatus::Held => {
                self.in_doubt.remove(&key);
            }
            DeliveryStatus::Delivered => {
                self.judged(&key, None);
                self.known.insert(key);
            }
            DeliveryStatus::Rejected => self.judged(&key, Some(delivery.content)),
            DeliveryStatus::Muted => {
                self.muted.insert(key.1);
            }
        }
    }

    /// Keeps in mind what became of a message: it was delivered, or rejected with what it said.
    fn judged(&mut self, key: &Key, rejected: Option<Option<Content>>) {
        match rejected {
            None => {
                self.in_doubt.remove(key);
                self.taking.insert(key.0.clone());
                self.rejected.remove(key);
            }
            Some(content) => {
                self.taking.remove(&key.0);
                self.rejected.insert(key.clone(), content);
            }
        }
    }

    /// Puts a message at the end of its destination's queue. Of an event that waits there already it takes the place, if what waits was
    /// made by another filter or for another kind of destination. An attempt at the other one may have been taken: that stays in doubt,
    /// for a service that fails with 500 because of a message would hold it for ever.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn add(&mut self, queued: Queued, now: Timestamp) -> anyhow::Result<Added> {
        let queued = Queued {
            address: self.addresses.now(&queued.destination),
            ..queued
        };
        let recipient = Recipient::here(&queued.destination);
        let key = (recipient.clone(), queued.event_id.clone());
        if self.known.contains(&key) {
            if !self.queue.has_other(&recipient, &queued) {
                return Ok(Added::Known);
            }
            let place = self.queue.append(&queued).context("write the queue")?;
            self.is_synced = false;
            self.queue.renew(&recipient, &queued, place);
            return Ok(Added::Renewed);
        }
        let rejected = self.rejected.get(&key).and_then(Option::as_ref);
        if rejected.is_some_and(|content| *content == Content::of(&queued)) {
            return Ok(Added::Rejected);
        }
        // Before it is queued: whoever compares the log with what CloudTrail has must know of every destination.
        let queued_at = (DeliveryStatus::Queued, now);
        self.write(&queued.event_id, &queued.destination, queued_at, None)?;
        self.rejected.remove(&key);
        self.known.insert(key);
        let place = self.queue.append(&queued).context("write the queue")?;
        self.is_synced = false;
        self.queue.wait(recipient, &queued, place);
        Ok(Added::Queued)
    }

    /// Makes sure that what was added is on the disk.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn sync(&mut self) -> anyhow::Result<()> {
        if !self.is_synced {
            self.queue.sync().context("write the queue")?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Returns the message that waits longest for a destination, as it is known without the disk.
    pub(crate) fn first(&self, destination: &str) -> Option<&Waiting> {
        self.queue.first(&Recipient::here(destination))
    }

    /// Returns the message that waits longest for a destination.
    ///
    /// # Errors
    /// The disk is gone.
    pub(crate) fn read_first(&self, destination: &str) -> anyhow::Result<Option<Queued>> {
        let read = self.first(destination).map(|first| self.queue.read(first));
        read.transpose().context("read the queue")
    }

    /// Returns what waits for each recipient for whom anything does.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Recipient, &VecDeque<Waiting>)> {
        self.queue.waiting()
    }

    /// Returns the events that were sent to other URLs of a destination: while its own is not known, it may be one of them.
    pub(crate) fn sent_elsewhere(&self, destination: &str) -> HashSet<&str> {
        let is_other = |recipient: &Recipient| {
            recipient.destination == destination && recipient.elsewhere.is_some()
        };
        let waiting = self.waiting().filter(|(one, _)| is_other(one));
        let waiting: HashSet<(&Recipient, &str)> = waiting
            .flat_map(|(one, waiting)| waiting.iter().map(move |other| (one, &*other.event_id)))
            .collect();
        let known = self.known.iter().filter(|(one, _)| is_other(one));
        let known = known.map(|(one, event_id)| (one, event_id.as_str()));
        let sent = known.filter(|key| !waiting.contains(key));
        sent.map(|(_, event_id)| event_id).collect()
    }

    /// Returns whether a crash has left open if this event was delivered.
    pub(crate) fn is_in_doubt(&self, destination: &str, event_id: &str) -> bool {
        let key = (Recipient::here(destination), event_id.to_owned());
        self.in_doubt.contains(&key)
    }

    /// Keeps in mind that an attempt had no answer.
    pub(crate) fn doubt(&mut self, destination: &str, event_id: &str) {
        let key = (Recipient::here(destination), event_id.to_owned());
        self.in_doubt.insert(key);
    }

    /// Returns whether a destination has taken a message since it last refused one.
    pub(crate) fn has_taken(&self, destination: &str) -> bool {
        self.taking.contains(&Recipient::here(destination))
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
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let status = (DeliveryStatus::Unsent, now);
        self.write(event_id, destination, status, Some(why))
    }

    /// Writes down that a rule sends an event nowhere, once.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn mute(&mut self, event_id: &str, why: &str, now: Timestamp) -> anyhow::Result<()> {
        if self.muted.insert(event_id.to_owned()) {
            let status = (DeliveryStatus::Muted, now);
            self.write(event_id, "", status, Some(why.to_owned()))?;
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
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let Some(first) = self.first(destination) else {
            bail!("nothing waits");
        };
        let (event_id, content) = (first.event_id.clone(), first.content.clone());
        let content = (status == DeliveryStatus::Rejected).then_some(content);
        self.write_line(
            &event_id,
            destination,
            (status, now),
            (content.clone(), error),
        )?;
        if matches!(status, DeliveryStatus::Delivered | DeliveryStatus::Rejected) {
            self.log.sync_data().context("write the delivery log")?;
            let key = (Recipient::here(destination), event_id);
            self.judged(&key, content.map(Some));
            if status == DeliveryStatus::Rejected {
                self.known.remove(&key);
            }
            let removed = self.queue.remove_first(&key.0);
            removed.context("empty the queue")?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        event_id: &str,
        destination: &str,
        (status, now): (DeliveryStatus, Timestamp),
        error: Option<String>,
    ) -> anyhow::Result<()> {
        self.write_line(event_id, destination, (status, now), (None, error))
    }

    fn write_line(
        &mut self,
        event_id: &str,
        destination: &str,
        (status, now): (DeliveryStatus, Timestamp),
        (content, error): (Option<Content>, Option<String>),
    ) -> anyhow::Result<()> {
        let line = Delivery {
            event_id: event_id.to_owned(),
            destination: destination.to_owned(),
            address: self.addresses.now(destination),
            status,
            time: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            content,
            error,
        };
        append(&mut self.log, &line).context("write the delivery log")?;
        Ok(())
    }

    /// Returns how long ago a destination was last called, so that the rate holds over restarts.
    pub(crate) fn last_called(&self, destination: &str, now: Timestamp) -> Option<Duration> {
        let called = self.called.get(&Recipient::here(destination))?;
        let since = now.duration_since(*called);
        // None, where the clock was set back.
        Some(since.try_into().unwrap_or_default())
    }
}
