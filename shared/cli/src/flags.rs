//! The flags that every tool has, and what they say.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;

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
            Format::Sarif => &["check", "lint", WITH_REPORTS],
            Format::Csv => &["check", "lint", "show", WITH_REPORTS],
            Format::Junit | Format::Ocsf => &["check", "lint"],
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

    /// Returns what to type instead where this format is of no use: for records of other verbs, or behind a filter, which
    /// yields JSON.
    pub(crate) fn misused(
        self,
        verb: Option<&str>,
        has_reports: bool,
        has_filter: bool,
    ) -> Option<String> {
        let verbs = self.verbs();
        if verbs.is_empty() {
            return None;
        }
        let value = self.to_possible_value()?;
        let (name, to) = (value.get_name(), self.of_verbs());
        let other = match self {
            Format::Csv => "use --jq '[.field, ..] | @csv' -r",
            _ => "use -o json",
        };
        if has_filter {
            Some(format!(
                "-o {name}: a filter yields JSON: leave --jq or -o {name} out"
            ))
        } else if has_reports && verbs.contains(&WITH_REPORTS) {
            None
        } else if verb.is_none_or(|verb| !verbs.contains(&verb)) {
            Some(format!("-o {name} is for {to}; here, {other}"))
        } else {
            None
        }
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
            let refusal = format.misused(Some("plan"), false, false).unwrap();
            let begin = format!("-o {} is for {verbs}; here, ", value.get_name());
            assert!(refusal.starts_with(&begin), "{refusal}\n{help}");
        }
        let refusal = Format::Csv.misused(Some("match"), false, false).unwrap();
        assert!(
            refusal.starts_with("-o csv is for check, lint, show and verbs with --report; here, "),
            "{refusal}"
        );
        assert_eq!(Format::Csv.misused(Some("match"), true, false), None);
        assert_eq!(Format::Sarif.misused(Some("match"), true, false), None);
        assert!(Format::Junit.misused(Some("match"), true, false).is_some());
        assert_eq!(Format::Text.misused(Some("plan"), false, false), None);
    }
}
