//! Shows, plans, applies and checks what lets nodes talk to Systems Manager: Default Host Management and the roles of
//! instance profiles. Writes only the service setting, its role, and attachments of two AWS managed policies.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod apply;
mod check;
mod current;
mod iam;
mod model;
mod observe;
mod plan;
mod show;
mod step;
mod undo;

use std::process::ExitCode;

use toolio::{Outcome, Output, Unreachable, UnreachableKind};

use crate::model::{Action, Desired, Observed};
use crate::observe::Detail;

const TOOL: &str = "ssm-role";

/// Let every node talk to Systems Manager: Default Host Management and instance profile roles
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    io: toolio::IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print Default Host Management and the roles of nodes with all their policies
    Show,
    /// Print what apply would change
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Change what the plans on stdin say, and print how to undo it
    Apply,
    /// Print what is wrong; exit with 1 when something is
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
        Verb::Show => {
            everywhere(&args, &out, None, Detail::Documents, |observed| {
                out.write(&show::record(observed)?)?;
                Ok(Outcome::Fine)
            })
            .await
        }
        Verb::Plan { exit_code } => {
            let desired: Desired = toolio::read(&args.io, "desired roles")?;
            everywhere(&args, &out, Some(&desired), Detail::Names, |observed| {
                let plan = plan::plan(&desired, observed)?;
                out.write(&plan)?;
                Ok(if exit_code && !plan.changes.is_empty() {
                    Outcome::Found
                } else {
                    Outcome::Fine
                })
            })
            .await
        }
        Verb::Apply => {
            let plans = step::plans(toolio::read_records::<toolio::Plan<Action>>(
                &args.io, "plans",
            )?)?;
            let interrupt = awsconf::Interrupt::listen();
            let mut outcome = Outcome::Fine;
            for (plan, steps) in &plans {
                let session = args.aws.session_for(&plan.target).await?;
                let (result, ended) = apply::apply(&session, plan, steps, &interrupt).await;
                out.write(&result)?;
                outcome = outcome.and(ended);
            }
            Ok(outcome)
        }
        Verb::Check => {
            let desired: Desired = toolio::read(&args.io, "desired roles")?;
            everywhere(&args, &out, Some(&desired), Detail::Names, |observed| {
                let findings = check::check(&desired, observed);
                for finding in &findings {
                    out.write(finding)?;
                }
                Ok(check::outcome(&findings))
            })
            .await
        }
    }
}

/// Does the same in every region asked for; one that fails among several is a record of its own.
async fn everywhere(
    args: &Args,
    out: &Output,
    desired: Option<&Desired>,
    detail: Detail,
    each: impl Fn(&Observed) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let sessions = args.aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    for session in &sessions {
        let ended = match each(&observe::observe(session, desired, detail).await) {
            Err(error)
                if sessions.len() > 1 && error.downcast_ref::<std::io::Error>().is_none() =>
            {
                let (target, error) = (session.target.clone(), format!("{error:#}"));
                out.write(&Unreachable {
                    kind: UnreachableKind::Unreachable,
                    tool: TOOL.to_owned(),
                    target,
                    error,
                })?;
                Outcome::Trouble
            }
            ended => ended?,
        };
        outcome = outcome.and(ended);
    }
    Ok(outcome)
}
