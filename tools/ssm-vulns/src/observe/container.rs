//! Files out of directories and of tar, zip, gzip, xz and zstd, recognized by their content and never by their name.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Error, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zip::{DateTime, ZipArchive, ZipReadOptions};

use super::tarred::{
    BLOCK, Blocks, LARGEST_DESCRIPTION, end_of, is_description, is_tar, require_file,
};
use super::zipped::{Near, Unpacker, is_small, require_whole};
use super::zstd::{Frames, is_zstd};

/// The most that is read of one file: Debian's tracker has a twentieth of it.
const LARGEST: u64 = 4 << 30;
/// A compressed file in a zip in a compressed file is not a database of anybody's.
const DEEPEST: usize = 4;
/// Directories below directories.
const DEEPEST_DIRECTORY: usize = 32;
const BUFFER: usize = 1 << 18;

/// A file with advisories, or a part of an archive.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) name: String,
    /// The day on which it was changed last, where that is known.
    pub(super) changed: Option<Date>,
}

/// Files that cannot be read. There may be hundreds of thousands, of which only the first ones are named.
#[derive(Debug, Default)]
pub(super) struct Unread {
    pub(super) n_files: usize,
    /// Their names, and why.
    pub(super) first: Vec<(String, String)>,
}

/// How many are named.
const N_NAMED: usize = 5;

/// Calls `each` with every file that a path holds and its content. Returns what cannot be read, and why; what comes after it is read.
///
/// # Errors
/// The path itself cannot be read.
pub(super) fn for_each_file(
    path: &Path,
    each: &mut dyn FnMut(&Origin, &mut dyn BufRead) -> anyhow::Result<()>,
) -> anyhow::Result<Unread> {
    let metadata = std::fs::metadata(path)
        .with_context(|| format!("read advisories from {}", path.display()))?;
    let files = match metadata.is_dir() {
        true => files(path, 0)?,
        false => vec![path.to_owned()],
    };
    let mut walk = Walk {
        each,
        unread: Unread::default(),
        largest: LARGEST,
    };
    for file in files {
        let mut origin = Origin {
            name: file.display().to_string(),
            changed: None,
        };
        let opened = File::open(&file).map_err(anyhow::Error::from);
        let read = opened.and_then(|opened| {
            origin.changed = changed(&opened);
            walk.file(&origin, opened, &file)
        });
        walk.note(origin.name, read);
    }
    Ok(walk.unread)
}

fn changed(file: &File) -> Option<Date> {
    let time = file.metadata().ok()?.modified().ok()?;
    Some(day(time.try_into().ok()?))
}

fn day_of_zip(time: DateTime) -> Option<Date> {
    let (year, month, day) = (time.year(), time.month(), time.day());
    let date = Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    );
    date.ok().filter(is_of_somebody)
}

fn day_of_tar(header: &tar::Header) -> Option<Date> {
    let seconds = i64::try_from(header.mtime().ok()?).ok()?;
    let date = day(Timestamp::from_second(seconds).ok()?);
    Some(date).filter(is_of_somebody)
}

fn day(time: Timestamp) -> Date {
    time.to_zoned_datetime(TimeZone::UTC).date()
}

/// Returns whether a day in an archive is one: archives that are to be the same each time have the first day that their form knows.
fn is_of_somebody(date: &Date) -> bool {
    date.year() > 1980
}

