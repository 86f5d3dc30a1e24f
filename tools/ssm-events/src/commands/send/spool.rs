//! The directory in which messages wait: what is in it survives kill -9, and a message leaves the queue only when its
//! delivery is on the disk.
//!
//! `queue.jsonl`: `{"event_id", "destination", "thread", "message"}`, in the order in which they came.
//! `deliveries.jsonl`: `{"event_id", "destination", "status": "sending" | "held" | "delivered" | "rejected" | "muted", "time", "error"}`.
//! `destination` is left out where the flags name the only one.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cli::Output;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queued {
    pub(crate) event_id: String,
    /// The name of the destination; empty where the flags name the only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) destination: String,
    /// What it is about, where what is about the same is in one thread: account, Region and ID of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
    pub(crate) message: Box<RawValue>,
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
    /// Why it was rejected or muted.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
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
    /// Destinations that have taken something.
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
            }
        }
        Ok(spool)
    }

    fn remember(&mut self, delivery: Delivery) {
        let key = key(&delivery.destination, &delivery.event_id);
        match delivery.status {
            DeliveryStatus::Sending => {
                self.in_doubt.insert(key);
            }
            DeliveryStatus::Held => {
                self.in_doubt.remove(&key);
            }
            DeliveryStatus::Delivered | DeliveryStatus::Rejected => {
                self.in_doubt.remove(&key);
                self.known.insert(key);
                if delivery.status == DeliveryStatus::Delivered {
                    self.taking.insert(delivery.destination);
                }
            }
            DeliveryStatus::Muted => {
                self.muted.insert(delivery.event_id);
            }
        }
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

    /// Puts a message at the end of its destination's queue; `false` when its event is known there already.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn add(&mut self, queued: Queued) -> anyhow::Result<bool> {
        if !self
            .known
            .insert(key(&queued.destination, &queued.event_id))
        {
            return Ok(false);
        }
        append(&mut self.queue, &queued).context("write the queue")?;
        self.is_synced = false;
        self.wait(queued);
        Ok(true)
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

    /// Tells whether a crash has left open if this event was delivered.
    pub(crate) fn is_in_doubt(&self, destination: &str, event_id: &str) -> bool {
        self.in_doubt.contains(&key(destination, event_id))
    }

    /// Keeps in mind that an attempt had no answer.
    pub(crate) fn doubt(&mut self, destination: &str, event_id: &str) {
        self.in_doubt.insert(key(destination, event_id));
    }

    /// Tells whether a destination has ever taken a message.
    pub(crate) fn has_taken(&self, destination: &str) -> bool {
        self.taking.contains(destination)
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
            if let Some(lane) = self.waiting.get_mut(destination) {
                lane.pop_front();
            }
        }
        if status == DeliveryStatus::Delivered {
            self.taking.insert(destination.to_owned());
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

/// Makes the directory the user's alone, whatever the umask: what is in it tells who was where. It may not be a link to another,
/// which would be changed instead. Whoever may write into the directory above could still put one in its place between this look
/// and the first file; that the files are not links either is made sure of as they are opened.
fn private(directory: &Path) -> anyhow::Result<()> {
    // With a slash at its end a link would be followed.
    let directory: &Path = &directory.components().collect::<PathBuf>();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    if !std::fs::symlink_metadata(directory)?.is_dir() {
        bail!("it is a symbolic link: name the directory itself");
    }
    std::fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    Ok(())
}

pub(super) fn open(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let file = opened.with_context(|| format!("open {}", path.display()))?;
    // One that an older version has made may be open to others.
    file.set_permissions(Permissions::from_mode(0o600))
        .with_context(|| format!("open {}", path.display()))?;
    Ok(file)
}

pub(super) fn append(file: &mut File, line: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let length = file.metadata()?.len();
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // Half a line would join the next one; on a full disk shortening still works.
        let _ = file.set_len(length);
    })?;
    Ok(())
}

/// Reads all lines. A last one without its end was being written when the process was killed: it is dropped, for nobody
/// was told that it was taken.
pub(super) fn lines<T: serde::de::DeserializeOwned>(file: &mut File) -> anyhow::Result<Vec<T>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *file);
    let (mut parsed, mut line, mut length, mut number) = (Vec::new(), Vec::new(), 0u64, 0);
    loop {
        line.clear();
        // Bytes: what was being written may end inside a character.
        let n_read = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        number += 1;
        length += n_read as u64;
        parsed.push(serde_json::from_slice(&line).with_context(|| format!("line {number}"))?);
    }
    file.set_len(length)?;
    Ok(parsed)
}
