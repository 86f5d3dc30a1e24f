//! Session Manager preferences of one account and region: renders, lints, shows, plans, applies and checks them.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;
mod finding;
mod model;
mod observe;
mod owners;
mod permissions;
mod policies;
mod resource_state;
mod roles;
mod schema;
mod session_document;

mod check;
mod lint;
mod plan;
mod preflight;
mod probe;
mod screen;
mod template;

mod apply;

#[cfg(test)]
mod fixture_tests;

use std::process::ExitCode;

const TOOL: &str = "ssm-prefs";

/// Manage the Session Manager preferences of an account and region
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
    Probe(commands::probe::ProbeArgs),
}

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
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
        Verb::Probe(args) => commands::probe::run(args, global, out).await,
    })
}
