//! Manual pages: clap's sections, and those that are the same for each tool.

use std::borrow::Cow;
use std::io::Write;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// What the AWS SDKs read.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>
const OF_AWS: [(&str, &str); 4] = [
    ("AWS_PROFILE", "The profile, where --profile names none."),
    ("AWS_REGION", "The region, where --region names none."),
    (
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        "Other files than those below.",
    ),
    (
        "AWS_*, HTTPS_PROXY, NO_PROXY",
        "Credentials, retries, endpoints and proxies, as for the AWS CLI.",
    ),
];
/// What decides on colors.
const OF_TERMINALS: [(&str, &str); 3] = [
    ("NO_COLOR", "No colors, where it is set and not empty."),
    (
        "CLICOLOR_FORCE",
        "Colors also where stdout is not a terminal, unless it is 0.",
    ),
    ("TERM", "No colors where it is dumb."),
];
/// Where `make install` puts what to begin with.
const EXAMPLES: (&str, &str) = (
    "PREFIX/share/ssm-rollout/rollout.d/*.json",
    "Desired states to begin with, as make install puts them there. --generate example prints one with all fields.",
);
const CONFIGURATION: (&str, &str) = (
    "~/.aws/config, ~/.aws/credentials",
    "Profiles with their regions and credentials.",
);

/// Writes the page of a tool, or of one of its verbs.
///
/// # Errors
/// There is no such verb, or `page` cannot be written to.
pub(crate) fn render(
    command: clap::Command,
    verb: Option<&str>,
    page: &mut impl Write,
) -> anyhow::Result<()> {
    // `help` has no page. Building makes the names of the verbs' pages, and gives the verbs the flags of the tool.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let tool = command.get_name().to_owned();
    let has_desired = command.find_subcommand("plan").is_some();
    let subject = match verb {
        None => &mut command,
        Some(name) => command
            .find_subcommand_mut(name)
            .ok_or_else(|| anyhow::anyhow!("--generate man: there is no verb '{name}'"))?,
    };
    // The usage of `--help`. The page's own lists each option without its value, which OPTIONS does better.
    let usage = subject.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    let subject = &subject.clone().override_usage(usage);
    let page: &mut dyn Write = page;
    let source = format!("{tool} {}", env!("CARGO_PKG_VERSION"));
    let manual = Man::new(subject.clone()).source(source);
    manual.render_title(page)?;
    manual.render_name_section(page)?;
    manual.render_synopsis_section(page)?;
    manual.render_description_section(page)?;
    manual.render_options_section(page)?;
    if subject.has_subcommands() {
        manual.render_subcommands_section(page)?;
    }
    let sections = Sections::of(subject);
    sections.examples(page)?;
    let statuses = match subject.has_subcommands() {
        true => statuses_of_tool(subject),
        false => statuses(subject, &sections),
    };
    section("EXIT STATUS", &statuses, page)?;
    let calls = subject
        .get_arguments()
        .any(|one| one.get_id() == "profile" && !one.is_hide_set());
    let mut variables: Vec<(&str, &str)> = sections.entries("Environment");
    variables.extend(OF_AWS.iter().filter(|_| calls));
    variables.extend(OF_TERMINALS);
    section("ENVIRONMENT", &variables, page)?;
    let files: Vec<(&str, &str)> = [(calls, CONFIGURATION), (has_desired, EXAMPLES)]
        .into_iter()
        .filter_map(|(is_read, file)| is_read.then_some(file))
        .collect();
    if !files.is_empty() {
        section("FILES", &files, page)?;
    }
    let others: Vec<String> = match verb {
        Some(_) => vec![tool],
        None => verbs(subject)
            .map(|one| format!("{tool}-{}", one.get_name()))
            .collect(),
    };
    if !others.is_empty() {
        let mut roff = Roff::default();
        roff.control("SH", ["SEE ALSO"]);
        for (index, other) in others.iter().enumerate() {
            let end = if index + 1 < others.len() {
                "(1),"
            } else {
                "(1)"
            };
            roff.text([bold(other), roman(end)]);
        }
        roff.to_writer(page)?;
    }
    Ok(())
}

const ERROR: &str =
    "An error, wrong usage included. What could be read is printed, and so is what could not.";
const STOPPED: &str = "Stopped by Ctrl-C, SIGTERM or SIGHUP.";

