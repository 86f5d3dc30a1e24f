//! Records to stdout - JSON lines, jq results or text - and notes for people to stderr.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::Context;
use records::Finding;
use serde::Serialize;
use serde_json::Value;

use crate::filter::Filter;
use crate::screen::Screen;
use crate::text::{Changes, Findings, Table, count};
use crate::{Format, IoArgs, Outcome, Progress, text, visible_lines};

/// The output of the process, as far as notes need it, for what cannot be given an [`Output`]: connections inside the SDK.
static NOTES: OnceLock<(&str, bool)> = OnceLock::new();

/// Prints a note for people on stderr, as [`Output::note`] of the first output of the process does.
pub fn warn(message: &str) {
    if let Some((tool, false)) = NOTES.get() {
        crate::print_error(tool, message);
    }
}

/// Whether every call is reported.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Prints a line on stderr that only `-v` asks for.
pub fn trace(line: impl FnOnce() -> String) {
    if VERBOSE.load(Ordering::Relaxed)
        && let Some((tool, _)) = NOTES.get()
    {
        crate::print_error(tool, &line());
    }
}

/// Where a run's records go. Made before the first AWS call, so that a bad filter costs nothing.
pub struct Output {
    tool: &'static str,
    format: Format,
    filter: Option<Filter>,
    raw: bool,
    quiet: bool,
    screen: Screen,
    /// The file of `-f`, for the command that comes next.
    file: Option<PathBuf>,
    held: Mutex<Held>,
}

/// What is shown as text when all is there.
#[derive(Default)]
struct Held {
    table: Option<Table>,
    findings: Findings,
    changes: Changes,
    /// Accounts and regions that could not be read.
    n_unreachable: usize,
    /// Whether findings were looked for, though there may be none.
    has_looked: bool,
    next_verb: Option<&'static str>,
    summary: Option<String>,
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
        VERBOSE.fetch_or(io.verbose, Ordering::Relaxed);
        Ok(Output {
            tool,
            format,
            filter,
            raw: io.raw,
            quiet: io.quiet,
            screen: Screen::of_stdout(),
            file: io.file.clone(),
            held: Mutex::default(),
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
        self.held().has_looked = true;
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
                Format::Text => self.show(serde_json::from_str(&json)?),
            };
        };
        filter.run(&json, |value| {
            line(&if self.raw { value.raw() } else { value.json() })
        })
    }

    /// Shows a record as text, or keeps it until all that it is shown with are there.
    fn show(&self, record: Value) -> anyhow::Result<()> {
        let mut held = self.held();
        match record["kind"].as_str().unwrap_or_default() {
            "finding" => {
                held.findings.add(record);
                return Ok(());
            }
            "plan" => held.changes.add(&record),
            "unreachable" => held.n_unreachable += 1,
            kind => {
                if let Some(mut table) = Table::of(kind) {
                    match &mut held.table {
                        Some(begun) if begun.kind() == kind => begun.add(&record),
                        other => {
                            table.add(&record);
                            if let Some(before) = other.replace(table) {
                                line(&before.render(self.screen))?;
                            }
                        }
                    }
                    return Ok(());
                }
            }
        }
        line(&text::render(&record, self.screen))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A panic elsewhere leaves what is held as it was.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a line for people about the whole run, for its end.
    pub fn sum_up(&self, summary: String) {
        self.held().summary = Some(summary);
    }

    /// Names the verb that comes next, for who has read what this one shows.
    pub fn suggest(&self, verb: &'static str) {
        self.held().next_verb = Some(verb);
    }

    /// Prints what was kept, and for people how much there was and which command comes next. Returns `outcome`, which may be an
    /// error: what was found until then is shown all the same.
    ///
    /// # Errors
    /// That of `outcome`, else stdout cannot be written.
    pub fn end(&self, outcome: anyhow::Result<Outcome>) -> anyhow::Result<Outcome> {
        let held = std::mem::take(&mut *self.held());
        let table = held.table.as_ref().map(|table| table.render(self.screen));
        let findings = held.findings.render(self.screen);
        let shown = table
            .iter()
            .chain(&findings)
            .try_for_each(|text| line(text));
        let outcome = outcome.and_then(|outcome| shown.map(|()| outcome))?;
        if let Some(summary) = &held.summary {
            self.note(summary);
        }
        if self.format == Format::Text && self.filter.is_none() {
            self.summarize(&held);
        }
        Ok(outcome)
    }

    fn summarize(&self, held: &Held) {
        if let Some(table) = &held.table {
            self.note(&count(table.n_rows(), table.kind()));
        }
        // What was not read is never "nothing".
        let unread = match held.n_unreachable {
            0 => String::new(),
            1 => "; 1 account or region could not be read".to_owned(),
            n => format!("; {n} accounts or regions could not be read"),
        };
        if held.has_looked {
            self.note(&format!("{}{unread}", held.findings));
        }
        if held.changes.n_plans > 0 {
            self.note(&format!("{}{unread}", held.changes));
        }
        let file = match &self.file {
            Some(file) => shown_path(file),
            None => "FILE".to_owned(),
        };
        let tool = self.tool;
        if !held.changes.is_empty() {
            self.note(&format!(
                "nothing is written yet; next: {tool} plan -f {file} >plan.json && {tool} apply <plan.json"
            ));
        } else if let Some(verb) = held.next_verb
            && (held.table.is_some() || !held.findings.is_empty())
        {
            self.note(&format!("next: {tool} {verb} -f {file}"));
        }
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

    /// Returns whether records are shown as text, for tools that have a table of their own.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.format == Format::Text && self.filter.is_none()
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

/// Returns a path as a shell takes it.
fn shown_path(path: &std::path::Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=+,:@%".contains(c);
    match text.chars().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
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
