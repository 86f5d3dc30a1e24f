//! The directory in which messages wait: what is in it survives kill -9, and a message leaves the queue only when its
//! delivery is on the disk.
//!
//! `queue.jsonl`: `{"event_id", "message"}`, in the order in which they came.
//! `deliveries.jsonl`: `{"event_id", "status": "sending" | "held" | "delivered" | "rejected", "time", "error"}`.

use std::collections::{HashSet, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queued {
    pub(crate) event_id: String,
    pub(crate) message: Box<RawValue>,
}

/// A line of the delivery log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    pub(crate) status: DeliveryStatus,
    pub(crate) time: String,
    /// Why it was rejected.
    #[serde(default)]
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
    /// Written before the request leaves: after a crash nobody knows whether Slack took it.
    Sending,
    Delivered,
    /// It was certainly not taken, and waits.
    Held,
    /// Slack will never take it.
    Rejected,
}

/// The open directory; nobody else has it open.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: File,
    log: File,
    waiting: VecDeque<Queued>,
    /// Events that were delivered, rejected, or wait.
    known: HashSet<String>,
    /// Events of which a crash has left only the attempt.
    in_doubt: HashSet<String>,
    _lock: File,
}

impl Spool {
    /// Opens a directory, making it when missing; waits while another process has it.
    ///
    /// # Errors
    /// It cannot be made, read or written, or holds something else.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Spool> {
        let action = || format!("open the spool {}", directory.display());
        private(directory).with_context(action)?;
        let lock = open(&directory.join("lock"))?;
        lock.lock().with_context(action)?;
        let (mut queue, mut log) = (
            open(&directory.join("queue").with_extension("jsonl"))?,
            open(&directory.join("deliveries").with_extension("jsonl"))?,
        );
        let deliveries: Vec<Delivery> =
            lines(&mut log).with_context(|| format!("{}/deliveries.jsonl", directory.display()))?;
        let (mut known, mut in_doubt) = (HashSet::new(), HashSet::new());
        for delivery in deliveries {
            match delivery.status {
                DeliveryStatus::Sending => {
                    in_doubt.insert(delivery.event_id);
                }
                DeliveryStatus::Held => {
                    in_doubt.remove(&delivery.event_id);
                }
                DeliveryStatus::Delivered | DeliveryStatus::Rejected => {
                    in_doubt.remove(&delivery.event_id);
                    known.insert(delivery.event_id);
                }
            }
        }
        let queued: Vec<Queued> =
            lines(&mut queue).with_context(|| format!("{}/queue.jsonl", directory.display()))?;
        let waiting = queued
            .into_iter()
            .filter(|queued| known.insert(queued.event_id.clone()));
        let waiting: VecDeque<Queued> = waiting.collect();
        Ok(Spool {
            queue,
            log,
            waiting,
            known,
            in_doubt,
            _lock: lock,
        })
    }

    /// Puts a message at the end of the queue; `false` when its event is known already.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn add(&mut self, queued: Queued) -> anyhow::Result<bool> {
        if !self.known.insert(queued.event_id.clone()) {
            return Ok(false);
        }
        append(&mut self.queue, &queued).context("write the queue")?;
        self.waiting.push_back(queued);
        Ok(true)
    }

    /// Makes sure that what was added is on the disk.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn sync(&self) -> anyhow::Result<()> {
        self.queue.sync_data().context("write the queue")
    }

    /// Returns the message that waits longest.
    pub(crate) fn first(&self) -> Option<&Queued> {
        self.waiting.front()
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Tells whether a crash has left open if this event was delivered.
    pub(crate) fn is_in_doubt(&self, event_id: &str) -> bool {
        self.in_doubt.contains(event_id)
    }

    /// Writes down what became of the message that waits longest.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(crate) fn log(
        &mut self,
        status: DeliveryStatus,
        error: Option<String>,
        now: jiff::Timestamp,
    ) -> anyhow::Result<()> {
        let Some(first) = self.waiting.front() else {
            bail!("nothing waits");
        };
        let event_id = first.event_id.clone();
        let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        append(
            &mut self.log,
            &Delivery {
                event_id,
                status,
                time,
                error,
            },
        )
        .context("write the delivery log")?;
        if matches!(status, DeliveryStatus::Delivered | DeliveryStatus::Rejected) {
            self.log.sync_data().context("write the delivery log")?;
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            // Everything in the queue is in the log, so that a crash in between changes nothing.
            self.queue.set_len(0).context("empty the queue")?;
        }
        Ok(())
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

fn open(path: &Path) -> anyhow::Result<File> {
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

fn append(file: &mut File, line: &impl Serialize) -> anyhow::Result<()> {
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
fn lines<T: serde::de::DeserializeOwned>(file: &mut File) -> anyhow::Result<Vec<T>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *file);
    let (mut parsed, mut line, mut length, mut number) = (Vec::new(), String::new(), 0u64, 0);
    loop {
        line.clear();
        let n_read = reader.read_line(&mut line)?;
        if !line.ends_with('\n') {
            break;
        }
        number += 1;
        length += n_read as u64;
        parsed.push(serde_json::from_str(&line).with_context(|| format!("line {number}"))?);
    }
    file.set_len(length)?;
    Ok(parsed)
}
