//! What was probably meant by arguments that a tool does not take: one line below clap's message, with what to type instead. A hint
//! names only what the command at hand has.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::flags::Format;

/// What must be there for a hint to be right.
#[derive(Clone, Copy)]
enum Needs {
    /// A flag of the command at hand.
    Flag(&'static str),
    /// A verb of the tool.
    Verb(&'static str),
    /// No verb: a tool that takes a command behind `--`.
    Command,
}

/// Flags of other programs, or of other verbs. Of several rows of one flag the first that is right counts.
const FLAGS: [(&str, Needs, &str); 11] = [
    (
        "--dry-run",
        Needs::Verb("plan"),
        "`plan` is the dry run: it writes nothing",
    ),
    (
        "--apply",
        Needs::Verb("apply"),
        "pipe the plan into apply: TOOL plan .. | TOOL apply",
    ),
    (
        "--json",
        Needs::Flag("output"),
        "use -o json; into a pipe it is the default",
    ),
    ("--no-color", Needs::Flag("output"), "set NO_COLOR=1"),
    ("--color", Needs::Flag("output"), "set NO_COLOR=1 for none"),
    ("--from", Needs::Flag("since"), "use --since"),
    ("--debug", Needs::Flag("verbose"), "use -v"),
    (
        "--instance-ids",
        Needs::Command,
        "node IDs come on stdin: echo i-0123456789abcdef0 | TOOL -- COMMAND",
    ),
    // Who signs in to AWS and takes no accounts looks at all of them.
    (
        "--accounts",
        Needs::Flag("assume-role"),
        "TOOL looks at the organization as a whole: leave --accounts out",
    ),
    ("--query", Needs::Flag("jq"), "use --jq"),
    ("--filter", Needs::Flag("jq"), "use --jq 'select(..)'"),
];

/// Verbs of other programs.
const VERBS: [(&str, &str); 8] = [
    ("list", "show"),
    ("get", "show"),
    ("describe", "show"),
    ("diff", "plan"),
    ("validate", "lint"),
    ("audit", "check"),
    ("deploy", "apply"),
    ("version", "--version"),
];

/// Adds what was probably meant, where that is known. `verb` is the one that was typed, if any.
pub(crate) fn hinted(mut error: clap::Error, tool: &Command, verb: Option<&str>) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let mut tool = tool.clone();
    tool.build();
    let hint = match error.kind() {
        ErrorKind::UnknownArgument => {
            text(ContextKind::InvalidArg).and_then(|given| argument(&given, &tool, verb))
        }
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand)
            .and_then(|given| meant(&given, &tool))
            .map(|verb| format!("use {} {verb}", tool.get_name())),
        ErrorKind::InvalidValue => {
            let is_format =
                text(ContextKind::InvalidArg).is_some_and(|one| one.contains("-output "));
            text(ContextKind::InvalidValue)
                .filter(|_| is_format)
                .and_then(|given| format(&given, verb))
                .map(str::to_owned)
        }
        _ => None,
    };
    if let Some(hint) = hint {
        // What clap suggests goes by the letters alone.
        for kind in [
            ContextKind::SuggestedArg,
            ContextKind::SuggestedValue,
            ContextKind::SuggestedSubcommand,
            ContextKind::TrailingArg,
        ] {
            error.remove(kind);
        }
        let hint = ContextValue::StyledStrs(vec![StyledStr::from(hint)]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

fn argument(given: &str, tool: &Command, verb: Option<&str>) -> Option<String> {
    let at_hand = verb.and_then(|verb| tool.find_subcommand(verb));
    let at_hand = at_hand.unwrap_or(tool);
    let has_flag = |flag: &str| {
        at_hand
            .get_arguments()
            .any(|one| one.get_long() == Some(flag))
    };
    let name = tool.get_name();
    let fits = |needs: Needs| match needs {
        Needs::Flag(flag) => has_flag(flag),
        Needs::Verb(verb) => tool.find_subcommand(verb).is_some(),
        Needs::Command => !tool.has_subcommands(),
    };
    let mut rows = FLAGS.iter().filter(|(flag, ..)| *flag == given);
    if let Some((.., meant)) = rows.find(|(_, needs, _)| fits(*needs)) {
        return Some(meant.replace("TOOL", name));
    }
    if given.starts_with('-') {
        return None;
    }
    if !tool.has_subcommands() {
        return Some(format!("put the command behind --: {name} -- {given}"));
    }
    if given.starts_with("i-") || given.starts_with("mi-") {
        return has_flag("instance-id").then(|| format!("use --instance-id {given}"));
    }
    let is_file = given.ends_with(".json") || given.ends_with(".jsonl") || given.contains('/');
    (is_file && has_flag("file")).then(|| format!("use -f {given}"))
}

/// Returns the verb, or the flag, that the tool has for another program's verb.
fn meant(given: &str, tool: &Command) -> Option<&'static str> {
    let (_, meant) = VERBS.iter().find(|(one, _)| *one == given)?;
    let is_there = meant.starts_with('-') || tool.find_subcommand(meant).is_some();
    is_there.then_some(*meant)
}

/// Returns what to use in place of a format that there is not.
fn format(given: &str, verb: Option<&str>) -> Option<&'static str> {
    match given {
        "xml" if Format::Junit.misused(verb, false, false).is_none() => Some("use -o junit"),
        "tsv" => Some("use --jq '[.field, ..] | @tsv' -r"),
        "table" => Some("use -o text"),
        "xml" | "yaml" => Some("use -o json"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    use super::{FLAGS, VERBS, argument, format, meant};

    fn with(flags: &[&'static str]) -> Command {
        let flag = |name: &&'static str| Arg::new(*name).long(*name).action(ArgAction::Set);
        Command::new("ssm-x").args(flags.iter().map(flag))
    }

    /// Each hint is given where what it names is there, and nowhere else.
    #[test]
    fn a_hint_names_only_what_the_command_at_hand_has() {
        let verbs = |names: &[&'static str], flags: &[&'static str]| {
            let verbs = names.iter().map(|name| with(flags).name(*name));
            Command::new("ssm-x").subcommands(verbs)
        };
        let reader = verbs(
            &["show", "plan", "apply"],
            &["instance-id", "file", "output"],
        );
        let prober = verbs(&["show", "probe"], &["instance-id", "since"]);
        let bare = verbs(&["show", "match"], &[]);
        let organization = verbs(&["show"], &["assume-role"]);
        let runner = with(&["jq"]);
        let id = "i-0123456789abcdef0";
        let given = "use --instance-id i-0123456789abcdef0";
        for (tool, verb, typed, expected) in [
            (&reader, "show", "--instance-ids", None),
            (
                &reader,
                "show",
                id,
                Some("use --instance-id i-0123456789abcdef0"),
            ),
            (&prober, "probe", id, Some(given)),
            (&bare, "show", id, None),
            (&bare, "show", "x.json", None),
            (&reader, "show", "x.json", Some("use -f x.json")),
            (&bare, "show", "--accounts", None),
            (
                &organization,
                "show",
                "--accounts",
                Some("ssm-x looks at the organization as a whole: leave --accounts out"),
            ),
            (&bare, "match", "--dry-run", None),
            (
                &reader,
                "show",
                "--dry-run",
                Some("`plan` is the dry run: it writes nothing"),
            ),
            (&bare, "match", "--apply", None),
            (&bare, "match", "--from", None),
            (&prober, "probe", "--from", Some("use --since")),
            (
                &runner,
                "",
                "--instance-ids",
                Some("node IDs come on stdin: echo i-0123456789abcdef0 | ssm-x -- COMMAND"),
            ),
            (
                &runner,
                "",
                "uname",
                Some("put the command behind --: ssm-x -- uname"),
            ),
        ] {
            let verb = Some(verb).filter(|verb| !verb.is_empty());
            let hint = argument(typed, tool, verb);
            assert_eq!(hint.as_deref(), expected, "{verb:?} {typed}");
        }
        for (flag, ..) in FLAGS {
            assert_eq!(argument(flag, &bare, Some("show")), None, "{flag}");
        }
        for (verb, expected) in VERBS {
            let is_there = expected == "show" || expected == "--version";
            let expected = is_there.then_some(expected);
            assert_eq!(meant(verb, &bare), expected, "{verb}");
        }
        assert_eq!(format("xml", Some("check")), Some("use -o junit"));
        assert_eq!(format("xml", Some("show")), Some("use -o json"));
    }
}
