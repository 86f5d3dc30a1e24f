//! What of a tar is read, and whether it is whole: an archive that ends early must not look like one with less in it.

use std::cell::Cell;
use std::io::{Error, Read};

use anyhow::{Context, bail};
use tar::{Entry, EntryType, Header};

/// A header, and what everything in a tar is filled up to.
pub(super) const BLOCK: usize = 512;
/// What a tar may say of a member beside its content: its names and the like, which are held as a whole.
pub(super) const LARGEST_DESCRIPTION: u64 = 1 << 20;

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

/// Returns nothing where the content of a member is that of a file.
///
/// # Errors
/// It is a link, a part of a file, or something else.
pub(super) fn require_file<R: Read>(entry: &mut Entry<'_, R>) -> anyhow::Result<()> {
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

/// Returns where the content of a member ends.
pub(super) fn end_of<R: Read>(entry: &Entry<'_, R>) -> std::io::Result<u64> {
    let n_bytes = match entry.header().entry_type() {
        // It has its size without the holes in its header.
        EntryType::GNUSparse => entry.header().entry_size()?,
        _ => entry.size(),
    };
    Ok(entry.raw_file_position().saturating_add(n_bytes))
}

/// What a tar is read from: notices where it ends before a block of zeros, which is its end, and how much describes a member.
pub(super) struct Blocks<'m, R> {
    reader: R,
    n_read: u64,
    is_over: bool,
    /// The last byte that may be read.
    most: &'m Cell<u64>,
}

impl<R: Read> Blocks<'_, R> {
    pub(super) fn new(reader: R, most: &Cell<u64>) -> Blocks<'_, R> {
        Blocks {
            reader,
            n_read: 0,
            is_over: false,
            most,
        }
    }

    /// Reads what is behind the last member.
    ///
    /// # Errors
    /// There is no end, or something behind it, such as another tar, which tar itself does not read either.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        if self.is_over {
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

impl<R: Read> Read for Blocks<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_left = self.most.get().saturating_sub(self.n_read);
        let n_wanted = buffer
            .len()
            .min(usize::try_from(n_left).unwrap_or(usize::MAX));
        if n_wanted == 0 && !buffer.is_empty() {
            let message =
                format!("the names of a member take more than {LARGEST_DESCRIPTION} bytes");
            return Err(Error::other(message));
        }
        let n_read = self.reader.read(&mut buffer[..n_wanted])?;
        self.is_over |= n_read == 0 && n_wanted > 0;
        self.n_read += n_read as u64;
        Ok(n_read)
    }
}
