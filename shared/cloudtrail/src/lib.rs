//! The one reader of CloudTrail's records: files packed or not, records in whatever they are wrapped, and what cannot be read,
//! counted and named. Calls nothing, and keeps no more than one object.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod carried;
mod file;
mod gap;
mod hidden;
mod nameless;
mod names;
mod rows;
mod structure;
mod tail;
mod unpack;
mod value;
mod wrapping;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use json_splitter::{Damage, Found, Spoilt, Verdict};

pub use crate::file::objects_of_file;
pub use crate::gap::{Gap, MARKS, gap, is_proof};
pub use crate::nameless::{is_beside_records, is_blank, is_record, may_be_nameless};
pub use crate::unpack::unpacked;
pub use crate::value::{check, is_known, parse, text};
pub use crate::wrapping::{Unwrapped, WRAPPERS, unwrap};

/// Hands every object of a file, or of stdin, to `each`, and what is damaged between them.
///
/// # Errors
/// As [`objects_of_file`] of a file, and as [`objects`] of stdin and of pipes, in which a search that finds nothing has nothing to say.
/// Whether anything is piped in, callers have asked: they know what to say.
pub fn objects_of(
    path: Option<&Path>,
    each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> Result<(), Damage> {
    match path {
        Some(path) => {
            let file = File::open(path)?;
            match file.metadata()?.is_file() && !file::is_empty_by_design(path) {
                true => objects_of_file(file, each),
                false => objects(file, each),
            }
        }
        None => objects(std::io::stdin().lock(), each),
    }
}

/// Hands every object of bytes to `each`, and what is damaged between them. Bytes may be packed with gzip or zstd, or be UTF-16.
///
/// # Errors
/// The source cannot be read, is damaged, ends in the middle of an object or in an answer that others should follow, or an error of
/// `each`. What came before has been handed over.
pub fn objects(
    source: impl Read,
    each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> Result<(), Damage> {
    tail::objects(text_of(source)?, each)
}

/// Returns a reader of the text of bytes, which may be packed with gzip or zstd, or be UTF-16.
///
/// # Errors
/// The source cannot be read.
pub fn text_of<'r>(source: impl Read + 'r) -> std::io::Result<impl Read + 'r> {
    cli::utf8(unpack::unpacked(source)?)
}
