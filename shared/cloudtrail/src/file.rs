//! Files and objects that hold nothing: what a copy leaves that was interrupted, or a full disk.

use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::{Damage, Found, Verdict, tail, text_of};

/// By which AWS Config tries whether it may write into a bucket. Copies of a bucket have it.
const OF_CONFIG: &str = "ConfigWritabilityCheckFile";

/// As [`crate::objects`], of a whole file or object of a bucket.
///
/// # Errors
/// As [`crate::objects`]; there is not one byte, or nothing but zeros.
pub fn objects_of_file(
    source: impl Read,
    each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> std::result::Result<(), Damage> {
    let mut text = Text {
        source: text_of(source)?,
        is_empty: true,
        is_blank: true,
    };
    tail::objects(&mut text, each)?;
    let why = match (text.is_empty, text.is_blank) {
        (true, _) => "it is empty",
        (false, true) => "it has nothing but zeros",
        _ => return Ok(()),
    };
    Err(Damage::Read(Error::new(ErrorKind::InvalidData, why)))
}

/// Returns whether a file has nothing because nothing belongs into it.
pub(crate) fn is_empty_by_design(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == OF_CONFIG)
}

/// A source, and whether something came of it.
struct Text<R> {
    source: R,
    is_empty: bool,
    is_blank: bool,
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let n_read = self.source.read(into)?;
        self.is_empty &= n_read == 0;
        self.is_blank = self.is_blank && into[..n_read].iter().all(|byte| *byte == 0);
        Ok(n_read)
    }
}
