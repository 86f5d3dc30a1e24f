//! The end of a source. The list of an answer is taken apart as it is read, so that what stands before and behind it, that the
//! answer is not the last one, is seen only here.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::io::{Error, ErrorKind, Read, Result};

use serde_json::{Map, Value};

use crate::wrapping::has_more;
use crate::{Damage, Found, Verdict};

/// A token has some hundred bytes, and what an SDK puts behind it has no more.
const LONGEST: usize = 8 * 1024;
/// Enough of an object to know it by at the end of its source.
const MARK: usize = 64;

/// Hands every object of a text to `each`, and says whether another answer should follow.
///
/// # Errors
/// As `json_splitter::objects`; more was to be read.
pub(crate) fn objects(
    text: impl Read,
    mut each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> std::result::Result<(), Damage> {
    let mut source = Kept {
        source: text,
        tail: Vec::new(),
    };
    let mut last = Vec::new();
    let head = json_splitter::objects(&mut source, |found| {
        if let Found::Object(object) | Found::Json(object) = &found {
            last.clear();
            last.extend_from_slice(&object[object.len().saturating_sub(MARK)..]);
        }
        each(found)
    })?;
    // What was handed over as a whole says it to whoever has it.
    let tail = source.tail.trim_ascii_end();
    let behind = match tail.ends_with(&last) && !last.is_empty() {
        true => None,
        false => behind_list(tail),
    };
    if head.len() > json_splitter::LONGEST_HEAD {
        let why =
            "what stands before its list is too long to be read: whether more follows is not known";
        return Err(Damage::Read(Error::new(ErrorKind::InvalidData, why)));
    }
    let around = before_list(&head).into_iter().chain(behind);
    match around.into_iter().find_map(|members| has_more(&members)) {
        Some(why) => Err(Damage::Read(Error::new(ErrorKind::InvalidData, why))),
        None => Ok(()),
    }
}

/// Returns the members before a list: it and the end of its object are missing of a text.
fn before_list(head: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(head);
    serde_json::from_str(&format!("{text}[]}}")).ok()
}

/// Returns the members behind the list that a text ends with.
fn behind_list(tail: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(tail);
    ["\"NextToken\"", "\"QueryStatus\""]
        .iter()
        .find_map(|name| {
            let at = text.rfind(name)?;
            let before = text[..at].trim_end().strip_suffix(',')?.trim_end();
            before.strip_suffix(']')?;
            serde_json::from_str(&format!("{{{}", &text[at..])).ok()
        })
}

/// A source, and the last of what it gave.
struct Kept<R> {
    source: R,
    tail: Vec<u8>,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let n_read = self.source.read(into)?;
        let read = &into[..n_read];
        self.tail
            .extend_from_slice(&read[n_read.saturating_sub(LONGEST)..]);
        // Moved seldom: a slow source gives some bytes at once.
        if self.tail.len() > 2 * LONGEST {
            self.tail.drain(..self.tail.len() - LONGEST);
        }
        Ok(n_read)
    }
}
