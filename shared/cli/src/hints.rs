//! What was probably meant by arguments that no tool takes: one line below clap's message, with what to type instead.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Flags of other programs, or of other verbs.
const FLAGS: [(&str, &str); 11] = [
    ("--dry-run", "`plan` is the dry run: it writes nothing"),
    (
        "--apply",
        "pipe the plan into apply: TOOL plan .. | TOOL apply",
    ),
    ("--json", "use -o json; into a pipe it is the default"),
    ("--no-color", "set NO_COLOR=1"),
    ("--color", "set NO_COLOR=1 for none"),
    ("--from", "use --since"),
    ("--debug", "use -v"),
    (
        "--instance-ids",
        "node IDs come on stdin: echo i-0123456789abcdef0 | TOOL -- COMMAND",
    ),
    (
        "--accounts",
        "TOOL looks at the organization as a whole: leave --accounts out",
    ),
    ("--query", "use --jq"),
    ("--filter", "use --jq 'select(..)'"),
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

/// Formats of `-o` that a filter makes.
const FORMATS: [(&str, &str); 4] = [
    ("xml", "use -o junit"),
    ("tsv", "use --jq '[.field, ..] | @tsv' -r"),
    ("table", "use -o text"),
    ("yaml", "use -o json"),
];

/// Adds what was probably meant, where that is known.
pub(crate) fn hinted(mut error: clap::Error, tool: &str, has_verbs: bool) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let hint = match error.kind() {
        ErrorKind::UnknownArgument => {
            text(ContextKind::InvalidArg).and_then(|given| argument(&given, tool, has_verbs))
        }
        ErrorKind::InvalidSubcommand => text(ContextKind::InvalidSubcommand)
            .and_then(|given| meaning(&VERBS, &given))
            .map(|verb| format!("use {tool} {verb}")),
        ErrorKind::InvalidValue => {
            let is_format =
                text(ContextKind::InvalidArg).is_some_and(|one| one.contains("-output "));
            text(ContextKind::InvalidValue)
                .filter(|_| is_format)
                .and_then(|given| meaning(&FORMATS, &given))
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

fn argument(given: &str, tool: &str, has_verbs: bool) -> Option<String> {
    if let Some(meant) = meaning(&FLAGS, given) {
        return Some(meant.replace("TOOL", tool));
    }
    if given.starts_with('-') {
        return None;
    }
    if !has_verbs {
        return Some(format!("put the command behind --: {tool} -- {given}"));
    }
    if given.starts_with("i-") || given.starts_with("mi-") {
        return Some(format!("use --instance-id {given}"));
    }
    let is_file = given.ends_with(".json") || given.ends_with(".jsonl") || given.contains('/');
    is_file.then(|| format!("use -f {given}"))
}

fn meaning(table: &[(&'static str, &'static str)], given: &str) -> Option<&'static str> {
    let row = table.iter().find(|(one, _)| *one == given);
    row.map(|(_, meant)| *meant)
}
