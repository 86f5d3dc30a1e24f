//! Tells Slack of every session and command: an EventBridge rule with an API destination, and CloudTrail records
//! formatted for people.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod apply;
mod check;
#[cfg(test)]
mod fixture_tests;
mod format;
mod model;
mod observe;
mod plan;
mod rule;
mod state;
mod webhook;

use std::process::ExitCode;

use anyhow::{Context, bail};
use awsconf::Interrupt;
use model::{Action, Desired};
use observe::Clients;
use serde_json::Value;
use toolio::{IoArgs, Outcome, Output, Plan, Severity};
use webhook::Url;

const TOOL: &str = "ssm-events";

/// Tell Slack of sessions, commands and changes to who may start them
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    io: IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the event pattern that a desired state stands for (offline)
    Pattern,
    /// Print the changes that a desired state needs
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Carry out plans read from stdin and print what was done
    Apply,
    /// Find what keeps an event from reaching Slack
    Check,
    /// Print CloudTrail records, EventBridge events or CloudTrail log files for people (offline)
    Format {
        /// What to print
        #[arg(long, value_enum)]
        to: format::To,
    },
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
        Verb::Pattern => {
            out.write(&rule::pattern(&desired(&args.io)?))?;
            Ok(Outcome::Fine)
        }
        Verb::Plan { exit_code } => {
            let desired = desired(&args.io)?;
            let url = Url::read(&desired.webhook)?;
            let mut plans = Vec::new();
            for session in args.aws.sessions().await? {
                let clients = Clients::new(&session);
                let observed =
                    observe::observe(&clients, &desired.rule_name.0, &desired.role_name.0).await;
                let changes = plan::plan(
                    &desired,
                    &url.sha256(),
                    &observed,
                    &session.target,
                    &session.partition,
                )
                .with_context(|| format!("plan for {}", session.target))?;
                plans.push(Plan::new(TOOL, session.target, changes));
            }
            // All or nothing: the other end of the pipe must not apply half of what was asked for.
            let changes = plans.iter().any(|plan| !plan.changes.is_empty());
            plans.iter().try_for_each(|plan| out.write(plan))?;
            Ok(if exit_code && changes {
                Outcome::Found
            } else {
                Outcome::Fine
            })
        }
        Verb::Apply => {
            let plans: Vec<Plan<Action>> = toolio::read_plans(&args.io, TOOL)?;
            let interrupt = Interrupt::listen();
            let mut outcome = Outcome::Fine;
            for plan in &plans {
                let session = args.aws.session_for(&plan.target).await?;
                let (record, one) =
                    apply::apply(&Clients::new(&session), &session, plan, &interrupt).await;
                out.write(&record)?;
                outcome = outcome.and(one);
                if outcome != Outcome::Fine {
                    break;
                }
            }
            Ok(outcome)
        }
        Verb::Check => check(&args, &out).await,
        Verb::Format { to } => format_records(&args.io, &out, to),
    }
}

/// Reads the desired state; it must name an event.
fn desired(io: &IoArgs) -> anyhow::Result<Desired> {
    let desired: Desired = toolio::read(io, "desired alerts")?;
    if desired.events.is_empty() {
        bail!(
            "desired alerts: $.events: name at least one API call, or leave the key out for the default"
        );
    }
    Ok(desired)
}

async fn check(args: &Args, out: &Output) -> anyhow::Result<Outcome> {
    let desired = desired(&args.io)?;
    let url = Url::read(&desired.webhook)?;
    let sessions = args.aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    for session in &sessions {
        let clients = Clients::new(session);
        let observed = observe::observe(&clients, &desired.rule_name.0, &desired.role_name.0).await;
        let findings = check::check(
            &desired,
            &url.sha256(),
            &observed,
            &session.target,
            &session.partition,
        );
        for finding in &findings {
            out.write(finding)?;
            if finding.severity != Severity::Info {
                outcome = outcome.and(Outcome::Found);
            }
        }
    }
    Ok(outcome)
}

fn format_records(io: &IoArgs, out: &Output, to: format::To) -> anyhow::Result<Outcome> {
    let values: Vec<Value> = toolio::read_records(io, "CloudTrail records")?;
    for (index, value) in values.iter().enumerate() {
        let Some(records) = format::records(value) else {
            bail!(
                "value {} is no CloudTrail record, EventBridge event or CloudTrail log file",
                index + 1
            );
        };
        for record in records {
            match to {
                format::To::Slack => out.write(&format::slack(record))?,
                format::To::Text => out.write_text(&format::line(record))?,
            }
        }
    }
    Ok(Outcome::Fine)
}
