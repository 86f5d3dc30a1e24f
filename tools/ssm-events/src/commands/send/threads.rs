//! Which message each session's thread hangs on: in the spool, so that it survives restarts.
//!
//! `threads.jsonl`: `{"destination", "channel", "session", "ts"}`.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::spool::{append, lines, open};

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thread {
    destination: String,
    channel: String,
    /// Account, Region and ID.
    session: String,
    ts: String,
}

/// The threads of all destinations.
#[derive(Debug)]
pub(super) struct Threads {
    file: File,
    known: HashMap<(String, String, String), String>,
}

impl Threads {
    /// Reads the threads of a spool, which is open already.
    ///
    /// # Errors
    /// The file cannot be made, read or written, or holds something else.
    pub(super) fn open(spool: &Path) -> anyhow::Result<Threads> {
        let mut file = open(&spool.join("threads").with_extension("jsonl"))?;
        let all: Vec<Thread> =
            lines(&mut file).with_context(|| format!("{}/threads.jsonl", spool.display()))?;
        let known = all.into_iter().map(|thread| {
            let key = (thread.destination, thread.channel, thread.session);
            (key, thread.ts)
        });
        Ok(Threads {
            known: known.collect(),
            file,
        })
    }

    /// Returns the message that a session's thread hangs on. A thread cannot be continued in another channel.
    pub(super) fn of(&self, destination: &str, channel: &str, session: &str) -> Option<&str> {
        let key = (
            destination.to_owned(),
            channel.to_owned(),
            session.to_owned(),
        );
        self.known.get(&key).map(String::as_str)
    }

    /// Keeps the message that the thread of a session hangs on from now on.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(super) fn keep(
        &mut self,
        destination: &str,
        channel: &str,
        session: &str,
        ts: &str,
    ) -> anyhow::Result<()> {
        let thread = Thread {
            destination: destination.to_owned(),
            channel: channel.to_owned(),
            session: session.to_owned(),
            ts: ts.to_owned(),
        };
        append(&mut self.file, &thread).context("write the threads")?;
        self.file.sync_data().context("write the threads")?;
        let key = (thread.destination, thread.channel, thread.session);
        self.known.insert(key, thread.ts);
        Ok(())
    }
}
