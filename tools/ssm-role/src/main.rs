//! Shows, plans, applies and checks what lets nodes talk to Systems Manager: Default Host Management, the roles of
//! instance profiles, and profiles for instances without one; writes and lints the policies of operators, too.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod bucket_key;
mod commands;
mod model;
mod observe;
mod permissions;
mod preferences;
mod required_permissions;
mod schema;
mod validated_change;

mod check;
mod host_management;
mod lint;
mod operators;
mod plan;
mod policy_builder;
mod template;

mod apply;
mod undo;

use std::process::ExitCode;

const TOOL: &str = "ssm-role";

/// Let every node talk to Systems Manager: Default Host Management and instance profile roles
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
    Policy(commands::policy::PolicyArgs),
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
        Verb::Policy(args) => commands::policy::run(args, global, out).await,
    })
}
