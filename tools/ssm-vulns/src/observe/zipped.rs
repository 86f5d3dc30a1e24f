//! Entries of a zip that are small, unpacked by one state into one buffer: what is made anew for each of them is ten times the work.
//! And whether a zip is whole: what its list lacks must not look like nothing.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use zip::read::ZipFileEntry;
use zip::{CompressionMethod, HasZipMetadata, ZipArchive};

/// Above this, an entry is unpacked piece by piece: most advisories have a hundredth of it.
const LARGEST: u64 = 1 << 20;
const BUFFER: usize = 1 << 18;
/// What the end of a zip has at the least, and each entry of its list.
/// <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>, 4.3.12 and 4.3.16
const END: i64 = 22;
const LISTED: usize = 46;

/// Returns whether an entry is unpacked at once.
pub(super) fn is_small(entry: &ZipFileEntry<'_>) -> bool {
    let is_known = matches!(
        entry.compression(),
        CompressionMethod::Stored | CompressionMethod::Deflated
    );
    is_known && !entry.encrypted() && entry.size().max(entry.compressed_size()) <= LARGEST
}

/// What unpacks one entry after another.
pub(super) struct Unpacker {
    state: Decompress,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

impl Default for Unpacker {
    fn default() -> Unpacker {
        Unpacker {
            state: Decompress::new(false),
            packed: Vec::new(),
            unpacked: Vec::new(),
        }
    }
}

impl Unpacker {
    /// Returns the content of a small entry of a zip.
    ///
    /// # Errors
    /// It is cut off or damaged.
    pub(super) fn unpack(
        &mut self,
        entry: &ZipFileEntry<'_>,
        archive: &mut (impl Read + Seek),
    ) -> anyhow::Result<&[u8]> {
        let start = entry.get_metadata().data_start(archive)?;
        archive.seek(SeekFrom::Start(start))?;
        self.packed
            .resize(usize::try_from(entry.compressed_size())?, 0);
        archive
            .read_exact(&mut self.packed)
            .context("its end is missing")?;
        let content = match entry.compression() {
            CompressionMethod::Stored => &self.packed,
            _ => {
                self.unpacked.clear();
                // One more, so that an entry which has more than it says is noticed.
                self.unpacked.reserve(usize::try_from(entry.size())? + 1);
                self.state.reset(false);
                let end = self.state.decompress_vec(
                    &self.packed,
                    &mut self.unpacked,
                    FlushDecompress::Finish,
                )?;
                if end != Status::StreamEnd || self.state.total_in() != entry.compressed_size() {
                    bail!("it does not end where its archive says");
                }
                &self.unpacked
            }
        };
        let mut sum = Crc::new();
        sum.update(content);
        if content.len() as u64 != entry.size() || sum.sum() != entry.crc32() {
            bail!("it has another length or checksum than its archive says");
        }
        Ok(content)
    }
}

/// Says what of a zip is not in the list of its entries that was read.
///
/// # Errors
/// Several entries have one name, its list is longer than its end says, or it is not all of its file.
pub(super) fn require_whole<R: Read + Seek>(
    archive: &ZipArchive<R>,
    content: &mut R,
) -> anyhow::Result<()> {
    if archive.has_duplicate_names() {
        bail!("several entries of it have one name, of which one is read");
    }
    if archive.offset() != 0 {
        bail!("what is before it in its file is not read");
    }
    if ends_early(archive, content)? {
        bail!("it has more entries than its end says");
    }
    let end = END + archive.comment().len() as i64;
    let mut mark = [0; 4];
    content.seek(SeekFrom::End(-end))?;
    content.read_exact(&mut mark)?;
    if mark != *b"PK\x05\x06" {
        bail!("what is behind its end is not read");
    }
    Ok(())
}

/// Returns whether another entry follows the last one of the list: with more than 65,535 of them, what knows no zip64 counts from 0 again.
fn ends_early<R: Read + Seek>(archive: &ZipArchive<R>, content: &mut R) -> anyhow::Result<bool> {
    let mut last = None;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index)?;
        last = last.max(Some(entry.get_metadata().central_header_start));
    }
    let mut next = archive.central_directory_start();
    if let Some(last) = last {
        let mut header = [0; LISTED];
        content.seek(SeekFrom::Start(last))?;
        content.read_exact(&mut header)?;
        // Of its name, of more fields and of its comment.
        let lengths = header[28..34].chunks_exact(2);
        let length = lengths.map(|two| u64::from(u16::from_le_bytes([two[0], two[1]])));
        next = last + LISTED as u64 + length.sum::<u64>();
    }
    let mut mark = [0; 4];
    content.seek(SeekFrom::Start(next))?;
    Ok(content.read_exact(&mut mark).is_ok() && mark == *b"PK\x01\x02")
}

/// A file in which what is looked for is mostly near: the buffered reader of the standard library drops what it has at each step.
pub(super) struct Near {
    reader: BufReader<File>,
    at: u64,
}

impl Near {
    pub(super) fn open(path: &Path) -> std::io::Result<Near> {
        let reader = BufReader::with_capacity(BUFFER, File::open(path)?);
        Ok(Near { reader, at: 0 })
    }
}

impl Read for Near {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.reader.read(buffer)?;
        self.at += n_read as u64;
        Ok(n_read)
    }
}

impl Seek for Near {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(to) => {
                let steps = i64::try_from(i128::from(to) - i128::from(self.at));
                let steps = steps.map_err(|_| ErrorKind::InvalidInput)?;
                self.reader.seek_relative(steps)?;
                to
            }
            to => self.reader.seek(to)?,
        };
        Ok(self.at)
    }

    fn stream_position(&mut self) -> std::io::Result<u64> {
        Ok(self.at)
    }
}
