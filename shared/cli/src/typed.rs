//! What was typed: kept for the command that comes next, which is to work in the same accounts and regions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::OnceLock;

use clap::ArgMatches;
use clap::parser::ValueSource;

/// The heading of the flags that say whose credentials are used, and where.
pub(crate) const WHERE: &str = "AWS";

/// The command line of the process; the first one counts.
static TYPED: OnceLock<Typed> = OnceLock::new();

/// A command line, as a shell takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The flags for accounts and regions, each with a blank in front.
    pub(crate) places: String,
    /// All of it, without how records are printed, without stdin, without what makes a plan an exit status, and without what only looks
    /// at what was applied.
    pub(crate) whole: String,
    /// The same in all regions; nothing where there are none.
    pub(crate) everywhere: String,
    /// What of the other flags goes to another verb, by its name.
    pub(crate) carried: BTreeMap<String, Carried>,
}

/// The flags that another verb has as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Each with a blank in front.
    pub(crate) flags: String,
    /// Whether it lacks one that takes a value: it would be about more, or about something else.
    pub(crate) is_narrower: bool,
}

impl Typed {
    /// Returns the command line of the process; an empty one for what has none, such as a function.
    pub(crate) fn of_process() -> &'static Typed {
        TYPED.get_or_init(Typed::default)
    }

    /// Returns the flags that go to another verb; `None` where it would be about more than what was typed.
    pub(crate) fn flags_to(&self, verb: &str) -> Option<&str> {
        match self.carried.get(verb) {
            Some(carried) if carried.is_narrower => None,
            carried => Some(carried.map_or("", |carried| &carried.flags)),
        }
    }

    fn of(tool: &clap::Command, matches: &ArgMatches, arguments: &[OsString]) -> Typed {
        let (verb, matches) = matches.subcommand().unwrap_or(("", matches));
        let of_verb = tool.find_subcommand(verb);
        let carried = of_verb.into_iter().flat_map(|verb| {
            let others = tool.get_subcommands();
            others.map(|other| {
                (
                    other.get_name().to_owned(),
                    carried(tool, verb, other, matches),
                )
            })
        });
        let carried = carried.collect();
        let mut places = String::new();
        let flags = tool.get_arguments().filter(|flag| {
            flag.get_help_heading() == Some(WHERE)
                && matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)
        });
        flags.for_each(|flag| places += &with_values(flag, matches));
        let mut whole = vec![tool.get_name().to_owned()];
        let mut elsewhere = whole.clone();
        let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            let (n_words, is_region) = (whole.len(), word.starts_with("--region="));
            match word.as_ref() {
                "-o" | "--output" => drop(words.next()),
                word if word.starts_with("--output=") || word.starts_with("-o") => {}
                "--exit-code" | "--recover" | "-f-" | "--file=-" => {}
                "-f" | "--file" => match words.next().as_deref() {
                    None | Some("-") => {}
                    Some(file) => whole.extend([word.into_owned(), quoted(file)]),
                },
                "--region" => {
                    let region = words.next().unwrap_or_default();
                    whole.extend(["--region".to_owned(), quoted(&region)]);
                    continue;
                }
                word => whole.push(quoted(word)),
            }
            elsewhere.extend(whole[n_words..].iter().filter(|_| !is_region).cloned());
        }
        let has_regions = tool
            .get_arguments()
            .any(|flag| flag.get_long() == Some("region"));
        let everywhere = Some(format!("{} --region all", elsewhere.join(" ")));
        Typed {
            places,
            whole: whole.join(" "),
            everywhere: everywhere.filter(|_| has_regions).unwrap_or_default(),
            carried,
        }
    }
}

