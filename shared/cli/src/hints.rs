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
const FLAGS: [(&str, Needs, &str); 25] = [
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
    ("--instance-ids", Needs::Command, ON_STDIN),
    ("--node", Needs::Command, ON_STDIN),
    ("--nodes", Needs::Command, ON_STDIN),
    ("--hosts", Needs::Command, ON_STDIN),
    ("--targets", Needs::Flag("tag"), "use --tag KEY=VALUE"),
    ("--command", Needs::Command, BEHIND),
    ("-c", Needs::Command, BEHIND),
    // Who signs in to AWS and takes no accounts looks at all of them.
    (
        "--accounts",
        Needs::Flag("assume-role"),
        "TOOL looks at the organization as a whole: leave --accounts out",
    ),
    (
        "--account",
        Needs::Flag("accounts"),
        "account IDs come on stdin: echo 123456789012 | TOOL .. --accounts -",
    ),
    ("--query", Needs::Flag("jq"), "use --jq"),
    ("--filter", Needs::Flag("jq"), "use --jq 'select(..)'"),
    // Only nodes have tags.
    (
        "--tag",
        Needs::Flag("evidence"),
        "use --jq 'select(.tags.KEY == \"VALUE\")'",
    ),
    ("--user", Needs::Flag("principal"), "use --principal"),
    ("--out", Needs::Flag("output"), INTO),
    ("--out-file", Needs::Flag("output"), INTO),
    ("--yes", Needs::Flag("recover"), NEVER_ASKS),
    ("--auto-approve", Needs::Flag("recover"), NEVER_ASKS),
    (
        "--force",
        Needs::Flag("recover"),
        "apply refuses a plan that no longer fits: make a new one",
    ),
];

const ON_STDIN: &str = "node IDs come on stdin: echo i-0123456789abcdef0 | TOOL -- COMMAND";
const BEHIND: &str = "put the command behind --: TOOL -- COMMAND";
const INTO: &str = "print into a file: TOOL .. >FILE";
const NEVER_ASKS: &str = "apply never asks: leave it out";

/// Verbs of other programs. Of several rows of one the first that the tool has counts.
const VERBS: [(&str, &str); 23] = [
    ("list", "show"),
    ("ls", "show"),
    ("get", "show"),
    ("status", "show"),
    ("describe", "show"),
    ("search", "history"),
    ("diff", "plan"),
    ("validate", "lint"),
    ("audit", "check"),
    ("scan", "check"),
    ("scan", "match"),
    ("deploy", "apply"),
    ("update", "apply"),
    ("create", "apply"),
    ("set", "apply"),
    ("install", "apply"),
    ("upgrade", "apply"),
    ("init", EXAMPLE),
    ("new", EXAMPLE),
    ("undo", UNDO),
    ("rollback", UNDO),
    ("destroy", UNDO),
    ("version", "--version"),
];

const EXAMPLE: &str = "--generate example";

/// What is behind `use TOOL` for who wants to take back what was done; `apply` gives the plan for it.
const UNDO: &str =
    "apply with the undo plan of its result: jq -c '.undo // empty' result.json | TOOL apply";

