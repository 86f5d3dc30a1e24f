//! The command line of a tool, parsed. Parsing records and validates; nothing here reads stdin or the network.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use records::Schemas;

use crate::fitted::{fitted, has_verb};
use crate::flags::Format;
use crate::generate;
use crate::hints::hinted;
use crate::permissions::Permissions;
use crate::typed;

/// What `--version` says: all tools have one version, and are built together.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SSM_BUILD"), ")");

/// Returns the parsed arguments, or the exit status when clap or `--generate` has already printed what was asked for.
///
/// `--generate` is looked at before clap sees the rest, because it needs no verb.
pub fn arguments<A: Parser>(schemas: Schemas, permissions: Permissions) -> Result<A, ExitCode> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(request) = generate::request(&arguments) {
        return Err(generate::run(
            command::<A>(&schemas, &permissions),
            &request,
            (schemas, permissions),
        ));
    }
    let mut command = command::<A>(&schemas, &permissions);
    let parsed = command
        .try_get_matches_from_mut(&arguments)
        .and_then(|matches| {
            refuse_misused(&command, &matches)?;
            typed::keep(&command, &matches, &arguments);
            A::from_arg_matches(&matches)
        });
    parsed.map_err(|error| {
        let verb = verb(&command, &arguments);
        let error = hinted(error, &command, verb.as_deref());
        crate::status::printed(command.get_name(), &error)
    })
}

/// Returns the verb of a command line that may be wrong.
fn verb(command: &clap::Command, arguments: &[std::ffi::OsString]) -> Option<String> {
    let words = arguments.iter().filter_map(|word| word.to_str());
    let mut words = words.take_while(|word| *word != "--");
    let verb = words.find(|word| command.find_subcommand(word).is_some());
    verb.map(str::to_owned)
}

/// Refuses a format that the verb has not.
fn refuse_misused(tool: &clap::Command, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
    let format = matches.get_one::<Format>("output");
    let has_filter = matches.contains_id("jq");
    let (verb, of_verb) = matches.subcommand().unzip();
    // A verb that writes reports beside its records prints them as well.
    let has_reports = of_verb.is_some_and(|of_verb| of_verb.try_contains_id("report").is_ok());
    let misused = format.and_then(|format| match has_filter {
        true => format.unfiltered(),
        false => format.misused(verb, has_reports, |verb| has_verb(tool, verb)),
    });
    match misused {
        Some(message) => Err(clap::Error::raw(
            ErrorKind::ArgumentConflict,
            message + "\n",
        )),
        None => Ok(()),
    }
}

fn command<A: CommandFactory>(schemas: &Schemas, permissions: &Permissions) -> clap::Command {
    let mut command = A::command().version(VERSION);
    // A linter says how old its data is beside what was built.
    let versions = command.get_subcommands().filter_map(|verb| {
        let data = verb.get_version()?;
        Some((verb.get_name().to_owned(), format!("{VERSION} {data}")))
    });
    for (verb, version) in versions.collect::<Vec<_>>() {
        command = command.mut_subcommand(verb, |verb| verb.version(&*version.leak()));
    }
    fitted(command, schemas, permissions)
}
