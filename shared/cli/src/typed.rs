//! What was typed: kept for the command that comes next, which is to work in the same accounts and regions.

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// The heading of the flags that say whose credentials are used, and where.
const WHERE: &str = "AWS";

/// The command line of the process; the first one counts.
static TYPED: OnceLock<Typed> = OnceLock::new();

/// A command line, as a shell takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The flags for accounts and regions, each with a blank in front.
    pub(crate) places: String,
    /// All of it, without how records are printed.
    pub(crate) whole: String,
}

impl Typed {
    /// Returns the command line of the process; an empty one for what has none, such as a function.
    pub(crate) fn of_process() -> &'static Typed {
        TYPED.get_or_init(Typed::default)
    }

    fn of(tool: &clap::Command, matches: &ArgMatches, arguments: &[OsString]) -> Typed {
        let matches = matches.subcommand().map_or(matches, |(_, of_verb)| of_verb);
        let mut places = String::new();
        let flags = tool.get_arguments().filter(|flag| {
            flag.get_help_heading() == Some(WHERE)
                && matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)
        });
        for flag in flags {
            let values = matches.get_raw(flag.get_id().as_str());
            for value in values.into_iter().flatten() {
                let name = flag.get_long().unwrap_or_default();
                places += &format!(" --{name} {}", quoted(&value.to_string_lossy()));
            }
        }
        let mut whole = vec![tool.get_name().to_owned()];
        let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            match word.as_ref() {
                "-o" | "--output" => drop(words.next()),
                word if word.starts_with("--output=") || word.starts_with("-o") => {}
                word => whole.push(quoted(word)),
            }
        }
        Typed {
            places,
            whole: whole.join(" "),
        }
    }
}

/// Keeps the command line of the process.
pub(crate) fn keep(tool: &clap::Command, matches: &ArgMatches, arguments: &[OsString]) {
    TYPED.get_or_init(|| Typed::of(tool, matches, arguments));
}

/// Returns a word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=+,:@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    use super::Typed;

    #[test]
    fn what_comes_next_is_for_the_same_places() {
        let flag = |name: &'static str| Arg::new(name).long(name).global(true);
        let tool = Command::new("ssm-x")
            .arg(flag("profile").help_heading("AWS"))
            .arg(flag("region").help_heading("AWS").action(ArgAction::Append))
            .arg(flag("endpoint-url").help_heading("AWS").default_value("x"))
            .arg(flag("output").short('o'))
            .arg(flag("file").short('f'))
            .subcommand(Command::new("plan"));
        let line = "ssm-x --profile my~shop plan -f it's.json -o text --region a --region b";
        let words: Vec<std::ffi::OsString> = line
            .split(' ')
            .map(|word| word.replace('~', " ").into())
            .collect();
        let matches = tool.clone().get_matches_from(&words);
        let typed = Typed::of(&tool, &matches, &words);
        assert_eq!(typed.places, " --profile 'my shop' --region a --region b");
        let whole = r"ssm-x --profile 'my shop' plan -f 'it'\''s.json' --region a --region b";
        assert_eq!(typed.whole, whole);
    }
}
