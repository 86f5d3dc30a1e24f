//! Sends Slack alerts for sessions and commands, and reads the records of CloudTrail for people.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;

mod alerts;
mod event_pattern;
mod permissions;
mod records;
mod routing;
mod schema;

#[cfg(test)]
mod fixture_tests;

use std::process::ExitCode;

const TOOL: &str = "ssm-events";

/// Alert on sessions, commands and permission changes, in Slack and elsewhere; list, verify and report them
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    global: commands::GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Show(commands::show::ShowArgs),
    Check(commands::check::CheckArgs),
    Plan(commands::plan::PlanArgs),
    Apply(commands::apply::ApplyArgs),
    Lint(commands::lint::LintArgs),
    Render(commands::render::RenderArgs),
    History(commands::history::HistoryArgs),
    Sessions(commands::sessions::SessionsArgs),
    Report(commands::report::ReportArgs),
    Format(commands::format::FormatArgs),
    Send(commands::send::SendArgs),
    Reconcile(commands::reconcile::ReconcileArgs),
    Pattern(commands::pattern::PatternArgs),
    Match(commands::r#match::MatchArgs),
}

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    if commands::lambda::is_started() {
        return cli::finish(TOOL, commands::lambda::serve().await);
    }
    match cli::arguments::<Args>(schema::SCHEMAS, permissions::PERMISSIONS) {
        Ok(args) => cli::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<cli::Outcome> {
    let (global, out) = (&args.global, &cli::Output::new(TOOL, &args.global.io)?);
    out.end(match &args.verb {
        Verb::Show(args) => commands::show::run(args, global, out).await,
        Verb::Check(args) => commands::check::run(args, global, out).await,
        Verb::Plan(args) => commands::plan::run(args, global, out).await,
        Verb::Apply(args) => commands::apply::run(args, global, out).await,
        Verb::Lint(args) => commands::lint::run(args, global, out).await,
        Verb::Render(args) => commands::render::run(args, global, out).await,
        Verb::History(args) => commands::history::run(args, global, out).await,
        Verb::Sessions(args) => commands::sessions::run(args, global, out).await,
        Verb::Report(args) => commands::report::run(args, global, out).await,
        Verb::Format(args) => commands::format::run(args, global, out).await,
        Verb::Send(args) => commands::send::run(args, global, out).await,
        Verb::Reconcile(args) => commands::reconcile::run(args, global, out).await,
        Verb::Pattern(args) => commands::pattern::run(args, global, out).await,
        Verb::Match(args) => commands::r#match::run(args, global, out).await,
    })
}