/// Returns the flags of a verb that another one has as well.
fn carried(
    tool: &clap::Command,
    verb: &clap::Command,
    other: &clap::Command,
    matches: &ArgMatches,
) -> Carried {
    let mut carried = Carried::default();
    let flags = verb.get_arguments().filter(|flag| {
        let id = flag.get_id().as_str();
        let is_of_tool = tool.get_arguments().any(|of_tool| of_tool.get_id() == id);
        // What a group is called is not a flag.
        !is_of_tool && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    for flag in flags {
        let takes_value = flag.get_action().takes_values();
        let name = flag.get_long();
        let has_twin = name.is_some() && other.get_arguments().any(|twin| twin.get_long() == name);
        match (name.filter(|_| has_twin), takes_value) {
            (None, true) => carried.is_narrower = true,
            (None, false) => {}
            (Some("exit-code"), _) => {}
            (Some(name), false) => carried.flags += &format!(" --{name}"),
            (Some(_), true) => carried.flags += &with_values(flag, matches),
        }
    }
    carried
}

/// Returns a flag once for each of its values, as a shell takes it, with a blank in front.
fn with_values(flag: &clap::Arg, matches: &ArgMatches) -> String {
    let name = flag.get_long().unwrap_or_default();
    let values = matches.get_raw(flag.get_id().as_str());
    let values = values.into_iter().flatten();
    values
        .map(|value| format!(" --{name} {}", quoted(&value.to_string_lossy())))
        .collect()
}

/// Keeps the command line of the process.
pub(crate) fn keep(tool: &clap::Command, matches: &ArgMatches, arguments: &[OsString]) {
    TYPED.get_or_init(|| Typed::of(tool, matches, arguments));
}

/// Returns a word as a shell takes it. What a shell made of `<(..)` was gone when the tool ended.
pub(crate) fn quoted(word: &str) -> String {
    if ["/dev/fd/", "/proc/self/fd/"]
        .iter()
        .any(|pipe| word.starts_with(pipe))
    {
        return "<(..)".to_owned();
    }
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
        let everywhere = r"ssm-x --profile 'my shop' plan -f 'it'\''s.json' --region all";
        assert_eq!(typed.everywhere, everywhere);
    }

    /// No other command can read `/dev/fd/63`.
    #[test]
    fn what_a_shell_pipes_in_by_a_file_is_named_as_such() {
        let typed = typed("ssm-x check -f /dev/fd/62 --prefs /dev/fd/63");
        assert_eq!(typed.whole, "ssm-x check -f <(..) --prefs <(..)");
        assert_eq!(typed.flags_to("plan"), Some(" --prefs <(..)"));
    }

    fn typed(line: &str) -> Typed {
        let flag = |name: &'static str| Arg::new(name).long(name);
        let switch = |name: &'static str| flag(name).action(ArgAction::SetTrue);
        let check = Command::new("check")
            .args([flag("prefs"), flag("instance-id"), switch("all")])
            .arg(switch("send-test"));
        let plan = Command::new("plan").args([flag("prefs"), switch("all"), switch("exit-code")]);
        let apply = Command::new("apply").arg(switch("recover"));
        let tool = Command::new("ssm-x")
            .arg(flag("file").short('f').global(true))
            .subcommands([check, plan, apply]);
        let words: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
        let matches = tool.clone().get_matches_from(&words);
        Typed::of(&tool, &matches, &words)
    }

    #[test]
    fn a_plan_to_apply_has_no_exit_status_of_its_own_and_no_stdin() {
        for line in [
            "ssm-x plan --all --exit-code -f -",
            "ssm-x plan --all -f- --exit-code",
            "ssm-x plan --all --file -",
            "ssm-x plan --all --file=-",
        ] {
            assert_eq!(typed(line).whole, "ssm-x plan --all", "{line}");
        }
        let apply = typed("ssm-x apply --recover -f plan.json").whole;
        assert_eq!(apply, "ssm-x apply -f plan.json");
        let whole = typed("ssm-x plan --exit-code -f x.json --all").whole;
        assert_eq!(whole, "ssm-x plan -f x.json --all");
    }

    /// A plan for all nodes is not what comes after a check of one.
    #[test]
    fn a_plan_is_about_what_was_checked() {
        let of_plan = |line| typed(line).flags_to("plan").map(str::to_owned);
        let with = of_plan("ssm-x check -f x.json --prefs p.jsonl --all --send-test");
        assert_eq!(with.as_deref(), Some(" --prefs p.jsonl --all"));
        assert_eq!(of_plan("ssm-x check -f x.json").as_deref(), Some(""));
        assert_eq!(of_plan("ssm-x check --instance-id i-1"), None);
    }
}
