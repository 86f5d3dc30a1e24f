//! Tells Slack of every session and command: an EventBridge rule with an API destination, and CloudTrail records
//! formatted for people.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod apply;
mod arguments;
mod check;
mod desired;
mod event_pattern;
#[cfg(test)]
mod fixture_tests;
mod format;
mod function;
mod history;
mod lambda;
mod matching;
mod model;
mod observe;
mod package;
mod plan;
mod reconcile;
mod record;
mod report;
mod rule;
mod scan;
mod secrets;
mod send;
mod source;
mod state;
mod telling;
mod trail;
mod verbs;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use arguments::{SendArgs, StyleArgs};
use awsconf::Interrupt;
use model::{Action, Desired, Hashes, Webhook};
use observe::{Clients, Names};
use telling::Telling;
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
    /// Print what there is of a desired state
    Show,
    /// Print the event pattern that a desired state stands for (offline)
    Pattern,
    /// Print the events that fit an event pattern of EventBridge; exits with 1 when one does (offline)
    Match {
        /// The pattern, or a file that holds it
        pattern: String,
        /// Say of every event which fields decided, instead of printing it
        #[arg(long)]
        explain: bool,
    },
    /// Print the changes that a desired state needs
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Carry out plans read from stdin and print what was done
    Apply,
    /// Find what keeps an event from reaching Slack
    Check {
        /// Put a marked event on the bus and say what came of it
        #[arg(long)]
        send_test: bool,
        /// Wait this many seconds for the marked event to come back undelivered
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = 15,
            requires = "send_test"
        )]
        patience: u64,
    },
    /// Print CloudTrail records, EventBridge events or log files for people or other programs (offline)
    Format {
        /// What to print
        #[arg(
            long,
            value_enum,
            required_unless_present = "jq_file",
            conflicts_with = "jq_file"
        )]
        to: Option<format::To>,
        #[command(flatten)]
        style: StyleArgs,
    },
    /// Send messages, or messages about records, to a Slack webhook, each once
    Send {
        #[command(flatten)]
        send: SendArgs,
        #[command(flatten)]
        style: StyleArgs,
    },
    /// Print past records: of log files, of a bucket, or of CloudTrail's event history
    History {
        #[command(flatten)]
        wanted: history::Wanted,
        #[command(flatten)]
        from: verbs::HistoryArgs,
    },
    /// Print the records that never reached Slack (offline)
    Reconcile {
        /// Delivery log of a spool, or a list of event ids; repeat for several
        #[arg(long, value_name = "FILE", required = true)]
        delivered: Vec<PathBuf>,
        /// Exit with 1 when a record is missing
        #[arg(long)]
        exit_code: bool,
    },
    /// Print sessions, commands and refused calls, put together from records (offline)
    Report {
        /// Print one page of HTML that needs no network
        #[arg(long)]
        html: bool,
        /// Name nodes as in these node records, such as `ssm-agentcheck show` prints
        #[arg(long, value_name = "FILE")]
        nodes: Option<PathBuf>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Lambda starts a function by this name and gives no arguments.
    if is_named(lambda::NAME) {
        return toolio::finish(TOOL, lambda::serve().await.map(|()| Outcome::Fine));
    }
    match toolio::arguments::<Args>(model::schemas) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

fn is_named(name: &str) -> bool {
    let program = std::env::args_os().next().map(PathBuf::from);
    program.is_some_and(|program| program.file_name().is_some_and(|file| file == name))
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    match args.verb {
        Verb::Show => {
            let desired = desired(&args.io)?;
            let mut outcome = Outcome::Fine;
            for session in args.aws.sessions().await? {
                let names = Names::of(&desired, &session);
                let observed = observe::observe(&Clients::new(&session), &names).await;
                if !observed.is_known() {
                    outcome = Outcome::Trouble;
                }
                out.write(&model::Shown::new(session.target, observed))?;
            }
            Ok(outcome)
        }
        Verb::Pattern => {
            out.write(&rule::pattern(&desired(&args.io)?))?;
            Ok(Outcome::Fine)
        }
        Verb::Plan { exit_code } => {
            let desired = desired(&args.io)?;
            let hashing = Hashing::new(&desired).await?;
            let mut plans = Vec::new();
            for session in args.aws.sessions().await? {
                let hashes = hashing.of(&session).await?;
                let clients = Clients::new(&session);
                let observed = observe::observe(&clients, &Names::of(&desired, &session)).await;
                let changes = plan::plan(
                    &desired,
                    &hashes,
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
        Verb::Check {
            send_test,
            patience,
        } => {
            let patience = send_test.then(|| Duration::from_secs(patience));
            check(&args, &out, patience).await
        }
        Verb::Match { pattern, explain } => {
            let pattern = matching::pattern(&pattern)?;
            match explain {
                true => matching::explain(&args.io, &out, &pattern),
                false => matching::run(&args.io, &out, &pattern),
            }
        }
        Verb::Format { to, style } => {
            let telling = Telling {
                style: style.style()?,
                template: style.template()?,
            };
            telling::run(&args.io, &out, to, &telling)
        }
        Verb::Send { send, style } => {
            let telling = Telling {
                style: style.style()?,
                template: style.template()?,
            };
            verbs::send(&args.aws, &args.io, &out, &send, telling).await
        }
        Verb::History { wanted, from } => verbs::history(&args.aws, &out, &wanted, &from).await,
        Verb::Reconcile {
            delivered,
            exit_code,
        } => verbs::reconcile(&args.io, &out, &delivered, exit_code),
        Verb::Report { html, nodes } => verbs::report(&args.io, &out, html, nodes.as_deref()),
    }
}

/// What plans know by its hash only: the URL where EventBridge must be told it, the package where there is a function.
struct Hashing<'d> {
    desired: &'d Desired,
    here: Option<Url>,
    code: String,
}

impl<'d> Hashing<'d> {
    /// Reads what is on this machine, so that what is wrong with it is told before the first call to AWS.
    async fn new(desired: &'d Desired) -> anyhow::Result<Hashing<'d>> {
        let code = match &desired.function {
            Some(function) => package::read(&function.zip)?.sha256,
            None => String::new(),
        };
        // A function reads the URL by itself.
        let here = match &desired.function {
            Some(_) => None,
            None => Url::read_here(&desired.webhook).await?,
        };
        Ok(Hashing {
            desired,
            here,
            code,
        })
    }

    async fn of(&self, session: &awsconf::Session) -> anyhow::Result<Hashes> {
        let endpoint = match (&self.here, &self.desired.function) {
            (Some(url), _) => url.sha256(),
            (None, Some(_)) => String::new(),
            (None, None) => Url::read(&self.desired.webhook, Some(&session.config))
                .await?
                .sha256(),
        };
        Ok(Hashes {
            endpoint,
            code: self.code.clone(),
        })
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
    if desired.function.is_some() && matches!(desired.webhook, Webhook::Env(_) | Webhook::File(_)) {
        bail!(
            "desired alerts: $.webhook: a function reads it from `parameter` or `secret`, not from this machine"
        );
    }
    Ok(desired)
}

async fn check(args: &Args, out: &Output, test_for: Option<Duration>) -> anyhow::Result<Outcome> {
    let desired = desired(&args.io)?;
    let hashing = Hashing::new(&desired).await?;
    let sessions = args.aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    for session in &sessions {
        let hashes = hashing.of(session).await?;
        let clients = Clients::new(session);
        let observed = observe::observe(&clients, &Names::of(&desired, session)).await;
        let mut findings = check::check(
            &desired,
            &hashes,
            &observed,
            &session.target,
            &session.partition,
        );
        if let Some(patience) = test_for {
            let tested = apply::test_event::send(&clients, session, &desired, patience).await;
            findings.push(tested.context("send a test event")?);
        }
        for finding in &findings {
            out.write(finding)?;
            if finding.severity != Severity::Info {
                outcome = outcome.and(Outcome::Found);
            }
        }
    }
    Ok(outcome)
}
