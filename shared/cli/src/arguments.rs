//! The flags every tool has. Parsing records and validates; nothing here reads stdin or the network.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use records::Schemas;

use crate::generate::{self, Artefact};
use crate::hints::hinted;
use crate::permissions::Permissions;

/// What `--version` says: all tools have one version, and are built together.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SSM_BUILD"), ")");

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
    /// SARIF 2.1.0 for code scanning: check and lint
    Sarif,
    /// JUnit XML for CI systems: check and lint
    Junit,
    /// Comma-separated values: check, lint and show
    Csv,
}

impl Format {
    /// Returns what to type instead where this format is of no use: for records of other verbs, or behind a filter, which
    /// yields JSON.
    fn misused(self, verb: Option<&str>, has_filter: bool) -> Option<String> {
        let (name, verbs): (_, &[&str]) = match self {
            Format::Json | Format::Text => return None,
            Format::Sarif => ("sarif", &["check", "lint"]),
            Format::Junit => ("junit", &["check", "lint"]),
            Format::Csv => ("csv", &["check", "lint", "show"]),
        };
        let to = match verbs {
            [others @ .., last] if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            _ => verbs.concat(),
        };
        let other = match self {
            Format::Csv => "use --jq '[.field, ..] | @csv' -r",
            _ => "use -o json",
        };
        if has_filter {
            Some(format!(
                "-o {name}: a filter yields JSON: leave --jq or -o {name} out"
            ))
        } else if verb.is_none_or(|verb| !verbs.contains(&verb)) {
            Some(format!("-o {name} is for {to}; here, {other}"))
        } else {
            None
        }
    }
}

/// Returns the parsed arguments, or the exit status when clap or `--generate` has already printed what was asked for.
///
/// `--generate` is looked at before clap sees the rest, because it needs no verb.
pub fn arguments<A: Parser>(schemas: Schemas, permissions: Permissions) -> Result<A, ExitCode> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(request) = generate::request(&arguments) {
        return Err(generate::run(
            command::<A>(),
            &request,
            (schemas, permissions),
        ));
    }
    let parsed = command::<A>()
        .try_get_matches_from(arguments)
        .and_then(|matches| {
            refuse_misused(&matches)?;
            A::from_arg_matches(&matches)
        });
    parsed.map_err(|error| {
        let command = A::command();
        let error = hinted(error, command.get_name(), command.has_subcommands());
        let status = u8::try_from(error.exit_code()).unwrap_or(2);
        if error.use_stderr() {
            // A closed stderr leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(status);
        }
        let printed = error.print().context("write to stdout");
        crate::finish(command.get_name(), printed.map(|()| crate::Outcome::Fine))
    })
}

/// Refuses a format that the verb has not.
fn refuse_misused(matches: &clap::ArgMatches) -> Result<(), clap::Error> {
    let format = matches.get_one::<Format>("output");
    let has_filter = matches.contains_id("jq");
    let misused = format.and_then(|format| format.misused(matches.subcommand_name(), has_filter));
    match misused {
        Some(message) => Err(clap::Error::raw(
            ErrorKind::ArgumentConflict,
            message + "\n",
        )),
        None => Ok(()),
    }
}

fn command<A: CommandFactory>() -> clap::Command {
    A::command().version(VERSION).arg(
        clap::Arg::new("generate")
            .long("generate")
            .value_name("WHAT")
            .value_parser(clap::builder::EnumValueParser::<Artefact>::new())
            .help("Print a man page, shell completions, the JSON Schema of all records, a desired state with all fields, or the IAM policy to run this with")
            .exclusive(true),
    )
}
