//! Files, directories and stdin as streams of JSON objects, packed with gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, bail};
use cli::{IoArgs, Output};
use flate2::bufread::MultiGzDecoder;
use json_splitter::Damage;
use serde_json::Value;

use crate::records::record::{self, Event};
use crate::records::redact;

/// The first bytes of every gzip stream (RFC 1952). Names are not trusted: a download may have lost its ending.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const CHUNK: usize = 64 * 1024;

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

/// Hands every record of stdin, or of the file given by `-f`, to `each`, with what it tells; whatever wraps it is taken off
/// and its secrets are gone. Returns how many objects were no record of a call.
///
/// # Errors
/// As [`objects`].
pub(crate) fn records(
    io: &IoArgs,
    what: &str,
    mut each: impl FnMut(&Value, &Event) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut n_others = 0;
    objects(io, what, |object| {
        let mut value = serde_json::from_str(object)?;
        redact::strip(&mut value);
        let unwrapped = record::unwrap(value);
        n_others += unwrapped.n_others as u64;
        unwrapped
            .events
            .iter()
            .try_for_each(|record| each(record, &Event::of(record)))
    })?;
    Ok(n_others)
}

/// Says how many objects were no record of a call, if there were any.
pub(crate) fn note_others(out: &Output, n_others: u64) {
    if n_others > 0 {
        out.note(&format!(
            "{n_others} objects are no record of a call and were passed over"
        ));
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
