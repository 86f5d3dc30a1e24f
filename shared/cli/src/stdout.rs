//! The one way to stdout. A reader that has gone is nobody's mistake; a disk that cannot hold what is written is an error.

use std::io::Write;

use anyhow::Context;

use crate::bar;

/// Writes a text and a line break.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    write(format!("{text}\n").as_bytes())
}

/// Writes all of it now, so that what cannot be written is an error here and not lost when the process ends. A closed pipe is an
/// error, too, which [`crate::finish`] takes for none.
pub(crate) fn write(bytes: &[u8]) -> anyhow::Result<()> {
    bar::aside(|| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    })
    .context("write to stdout")
}

/// Stdout for what is written piece by piece, each as [`write`] does it.
pub(crate) struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written =
            write(bytes).map_err(|error| error.downcast().unwrap_or_else(std::io::Error::other));
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Refuses to begin where stdout was closed at the start, for verbs that write: what they print holds the only undo. Rust's runtime opens the null device for a closed descriptor, for reading and writing; what a shell opens with `>/dev/null` is
/// for writing only, and somebody's choice. Verbs that only read go on: `subprocess.DEVNULL` of Python looks the same, and whoever
/// wants the exit status alone uses it.
pub(crate) fn refuse_closed() -> anyhow::Result<()> {
    let target = std::fs::read_link("/proc/self/fd/1").ok();
    let info = std::fs::read_to_string("/proc/self/fdinfo/1").unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let is_read_write = flags
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| flags & 3 == 2);
    if is_read_write && target.is_some_and(|path| path.as_os_str() == "/dev/null") {
        anyhow::bail!(
            "stdout is closed: nothing was written; the result holds the only undo, so send it to a file or a pipe"
        );
    }
    Ok(())
}
