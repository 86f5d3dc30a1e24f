//! Guards sessions and commands by service control policies (SCPs). Only `apply` writes.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;
mod model;
mod observe;
mod permissions;
mod policy_equivalence;
mod principal_arn;
mod schema;
mod text;

mod apply;
mod check;
mod gaps;
mod guard;
mod impact;
mod lockout;
mod plan;
mod replay;
mod simulate;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

const TOOL: &str = "ssm-scp";

/// Let only named principals start sessions and run commands, by service control policies
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
    #[command(version = iam_policy::reference::version())]
    Lint(commands::lint::LintArgs),
    Render(commands::render::RenderArgs),
    Impact(commands::impact::ImpactArgs),
    Gaps(commands::gaps::GapsArgs),
    Simulate(commands::simulate::SimulateArgs),
    Replay(commands::replay::ReplayArgs),
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
        Verb::Impact(args) => commands::impact::run(args, global, out).await,
        Verb::Gaps(args) => commands::gaps::run(args, global, out).await,
        Verb::Simulate(args) => commands::simulate::run(args, global, out).await,
        Verb::Replay(args) => commands::replay::run(args, global, out).await,
    })
}
