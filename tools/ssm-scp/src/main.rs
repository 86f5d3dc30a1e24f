//! Guards sessions and commands by service control policies (SCPs): renders, lints, simulates, replays, plans, applies and
//! checks them. Only `apply` writes; `render`, `lint` and `replay` need neither credentials nor network.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod desired;
mod model;

mod schema;

mod document;
mod guard;
mod lint;

mod caller;
mod hierarchy;
mod impact;
mod lockout;
mod replay;
mod simulate;
mod table;
mod trail;

mod apply;
mod ask;
mod check;
mod observe;
mod plan;
mod through;

#[cfg(test)]
mod fixture_tests;

use std::process::ExitCode;

use aws_sdk_organizations::Client;
use awsconf::AwsArgs;
use toolio::{Format, IoArgs, Outcome, Output, Reading};

use crate::arguments::{
    ApplyArgs, ImpactArgs, LintArgs, PlanArgs, QuotaArgs, ReplayArgs, SimulateArgs,
};
use crate::desired::Desired;

const TOOL: &str = "ssm-scp";

/// Let only named principals start sessions and run commands, by service control policies
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    io: IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the policy documents that the desired state comes to, without calling AWS
    Render(QuotaArgs),
    /// Find what is wrong with policy files; exit with 1 when there is something
    Lint(LintArgs),
    /// Answer whether principals may do something, by policy files or by the organization
    Simulate(SimulateArgs),
    /// Tell which calls in CloudTrail records on stdin a guard would have denied
    Replay(ReplayArgs),
    /// Tell for every role and user what the desired state changes; {account} in --assume-role stands for each account
    Impact(ImpactArgs),
    /// Print the tree of the organization and its service control policies
    Show,
    /// Print what would have to change in the organization
    Plan(PlanArgs),
    /// Carry out plans read from stdin unless somebody would be locked out; {account} in --assume-role as in impact
    Apply(ApplyArgs),
    /// Compare the organization with the desired state; exit with 1 when they differ
    Check(QuotaArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match toolio::arguments::<Args>(schema::SCHEMAS) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    match args.verb {
        Verb::Render(limits) => render(&args.io, limits),
        Verb::Lint(arguments) => ask::lint(&arguments, &args.io, &out),
        Verb::Simulate(arguments) => ask::simulate(&arguments, &args.aws, &out).await,
        Verb::Replay(arguments) => ask::replay(&arguments, &args.io, &out),
        Verb::Impact(arguments) => ask::impact(&arguments, &args.aws, &args.io, &out).await,
        Verb::Show => show(&args.aws, &out).await,
        Verb::Plan(arguments) => plan(&arguments, &args.aws, &args.io, &out).await,
        Verb::Apply(arguments) => apply::run(&arguments, &args.aws, &args.io, &out).await,
        Verb::Check(limits) => check(limits, &args.aws, &args.io, &out).await,
    }
}

/// Prints bare documents, also on a terminal: they are meant for `aws organizations create-policy --content`.
fn render(io: &IoArgs, limits: QuotaArgs) -> anyhow::Result<Outcome> {
    let io = IoArgs {
        output: Some(Format::Json),
        ..io.clone()
    };
    let desired: Desired = toolio::read(&io, "desired policy")?;
    let out = Output::new(TOOL, &io)?;
    for part in guard::render(&desired, limits.quota.max_characters)? {
        out.write(&part.document)?;
    }
    out.note(guard::OUTSIDE);
    Ok(Outcome::Fine)
}

async fn show(aws: &AwsArgs, out: &Output) -> anyhow::Result<Outcome> {
    let organization = ask::live(&aws.global_session().await?).await?;
    for entity in &organization.entities {
        table::write_row(out, entity)?;
    }
    for policy in &organization.policies {
        out.write(policy)?;
    }
    Ok(Outcome::Fine)
}

async fn plan(
    arguments: &PlanArgs,
    aws: &AwsArgs,
    io: &IoArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired: Desired = toolio::read(io, "desired policy")?;
    let parts = guard::render(&desired, arguments.limits.quota.max_characters)?;
    let session = aws.global_session().await?;
    let observed =
        observe::observe(&Client::new(&session.config), &session, &desired, &parts).await;
    let planned = plan::plan(
        &desired,
        &parts,
        arguments.until.as_ref(),
        arguments.limits.quota.max_policies,
        &observed,
    )?;
    for note in plan::notes(&desired, &parts, &observed) {
        out.note(&note);
    }
    let outcome = if arguments.exit_code && !planned.is_empty() {
        Outcome::Found
    } else {
        Outcome::Fine
    };
    out.write(&toolio::Plan::new(TOOL, session.target, planned))?;
    Ok(outcome)
}

async fn check(
    limits: QuotaArgs,
    aws: &AwsArgs,
    io: &IoArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired: Desired = toolio::read(io, "desired policy")?;
    let parts = guard::render(&desired, limits.quota.max_characters)?;
    let session = aws.global_session().await?;
    let observed =
        observe::observe(&Client::new(&session.config), &session, &desired, &parts).await;
    let tree = match ask::live(&session).await {
        Ok(tree) => Reading::Present(tree),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    };
    let findings = check::check(&desired, &parts, &observed, &tree);
    for finding in &findings {
        out.write(finding)?;
    }
    Ok(check::outcome(&findings))
}
