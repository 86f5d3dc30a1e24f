//! The flags that every tool has, and what they say.

use std::path::PathBuf;

use clap::ValueEnum;

/// Input and output flags, the same in every tool.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct IoArgs {
    /// Read the input from FILE instead of stdin; a desired state may be a directory of layers
    #[arg(short, long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Print records as JSON lines or as text, findings also as a report, lists also as CSV [default: text on a terminal, else json]
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub output: Option<Format>,

    /// Pass every record through a jq filter
    #[arg(long, value_name = "FILTER", global = true)]
    pub jq: Option<String>,

    /// Print strings that the jq filter yields without quotes
    #[arg(short, long, requires = "jq", global = true)]
    pub raw: bool,

    /// Print no notes and warnings on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print each call to AWS on stderr, with its region, attempt, status and time
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

impl IoArgs {
    /// Returns flags that read from another file than `-f` names; `-` is stdin.
    #[must_use]
    pub fn of_file(path: &std::path::Path) -> IoArgs {
        IoArgs {
            file: Some(path.to_owned()),
            output: None,
            jq: None,
            raw: false,
            quiet: false,
            verbose: false,
        }
    }
}

/// How `apply` goes about its plans.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[group(id = "how")]
pub struct ApplyArgs {
    /// Write nothing: print the result, with its undo, of an earlier run of the same plans that was killed
    #[arg(long)]
    pub recover: bool,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON value per line
    Json,
    /// Text for people
    Text,
    /// SARIF 2.1.0 for code scanning: check, lint and match
    Sarif,
    /// JUnit XML for CI systems: check and lint
    Junit,
    /// Comma-separated values: check, lint, match and show
    Csv,
    /// Findings for AWS Security Hub: check
    Asff,
    /// Findings for Amazon Security Lake, OCSF 1.4.0: check and lint
    Ocsf,
}

impl Format {
    /// Returns whether it is one document of a whole run, for other programs.
    pub(crate) fn is_report(self) -> bool {
        !matches!(self, Format::Json | Format::Text)
    }

    /// Returns what to type instead where this format is of no use: for records of other verbs, or behind a filter, which
    /// yields JSON.
    pub(crate) fn misused(
        self,
        verb: Option<&str>,
        has_reports: bool,
        has_filter: bool,
    ) -> Option<String> {
        let (name, verbs): (_, &[&str]) = match self {
            Format::Json | Format::Text => return None,
            Format::Sarif => ("sarif", &["check", "lint"]),
            Format::Junit => ("junit", &["check", "lint"]),
            Format::Csv => ("csv", &["check", "lint", "show"]),
            Format::Asff => ("asff", &["check"]),
            Format::Ocsf => ("ocsf", &["check", "lint"]),
        };
        let (last, others) = verbs.split_last()?;
        let to = match others {
            [] => (*last).to_owned(),
            others => format!("{} and {last}", others.join(", ")),
        };
        let other = match self {
            Format::Csv => "use --jq '[.field, ..] | @csv' -r",
            _ => "use -o json",
        };
        if has_filter {
            Some(format!(
                "-o {name}: a filter yields JSON: leave --jq or -o {name} out"
            ))
        } else if has_reports && matches!(self, Format::Sarif | Format::Csv) {
            None
        } else if verb.is_none_or(|verb| !verbs.contains(&verb)) {
            Some(format!("-o {name} is for {to}; here, {other}"))
        } else {
            None
        }
    }
}
