//! Files out of directories and of zip, gzip, xz and zstd, recognized by their content and never by their name.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The most that is unpacked of one file: Debian's tracker has a twentieth of it.
const LARGEST: u64 = 4 << 30;
/// A compressed file in a zip in a compressed file is no database of anybody's.
const DEEPEST: usize = 4;
/// Directories below directories.
const DEEPEST_DIRECTORY: usize = 32;
const BUFFER: usize = 1 << 18;

/// Calls `each` with the name and content of every file that a path holds, and `unread` with what cannot be, and why.
///
/// # Errors
/// The path itself cannot be read, or an error of `each`.
pub(super) fn for_each_file(
    path: &Path,
    each: &mut dyn FnMut(&str, &mut dyn BufRead) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut unread = Vec::new();
    let metadata = std::fs::metadata(path)
        .with_context(|| format!("read advisories from {}", path.display()))?;
    let files = match metadata.is_dir() {
        true => files(path, 0)?,
        false => vec![path.to_owned()],
    };
    for file in files {
        let name = file.display().to_string();
        if let Err(error) = File::open(&file)
            .map_err(Into::into)
            .and_then(|opened| content(&name, opened, each))
        {
            unread.push((name, format!("{error:#}")));
        }
    }
    Ok(unread)
}

/// Returns the files below a directory in the order of their names. What comes with a clone or a mirror of a database, and
/// never is an advisory, is left out.
fn files(directory: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("read the directory {}", directory.display()))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort_unstable();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_beside = name.starts_with('.')
            || name.ends_with(".md")
            || name.starts_with("LICENSE")
            || name.starts_with("NOTICE");
        if is_beside {
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

fn content(
    name: &str,
    file: File,
    each: &mut dyn FnMut(&str, &mut dyn BufRead) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, file);
    if reader.fill_buf()?.starts_with(b"PK\x03\x04") {
        // Its directory is at its end.
        return zip(name, reader, 0, each);
    }
    unpacked(name, &mut reader, 0, each)
}

fn unpacked(
    name: &str,
    reader: &mut dyn BufRead,
    depth: usize,
    each: &mut dyn FnMut(&str, &mut dyn BufRead) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if depth > DEEPEST {
        bail!("it is packed more than {DEEPEST} times");
    }
    let begin = reader.fill_buf()?;
    if begin.is_empty() {
        bail!("it is empty");
    }
    let inner: Box<dyn Read + '_> = match begin {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(lzma_rust2::XzReader::new(reader, true)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(
            ruzstd::decoding::StreamingDecoder::new(reader)
                .map_err(|error| anyhow::anyhow!("zstd: {error}"))?,
        ),
        [b'P', b'K', 3, 4, ..] => {
            let mut bytes = Vec::new();
            reader.take(LARGEST).read_to_end(&mut bytes)?;
            return zip(name, Cursor::new(bytes), depth + 1, each);
        }
        _ => return each(name, reader),
    };
    unpacked(
        name,
        &mut BufReader::with_capacity(BUFFER, inner.take(LARGEST)),
        depth + 1,
        each,
    )
}

fn zip(
    name: &str,
    reader: impl Read + std::io::Seek,
    depth: usize,
    each: &mut dyn FnMut(&str, &mut dyn BufRead) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut archive = zip::ZipArchive::new(reader)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let inside = format!("{name}:{}", entry.name()?);
        let mut entry = BufReader::new(entry.take(LARGEST));
        unpacked(&inside, &mut entry, depth + 1, each).with_context(|| inside.clone())?;
    }
    Ok(())
}
