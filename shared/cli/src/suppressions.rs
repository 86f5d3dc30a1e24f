//! Findings that somebody has accepted: one file for all tools, each entry with its reason and its last day. An entry that has
//! expired switches nothing off, and is a finding itself.

mod packages;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use packages::PackageSuppressions;

use crate::{Finding, FindingKind, IoArgs, Outcome, Output, Severity, from_value, read_desired};

/// The flags of verbs that print what is wrong with files.
#[derive(Clone, Debug, clap::Args)]
pub struct SuppressionArgs {
    /// Leave out the findings that this file accepts, each entry with a reason and a last day
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,

    /// Exit with 1 only for findings that are at least as severe
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    fail_on: FailOn,
}

/// The mildest finding that is worth an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Errors only
    Error,
    /// Errors and warnings
    Warning,
}

/// The accepted findings of a run.
#[derive(Debug)]
pub struct Suppressions {
    /// The name of the file, for people; empty without one.
    source: String,
    fail_on: FailOn,
    today: Date,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Its place in the file.
    index: usize,
    suppression: Suppression,
    n_findings: usize,
    /// Whether a file was judged that the entry is about.
    concerned: bool,
}

/// What is accepted: a finding of this ID wherever all of what else is named is true of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppression {
    /// As it is printed: `scp.guard.takeable`.
    id: String,
    /// The file, or the end of its path.
    file: Option<String>,
    /// The Sid of the statement.
    sid: Option<String>,
    /// The JSON path of the finding, or of what holds it.
    path: Option<String>,
    /// Why, for whoever reads it next.
    reason: String,
    /// The last day on which it holds, `2027-01-31`.
    expires: Date,
}

/// What the entries of all tools have.
#[derive(Deserialize)]
struct Accepted {
    id: String,
    reason: String,
    #[serde(rename = "expires")]
    _expires: Date,
}

impl SuppressionArgs {
    /// Reads the file. `prefix` begins the IDs of the tool, and `is_known` says whether what comes behind it and a dot is one
    /// that can be accepted; entries of other tools are theirs.
    ///
    /// # Errors
    /// An unreadable file, an entry of the wrong shape, without a reason or with an unknown ID.
    pub fn read(
        &self,
        prefix: &str,
        is_known: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Suppressions> {
        let mut suppressions = Suppressions {
            source: String::new(),
            fail_on: self.fail_on,
            today: today(),
            entries: Vec::new(),
        };
        let Some(file) = &self.suppressions else {
            return Ok(suppressions);
        };
        suppressions.source = file.display().to_string();
        let entries = entries(file, prefix, is_known, |suppression: &Suppression| {
            if let Some(path) = &suppression.path {
                ensure!(
                    path.starts_with('$'),
                    "$.path: '{path}' is not a JSON path: expected one such as $.Statement[0]"
                );
            }
            Ok(())
        })?;
        let entry = |(index, suppression)| Entry {
            index,
            suppression,
            n_findings: 0,
            concerned: false,
        };
        suppressions.entries = entries.into_iter().map(entry).collect();
        Ok(suppressions)
    }
}

/// Returns the day, in UTC, so that the same run says the same everywhere.
#[must_use]
pub fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date()
}

/// Returns the entries of this tool with their places: those of other tools may name what this one does not know, such as a
/// package.
fn entries<T: DeserializeOwned>(
    file: &Path,
    prefix: &str,
    is_known: impl Fn(&str) -> bool,
    check: impl Fn(&T) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<(usize, T)>> {
    let all: Vec<Value> = read_desired(&IoArgs::of_file(file), "suppressions")?;
    let mut own = Vec::new();
    for (index, value) in all.iter().enumerate() {
        let entry = entry(value, prefix, &is_known, &check).map_err(|error| {
            let message = format!("{error:#}");
            let place = message.strip_prefix('$').unwrap_or(&message);
            anyhow::anyhow!(
                "read suppressions from {}: $[{index}]{place}",
                file.display()
            )
        })?;
        own.extend(entry.map(|entry| (index, entry)));
    }
    Ok(own)
}

fn entry<T: DeserializeOwned>(
    value: &Value,
    prefix: &str,
    is_known: impl Fn(&str) -> bool,
    check: impl Fn(&T) -> anyhow::Result<()>,
) -> anyhow::Result<Option<T>> {
    let Accepted { id, reason, .. } = from_value(value)?;
    ensure!(
        !reason.trim().is_empty(),
        "$.reason: it is empty; say why the finding is accepted"
    );
    let rule = id
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('.'));
    let Some(rule) = rule else { return Ok(None) };
    ensure!(
        is_known(rule),
        "$.id: '{id}' is not the ID of a finding that can be accepted"
    );
    let suppression: T = from_value(value)?;
    check(&suppression)?;
    Ok(Some(suppression))
}

