//! The flags that every tool has, and what they say.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// Input and output flags, the same in every tool.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct IoArgs {
    /// Read the input from FILE instead of stdin; a desired state may be a directory of layers
    #[arg(short, long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Print records as JSON lines or as text
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub output: Option<Format>,

    /// Pass every record through a jq filter; input and inputs read the records behind it
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

    /// Returns the file given by `-f`; `None` is stdin.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Returns whether the input is a file that was named, which the same command reads again.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        self.path().is_some()
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

/// Verbs that print reports of their own, such as one of advisories.
pub(crate) const WITH_REPORTS: &str = "verbs with --report";

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON value per line
    Json,
    /// Text for people
    Text,
    #[value(help = format!("SARIF 2.1.0 for code scanning: {}", Format::Sarif.of_verbs()))]
    Sarif,
    #[value(help = format!("JUnit XML for CI systems: {}", Format::Junit.of_verbs()))]
    Junit,
    #[value(help = format!("Comma-separated values: {}", Format::Csv.of_verbs()))]
    Csv,
    #[value(help = format!("Findings for AWS Security Hub: {}", Format::Asff.of_verbs()))]
    Asff,
    #[value(help = format!("Findings for Amazon Security Lake, OCSF 1.4.0: {}", Format::Ocsf.of_verbs()))]
    Ocsf,
}

impl Format {
    /// Returns whether it is one document of a whole run, for other programs.
    pub(crate) fn is_report(self) -> bool {
        !matches!(self, Format::Json | Format::Text)
    }

    /// Returns the verbs whose records it is for; none for what every verb prints.
    fn verbs(self) -> &'static [&'static str] {
        match self {
            Format::Json | Format::Text => &[],
            Format::Sarif => &["check", "host", "lint", WITH_REPORTS],
            Format::Csv => &["check", "host", "lint", "show", WITH_REPORTS],
            Format::Junit | Format::Ocsf => &["check", "host", "lint"],
            Format::Asff => &["check"],
        }
    }

    fn of_verbs(self) -> String {
        in_words(self.verbs())
    }

    /// Returns the value for a tool, whose verbs `has` knows: hidden where it has none of the verbs that the format is for, which is
    /// refused by [`Format::misused`] with what to use instead.
    pub(crate) fn value_of(self, has: impl Fn(&str) -> bool) -> Option<PossibleValue> {
        let value = self.to_possible_value()?;
        let verbs = self.verbs().iter().copied();
        let here: Vec<&str> = verbs.filter(|verb| has(verb)).collect();
        let help = value.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        Some(match (help.split_once(": "), here.is_empty()) {
            (Some(_), true) => value.hide(true),
            (Some((about, _)), false) => value.help(format!("{about}: {}", in_words(&here))),
            (None, _) => value,
        })
    }

    /// As [`Format::value_of`], for one verb, which has reports of its own or not.
    pub(crate) fn value_of_verb(self, verb: &str, has_reports: bool) -> Option<PossibleValue> {
        let value = self.value_of(|_| true)?;
        let help = value.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let (about, _) = help.split_once(": ").unwrap_or((&help, ""));
        let is_misused = self.misused(Some(verb), has_reports, |_| true).is_some();
        let about = about.to_owned();
        Some(value.help(about).hide(is_misused))
    }

    /// Returns what to type instead where this format is of no use: for records of other verbs than those that it is for. `has` knows
    /// the verbs of the tool, and [`WITH_REPORTS`].
    pub(crate) fn misused(
        self,
        verb: Option<&str>,
        has_reports: bool,
        has: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let verbs = self.verbs();
        let is_for = verb.is_some_and(|verb| verbs.contains(&verb));
        if verbs.is_empty() || is_for || (has_reports && verbs.contains(&WITH_REPORTS)) {
            return None;
        }
        let value = self.to_possible_value()?;
        let name = value.get_name();
        let other = match self {
            Format::Csv => "use --jq '[.field, ..] | @csv' -r",
            _ => "use -o json",
        };
        let here: Vec<&str> = verbs.iter().copied().filter(|verb| has(verb)).collect();
        Some(match here.is_empty() {
            true => format!("-o {name} is for none of the verbs here: {other}"),
            false => format!("-o {name} is for {}; here, {other}", in_words(&here)),
        })
    }

    /// Returns what to leave out where this format is of no use behind a filter, which yields JSON.
    pub(crate) fn unfiltered(self) -> Option<String> {
        let value = self.is_report().then(|| self.to_possible_value())??;
        let name = value.get_name();
        Some(format!(
            "-o {name}: a filter yields JSON: leave --jq or -o {name} out"
        ))
    }
}

fn in_words(verbs: &[&str]) -> String {
    match verbs {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        verbs => verbs.concat(),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::Format;

    #[test]
    fn help_and_refusals_name_the_same_verbs() {
        let reports = Format::value_variants()
            .iter()
            .filter(|one| one.is_report());
        for format in reports {
            let value = format.to_possible_value().unwrap();
            let help = value.get_help().unwrap().to_string();
            let (_, verbs) = help.split_once(": ").unwrap();
            let refusal = format.misused(Some("plan"), false, |_| true).unwrap();
            let begin = format!("-o {} is for {verbs}; here, ", value.get_name());
            assert!(refusal.starts_with(&begin), "{refusal}\n{help}");
            assert!(format.unfiltered().unwrap().contains("leave --jq"));
        }
        // A tool is not said to have what others have.
        let has = |verb: &str| ["show", "check", "host"].contains(&verb);
        let refusal = Format::Csv.misused(Some("plan"), false, has).unwrap();
        assert!(
            refusal.starts_with("-o csv is for check, host and show; here, "),
            "{refusal}"
        );
        let refusal = Format::Csv.misused(Some("plan"), false, |_| false);
        assert!(refusal.unwrap().contains("none of the verbs"));
        assert_eq!(Format::Csv.misused(Some("host"), false, has), None);
        assert_eq!(Format::Csv.misused(Some("match"), true, has), None);
        assert_eq!(Format::Sarif.misused(Some("match"), true, has), None);
        assert!(Format::Junit.misused(Some("match"), true, has).is_some());
        assert_eq!(Format::Text.misused(Some("plan"), false, has), None);
        assert_eq!(Format::Text.unfiltered(), None);
    }
}
