//! JSON values one after another, of which each says itself what it is.

use std::io::{BufRead, Read};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Reader, csaf, debian, osv, secdb};
use crate::model::advisory::Advisory;

/// How much is read at once, at the least.
const CHUNK: usize = 1 << 20;
/// Debian's tracker is one object of 80 MB.
const LARGEST: usize = 1 << 30;

pub(super) fn read(
    reader: &mut Reader<'_>,
    content: &mut dyn BufRead,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut wanted = CHUNK;
    let mut is_array = None;
    loop {
        let n_read = content.take(wanted as u64).read_to_end(&mut buffer)?;
        let at_end = n_read < wanted;
        let is_array = *is_array.get_or_insert(buffer.first() == Some(&b'['));
        let consumed = if is_array && !at_end {
            0
        } else {
            values(reader, &buffer, at_end, each)?
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

/// Takes all whole values at the beginning of a buffer, and returns where they end.
fn values(
    reader: &mut Reader<'_>,
    buffer: &[u8],
    at_end: bool,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<usize> {
    let mut stream = serde_json::Deserializer::from_slice(buffer).into_iter::<&RawValue>();
    let mut consumed = 0;
    while let Some(raw) = stream.next() {
        match raw {
            Ok(raw) => {
                consumed = stream.byte_offset();
                value(reader, raw.get(), each)?;
            }
            Err(error) if error.is_eof() && !at_end => return Ok(consumed),
            Err(error) => return Err(error).context("it is not JSON, or the end is missing"),
        }
    }
    Ok(buffer.len())
}

fn value(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    if text.starts_with('[') {
        let all: Vec<&RawValue> = serde_json::from_str(text)?;
        return all
            .into_iter()
            .try_for_each(|one| value(reader, one.get(), each));
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
