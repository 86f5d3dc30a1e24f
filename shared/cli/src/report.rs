//! What was found, for other programs: SARIF for code scanning, JUnit XML for CI systems, CSV for spreadsheets, ASFF for Security Hub.
//! Pure; the same findings give the same bytes, but for the time that ASFF asks for.

mod asff;
mod csv;
mod junit;
mod ocsf;
mod sarif;

use std::borrow::Cow;
use std::path::PathBuf;

use records::{Finding, Unreachable};
use serde_json::Value;

pub use self::asff::{AsffFinding, AsffList, MAX_ASFF_BYTES, asff_text};
pub use self::csv::inert;
pub(crate) use self::csv::table;
use crate::{Format, visible};

/// Findings of a run, until all are there.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
    unreachable: Vec<Unreachable>,
    /// Files, or accounts and regions, that were judged, whether something was found there or not.
    judged: Vec<String>,
}

/// What a report says of its run.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    pub(crate) tool: &'r str,
    /// The file of the desired state.
    pub(crate) file: Option<PathBuf>,
    /// Why the run ended early.
    pub(crate) error: Option<String>,
    /// Where the documents are published.
    pub(crate) documents: Option<&'r str>,
    pub(crate) now: jiff::Timestamp,
}

impl Report {
    /// Takes a record other than a finding; one that does not say what could not be read is left.
    ///
    /// # Errors
    /// It has not the shape that its kind says.
    pub(crate) fn add(&mut self, record: &Value) -> anyhow::Result<()> {
        if record["kind"] == "unreachable" {
            self.unreachable.push(crate::from_value(record)?);
        }
        Ok(())
    }

    /// Returns the findings.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes a finding, which as a record would not say whether it is about something that could not be read.
    pub(crate) fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Takes the name of what was judged.
    pub(crate) fn judged(&mut self, place: String) {
        if !self.judged.contains(&place) {
            self.judged.push(place);
        }
    }

    /// Returns what was judged.
    pub(crate) fn places(&self) -> &[String] {
        &self.judged
    }

    /// Returns the records that could not be read.
    pub(crate) fn unreachable(&self) -> &[Unreachable] {
        &self.unreachable
    }

    /// Returns what a format has no place for, in words.
    pub(crate) fn left_out(&self, format: Format) -> Vec<String> {
        match format {
            Format::Asff => asff::left_out(self),
            _ => Vec::new(),
        }
    }

    /// Returns the report as text with a line break at the end.
    ///
    /// # Errors
    /// None that is known: writing into memory does not fail.
    pub(crate) fn render(&self, format: Format, run: &Run<'_>) -> anyhow::Result<String> {
        match format {
            Format::Sarif => Ok(format!("{:#}\n", sarif::document(self, run))),
            Format::Junit => junit::document(self, run),
            Format::Asff => Ok(asff::batches(self, run)),
            Format::Ocsf => Ok(ocsf::events(self, run)),
            _ => csv::findings(self),
        }
    }
}

/// A place in a file.
#[derive(Debug, PartialEq, Eq)]
struct Position<'f> {
    file: &'f str,
    line_and_column: Option<(usize, usize)>,
    path: &'f str,
}

impl<'f> Position<'f> {
    /// Returns the place that the resource of a finding about a text names: `FILE:LINE:COLUMN PATH`, or `FILE PATH`.
    fn of(finding: &'f Finding) -> Option<Position<'f>> {
        if finding.target.is_some() {
            return None;
        }
        // A file may be called anything.
        let resource = &finding.resource;
        let starts = resource.match_indices(" $").map(|(at, _)| at);
        let splits = starts.map(|at| (&resource[..at], &resource[at + 1..]));
        let mut whole = None;
        for (head, path) in splits {
            let mut parts = head.rsplitn(3, ':');
            let (column, line, file) = (parts.next(), parts.next(), parts.next());
            let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
            if let (Some(line), Some(column), Some(file)) = (number(line), number(column), file) {
                return Some(Position {
                    file,
                    line_and_column: Some((line, column)),
                    path,
                });
            }
            whole.get_or_insert(Position {
                file: head,
                line_and_column: None,
                path,
            });
        }
        whole
    }
}

/// Returns where a finding is, without what changes when lines are added above it.
fn place(finding: &Finding) -> String {
    match (&finding.target, Position::of(finding)) {
        (Some(target), _) => target.to_string(),
        (None, Some(position)) => position.file.to_owned(),
        (None, None) => String::new(),
    }
}

/// Returns what a finding is about, within its place.
fn subject(finding: &Finding) -> Cow<'_, str> {
    visible(Position::of(finding).map_or(&finding.resource, |position| position.path))
}

#[cfg(test)]
mod tests {
    use records::{Finding, FindingKind, Severity, Unreachable};

    use super::{Position, Report, Run};

    pub(super) fn finding(
        id: &str,
        severity: Severity,
        target: Option<&str>,
        resource: &str,
    ) -> Finding {
        Finding {
            kind: FindingKind::Finding,
            is_unread: false,
            id: id.to_owned(),
            severity,
            target: target.map(|target| target.parse().unwrap()),
            resource: resource.to_owned(),
            message: "it is \"so\" & <so>\u{1b}".to_owned(),
            fix: "mend it".to_owned(),
        }
    }

    /// One of each: found, noted, not known, not read, and a place where nothing was found.
    pub(super) fn report() -> Report {
        let here = "111122223333/eu-central-1";
        let mut report = Report::default();
        report.judged(here.to_owned());
        report.judged("111122223333/us-east-1".to_owned());
        report.findings = vec![
            finding("x.key.absent", Severity::Error, Some(here), "=alias/a"),
            finding("x.key.note", Severity::Info, Some(here), "alias/b"),
            Finding {
                is_unread: true,
                ..finding("x.log.unknown", Severity::Warning, Some(here), "log")
            },
            finding(
                "x.json.odd",
                Severity::Warning,
                None,
                "a b/c.json:3:9 $.a[\" $\"]",
            ),
        ];
        let target = "111122223333/eu-west-1".parse().unwrap();
        report.unreachable = vec![Unreachable::new("ssm-x", &target, &"denied")];
        report
    }

    pub(super) fn run() -> Run<'static> {
        Run {
            tool: "ssm-x",
            file: Some("x y.json".into()),
            error: None,
            documents: Some("https://docs.example/ssm"),
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn places_in_files_are_known_from_resources() {
        for (resource, expected) in [
            ("a.json:3:9 $.a", Some(("a.json", Some((3, 9)), "$.a"))),
            (
                "a $b.json:3:9 $.a",
                Some(("a $b.json", Some((3, 9)), "$.a")),
            ),
            ("c:/a.json $[0]", Some(("c:/a.json", None, "$[0]"))),
            ("arn:aws:kms:us-east-1:111122223333:key/1", None),
        ] {
            let finding = finding("x", Severity::Error, None, resource);
            let expected = expected.map(|(file, line_and_column, path)| Position {
                file,
                line_and_column,
                path,
            });
            assert_eq!(Position::of(&finding), expected, "{resource}");
        }
    }
}
