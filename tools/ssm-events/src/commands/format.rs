//! `format`: records for people or other programs, from whatever holds them.

use cli::{Outcome, Output};

use super::GlobalArgs;
use super::style::StyleArgs;
use crate::records::format::{CSV_HEADER, Lists, Marks, To};
use crate::records::source;

/// Print CloudTrail records, EventBridge events or log files for people or other programs, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 7d | ssm-events format --to csv >calls.csv\n  ssm-events history --since 1d | ssm-events format --to asff >findings.jsonl"
)]
pub(crate) struct FormatArgs {
    /// What to print
    #[arg(
        long,
        value_enum,
        required_unless_present = "jq_file",
        conflicts_with = "jq_file"
    )]
    to: Option<To>,
    #[command(flatten)]
    style: StyleArgs,
}

/// Prints every record of the input.
///
/// # Errors
/// The input, or a file that a flag names, cannot be opened.
pub(crate) async fn run(
    args: &FormatArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = print(args, global, out).await;
    match args.to {
        None | Some(To::Slack) => source::or_unread(out, "format", ended),
        _ => ended,
    }
}

async fn print(args: &FormatArgs, global: &GlobalArgs, out: &Output) -> anyhow::Result<Outcome> {
    let renderer = args.style.renderer(None)?;
    if args.to == Some(To::Csv) {
        out.write_text(CSV_HEADER)?;
    }
    let mut lists = Lists::default();
    let _reading = out.reading("the records");
    let mut left_out = source::records(&global.io, |record, event| match args.to {
        None | Some(To::Slack) => {
            let marks = Marks::of(event, renderer.style.reason_pattern.as_ref());
            let mut messages = renderer.made(event, record, &marks)?.into_iter();
            messages.try_for_each(|message| out.write(&message))
        }
        Some(To::Text) => out.write_text(&renderer.style.text(event)),
        Some(To::Csv) => out.write_text(&renderer.style.csv(event)?),
        Some(To::Ocsf) => out.write(&renderer.style.ocsf(event)),
        Some(To::Asff) => {
            let marks = Marks::of(event, renderer.style.reason_pattern.as_ref());
            let full = lists.add(&renderer.style, event, record, &marks);
            full.map_or(Ok(()), |list| out.write(&list))
        }
    })?;
    for list in lists.rest() {
        out.write(&list)?;
    }
    if let Some(sessions) = &renderer.style.sessions {
        left_out.sessions_unread(&sessions.gaps);
    }
    let outcome = match lists.n_left_out {
        0 => Outcome::Fine,
        n => {
            let records = cli::count(n, "record");
            out.note(&format!("{records} without account, region or time: in no list, for Security Hub has no place for them"));
            Outcome::Trouble
        }
    };
    let outcome = left_out.end(out, outcome);
    // Of what is for other programs only what `send` reads has room for them.
    if matches!(args.to, None | Some(To::Slack)) {
        left_out.print_gaps(out)?;
    }
    Ok(outcome)
}
