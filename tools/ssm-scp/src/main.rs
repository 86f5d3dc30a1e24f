//! Renders, plans, applies and checks one service control policy (SCP) that leaves starting sessions and running
//! commands to named principals. Only `apply` writes; `render` needs neither credentials nor network.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod model;
mod principal;

mod apply;
mod check;
mod document;
mod observe;
mod plan;

use std::process::ExitCode;

use aws_sdk_organizations::Client;
use awsconf::{AwsArgs, Interrupt};
use toolio::{Format, IoArgs, Outcome, Output};

use crate::model::{Action, Desired};

const TOOL: &str = "ssm-scp";

/// Let only named principals start sessions and run commands, by a service control policy
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
    /// Print the policy document that the desired state comes to, without calling AWS
    Render,
    /// Print what would have to change in the organization
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Carry out plans read from stdin
    Apply,
    /// Compare the organization with the desired state; exit with 1 when they differ
    Check,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match toolio::arguments::<Args>(model::schemas) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    match args.verb {
        Verb::Render => render(&args.io),
        Verb::Plan { exit_code } => {
            let desired: Desired = toolio::read(&args.io, "desired policy")?;
            document::render(&desired)?;
            let session = args.aws.global_session().await?;
            let observed =
                observe::observe(&Client::new(&session.config), &session, &desired).await;
            let planned = plan::plan(&desired, &observed)?;
            for note in plan::notes(&desired, &observed) {
                out.note(&note);
            }
            let outcome = if exit_code && !planned.is_empty() {
                Outcome::Found
            } else {
                Outcome::Fine
            };
            out.write(&toolio::Plan::new(TOOL, session.target, planned))?;
            Ok(outcome)
        }
        Verb::Apply => {
            let plans: Vec<toolio::Plan<Action>> = toolio::read_plans(&args.io, TOOL)?;
            let interrupt = Interrupt::listen();
            let mut outcome = Outcome::Fine;
            for plan in plans {
                let session = args.aws.session_for(&plan.target).await?;
                let (result, came_to) =
                    apply::apply(&Client::new(&session.config), plan, &interrupt).await;
                out.write(&result)?;
                outcome = outcome.and(came_to);
                if outcome != Outcome::Fine {
                    break;
                }
            }
            Ok(outcome)
        }
        Verb::Check => {
            let desired: Desired = toolio::read(&args.io, "desired policy")?;
            document::render(&desired)?;
            let session = args.aws.global_session().await?;
            let observed =
                observe::observe(&Client::new(&session.config), &session, &desired).await;
            let findings = check::check(&desired, &observed);
            for finding in &findings {
                out.write(finding)?;
            }
            Ok(check::outcome(&findings))
        }
    }
}

/// Prints the bare document, also on a terminal: it is meant for `aws organizations create-policy --content`.
fn render(io: &IoArgs) -> anyhow::Result<Outcome> {
    let io = IoArgs {
        output: Some(Format::Json),
        ..io.clone()
    };
    let desired: Desired = toolio::read(&io, "desired policy")?;
    Output::new(TOOL, &io)?.write(&document::render(&desired)?)?;
    Ok(Outcome::Fine)
}
