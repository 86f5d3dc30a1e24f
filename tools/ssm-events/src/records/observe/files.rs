//! Log files of directories, read by every core and handed on in the order of their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use anyhow::Context;

use super::copies;
use crate::records::gaps::Gaps;
use crate::records::history::{Counts, Damaged, EventFilter};

/// A file's lines are handed on at once when there are more bytes of them, as soon as it is the file's turn.
const BATCH: usize = 1 << 20;
/// Bytes of lines that may wait for their turn, over all files.
const WAITING: usize = 16 << 20;

/// What was found, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) counts: Counts,
    /// File or object, and why.
    pub(crate) unread: Vec<(String, String)>,
    /// What the files say that another verb could not read.
    pub(crate) gaps: Gaps,
    /// Files of a copied bucket that are not of CloudTrail.
    pub(crate) n_passed_over: usize,
}

impl Read {
    /// Counts a folder of a bucket that cannot be listed to its end.
    pub(crate) fn unlisted(&mut self, bucket: &str, prefix: &str, error: anyhow::Error) {
        let place = format!("s3://{bucket}/{prefix}");
        self.unread.push((place, format!("{error:#}")));
    }

    /// Returns whether nothing is known to be missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.unread.is_empty() && self.gaps.is_empty()
    }

    fn add(&mut self, other: Read) {
        self.counts.add(other.counts);
        self.unread.extend(other.unread);
        self.gaps.extend(other.gaps);
        self.n_passed_over += other.n_passed_over;
    }
}

/// Returns the files under the paths, directories being walked; `-` is stdin. What is in a directory and cannot be looked at is unread, as
/// are paths that have nothing but files to be passed over.
///
/// # Errors
/// A path that does not exist, or cannot be listed.
pub(crate) fn files(paths: &[PathBuf], read: &mut Read) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let cure = "pipe in records of CloudTrail, or name their files";
            cli::expect_input(None, "records", cure)?;
            files.push(path.clone());
        } else {
            walk(path, &mut files, read)
                .map_err(cured)
                .with_context(|| format!("read {}", path.display()))?;
        }
    }
    if files.is_empty() && read.n_passed_over > 0 {
        let places = paths.iter().map(|path| path.display().to_string());
        let why = "it has no log file of CloudTrail".to_owned();
        read.unread
            .push((places.collect::<Vec<_>>().join(", "), why));
    }
    Ok(files)
}

/// Adds to the error of a path that does not exist what can be named.
fn cured(error: std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => anyhow::anyhow!(
            "{error}: name files or directories of CloudTrail's logs; without any, the event history is read"
        ),
        _ => error.into(),
    }
}

fn walk(path: &Path, files: &mut Vec<PathBuf>, read: &mut Read) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    entries.sort();
    let is_root = copies::is_root(&entries);
    for entry in entries {
        if copies::is_passed_over(&entry, is_root) {
            read.n_passed_over += copies::n_files(&entry);
            continue;
        }
        if let Err(error) = walk(&entry, files, read) {
            let place = entry.display().to_string();
            read.unread.push((place, error.to_string()));
        }
    }
    Ok(())
}

/// Hands on lines of records; an error of it ends the reading.
pub(crate) type Hand<'h> = dyn Fn(&str) -> anyhow::Result<()> + Sync + 'h;

/// Hands on the records of files that a filter asks for, in the order of the files.
///
/// # Errors
/// Those of `hand`. A file that cannot be read is in the answer and stops nothing.
pub(crate) fn read(
    files: &[PathBuf],
    filter: &EventFilter,
    hand: &Hand<'_>,
    read: &mut Read,
) -> anyhow::Result<()> {
    let n_workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len());
    let (next, turns) = (AtomicUsize::new(0), Turns::default());
    let ended = std::thread::scope(|scope| {
        let work = || -> anyhow::Result<Read> {
            let mut all = Read::default();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(index) else {
                    return Ok(all);
                };
                one(file, index, filter, &turns, hand, &mut all)?;
            }
        };
        let workers: Vec<_> = (0..n_workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            // A panic of a worker is one of the whole program.
            let one = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            read.add(one);
        }
        anyhow::Ok(())
    });
    read.unread.sort();
    read.gaps.sort();
    ended
}

fn one(
    file: &Path,
    index: usize,
    filter: &EventFilter,
    turns: &Turns,
    hand: &Hand<'_>,
    all: &mut Read,
) -> anyhow::Result<()> {
    let (mut lines, mut damaged) = (String::new(), Damaged::default());
    let mut counts = Counts::default();
    let path = Some(file).filter(|file| file.as_os_str() != "-");
    let read = cloudtrail::objects_of(path, |found| {
        let verdict = damaged.take(&found, filter, &mut counts, &mut lines);
        if lines.len() >= BATCH {
            turns.wait(index)?;
            turns.hand_on(hand, &std::mem::take(&mut lines))?;
        }
        Ok(verdict)
    });
    let ended = turns.end(index, lines, hand);
    if !turns.is_broken() {
        let gaps = damaged.gaps();
        let reason = damaged.reason(read.err().map(|damage| damage.to_string()));
        // One that has but what another verb could not read is of ours.
        let is_of_others = || counts.reason().filter(|_| gaps.is_empty());
        let reason = reason.or_else(is_of_others);
        all.counts.add(counts);
        all.gaps.extend(gaps);
        let unread = reason.map(|reason| (file.display().to_string(), reason));
        all.unread.extend(unread);
    }
    ended
}

/// Whose lines are handed on: one file after another, though they are read side by side.
#[derive(Debug, Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    turn: usize,
    /// Lines of files that were read before their turn.
    waiting: BTreeMap<usize, String>,
    n_waiting: usize,
    broken: bool,
}

impl Turns {
    /// Waits until it is a file's turn.
    fn wait(&self, index: usize) -> anyhow::Result<()> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_while(state, |state| state.turn != index && !state.broken);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(!state.broken, "stopped");
        Ok(())
    }

    fn hand_on(&self, hand: &Hand<'_>, lines: &str) -> anyhow::Result<()> {
        hand(lines).inspect_err(|_| self.give_up())
    }

    /// Takes the last lines of a file, and hands on those of all whose turn has come.
    fn end(&self, index: usize, lines: String, hand: &Hand<'_>) -> anyhow::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Who is far ahead waits here, so that memory does not grow with one slow file.
        while state.turn != index && state.n_waiting > WAITING && !state.broken {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.broken {
            return Ok(());
        }
        state.n_waiting += lines.len();
        state.waiting.insert(index, lines);
        while let Some(lines) = {
            let turn = state.turn;
            state.waiting.remove(&turn)
        } {
            state.n_waiting -= lines.len();
            state.turn += 1;
            if let Err(error) = hand(&lines) {
                state.broken = true;
                self.changed.notify_all();
                return Err(error);
            }
        }
        self.changed.notify_all();
        Ok(())
    }

    fn give_up(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .broken = true;
        self.changed.notify_all();
    }

    fn is_broken(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .broken
    }
}
