//! Files of a spool: private, added to line by line, and whole after a cut.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

/// Where a line is in a file, with its end.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Place {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Makes the directory the user's alone, whatever the umask: what is in it says who was where. It may not be a link to another,
/// which would be changed instead. Whoever may write into the directory above could still put one in its place between this look
/// and the first file; that the files are not links either is made sure of as they are opened.
pub(super) fn private(directory: &Path) -> anyhow::Result<()> {
    // With a slash at its end a link would be followed.
    let directory: &Path = &directory.components().collect::<PathBuf>();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    if !std::fs::symlink_metadata(directory)?.is_dir() {
        bail!("it is a symbolic link: name the directory itself");
    }
    std::fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    Ok(())
}

pub(in super::super) fn open(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let file = opened.with_context(|| format!("open {}", path.display()))?;
    // One that an older version has made may be open to others.
    file.set_permissions(Permissions::from_mode(0o600))
        .with_context(|| format!("open {}", path.display()))?;
    Ok(file)
}

/// Opens the file that is to take the place of another, empty.
pub(super) fn begin_anew(path: &Path) -> anyhow::Result<File> {
    let other = path.with_extension("new");
    // What a run that was killed has left there.
    if let Err(error) = std::fs::remove_file(&other) {
        anyhow::ensure!(error.kind() == std::io::ErrorKind::NotFound, error);
    }
    open(&other)
}

/// Puts a file that was begun anew, and is open already, in the place of the other.
pub(super) fn put_in_place(file: &File, path: &Path) -> anyhow::Result<()> {
    file.sync_data()?;
    std::fs::rename(path.with_extension("new"), path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Changes lines of a file: all of them or, after a cut, none. Returns it opened.
pub(super) fn rewrite<T: serde::de::DeserializeOwned + Serialize>(
    path: &Path,
    file: &mut File,
    mut change: impl FnMut(&mut T),
) -> anyhow::Result<File> {
    let anew = begin_anew(path)?;
    let mut writer = BufWriter::new(&anew);
    each_line(file, |mut line: T, _| {
        change(&mut line);
        serde_json::to_writer(&mut writer, &line)?;
        Ok(writer.write_all(b"\n")?)
    })?;
    writer.flush()?;
    drop(writer);
    put_in_place(&anew, path)?;
    Ok(anew)
}

/// Adds a line, and returns where it is.
pub(in super::super) fn append(file: &mut File, line: &impl Serialize) -> anyhow::Result<Place> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let offset = file.metadata()?.len();
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // Half a line would join the next one; on a full disk shortening still works.
        let _ = file.set_len(offset);
    })?;
    Ok(Place {
        offset,
        length: text.len() as u64,
    })
}

/// Reads all lines.
pub(in super::super) fn lines<T: serde::de::DeserializeOwned>(
    file: &mut File,
) -> anyhow::Result<Vec<T>> {
    let mut lines = Vec::new();
    each_line(file, |line, _| {
        lines.push(line);
        Ok(())
    })?;
    Ok(lines)
}

/// Reads lines one by one. A last one without its end was being written when the process was killed: it is dropped, for nobody
/// was promised that it was taken.
pub(super) fn each_line<T: serde::de::DeserializeOwned>(
    file: &mut File,
    mut each: impl FnMut(T, Place) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *file);
    let (mut line, mut offset, mut number) = (Vec::new(), 0u64, 0);
    loop {
        line.clear();
        // Bytes: what was being written may end inside a character.
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if !line.ends_with(b"\n") {
            break;
        }
        number += 1;
        let parsed = serde_json::from_slice(&line).with_context(|| format!("line {number}"))?;
        each(parsed, Place { offset, length })?;
        offset += length;
    }
    file.set_len(offset)?;
    Ok(())
}
