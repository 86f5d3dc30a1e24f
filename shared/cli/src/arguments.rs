//! The flags every tool has. Parsing records and validates; nothing here reads stdin or the network.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};
use records::Schemas;

use crate::generate::{self, Artefact};
use crate::hints::hinted;
use crate::permissions::Permissions;

/// Input and output flags, the same in every tool.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct IoArgs {
    /// Read the input from FILE instead of stdin; a desired state may be a directory of layers
    #[arg(short, long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Print records as JSON lines or as text [default: text on a terminal, else json]
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
        .and_then(|m| A::from_arg_matches(&m));
    parsed.map_err(|error| {
        let command = A::command();
        let error = hinted(error, command.get_name(), command.has_subcommands());
        let status = u8::try_from(error.exit_code()).unwrap_or(2);
        // Help goes to stdout, errors to stderr; a closed pipe on either leaves nobody to tell.
        let _ = error.print();
        ExitCode::from(status)
    })
}

fn command<A: CommandFactory>() -> clap::Command {
    A::command().arg(
        clap::Arg::new("generate")
            .long("generate")
            .value_name("WHAT")
            .value_parser(clap::builder::EnumValueParser::<Artefact>::new())
            .help("Print a man page, shell completions, the JSON Schema of all records, or the IAM policy to run this with")
            .exclusive(true),
    )
}
