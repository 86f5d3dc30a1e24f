//! What of a tar is read, and whether it is whole: an archive that ends early must not look like one with less in it.

use std::io::Read;

use anyhow::{Context, bail};
use tar::{Entry, EntryType, Header};

/// A header, and what everything in a tar is filled up to.
pub(super) const BLOCK: usize = 512;

/// Returns whether a file begins as a tar of any form, by the checksum of its first header.
/// <https://www.gnu.org/software/tar/manual/html_node/Standard.html>
pub(super) fn is_tar(begin: &[u8]) -> bool {
    let Ok(block) = <&[u8; BLOCK]>::try_from(begin) else {
        return false;
    };
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    // The checksum itself counts as eight blanks.
    let found = sum(&block[..148]) + 8 * u32::from(b' ') + sum(&block[156..]);
    Header::from_byte_slice(block)
        .cksum()
        .is_ok_and(|said| said == found)
}

/// Returns whether a member describes others, and has nothing to be read.
pub(super) fn is_description(kind: EntryType) -> bool {
    // Git puts its commit into the second.
    kind.is_dir() || kind.is_pax_global_extensions()
}

/// Says why the content of a member is not that of a file.
///
/// # Errors
/// It is a link, a part of a file, or something else.
pub(super) fn is_file<R: Read>(entry: &mut Entry<'_, R>) -> anyhow::Result<()> {
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Link | EntryType::Symlink => bail!("it is a link, which is not followed"),
        EntryType::GNUSparse => bail!("it is sparse"),
        _ => bail!("it is not a file"),
    }
    let Some(extensions) = entry.pax_extensions()? else {
        return Ok(());
    };
    for extension in extensions {
        if extension?.key_bytes().starts_with(b"GNU.sparse.") {
            bail!("it is sparse");
        }
    }
    Ok(())
}

/// What a tar is read from: remembers how many zeros came last, as the end is a block of them.
pub(super) struct Blocks<R> {
    reader: R,
    n_zeros: usize,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R) -> Blocks<R> {
        Blocks { reader, n_zeros: 0 }
    }

    /// Reads what is behind the last member.
    ///
    /// # Errors
    /// There is no end, or something behind it, such as another tar, which tar itself does not read either.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        if self.n_zeros < BLOCK {
            bail!("its end is missing");
        }
        let mut rest = [0; BLOCK];
        loop {
            let n_read = self.reader.read(&mut rest).context("behind its end")?;
            if n_read == 0 {
                return Ok(());
            }
            if rest[..n_read].iter().any(|byte| *byte != 0) {
                bail!("what is behind its end is not read");
            }
        }
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.reader.read(buffer)?;
        let read = &buffer[..n_read];
        self.n_zeros = match read.iter().rposition(|byte| *byte != 0) {
            Some(last) => n_read - last - 1,
            None => self.n_zeros + n_read,
        };
        Ok(n_read)
    }
}
