//! Files, directories and stdin as streams of JSON objects, packed with gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, bail};
use cli::{IoArgs, Outcome, Output};
use flate2::bufread::MultiGzDecoder;
use json_splitter::Damage;
use serde_json::Value;

use crate::records::record::{self, Event};
use crate::records::redact;

/// The first bytes of every gzip stream (RFC 1952). Names are not trusted: a download may have lost its ending.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const CHUNK: usize = 64 * 1024;
/// The finding of `history` about what it could not read.
pub(crate) const UNREAD: &str = "events.history.unread";

/// Hands every JSON object of stdin, or of the file given by `-f`, to `each`.
///
/// # Errors
/// A terminal as stdin, an unreadable or damaged input, an error of `each`. What came before has been handed over.
pub(crate) fn objects(
    io: &IoArgs,
    what: &str,
    each: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = io.file.as_deref().filter(|path| path.as_os_str() != "-");
    let name = path.map_or("stdin".to_owned(), |path| path.display().to_string());
    match objects_of(path, each) {
        // An error of `each` says what it is about; a closed pipe is none.
        Err(Damage::Each(error)) => Err(error),
        other => other.with_context(|| format!("read {what} from {name}")),
    }
}

/// Hands every record of stdin, or of the file given by `-f`, to `each`, with what is known of it; whatever wraps it is taken off
/// and its secrets are gone. One that cannot be read is counted, and the next one is read.
///
/// # Errors
/// As [`objects`].
pub(crate) fn records(
    io: &IoArgs,
    what: &str,
    mut each: impl FnMut(&Value, &Event) -> anyhow::Result<()>,
) -> anyhow::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    objects(io, what, |object| {
        let Some(mut value) = left_out.value(object) else {
            return Ok(());
        };
        redact::strip(&mut value);
        let unwrapped = record::unwrap(value);
        left_out.n_others += unwrapped.n_others as u64;
        unwrapped
            .events
            .iter()
            .try_for_each(|record| each(record, &Event::of(record)))
    })?;
    Ok(left_out)
}

/// What an input has beside the records that were handed over.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    n_objects: u64,
    /// Objects that are not a record of a call.
    pub(crate) n_others: u64,
    /// What could not be read here, and what `history` says that it could not read, in words.
    pub(crate) unread: Vec<String>,
}

/// As many gaps are kept in words; a damaged archive has any number.
const MOST_IN_WORDS: usize = 100;

impl LeftOut {
    /// Reads one object; `None` when it cannot be read, or says that something else could not.
    pub(crate) fn value(&mut self, object: &str) -> Option<Value> {
        self.n_objects += 1;
        let gap = match serde_json::from_str::<Value>(object) {
            Ok(value) if value["kind"] == "unreachable" => {
                format!(
                    "{}: {}",
                    place(&value["target"]),
                    record::text(&value["error"])
                )
            }
            Ok(value) if value["id"] == UNREAD && value["kind"] == "finding" => {
                format!(
                    "{}: {}",
                    record::text(&value["resource"]),
                    record::text(&value["message"])
                )
            }
            Ok(value) => return Some(value),
            Err(error) => format!("record {} cannot be read: {error}", self.n_objects),
        };
        if self.unread.len() < MOST_IN_WORDS {
            self.unread.push(gap);
        }
        None
    }

    /// Returns whether an object says that something was not read, and keeps it.
    pub(crate) fn is_gap(&mut self, object: &str) -> bool {
        (object.contains(UNREAD) || object.contains("\"unreachable\""))
            && self.value(object).is_none()
    }

    /// Says what was left out. Returns trouble where something could not be read: what is not there may have been in it.
    pub(crate) fn end(&self, out: &Output, outcome: Outcome) -> Outcome {
        note_others(out, self.n_others);
        let Some(first) = self.unread.first() else {
            return outcome;
        };
        let more = match self.unread.len() {
            1 => String::new(),
            n if n == MOST_IN_WORDS => format!("; {} or more gaps", MOST_IN_WORDS),
            n => format!("; {n} gaps"),
        };
        // Not for `-q` to hide: the status says that something is wrong, and only this says what.
        cli::print_error(crate::TOOL, &format!("not all was read: {first}{more}"));
        Outcome::Trouble
    }
}

fn place(target: &Value) -> String {
    format!(
        "{}/{}",
        record::text(&target["account"]),
        record::text(&target["region"])
    )
}

/// Says how many objects were not a record of a call, if there were any.
pub(crate) fn note_others(out: &Output, n_others: u64) {
    match n_others {
        0 => {}
        1 => out.note("passed over 1 object that is not a record of a call"),
        n => out.note(&format!(
            "passed over {n} objects that are not records of a call"
        )),
    }
}

/// Hands every JSON object of a file, or of stdin, to `each`.
///
/// # Errors
/// As [`json_splitter::objects`].
pub(crate) fn objects_of(
    path: Option<&Path>,
    each: impl FnMut(&str) -> anyhow::Result<()>,
) -> Result<(), Damage> {
    match path {
        Some(path) => unpacked(File::open(path)?, each),
        None => unpacked(stdin()?, each),
    }
}

fn stdin() -> Result<std::io::StdinLock<'static>, Damage> {
    let check = || {
        if std::io::stdin().is_terminal() {
            bail!("no input: pipe JSON in or pass a file");
        }
        Ok(())
    };
    check().map_err(Damage::Each)?;
    Ok(std::io::stdin().lock())
}

/// Hands every JSON object of bytes, packed or not, to `each`.
///
/// # Errors
/// As [`json_splitter::objects`].
pub(crate) fn unpacked(
    source: impl Read,
    mut each: impl FnMut(&str) -> anyhow::Result<()>,
) -> Result<(), Damage> {
    let mut source = BufReader::with_capacity(CHUNK, source);
    let is_packed = source.fill_buf()?.starts_with(&GZIP);
    let text = |bytes: &[u8]| each(std::str::from_utf8(bytes).context("a text that is no UTF-8")?);
    if is_packed {
        json_splitter::objects(&mut MultiGzDecoder::new(source), text)
    } else {
        json_splitter::objects(&mut source, text)
    }
}

/// Returns an object on one line, its numbers as they were written.
pub(crate) fn on_one_line(object: &str) -> std::borrow::Cow<'_, str> {
    if !object.contains('\n') {
        return object.into();
    }
    let mut line = String::with_capacity(object.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in object.chars() {
        if in_string || !c.is_ascii_whitespace() {
            line.push(c);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    line.into()
}