/// Returns the files below a directory in the order of their names.
fn files(directory: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("read the directory {}", directory.display()))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort_unstable();
    for path in paths {
        if is_beside(&path.file_name().unwrap_or_default().to_string_lossy()) {
            continue;
        }
        if path.is_dir() && depth < DEEPEST_DIRECTORY {
            found.extend(files(&path, depth + 1)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Returns whether something comes with a clone, a mirror or an archive of a database, and never is an advisory.
fn is_beside(name: &str) -> bool {
    // Signatures and checksums lie beside every document of CSAF, and lists of them beside all.
    // <https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html>, section 7.1
    let of_csaf = [".asc", ".sha256", ".sha512"];
    let is_hidden = name.starts_with('.') && !matches!(name, "." | "..");
    is_hidden
        || name.ends_with(".md")
        || of_csaf.iter().any(|end| name.ends_with(end))
        || matches!(
            name.split_once('.'),
            Some(("changes", "csv") | ("index", "txt"))
        )
        || name.starts_with("LICENSE")
        || name.starts_with("NOTICE")
}

struct Walk<'e> {
    each: &'e mut dyn FnMut(&Origin, &mut dyn BufRead) -> anyhow::Result<()>,
    unread: Unread,
    /// The most that is read of one file.
    largest: u64,
}

impl Walk<'_> {
    fn note(&mut self, name: String, read: anyhow::Result<()>) {
        if let Err(error) = read {
            self.unread.n_files += 1;
            if self.unread.first.len() < N_NAMED {
                self.unread.first.push((name, format!("{error:#}")));
            }
        }
    }

    fn file(&mut self, origin: &Origin, file: File, path: &Path) -> anyhow::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER, file);
        if reader.fill_buf()?.starts_with(b"PK\x03\x04") {
            // Its directory is at its end, and is read beside what it lists.
            let (directory, content) = (Near::open(path)?, Near::open(path)?);
            return self.zip(origin, directory, content, 0);
        }
        self.unpacked(origin, &mut reader, 0)
    }

    fn unpacked(
        &mut self,
        origin: &Origin,
        reader: &mut dyn BufRead,
        depth: usize,
    ) -> anyhow::Result<()> {
        if depth > DEEPEST {
            bail!("it is packed more than {DEEPEST} times");
        }
        let mut begin = [0; BLOCK];
        let n_read = fill(reader, &mut begin)?;
        let begin = &begin[..n_read];
        let mut content = begin.chain(reader);
        // Each of them may be several, one behind the other: gzip's members, the streams of xz, the frames of zstd.
        let inner: Box<dyn Read + '_> = match begin {
            [] => bail!("it is empty"),
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(content)),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                Box::new(lzma_rust2::XzReader::new(content, true))
            }
            begin if is_zstd(begin) => Box::new(Frames::new(content)),
            [b'P', b'K', 3, 4, ..] => {
                let mut bytes = Vec::new();
                AtMost::new(content, self.largest).read_to_end(&mut bytes)?;
                let bytes = bytes.as_slice();
                return self.zip(origin, Cursor::new(bytes), Cursor::new(bytes), depth + 1);
            }
            begin if is_tar(begin) => return self.tar(origin, &mut content, depth + 1),
            _ => return (self.each)(origin, &mut AtMost::new(content, self.largest)),
        };
        let mut inner = BufReader::with_capacity(BUFFER, inner);
        self.unpacked(origin, &mut inner, depth + 1)
    }

    /// Reads every member of a tar, as [`Walk::zip`] does.
    fn tar(
        &mut self,
        origin: &Origin,
        reader: &mut dyn BufRead,
        depth: usize,
    ) -> anyhow::Result<()> {
        let most = Cell::new(LARGEST_DESCRIPTION);
        let mut archive = tar::Archive::new(Blocks::new(reader, &most));
        for entry in archive.entries()? {
            let mut entry = entry.context("what follows in it")?;
            let end = end_of(&entry)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if !is_description(kind) && !name.ends_with('/') && !name.split('/').any(is_beside) {
                let inside = Origin {
                    name: format!("{}:{name}", origin.name),
                    changed: day_of_tar(entry.header()).or(origin.changed),
                };
                most.set(u64::MAX);
                let read = require_file(&mut entry)
                    .and_then(|()| self.unpacked(&inside, &mut BufReader::new(entry), depth + 1));
                self.note(inside.name, read);
            }
            most.set(end.saturating_add(LARGEST_DESCRIPTION));
        }
        archive.into_inner().end()
    }

    /// Reads every part of an archive; one that cannot be read says nothing of the others. OSV publishes a file for each of some
    /// hundred thousand advisories: what one of them needs is made once for all, and nothing of them is kept.
    fn zip<R: Read + Seek>(
        &mut self,
        origin: &Origin,
        directory: R,
        mut content: R,
        depth: usize,
    ) -> anyhow::Result<()> {
        let archive = ZipArchive::new(directory)?;
        let mut unpacker = Unpacker::default();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index)?;
            let name = String::from_utf8_lossy(entry.name_raw());
            if name.ends_with('/') || name.split('/').any(is_beside) {
                continue;
            }
            let inside = Origin {
                name: format!("{}:{name}", origin.name),
                changed: entry
                    .last_modified()
                    .and_then(day_of_zip)
                    .or(origin.changed),
            };
            let read = match is_small(&entry) {
                true => unpacker
                    .unpack(&entry, &mut content)
                    .and_then(|mut bytes| self.unpacked(&inside, &mut bytes, depth + 1)),
                false => entry
                    .with_reader(&mut content, ZipReadOptions::default())
                    .map_err(anyhow::Error::from)
                    .and_then(|entry| {
                        let mut entry = BufReader::new(entry);
                        self.unpacked(&inside, &mut entry, depth + 1)
                    }),
            };
            self.note(inside.name, read);
        }
        require_whole(&archive, &mut content)
    }
}

