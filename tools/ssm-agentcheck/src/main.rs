//! Shows and checks the SSM Agent of every node - EC2 instances, whether SSM has seen them or not, and hybrid nodes -
//! and brings outdated ones up to date. Writes only commands that update agents, and one association that does.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;

mod import_aws_cli;
mod model;
mod observe;
mod permissions;
mod schema;
mod validated_change;

mod agent_log;
mod check;
mod host;
mod plan;

mod apply;

use std::process::ExitCode;

const TOOL: &str = "ssm-agentcheck";

/// Check the SSM Agent of every node: present, new enough, online, able to reach its metadata service
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
    Host(commands::host::HostArgs),
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
        Verb::Host(args) => commands::host::run(args, global, out).await,
    })
}
