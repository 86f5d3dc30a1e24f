//! Manual pages: clap's sections, and those that are the same for each tool.

use std::io::Write;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// What the exit status says, whichever the tool.
const STATUSES: [(&str, &str); 4] = [
    ("0", "Everything was read or done, and nothing was found."),
    (
        "1",
        "A verb that looks for something found it; plan only with --exit-code.",
    ),
    (
        "2",
        "An error, wrong usage included. What could be read is printed, and so is what could not.",
    ),
    (
        "130, 143, 129",
        "Stopped by Ctrl-C, SIGTERM or SIGHUP. What was done until then is printed with its undo.",
    ),
];

/// What the AWS SDKs read.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>
const VARIABLES: [(&str, &str); 4] = [
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
const FILES: [(&str, &str); 1] = [(
    "~/.aws/config, ~/.aws/credentials",
    "Profiles with their regions and credentials.",
)];

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
    examples(subject, page)?;
    section("EXIT STATUS", &STATUSES, page)?;
    if subject.get_arguments().any(|one| one.get_id() == "profile") {
        section("ENVIRONMENT", &VARIABLES, page)?;
        section("FILES", &FILES, page)?;
    }
    if verb.is_some() {
        let mut roff = Roff::default();
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold(tool), roman("(1)")]);
        roff.to_writer(page)?;
    }
    Ok(())
}

/// Writes the examples of `--help`, each a paragraph that is not filled.
fn examples(subject: &clap::Command, page: &mut dyn Write) -> std::io::Result<()> {
    let help = subject.get_after_long_help().map(ToString::to_string);
    let Some(lines) = help
        .as_deref()
        .and_then(|help| help.strip_prefix("Examples:\n"))
    else {
        return Ok(());
    };
    let mut roff = Roff::default();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("EX", []);
    for line in lines.lines() {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("EE", []);
    roff.to_writer(page)
}

fn section(title: &str, entries: &[(&str, &str)], page: &mut dyn Write) -> std::io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*text)]);
    }
    roff.to_writer(page)
}