/// Reads as much as there is, which may come in pieces.
fn fill(reader: &mut dyn BufRead, buffer: &mut [u8]) -> std::io::Result<usize> {
    let n_wanted = buffer.len() as u64;
    let mut rest = buffer;
    std::io::copy(&mut reader.take(n_wanted), &mut rest).map(|n_read| n_read as usize)
}

/// What a file may have, and an error where there is more: a part must not look like all of it.
struct AtMost<R> {
    reader: R,
    most: u64,
    n_left: u64,
}

impl<R> AtMost<R> {
    fn new(reader: R, most: u64) -> AtMost<R> {
        AtMost {
            reader,
            most,
            n_left: most,
        }
    }
}

impl<R: BufRead> BufRead for AtMost<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let buffer = self.reader.fill_buf()?;
        if self.n_left == 0 && !buffer.is_empty() {
            let message = format!("it has more than {} bytes", self.most);
            return Err(Error::other(message));
        }
        let n_left = usize::try_from(self.n_left).unwrap_or(usize::MAX);
        Ok(&buffer[..buffer.len().min(n_left)])
    }

    fn consume(&mut self, n_bytes: usize) {
        self.n_left -= n_bytes as u64;
        self.reader.consume(n_bytes);
    }
}

impl<R: BufRead> Read for AtMost<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.fill_buf()?.read(buffer)?;
        self.consume(n_read);
        Ok(n_read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::{Origin, Unread, Walk};

    /// Reads a file of which at most so much may be read, packed or not.
    fn read(file: &[u8], largest: u64) -> Result<String, String> {
        let mut text = String::new();
        let mut each = |_: &Origin, content: &mut dyn BufRead| {
            content.read_to_string(&mut text)?;
            Ok(())
        };
        let mut walk = Walk {
            each: &mut each,
            unread: Unread::default(),
            largest,
        };
        let origin = Origin {
            name: "a".to_owned(),
            changed: None,
        };
        let mut file = file;
        let read = walk.unpacked(&origin, &mut file, 0);
        read.map(|()| text).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_file_that_is_too_large_is_an_error_and_not_its_beginning() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"abc").unwrap();
        let gzip = gzip.finish().unwrap();
        for file in [&b"abc"[..], &gzip] {
            assert_eq!(read(file, 4), Ok("abc".to_owned()));
            assert_eq!(read(file, 3), Ok("abc".to_owned()));
            assert_eq!(read(file, 2), Err("it has more than 2 bytes".to_owned()));
        }
        // What is in an archive that is in another is held as a whole.
        let error = read(b"PK\x03\x04", 3).unwrap_err();
        assert_eq!(error, "it has more than 3 bytes");
    }
}
