//! `report`: sessions, commands and refused calls, put together from records.

use std::path::PathBuf;

use cli::{Next, Outcome, Output};

use super::{GlobalArgs, node_names};
use crate::records::report::Report;
use crate::records::sessions::KnownSessions;
use crate::records::source;

/// Print sessions, commands and refused calls compiled from records, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-events history --since 7d | ssm-events report")]
pub(crate) struct ReportArgs {
    /// Print one page of HTML that needs no network
    #[arg(long)]
    html: bool,
    /// Name nodes as in these node records, such as `ssm-agentcheck show` prints
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// Show ends and transcripts as in these session records, such as `ssm-events sessions` prints, and those that no record has
    #[arg(long, value_name = "FILE")]
    sessions: Option<PathBuf>,
}

pub(crate) async fn run(
    args: &ReportArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = compile(args, global, out).await;
    match args.html {
        // The page is for people.
        true => ended,
        false => source::or_unread(out, "report", ended),
    }
}

async fn compile(args: &ReportArgs, global: &GlobalArgs, out: &Output) -> anyhow::Result<Outcome> {
    let names = args
        .nodes
        .as_deref()
        .map(node_names::read)
        .transpose()?
        .unwrap_or_default();
    let mut report = Report::default();
    let _reading = out.reading("the records");
    let mut left_out = source::records(&global.io, |_, event| {
        report.add(event, &names);
        Ok(())
    })?;
    if let Some(path) = &args.sessions {
        let mut known = KnownSessions::read_whole(path)?;
        left_out.sessions_unread(&std::mem::take(&mut known.gaps));
        match report.know(known, &names) {
            0 => {}
            n => out.note(&format!(
                "{} in {} alone: the records have not all of the time, or were not all read",
                match n {
                    1 => "1 session is".to_owned(),
                    n => format!("{n} sessions are"),
                },
                path.display()
            )),
        }
    }
    let outcome = left_out.end(out, Outcome::Fine);
    report.gaps = left_out.gaps();
    if report.is_empty() && report.gaps.is_empty() {
        out.note("no session, command or refused call is in it: pipe in what `ssm-events history` prints");
    }
    report.sort();
    if args.html {
        out.write_text(&report.html(&names))?;
        return Ok(outcome);
    }
    out.suggest(Next::Again("--html >report.html"));
    left_out.print_gaps(out)?;
    for refused in &report.refused {
        out.write(refused)?;
    }
    for session in report.sessions() {
        out.write(session)?;
    }
    for command in &report.commands {
        out.write(command)?;
    }
    Ok(outcome)
}
