//! JSON values one after another, of which each says itself what it is.

use std::io::{BufRead, Read};

use anyhow::bail;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Reader, csaf, debian, osv, secdb};
use crate::model::advisory::Advisory;

/// How much is read at once, at the least.
const CHUNK: usize = 1 << 20;
/// Each may be read up to the end of the file, and a file with more of them is of no form that is read here.
const MOST_DAMAGED: usize = 100;
/// Debian's tracker is one object of 80 MB.
const LARGEST: usize = 1 << 30;

/// Reads all values. One that cannot be read ends nothing: what comes after it is read.
///
/// # Errors
/// What cannot be read, once all else was.
pub(super) fn read(
    reader: &mut Reader<'_>,
    content: &mut dyn BufRead,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let mut buffer = std::mem::take(&mut reader.buffer);
    buffer.clear();
    let mut values = Values {
        reader,
        each,
        n_read: 0,
        n_unread: 0,
        first_unread: None,
        is_array: false,
        n_damaged: 0,
        is_lost: false,
    };
    let whole = values.read(content, &mut buffer);
    let Values {
        n_read,
        n_unread,
        first_unread,
        ..
    } = values;
    if buffer.capacity() <= 2 * CHUNK {
        reader.buffer = buffer;
    }
    whole?;
    match first_unread {
        None => Ok(()),
        Some(error) if n_read == 0 && n_unread == 1 => Err(error),
        Some(error) => {
            let n_values = cli::count(n_read + n_unread, "value");
            Err(error.context(format!(
                "{n_unread} of {n_values} in it cannot be read, the first of them"
            )))
        }
    }
}

/// The values of one file, and how many of them are read.
struct Values<'r, 'w, 'e> {
    reader: &'r mut Reader<'w>,
    each: &'e mut dyn FnMut(Advisory),
    n_read: usize,
    n_unread: usize,
    first_unread: Option<anyhow::Error>,
    /// Whether all of them are in an array.
    is_array: bool,
    /// Those that are not JSON.
    n_damaged: usize,
    /// Whether what comes next is the rest of one of them.
    is_lost: bool,
}

impl Values<'_, '_, '_> {
    fn read(&mut self, content: &mut dyn BufRead, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
        let mut wanted = CHUNK;
        let mut is_begin = true;
        loop {
            let n_read = content.take(wanted as u64).read_to_end(buffer)?;
            let at_end = n_read < wanted;
            if std::mem::take(&mut is_begin) {
                self.is_array = buffer.first() == Some(&b'[');
            }
            let consumed = if self.is_array && !at_end {
                0
            } else {
                self.take(buffer, at_end)?
            };
            if at_end {
                return Ok(());
            }
            buffer.drain(..consumed);
            if buffer.len() > LARGEST {
                bail!("a value of more than {} MiB", LARGEST >> 20);
            }
            // A value longer than this is read again from its beginning; doubling keeps that from becoming quadratic.
            wanted = CHUNK.max(buffer.len());
        }
    }

    /// Takes all whole values at the beginning of a buffer, and returns where they end. What is not JSON ends with its line.
    fn take(&mut self, buffer: &[u8], at_end: bool) -> anyhow::Result<usize> {
        let mut consumed = 0;
        loop {
            if self.is_lost {
                match next_line(&buffer[consumed..]) {
                    Some(n_bytes) => consumed += n_bytes,
                    // The end of the line may be the last byte that was read.
                    None if at_end => return Ok(buffer.len()),
                    None => return Ok(buffer.len() - 1),
                }
                self.is_lost = false;
            }
            let rest = &buffer[consumed..];
            let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
            let mut n_taken = 0;
            let error = loop {
                match stream.next() {
                    None => return Ok(buffer.len()),
                    Some(Ok(raw)) => {
                        n_taken = stream.byte_offset();
                        self.value(raw.get());
                    }
                    Some(Err(error)) => break error,
                }
            };
            consumed += n_taken;
            if error.is_eof() && !at_end {
                return Ok(consumed);
            }
            let is_end = error.is_eof();
            let error = anyhow::Error::from(error).context("it is not JSON, or the end is missing");
            self.n_damaged += 1;
            if self.is_array || is_end || self.n_damaged > MOST_DAMAGED {
                return Err(error);
            }
            self.unread(error);
            self.is_lost = true;
            let blanks = buffer[consumed..]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace());
            consumed += blanks.count();
        }
    }

    fn value(&mut self, text: &str) {
        if !text.starts_with('[') {
            return self.one(text);
        }
        match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(all) => all.into_iter().for_each(|one| self.one(one.get())),
            Err(error) => self.unread(error.into()),
        }
    }

    fn one(&mut self, text: &str) {
        match value(self.reader, text, self.each) {
            Ok(()) => self.n_read += 1,
            Err(error) => self.unread(error),
        }
    }

    fn unread(&mut self, error: anyhow::Error) {
        self.n_unread += 1;
        self.first_unread.get_or_insert(error);
    }
}

/// Returns where the next line begins that begins with a value. Within a value that has several lines, those are indented.
fn next_line(buffer: &[u8]) -> Option<usize> {
    let ends = memchr::memchr_iter(b'\n', buffer).map(|at| at + 1);
    ends.into_iter()
        .find(|at| matches!(buffer.get(*at), Some(b'{' | b'[')))
}

fn value(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    if text.starts_with('[') {
        bail!("it is an array in an array");
    }
    // Most are OSV, in one pass. A tracker has packages where others have fields, and any of them may be called `affected`.
    if let Ok(form) = serde_json::from_str::<Form<'_>>(text) {
        if form.document.is_some()
            && (form.vulnerabilities.is_some() || form.product_tree.is_some())
        {
            return csaf::read(reader, text, each);
        }
        if form.distroversion.is_some() && form.packages.is_some() {
            return secdb::read(reader, text, each);
        }
        if form.id.is_some()
            && (form.affected.is_some() || form.schema_version.is_some() || form.modified.is_some())
        {
            return osv::read(reader, text, each);
        }
    }
    if debian::is_tracker(text) {
        return debian::read(reader, text, each);
    }
    bail!("it is neither OSV, nor CSAF, nor a secdb, nor Debian's tracker")
}

/// Fields that distinguish forms.
#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    affected: Option<&'a RawValue>,
    #[serde(borrow)]
    schema_version: Option<&'a RawValue>,
    #[serde(borrow)]
    modified: Option<&'a RawValue>,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    vulnerabilities: Option<&'a RawValue>,
    #[serde(borrow)]
    product_tree: Option<&'a RawValue>,
    #[serde(borrow)]
    distroversion: Option<&'a RawValue>,
    #[serde(borrow)]
    packages: Option<&'a RawValue>,
}
