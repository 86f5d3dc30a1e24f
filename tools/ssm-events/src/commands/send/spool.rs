//! The directory in which messages wait: what is in it survives kill -9, and a message leaves the queue only when its
//! delivery is on the disk.
//!
//! `queue.jsonl`: `{"event_id", "destination", "address", "form", "thread", "message"}`, in the order in which they came; a later line with
//! the same event, destination and address has the message made anew.
//! `deliveries.jsonl`: `{"event_id", "destination", "address", "status", "time", "error"}`, the status one of `queued`, `unsent`, `sending`,
//! `held`, `delivered`, `rejected` and `muted`. `destination` is left out for the webhook of the flags, `address` where there is no URL.

mod addresses;
mod files;
mod line;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::path::Path;

pub(super) use self::addresses::{Address, Addresses, Recipient, named};
pub(super) use self::files::{append, lines, open};
use self::files::{private, replace};
pub(crate) use self::line::{Delivery, DeliveryStatus, Form, Queued};
use anyhow::{Context, bail};
use cli::Output;

/// What became of a message that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Queued,
    /// It takes the place of one that waits.
    Renewed,
    /// Its event was delivered or rejected, or waits, as it is.
    Known,
}

/// A recipient and an event.
type Key = (Recipient, String);

/// The open directory; nobody else has it open.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: File,
    log: File,
    addresses: Addresses,
    waiting: BTreeMap<Recipient, VecDeque<Queued>>,
    /// What was delivered, rejected, or waits.
    known: HashSet<Key>,
    /// What a crash has left only the attempt of.
    in_doubt: HashSet<Key>,
    /// Those that have taken something since they last refused a message.
    taking: HashSet<Recipient>,
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
        let mut deliveries: Vec<Delivery> = lines(&mut log).with_context(|| of(&log_file))?;
        let mut queued: Vec<Queued> = lines(&mut queue).with_context(|| of(&queue_file))?;
        let of_log = deliveries
            .iter()
            .map(|one| (&*one.destination, &one.address));
        let of_queue = queued.iter().map(|one| (&*one.destination, &one.address));
        for note in addresses.unused(of_log.chain(of_queue)) {
            out.note(&note);
        }
        // The log first: what it has as delivered must not wait, where this process is killed in between.
        let delivered = deliveries.iter_mut();
        let delivered = delivered.filter(|one| one.status != DeliveryStatus::Muted);
        if addresses.adopt(delivered.map(|one| (&*one.destination, &mut one.address))) {
            log = replace(&log_file, &deliveries).with_context(action)?;
        }
        let waiting = queued.iter_mut();
        if addresses.adopt(waiting.map(|one| (&*one.destination, &mut one.address))) {
            queue = replace(&queue_file, &queued).with_context(action)?;
        }
        let mut spool = Spool {
            queue,
            log,
            addresses,
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
            let addresses = &spool.addresses;
            let recipient = addresses.recipient(&queued.destination, &queued.address);
            let key = (recipient.clone(), queued.event_id.clone());
            match spool.known.insert(key) {
                true => spool.wait(recipient, queued),
                false => drop(spool.renew(&recipient, queued)),
            }
        }
        Ok(spool)
    }

    fn remember(&mut self, delivery: Delivery) {
        let addresses = &self.addresses;
        let recipient = addresses.recipient(&delivery.destination, &delivery.address);
        let key = (recipient, delivery.event_id);
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
                self.judged(key.0.clone(), delivery.status);
                self.known.insert(key);
            }
            DeliveryStatus::Muted => {
                self.muted.insert(key.1);
            }
        }
    }

    /// Keeps in mind whether a destination takes messages, as the last one was taken or refused.
    fn judged(&mut self, recipient: Recipient, status: DeliveryStatus) {
        match status {
            DeliveryStatus::Delivered => self.taking.insert(recipient),
            _ => self.taking.remove(&recipient),
        };
    }

    fn wait(&mut self, recipient: Recipient, queued: Queued) {
        let waiting = self.waiting.entry(recipient).or_default();
        waiting.push_back(queued);
    }

    /// Puts a message in the place of one that waits, made by another filter or for another kind of destination. What may have
    /// been taken stays as it is.
    fn renew(&mut self, recipient: &Recipient, queued: Queued) -> bool {
        let key = (recipient.clone(), queued.event_id.clone());
        if self.in_doubt.contains(&key) {
            return false;
        }
        let mut waiting = self.waiting.get_mut(recipient).into_iter().flatten();
        let Some(waiting) = waiting.find(|one| one.event_id == queued.event_id) else {
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
        let queued = Queued {
            address: self.addresses.now(&queued.destination),
            ..queued
        };
        let recipient = Recipient::here(&queued.destination);
        let key = (recipient.clone(), queued.event_id.clone());
        if self.known.contains(&key) {
            if !self.renew(&recipient, queued.clone()) {
                return Ok(Added::Known);
            }
            append(&mut self.queue, &queued).context("write the queue")?;
            self.is_synced = false;
            return Ok(Added::Renewed);
        }
        // Before it is queued: whoever compares the log with what CloudTrail has must know of every destination.
        let queued_at = (DeliveryStatus::Queued, now);
        self.write(&queued.event_id, &queued.destination, queued_at, None)?;
        self.known.insert(key);
        append(&mut self.queue, &queued).context("write the queue")?;
        self.is_synced = false;
        self.wait(recipient, queued);
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
        let waiting = self.waiting.get(&Recipient::here(destination));
        waiting.and_then(VecDeque::front)
    }

    /// Returns what waits for each recipient for whom anything does.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Recipient, &VecDeque<Queued>)> {
        let recipients = self.waiting.iter();
        recipients.filter(|(_, waiting)| !waiting.is_empty())
    }

    /// Returns the events that were sent to other URLs of a destination: while its own is not known, it may be one of them.
    pub(crate) fn sent_elsewhere(&self, destination: &str) -> HashSet<&str> {
        let is_other = |recipient: &Recipient| {
            recipient.destination == destination && recipient.elsewhere.is_some()
        };
        let waiting = self.waiting.iter().filter(|(one, _)| is_other(one));
        let waiting: HashSet<(&Recipient, &str)> = waiting
            .flat_map(|(one, waiting)| waiting.iter().map(move |queued| (one, &*queued.event_id)))
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
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        let status = (DeliveryStatus::Unsent, now);
        self.write(event_id, destination, status, Some(why))
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
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        let Some(first) = self.first(destination) else {
            bail!("nothing waits");
        };
        let event_id = first.event_id.clone();
        self.write(&event_id, destination, (status, now), error)?;
        if matches!(status, DeliveryStatus::Delivered | DeliveryStatus::Rejected) {
            self.log.sync_data().context("write the delivery log")?;
            let recipient = Recipient::here(destination);
            if let Some(waiting) = self.waiting.get_mut(&recipient) {
                waiting.pop_front();
            }
            self.judged(recipient, status);
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
        (status, now): (DeliveryStatus, jiff::Timestamp),
        error: Option<String>,
    ) -> anyhow::Result<()> {
        let line = Delivery {
            event_id: event_id.to_owned(),
            destination: destination.to_owned(),
            address: self.addresses.now(destination),
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
