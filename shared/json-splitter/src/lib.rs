//! Where one JSON object ends and the next begins, in a stream of any length: the objects of JSON lines, of pretty-printed
//! values, of an array, or of the list in a log file or an answer of AWS. What is JSON is walked through once, 16 bytes at a time, so
//! that what no filter wants is never parsed; of the rest only brackets, quotes and line breaks are looked at. Memory grows with the
//! largest object, not with the input, and what is damaged ends nothing: it is handed over as such, and the next object is looked for.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod grammar;
mod recovery;
mod scan;
mod source;

#[cfg(test)]
mod tests;

use std::io::Read;

use crate::scan::Scan;
use crate::source::Buffer;

pub use self::grammar::is_json;
pub use self::scan::{LISTS, LONGEST_AROUND};

/// A part of a stream.
#[derive(Debug)]
pub enum Found<'b> {
    /// The text of an object, or of an array within an array. Its brackets are balanced, and nothing else of it was looked at.
    Object(&'b [u8]),
    /// The same, but it is JSON if it is UTF-8.
    Json(&'b [u8]),
    /// What is not an object.
    Damaged(Spoilt),
}

/// A part of a stream, and where it stands.
#[derive(Debug)]
pub enum Part<'b> {
    /// By itself, or in an array.
    Alone(Found<'b>),
    /// In a list of an object that is taken apart.
    Item(Found<'b>),
    /// What stands around the lists of such an object, after their items: the object itself, its lists empty. Of a long one it is
    /// the beginning, one byte more than [`LONGEST_AROUND`].
    Around(&'b [u8]),
}

/// What came of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Whole,
    /// It cannot be read: there may be other objects in it, which a bracket or quote too many or too few has made a part of it.
    Damaged,
}

/// What is wrong at a place of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spoilt {
    /// Something else than an object, on this line.
    #[error("line {0}: expected a JSON object")]
    NoObject(usize),
    /// An object with brackets that do not fit, beginning on this line.
    #[error("line {0}: brackets that do not fit in what begins here")]
    Brackets(usize),
    /// A text that does not end on its line, in the object that begins on this one.
    #[error("line {0}: a text without its end in what begins here")]
    Text(usize),
    /// An object that is not JSON, beginning on this line.
    #[error("line {0}: what begins here is not JSON")]
    Syntax(usize),
    /// An object in which others are nested deeper than is read, beginning on this line.
    #[error("line {0}: more than 128 levels in what begins here")]
    TooDeep(usize),
    /// An object that memory will not be spent on, beginning on this line.
    #[error("line {0}: an object of more than 4 MiB")]
    TooLarge(usize),
}

/// Why a stream ends early, after the objects before that place have been handed over.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// An end that is missing; the line is that of the beginning.
    #[error("line {0}: the end is missing of what begins here")]
    Truncated(usize),
    /// The source cannot be read; also a gzip stream that is damaged.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// What the function said that the objects were handed to.
    #[error(transparent)]
    Each(anyhow::Error),
}

/// Hands every object of `source` to `each`, and what is damaged between them.
///
/// # Errors
/// The source cannot be read or ends in the middle of an object, or an error of `each`.
pub fn objects(
    source: &mut impl Read,
    mut each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> Result<(), Damage> {
    parts(source, |part| match part {
        Part::Alone(found) | Part::Item(found) => each(found),
        Part::Around(_) => Ok(Verdict::Whole),
    })
}

/// As [`objects`], with where each stands, and what stands around lists: an answer of AWS may say there that it is not the last one.
///
/// # Errors
/// As [`objects`].
pub fn parts(
    source: &mut impl Read,
    mut each: impl FnMut(Part<'_>) -> anyhow::Result<Verdict>,
) -> Result<(), Damage> {
    let (mut scan, mut input) = (Scan::default(), Buffer::default());
    loop {
        let n_read = input.fill(source);
        scan.blocks(input.filled(), &mut each)?;
        if matches!(n_read, Ok(0) | Err(_)) {
            // A gzip stream that breaks off has given everything before the break.
            scan.last(input.filled(), &mut each)?;
            n_read?;
            scan.end(input.filled(), &mut each)?;
            return Ok(());
        }
        scan.look_ahead(input.filled(), &mut each)?;
        scan.forget(&mut input);
    }
}
