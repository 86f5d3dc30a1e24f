//! Records to stdout - JSON lines, jq results or text - and notes for people to stderr.

mod document;
mod ending;
mod held;
mod waiting;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use anyhow::Context;
use records::Finding;
use serde::Serialize;
use serde_json::Value;

use crate::filter::Filter;
use crate::report;
use crate::screen::Screen;
use crate::source;
use crate::stdout::{self, line, write};
use crate::text::{Block, Table, count};
use crate::typed::Typed;
use crate::{Format, IoArgs, Outcome, bar, notes, text, visible_lines};

use self::held::Held;

/// Where a run's records go. Made before the first AWS call, so that a bad filter costs nothing.
pub struct Output {
    tool: &'static str,
    format: Format,
    filter: Option<Filter>,
    raw: bool,
    quiet: bool,
    /// Whether JSON is printed in lines for people, who can still paste it as it is.
    is_pretty: bool,
    screen: Screen,
    /// The file of `-f`, for the command that comes next.
    file: Option<PathBuf>,
    held: Mutex<Held>,
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
        notes::begin(tool, io);
        Ok(Output {
            tool,
            format,
            filter,
            raw: io.raw,
            quiet: io.quiet,
            is_pretty: false,
            screen: Screen::of_stdout(),
            file: io.file.clone(),
            held: Mutex::default(),
        })
    }

    /// Prints findings, and returns their outcome.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_findings(&self, findings: &[Finding]) -> anyhow::Result<Outcome> {
        self.held().shown.has_looked = true;
        findings
            .iter()
            .try_for_each(|finding| self.write_finding(finding))?;
        Ok(Outcome::of(findings))
    }

    /// Prints a finding of a run that counts them itself.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_finding(&self, finding: &Finding) -> anyhow::Result<()> {
        if self.format.is_report() {
            self.held().report.found(finding.clone());
            return Ok(());
        }
        self.write(finding)
    }

    /// Prints one record.
    ///
    /// # Errors
    /// Stdout cannot be written, or the jq filter fails on this record.
    pub fn write(&self, record: &impl Serialize) -> anyhow::Result<()> {
        let json = match self.is_pretty {
            true => serde_json::to_string_pretty(record),
            false => serde_json::to_string(record),
        };
        let json = json.context("turn a record into JSON")?;
        let Some(filter) = &self.filter else {
            return match self.format {
                Format::Json => line(&json),
                Format::Text => self.show(serde_json::from_str(&json)?),
                _ => self.keep(&serde_json::from_str(&json)?),
            };
        };
        if filter.reads_on() {
            self.held().inputs.push(json);
            return Ok(());
        }
        self.filtered(filter, [json])
    }

    /// Prints what a filter makes of records.
    fn filtered(
        &self,
        filter: &Filter,
        records: impl IntoIterator<Item = String>,
    ) -> anyhow::Result<()> {
        filter.run_all(records, |value| {
            line(&if self.raw { value.raw() } else { value.json() })
        })
    }

    /// Shows a record as text, or keeps it until all that it is shown with are there.
    fn show(&self, record: Value) -> anyhow::Result<()> {
        let mut held = self.held();
        held.shown.has_shown |= record["kind"] != "unreachable";
        match record["kind"].as_str().unwrap_or_default() {
            "finding" => {
                held.shown.findings.add(record);
                return Ok(());
            }
            "plan" => {
                held.shown.changes.add(&record);
                return line(&held.plans.render(&record, self.screen));
            }
            "result" => held.shown.results.add(&record),
            "unreachable" => held.shown.n_unreachable += 1,
            kind => {
                if let Some(mut table) = Table::of(kind) {
                    match &mut held.table {
                        Some(begun) if begun.kind() == kind && !begun.is_full() => {
                            begun.add(&record)
                        }
                        other => {
                            table.add(&record);
                            if let Some(before) = other.replace(table) {
                                line(&format!("{}\n", before.render(self.screen)))?;
                                held.shown.counts.push((before.n_rows(), before.noun()));
                            }
                        }
                    }
                    return Ok(());
                }
            }
        }
        line(&text::render(&record, self.screen))
    }

    /// Adds a row to a table that is shown above the findings as text, and is not a record in any other form.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn tabulate(&self, row: impl FnOnce() -> Value) -> anyhow::Result<()> {
        match self.is_text() {
            true => self.show(row()),
            false => Ok(()),
        }
    }

    /// Keeps a record for the report at the end: of lists, those of one kind.
    fn keep(&self, record: &Value) -> anyhow::Result<()> {
        let mut held = self.held();
        held.report.add(record)?;
        let table = Table::of(record["kind"].as_str().unwrap_or_default());
        if let Some(table) = table {
            let begun = held.table.get_or_insert(table);
            match record["kind"] == begun.kind() {
                true => begun.add(record),
                false => held.n_left_out += 1,
            }
        }
        Ok(())
    }

    /// Takes the name of a file, or of an account and region, that was judged: a report says so when nothing was found there.
    pub fn judged(&self, place: &impl ToString) {
        self.held().report.judged(place.to_string());
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        bar::locked(&self.held)
    }

    /// Names the kind of record that this verb lists: a file of comma-separated values has its columns without any record, too, and not
    /// those of findings, and people read that there was none.
    pub fn list_of(&self, kind: &str) {
        match self.format {
            Format::Csv => self.held().table = Table::of(kind),
            _ => self.held().listed = Table::of(kind),
        }
    }

    /// Prints what was kept, and for people how much there was and which command comes next. Returns `outcome`, which may be an
    /// error: what was found until then is shown all the same.
    ///
    /// # Errors
    /// That of `outcome`, else stdout cannot be written.
    pub fn end(&self, outcome: anyhow::Result<Outcome>) -> anyhow::Result<Outcome> {
        let mut held = std::mem::take(&mut *self.held());
        if held.is_reported {
            // A finding decides the exit status, and a report of another kind has no place for it.
            for finding in held.report.findings() {
                crate::print_error(self.tool, &format!("{}: {}", finding.id, finding.message));
            }
        } else if self.format.is_report() {
            return self.report(&held, outcome);
        }
        let mut table = held.table.as_ref().map(|table| table.render(self.screen));
        let findings = held.shown.findings.render(self.screen);
        if let (Some(table), Some(_)) = (&mut table, &findings) {
            table.push('\n');
        }
        held.shown.is_plan_kept = held.shown.has_undo() && source::is_kept(self.file.as_deref());
        let undo = held.shown.undo();
        let filter = self.filter.iter();
        let shown = filter
            .map(|filter| self.filtered(filter, std::mem::take(&mut held.inputs)))
            .chain(
                table
                    .iter()
                    .chain(&findings)
                    .chain(&undo)
                    .map(|text| line(text)),
            )
            .collect::<anyhow::Result<()>>();
        let outcome = outcome.and_then(|outcome| shown.map(|()| outcome))?;
        if let Some(summary) = &held.summary {
            self.note(summary);
        }
        if self.is_text() {
            if let Some(table) = &held.table {
                held.shown.counts.push((table.n_rows(), table.noun()));
                let listed = held.listed.as_ref().map(Table::kind);
                held.shown.has_more_columns =
                    listed == Some(table.kind()) && table.is_narrowed(self.screen);
            }
            for text in held.nothing(Typed::of_process()) {
                self.note(&text);
            }
            for text in held
                .shown
                .lines(self.tool, self.file.as_deref(), Typed::of_process())
            {
                self.note(&text);
            }
        }
        Ok(outcome)
    }

    /// Prints the report, also of a run that ended early: what reads it must not take that for nothing found.
    fn report(&self, held: &Held, outcome: anyhow::Result<Outcome>) -> anyhow::Result<Outcome> {
        let run = report::Run {
            tool: self.tool,
            file: self.file.clone().filter(|file| file.as_os_str() != "-"),
            error: outcome.as_ref().err().map(|error| format!("{error:#}")),
            documents: option_env!("SSM_DOCS_URL"),
            now: jiff::Timestamp::now(),
        };
        let text = match &held.table {
            // Columns without a row would be "none", which nobody knows.
            Some(table)
                if self.format == Format::Csv && outcome.is_err() && table.n_rows() == 0 =>
            {
                return outcome;
            }
            // A list has no row for what could not be read.
            Some(table) if self.format == Format::Csv => {
                for one in held.report.unreachable() {
                    crate::print_error(self.tool, &format!("{}: {}", one.target, one.error));
                }
                if held.n_left_out > 0 {
                    let left_out = count(held.n_left_out, "record");
                    self.note(&format!("{left_out} of other kinds: see -o json"));
                }
                table.csv()?
            }
            _ => held.report.render(self.format, &run)?,
        };
        let written = write(text.as_bytes());
        let mut outcome = outcome.and_then(|outcome| written.map(|()| outcome))?;
        for what in held.report.left_out(self.format) {
            crate::print_error(self.tool, &what);
            outcome = outcome.and(Outcome::Trouble);
        }
        if let Some(summary) = &held.summary {
            self.note(summary);
        }
        Ok(outcome)
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

    /// Returns the format of a report, where one is asked for, to verbs that have their own.
    #[must_use]
    pub fn report_format(&self) -> Option<Format> {
        let is_report = self.format.is_report();
        (is_report && self.filter.is_none()).then_some(self.format)
    }

    /// Returns where a verb prints its own report to. No other one is printed then.
    pub fn report_writer(&self) -> impl std::io::Write {
        self.held().is_reported = true;
        stdout::Writer
    }

    /// Refuses to begin when stdout was closed at the start, or a filter is to see all records first, for verbs that write: what they
    /// have done is printed at once.
    ///
    /// # Errors
    /// As it says.
    pub fn refuse_closed(&self) -> anyhow::Result<()> {
        if self.filter.as_ref().is_some_and(Filter::reads_on) {
            anyhow::bail!(
                "--jq: input and inputs read on, and what was done is printed at once: pipe it into jq"
            );
        }
        stdout::refuse_closed()
    }

    /// Prints a note for people on stderr, unless `-q` was given.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            crate::print_error(self.tool, message);
        }
    }

    /// Returns whether records are shown to people.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.format == Format::Text && self.filter.is_none()
    }

    /// Prints what a tool lays out for many records, whatever the format: the verb was asked for text.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn write_laid(&self, block: &Block) -> anyhow::Result<()> {
        line(&block.render(self.screen))
    }

    /// Prints one record, or in text what the tool lays out for it.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_block(
        &self,
        record: &impl Serialize,
        block: impl FnOnce() -> Block,
    ) -> anyhow::Result<()> {
        match (self.format, &self.filter) {
            (Format::Text, None) => {
                self.held().shown.has_shown = true;
                line(&block().render(self.screen))
            }
            _ => self.write(record),
        }
    }
}
