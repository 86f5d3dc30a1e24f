//! Records to stdout - JSON lines, jq results or text - and notes for people to stderr.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use anyhow::Context;
use records::Finding;
use serde::Serialize;

use crate::filter::Filter;
use crate::{Format, IoArgs, Outcome, Progress, text, visible_lines};

/// The output of the process, as far as notes need it, for what cannot be given an [`Output`]: connections inside the SDK.
static NOTES: OnceLock<(&str, bool)> = OnceLock::new();

/// Prints a note for people on stderr, as [`Output::note`] of the first output of the process does.
pub fn warn(message: &str) {
    if let Some((tool, false)) = NOTES.get() {
        crate::print_error(tool, message);
    }
}

/// Where a run's records go. Made before the first AWS call, so that a bad filter costs nothing.
pub struct Output {
    tool: &'static str,
    format: Format,
    filter: Option<Filter>,
    raw: bool,
    quiet: bool,
}

impl Output {
    /// Returns the output that the flags ask for.
    ///
    /// # Errors
    /// A `--jq` filter that does not compile.
    pub fn new(tool: &'static str, io: &IoArgs) -> anyhow::Result<Output> {
        let on_terminal = std::io::stdout().is_terminal() && io.jq.is_none();
        let format = io.output.unwrap_or(if on_terminal {
            Format::Text
        } else {
            Format::Json
        });
        let filter = io.jq.as_deref().map(Filter::compile).transpose()?;
        NOTES.get_or_init(|| (tool, io.quiet));
        Ok(Output {
            tool,
            format,
            filter,
            raw: io.raw,
            quiet: io.quiet,
        })
    }

    /// Returns the output of a document that is meant for another program: JSON unless text is asked for, also on a terminal.
    ///
    /// # Errors
    /// As [`Output::new`].
    pub fn of_document(tool: &'static str, io: &IoArgs) -> anyhow::Result<Output> {
        let mut output = Output::new(tool, io)?;
        output.format = io.output.unwrap_or(Format::Json);
        Ok(output)
    }

    /// Prints findings, and returns their outcome.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_findings(&self, findings: &[Finding]) -> anyhow::Result<Outcome> {
        findings
            .iter()
            .try_for_each(|finding| self.write(finding))?;
        Ok(Outcome::of(findings))
    }

    /// Prints one record.
    ///
    /// # Errors
    /// Stdout cannot be written, or the jq filter fails on this record.
    pub fn write(&self, record: &impl Serialize) -> anyhow::Result<()> {
        let json = serde_json::to_string(record).context("turn a record into JSON")?;
        let Some(filter) = &self.filter else {
            return match self.format {
                Format::Json => line(&json),
                Format::Text => line(&text::render(&serde_json::from_str(&json)?)),
            };
        };
        filter.run(&json, |value| {
            line(&if self.raw { value.raw() } else { value.json() })
        })
    }

    /// Prints records that are JSON texts already, one a line, as they are: a stream of any length costs no parsing unless
    /// a filter or text is asked for.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_json_lines(&self, lines: &str) -> anyhow::Result<()> {
        if self.filter.is_none() && self.format == Format::Json {
            return write(lines.as_bytes());
        }
        for json in lines.lines() {
            let value: Box<serde_json::value::RawValue> =
                serde_json::from_str(json).context("read a record")?;
            self.write(&value)?;
        }
        Ok(())
    }

    /// Prints text, whatever the format: the verb was asked for text. It shows what it holds, but for its lines.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn write_text(&self, text: &str) -> anyhow::Result<()> {
        line(&visible_lines(text))
    }

    /// Refuses to go on when stdout was closed at the start, for verbs that change something: what they print holds the only
    /// way back. Rust's runtime opens the null device for a closed descriptor, for reading and writing; what a shell opens
    /// with `>/dev/null` is for writing only, and somebody's choice.
    ///
    /// # Errors
    /// Stdout was closed.
    pub fn refuse_closed(&self) -> anyhow::Result<()> {
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

    /// Prints a note for people on stderr, unless `-q` was given.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            crate::print_error(self.tool, message);
        }
    }

    /// Returns the progress of a run over many targets: hidden where records go to the same terminal, with `-q`, and for one.
    #[must_use]
    pub fn progress(&self, is_single: bool) -> Progress {
        Progress::new(self.quiet || is_single || std::io::stdout().is_terminal())
    }

    /// Prints one record, or in text a row of the tool's own, as of a table.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_row(
        &self,
        record: &impl Serialize,
        row: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match (self.format, &self.filter) {
            (Format::Text, None) => line(&visible_lines(&row())),
            _ => self.write(record),
        }
    }
}

/// A closed pipe is an error here, which [`crate::finish`] takes for none.
fn write(bytes: &[u8]) -> anyhow::Result<()> {
    std::io::stdout()
        .lock()
        .write_all(bytes)
        .context("write to stdout")
}

fn line(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
        .context("write to stdout")
}
