//! The common flags as one tool has them: their help names nothing that it lacks.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};
use records::Schemas;

use crate::flags::{Format, WITH_REPORTS};
use crate::generate::Artefact;
use crate::permissions::Permissions;
use crate::typed::WHERE;

/// Returns the command of a tool, with `--generate`.
pub(crate) fn fitted(command: Command, schemas: &Schemas, permissions: &Permissions) -> Command {
    let has = |verb: &str| has_verb(&command, verb);
    let calls_aws = !permissions.grants.is_empty();
    let formats = Format::value_variants().iter();
    let formats: Vec<_> = formats.filter_map(|format| format.value_of(has)).collect();
    let (has_plan, has_lists) = (has("plan"), has("show"));
    let of_verbs = of_verbs(&command);
    let mut command = command
        .mut_arg("output", |arg| with_formats(arg, formats, has_lists))
        .mut_arg("verbose", |arg| arg.hide(!calls_aws));
    if !has_plan {
        command = command.mut_arg("file", |arg| {
            arg.help("Read the input from FILE instead of stdin")
        });
    }
    for (verb, flags) in of_verbs {
        command = command.mut_subcommand(verb, |verb| verb.args(flags));
    }
    let of_aws = command.get_arguments();
    let of_aws = of_aws.filter(|arg| arg.get_help_heading() == Some(WHERE));
    let of_aws: Vec<_> = of_aws.map(|arg| arg.clone().hide(true)).collect();
    for verb in offline(&command) {
        command = command.mut_subcommand(verb, |verb| verb.args(of_aws.clone()));
    }
    let has_example = schemas.example.is_some() || !schemas.of_verbs.is_empty();
    let is_there = |artefact: &Artefact| match artefact {
        Artefact::Example => has_example,
        Artefact::Policy | Artefact::Permissions => calls_aws,
        _ => true,
    };
    let artefacts = Artefact::value_variants().iter().filter_map(|artefact| {
        let value = artefact.to_possible_value()?;
        Some(value.hide(!is_there(artefact)))
    });
    let artefacts: Vec<_> = artefacts.collect();
    command.arg(
        Arg::new("generate")
            .long("generate")
            .value_name("WHAT")
            .value_parser(PossibleValuesParser::new(artefacts))
            .help(about(has_example, calls_aws))
            .exclusive(true),
    )
}

/// Returns the flags of the tool that are others for a verb: its formats, and no file for what reads none.
fn of_verbs(tool: &Command) -> Vec<(String, Vec<Arg>)> {
    let of_tool = |name: &str| tool.get_arguments().find(|arg| arg.get_id() == name);
    let (output, file) = (of_tool("output"), of_tool("file"));
    let verbs = tool.get_subcommands().map(|verb| {
        let name = verb.get_name();
        let formats = Format::value_variants().iter();
        let formats = formats.filter_map(|format| format.value_of_verb(name, has_report(verb)));
        let output = output.map(|arg| with_formats(arg.clone(), formats.collect(), name == "show"));
        let about = verb.get_about().map(ToString::to_string);
        let reads_none = name == "show" && !about.is_some_and(|about| about.contains(DESIRED));
        let file = file
            .filter(|_| reads_none)
            .map(|arg| arg.clone().hide(true));
        (name.to_owned(), output.into_iter().chain(file).collect())
    });
    verbs.collect()
}

/// What a verb says of itself that shows what a desired state names, and not all that there is.
const DESIRED: &str = "of a desired state";

/// Returns the flag of the format with these values, of which some are hidden.
fn with_formats(arg: Arg, formats: Vec<PossibleValue>, has_lists: bool) -> Arg {
    let is_there = |name: &str| {
        let mut shown = formats.iter().filter(|format| !format.is_hide_set());
        shown.any(|format| format.get_name() == name)
    };
    let mut help = "Print records as JSON lines or as text".to_owned();
    if is_there("sarif") {
        help += ", findings also as a report";
    }
    if has_lists && is_there("csv") {
        help += ", lists also as CSV";
    }
    let parser = PossibleValuesParser::new(formats);
    arg.value_parser(parser.try_map(|name| Format::from_str(&name, false)))
        .help(format!("{help} [default: text on a terminal, else json]"))
}

/// Returns whether a verb writes reports of its own.
fn has_report(verb: &Command) -> bool {
    let mut flags = verb.get_arguments();
    flags.any(|flag| flag.get_long() == Some("report"))
}

/// Returns the verbs that say of themselves that they call nothing. What chooses accounts and regions is taken by them too, as by all
/// verbs, and does nothing: their help is without it.
fn offline(command: &Command) -> Vec<String> {
    let verbs = command.get_subcommands();
    let offline = verbs.filter(|verb| {
        let about = verb.get_about().map(ToString::to_string);
        about.is_some_and(|about| about.contains("without calling AWS"))
    });
    offline.map(|verb| verb.get_name().to_owned()).collect()
}

/// Returns whether a tool has a verb, or such as [`WITH_REPORTS`] says.
pub(crate) fn has_verb(tool: &Command, verb: &str) -> bool {
    let mut verbs = tool.get_subcommands();
    match verb {
        WITH_REPORTS => verbs.any(has_report),
        name => verbs.any(|verb| verb.get_name() == name),
    }
}

/// Returns what `--generate` prints.
fn about(has_example: bool, calls_aws: bool) -> String {
    let mut parts = vec![
        "a man page",
        "shell completions",
        "the JSON Schema of all records",
    ];
    if has_example {
        parts.push("a desired state with all fields");
    }
    if calls_aws {
        parts.extend([
            "the IAM policy needed to run this",
            "the table of its permissions",
        ]);
    }
    let last = parts.pop().unwrap_or_default();
    format!("Print {} or {last}", parts.join(", "))
}
