//! Files of a spool: private, added to line by line, and whole after a cut.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;

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

/// Puts other lines in the place of a file's: all of them or, after a cut, none. Returns it opened.
pub(super) fn replace(path: &Path, lines: &[impl Serialize]) -> anyhow::Result<File> {
    let other = path.with_extension("new");
    // What a run that was killed has left there.
    if let Err(error) = std::fs::remove_file(&other) {
        anyhow::ensure!(error.kind() == std::io::ErrorKind::NotFound, error);
    }
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    let mut file = open(&other)?;
    file.write_all(&text)?;
    file.sync_data()?;
    std::fs::rename(&other, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(file)
}

pub(in super::super) fn append(file: &mut File, line: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let length = file.metadata()?.len();
    file.write_all(text.as_bytes()).inspect_err(|_| {
        // Half a line would join the next one; on a full disk shortening still works.
        let _ = file.set_len(length);
    })?;
    Ok(())
}

/// Reads all lines. A last one without its end was being written when the process was killed: it is dropped, for nobody
/// was promised that it was taken.
pub(in super::super) fn lines<T: serde::de::DeserializeOwned>(
    file: &mut File,
) -> anyhow::Result<Vec<T>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *file);
    let (mut parsed, mut line, mut length, mut number) = (Vec::new(), Vec::new(), 0u64, 0);
    loop {
        line.clear();
        // Bytes: what was being written may end inside a character.
        let n_read = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        number += 1;
        length += n_read as u64;
        parsed.push(serde_json::from_slice(&line).with_context(|| format!("line {number}"))?);
    }
    file.set_len(length)?;
    Ok(parsed)
}