/// What is wrong with an entry: that it has ended, or accepts nothing.
struct Use<'a> {
    /// The file and the place in it.
    source: &'a str,
    index: usize,
    id: &'a str,
    reason: &'a str,
    expires: Date,
    today: Date,
    /// Whether something was judged that it could accept, and did not.
    is_unused: bool,
    /// What to correct.
    correct: &'a str,
}

impl Use<'_> {
    /// Returns the finding, by the IDs of an expired and of an unused entry.
    fn finding(&self, expired: &str, unused: &str) -> Option<Finding> {
        let Use { id, reason, .. } = self;
        let finding = |id: &str, severity, message, fix: String| Finding {
            kind: FindingKind::Finding,
            id: id.to_owned(),
            severity,
            target: None,
            resource: format!("{} $[{}]", self.source, self.index),
            message,
            fix,
            is_unread: false,
        };
        if self.expires < self.today {
            return Some(finding(
                expired,
                Severity::Warning,
                format!(
                    "the suppression of {id} ended on {} and switches nothing off: {reason}",
                    self.expires
                ),
                "fix the accepted problem and remove it, or extend it with a new date and reason"
                    .to_owned(),
            ));
        }
        self.is_unused.then(|| {
            finding(
                unused,
                Severity::Info,
                format!("the suppression of {id} switches nothing off: {reason}"),
                format!("remove it, or correct {}", self.correct),
            )
        })
    }
}

impl Suppressions {
    /// Returns the findings of a file that are not accepted; `source` is the name which their resources begin with, and
    /// `sid` returns the Sid of the statement that holds a JSON path.
    #[must_use]
    pub fn filter(
        &mut self,
        source: &str,
        mut findings: Vec<Finding>,
        sid: impl Fn(&str) -> Option<String>,
    ) -> Vec<Finding> {
        for entry in &mut self.entries {
            let file = entry.suppression.file.as_deref();
            entry.concerned |= file.is_none_or(|file| is_file(source, file));
        }
        findings.retain(|finding| {
            let place = finding.resource.strip_prefix(source).unwrap_or_default();
            let path = place.split_once(' ').map_or("", |(_, path)| path);
            let mut accepted = false;
            for entry in &mut self.entries {
                let one = &entry.suppression;
                let holds = one.id == finding.id
                    && self.today <= one.expires
                    && one.file.as_deref().is_none_or(|file| is_file(source, file))
                    && one
                        .path
                        .as_deref()
                        .is_none_or(|above| is_below(path, above))
                    && (one.sid.is_none() || one.sid == sid(path));
                entry.n_findings += usize::from(holds);
                accepted |= holds;
            }
            !accepted
        });
        findings
    }

    /// Prints findings, and returns the outcome that `--fail-on` gives them.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write(&self, out: &Output, findings: &[Finding]) -> anyhow::Result<Outcome> {
        let outcome = out.write_findings(findings)?;
        let fails = findings
            .iter()
            .any(|finding| self.fail_on == FailOn::Warning || finding.severity == Severity::Error);
        Ok(if fails { outcome } else { Outcome::Fine })
    }

    /// Prints what is wrong with the entries, by the IDs of an expired and of an unused one, and says on stderr how many
    /// findings they accept.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn end(&self, out: &Output, expired: &str, unused: &str) -> anyhow::Result<Outcome> {
        let n_findings: usize = self.entries.iter().map(|entry| entry.n_findings).sum();
        if n_findings > 0 {
            out.note(&format!(
                "{} switched off by {}",
                crate::count(n_findings, "finding"),
                self.source
            ));
        }
        let findings: Vec<Finding> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let one = Use {
                    source: &self.source,
                    index: entry.index,
                    id: &entry.suppression.id,
                    reason: &entry.suppression.reason,
                    expires: entry.suppression.expires,
                    today: self.today,
                    is_unused: entry.concerned && entry.n_findings == 0,
                    correct: "file, sid or path",
                };
                one.finding(expired, unused)
            })
            .collect();
        self.write(out, &findings)
    }
}

/// Returns whether a file is the one named, by all of its path or the end of it.
fn is_file(source: &str, file: &str) -> bool {
    source
        .strip_suffix(file)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Returns whether a JSON path is this one or leads on from it.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::{is_below, is_file};

    #[test]
    fn places_are_whole_steps() {
        for (path, above, expected) in [
            ("$.Statement[1].Action", "$.Statement[1]", true),
            ("$.Statement[1]", "$.Statement[1]", true),
            ("$.Statement[1][\"a b\"]", "$.Statement", true),
            ("$.Statement[10]", "$.Statement[1]", false),
            ("$.Statements", "$.Statement", false),
            ("$.Statement", "$.Statement[1]", false),
        ] {
            assert_eq!(is_below(path, above), expected, "{path} {above}");
        }
        for (source, file, expected) in [
            ("policies/guard.json", "guard.json", true),
            ("guard.json", "guard.json", true),
            ("policies/guard.json", "policies/guard.json", true),
            ("my-guard.json", "guard.json", false),
            ("guard.json", "policies/guard.json", false),
        ] {
            assert_eq!(is_file(source, file), expected, "{source} {file}");
        }
    }
}