/// Adds what was probably meant, where that is known. `verb` is the one that was typed, if any.
pub(crate) fn hinted(mut error: clap::Error, tool: &Command, verb: Option<&str>) -> clap::Error {
    // For a tool that runs commands this would be one: `-- --hosts`.
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
        let is_kept = |tip: &&StyledStr| !tip.to_string().starts_with("to pass '");
        let tips: Vec<StyledStr> = tips.iter().filter(is_kept).cloned().collect();
        match tips.is_empty() {
            true => error.remove(ContextKind::Suggested),
            false => error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips)),
        };
    }
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
            .map(|meant| {
                let name = tool.get_name();
                format!("use {name} {}", meant.replace("TOOL", name))
            }),
        ErrorKind::InvalidValue => {
            let is_format =
                text(ContextKind::InvalidArg).is_some_and(|one| one.contains("-output "));
            text(ContextKind::InvalidValue)
                .filter(|_| is_format)
                .and_then(|given| format(&given, verb, &tool))
        }
        ErrorKind::MissingRequiredArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => values(missing, &tool, verb),
            _ => None,
        },
        _ => None,
    };
    if let Some(hint) = hint {
        // What clap suggests goes by the letters alone, and so does the usage that it shows.
        let has_usage = error.get(ContextKind::SuggestedArg).is_some();
        for kind in [
            ContextKind::SuggestedArg,
            ContextKind::SuggestedValue,
            ContextKind::SuggestedSubcommand,
            ContextKind::TrailingArg,
        ] {
            error.remove(kind);
        }
        if has_usage {
            let of_verb = verb.and_then(|verb| tool.find_subcommand(verb).cloned());
            let usage = of_verb.unwrap_or(tool).render_usage();
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
        let hint = ContextValue::StyledStrs(vec![StyledStr::from(hint)]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

/// Returns what a flag takes that was left out, where that is one of a few words.
fn values(missing: &[String], tool: &Command, verb: Option<&str>) -> Option<String> {
    let at_hand = verb.and_then(|verb| tool.find_subcommand(verb));
    let mut flags = at_hand.unwrap_or(tool).get_arguments();
    let flag = flags.find(|flag| missing.contains(&flag.to_string()))?;
    let values = flag.get_possible_values();
    let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    let name = flag.get_long().filter(|_| !values.is_empty())?;
    Some(format!("--{name} takes one of {}", values.join(", ")))
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

/// Returns the verb, or the flag, that the tool has for another program's verb, with what else is to be typed.
fn meant(given: &str, tool: &Command) -> Option<&'static str> {
    let is_there = |meant: &str| match meant {
        EXAMPLE => tool.find_subcommand("plan").is_some(),
        meant => {
            let verb = meant.split(' ').next().unwrap_or_default();
            verb.starts_with('-') || tool.find_subcommand(verb).is_some()
        }
    };
    let mut rows = VERBS.iter().filter(|(one, _)| *one == given);
    let (_, meant) = rows.find(|(_, meant)| is_there(meant))?;
    Some(meant)
}

/// Returns what to use in place of a format that there is not.
fn format(given: &str, verb: Option<&str>, tool: &Command) -> Option<String> {
    let at_hand = verb.and_then(|verb| tool.find_subcommand(verb));
    let mut flags = at_hand.into_iter().flat_map(Command::get_arguments);
    let has_html = flags.any(|flag| flag.get_long() == Some("html"));
    let has_verb = |verb: &str| tool.find_subcommand(verb).is_some();
    let is_junit = Format::Junit.misused(verb, false, has_verb).is_none();
    let meant = match given {
        "html" if has_html => "use --html",
        "xml" if is_junit => "use -o junit",
        "tsv" => "use --jq '[.field, ..] | @tsv' -r",
        "table" => "use -o text",
        "xml" | "yaml" => "use -o json",
        file if file.contains(['.', '/']) => {
            let shown = crate::typed::quoted(file);
            return Some(format!(
                "print into a file: {} .. >{shown}",
                tool.get_name()
            ));
        }
        _ => return None,
    };
    Some(meant.to_owned())
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
            let is_there = ["show", "match", "--version"].contains(&expected);
            let other = VERBS.iter().find(|row| row.0 == verb && row.1 == "match");
            let expected = other.map(|row| row.1).or(is_there.then_some(expected));
            assert_eq!(meant(verb, &bare), expected, "{verb}");
        }
        let reporter = verbs(&["report", "check"], &["html"]);
        for (given, verb, expected) in [
            ("xml", "check", Some("use -o junit")),
            ("xml", "report", Some("use -o json")),
            ("html", "report", Some("use --html")),
            (
                "p.json",
                "check",
                Some("print into a file: ssm-x .. >p.json"),
            ),
            ("odd", "check", None),
        ] {
            let hint = format(given, Some(verb), &reporter);
            assert_eq!(hint.as_deref(), expected, "{given}");
        }
    }
}