/// What the exit status says: of 1 the verb's own help does, or one of its flags.
fn statuses<'s>(subject: &clap::Command, sections: &'s Sections) -> Vec<(&'s str, Cow<'s, str>)> {
    let mut statuses: Vec<(&str, Cow<str>)> = Vec::new();
    let own = sections.entries("Exit status");
    if own.is_empty() {
        match found(subject) {
            ones if ones.is_empty() => statuses.push(("0", "All was read or done.".into())),
            ones => {
                statuses.push(("0", "All was read, and nothing was found.".into()));
                statuses.push(("1", ones.into()));
            }
        }
        statuses.push(("2", ERROR.into()));
    } else {
        statuses.extend(own.into_iter().map(|(status, when)| (status, when.into())));
    }
    let writes = subject.get_arguments().any(|one| one.get_id() == "recover");
    statuses.push((
        "130, 143, 129",
        match writes {
            true => format!("{STOPPED} What was done until then is printed with its undo.").into(),
            false => STOPPED.into(),
        },
    ));
    statuses
}

/// What the exit status of a tool says, by what its verbs do.
fn statuses_of_tool(tool: &clap::Command) -> Vec<(&'static str, Cow<'static, str>)> {
    let mut ones: Vec<(String, Vec<&str>)> = Vec::new();
    for verb in verbs(tool) {
        let when = found(verb);
        match ones.iter_mut().find(|(one, _)| *one == when) {
            _ if when.is_empty() => {}
            Some((_, names)) => names.push(verb.get_name()),
            None => ones.push((when, vec![verb.get_name()])),
        }
    }
    let ones = ones
        .iter()
        .map(|(when, names)| format!("{}: {when}", names.join(", ")));
    let ones: Vec<String> = ones.collect();
    let fine = "All was read or done, and a verb that looks for something found nothing.";
    vec![
        ("0", fine.into()),
        ("1", ones.join(" ").into()),
        ("2", ERROR.into()),
        (
            "130, 143, 129",
            format!("{STOPPED} What apply did until then is printed with its undo.").into(),
        ),
    ]
}

/// Returns when a verb ends with 1; nothing for one that never does.
fn found(verb: &clap::Command) -> String {
    let about = verb.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let mut ones = Vec::new();
    if let Some((_, when)) = about.split_once("exit with 1 ") {
        ones.push(format!("{}.", capitalized(when)));
    }
    for flag in verb.get_arguments() {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        if let (Some(when), Some(flag)) = (help.strip_prefix("Exit with 1 "), flag.get_long()) {
            ones.push(format!("With --{flag}: {when}."));
        }
    }
    ones.join(" ")
}

fn verbs(tool: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let verbs = tool.get_subcommands();
    verbs.filter(|verb| verb.get_name() != "help")
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// The sections behind the flags of `--help`: a title each, and indented lines.
struct Sections(String);

impl Sections {
    fn of(subject: &clap::Command) -> Sections {
        if subject.has_subcommands() {
            return Sections::of_verbs(subject);
        }
        let help = subject.get_after_long_help().map(ToString::to_string);
        Sections(help.unwrap_or_default())
    }

    /// Returns the first example of each verb, and the variables of all.
    fn of_verbs(tool: &clap::Command) -> Sections {
        let of_verbs: Vec<Sections> = verbs(tool).map(Sections::of).collect();
        let firsts = of_verbs
            .iter()
            .filter_map(|one| one.lines("Examples").next());
        let mut variables: Vec<&str> = Vec::new();
        for line in of_verbs.iter().flat_map(|one| one.lines("Environment")) {
            if !variables.contains(&line) {
                variables.push(line);
            }
        }
        let indented = |lines: Vec<&str>| {
            lines
                .iter()
                .map(|line| format!("  {line}\n"))
                .collect::<String>()
        };
        Sections(format!(
            "Examples:\n{}\nEnvironment:\n{}",
            indented(firsts.collect()),
            indented(variables)
        ))
    }

    fn lines(&self, title: &str) -> impl Iterator<Item = &str> {
        let is_title = move |line: &&str| line.strip_suffix(':') != Some(title);
        let lines = self.0.lines().skip_while(is_title).skip(1);
        lines
            .take_while(|line| line.starts_with(' '))
            .map(str::trim)
    }

    /// Returns what a section lists: a word, two blanks, and what it means.
    fn entries(&self, title: &str) -> Vec<(&str, &str)> {
        let entries = self.lines(title).filter_map(|line| line.split_once("  "));
        entries.map(|(term, text)| (term, text.trim())).collect()
    }

    /// Writes the examples, each a paragraph that is not filled.
    fn examples(&self, page: &mut dyn Write) -> std::io::Result<()> {
        let mut lines = self.lines("Examples").peekable();
        if lines.peek().is_none() {
            return Ok(());
        }
        let mut roff = Roff::default();
        roff.control("SH", ["EXAMPLES"]);
        roff.control("EX", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("EE", []);
        roff.to_writer(page)
    }
}

fn section(
    title: &str,
    entries: &[(&str, impl AsRef<str>)],
    page: &mut dyn Write,
) -> std::io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(text.as_ref())]);
    }
    roff.to_writer(page)
}
