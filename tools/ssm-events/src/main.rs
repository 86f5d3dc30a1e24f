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
mod schema;
mod secrets;
mod send;
mod source;
mod stack;
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
use awsconf::{Fleet, Interrupt, Session};
use model::{Action, Desired, Hashes, Webhook};
use observe::{Clients, Known, Names};
use telling::Telling;
use toolio::{ApplyArgs, IoArgs, Layers, Outcome, Output, Plan, Severity};
use webhook::Url;

const TOOL: &str = "ssm-events";

/// Tell Slack of sessions, commands and changes to who may start them
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    accounts: awsconf::AccountArgs,
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
    /// Print a CloudFormation template of a desired state (offline)
    Render {
        /// Print a CloudFormation template that makes what apply makes in a new account and region
        #[arg(long, required = true)]
        cloudformation: bool,
    },
    /// Print the changes that a desired state needs
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Carry out plans read from stdin and print what was done
    Apply(ApplyArgs),
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
    match toolio::arguments::<Args>(schema::SCHEMAS) {
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
            let layers = layers(&args.io)?;
            let work = async |session: &Session, known: &Known| {
                let desired = layers.at(&session.target, session.units.as_deref())?;
                let names = Names::of(&desired, session);
                Ok(observe::observe(&Clients::new(session), known, &names).await)
            };
            let fleet = fleet(&args, &out).await?;
            fleet
                .visit(&out, work, |session, observed| {
                    let is_known = observed.is_known();
                    out.write(&model::Alerts::new(session.target.clone(), observed))?;
                    Ok(match is_known {
                        true => Outcome::Fine,
                        false => Outcome::Trouble,
                    })
                })
                .await
        }
        Verb::Pattern => {
            for desired in layers(&args.io)?.all()? {
                out.write(&rule::pattern(&desired))?;
            }
            Ok(Outcome::Fine)
        }
        Verb::Render { .. } => {
            let template = stack::template(&layers(&args.io)?.only()?)?;
            Output::of_document(TOOL, &args.io)?.write(&template)?;
            Ok(Outcome::Fine)
        }
        Verb::Plan { exit_code } => {
            let layers = readable(&args.io).await?;
            let work = async |session: &Session, known: &Known| {
                let desired = layers.at(&session.target, session.units.as_deref())?;
                let hashes = Hashing::new(&desired).await?.of(session).await?;
                let names = Names::of(&desired, session);
                let observed = observe::observe(&Clients::new(session), known, &names).await;
                let (target, partition) = (&session.target, &session.partition);
                let changes = plan::plan(&desired, &hashes, &observed, target, partition)
                    .with_context(|| format!("plan for {target}"))?;
                Ok(Plan::new(TOOL, target.clone(), changes))
            };
            let fleet = fleet(&args, &out).await?;
            fleet
                .visit(&out, work, |_, plan| {
                    out.write(&plan)?;
                    Ok(match exit_code && !plan.changes.is_empty() {
                        true => Outcome::Found,
                        false => Outcome::Fine,
                    })
                })
                .await
        }
        Verb::Apply(how) => {
            let plans = toolio::read_plans(&args.io, TOOL)?;
            let interrupt = Interrupt::listen();
            let work = async |session: &Session, plan: &Plan<Action>, _| {
                let resources = apply::Resources::new(session, plan);
                ::apply::apply(&resources, plan, how, &interrupt, &out).await
            };
            args.aws.apply(&out, &plans, &interrupt, work).await
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
        Verb::History { wanted, from } => {
            verbs::history(&args.aws, &args.accounts, &out, &wanted, &from).await
        }
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
    /// Reads what is on this machine.
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

/// Reads the desired state, of which each layer must name an event.
fn layers(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers: Layers<Desired> = Layers::read(io, "desired alerts")?;
    for desired in layers.all()? {
        if desired.events.is_empty() {
            bail!(
                "desired alerts: $.events: name at least one API call, or leave the key out for the default"
            );
        }
        if desired.function.is_some()
            && matches!(desired.webhook, Webhook::Env(_) | Webhook::File(_))
        {
            bail!(
                "desired alerts: $.webhook: a function reads it from `parameter` or `secret`, not from this machine"
            );
        }
    }
    Ok(layers)
}

/// Reads the desired state and all that it names on this machine, so that what is wrong is told before the first call.
async fn readable(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers = layers(io)?;
    for desired in layers.all()? {
        Hashing::new(&desired).await?;
    }
    Ok(layers)
}

async fn check(args: &Args, out: &Output, test_for: Option<Duration>) -> anyhow::Result<Outcome> {
    let layers = readable(&args.io).await?;
    let work = async |session: &Session, known: &Known| {
        let (target, units) = (&session.target, session.units.as_deref());
        let desired = layers.at(target, units)?;
        let hashes = Hashing::new(&desired).await?.of(session).await?;
        let clients = Clients::new(session);
        let observed = observe::observe(&clients, known, &Names::of(&desired, session)).await;
        let partition = &session.partition;
        let mut findings = check::check(&desired, &hashes, &observed, target, partition);
        findings.extend(layers.expired(check::OVERRIDE_EXPIRED, target, units)?);
        if let Some(patience) = test_for {
            let tested = apply::test_event::send(&clients, session, &desired, patience).await;
            findings.push(tested.context("send a test event")?);
        }
        Ok(findings)
    };
    let fleet = fleet(args, out).await?;
    fleet
        .visit(out, work, |_, findings| {
            let mut outcome = Outcome::Fine;
            for finding in &findings {
                out.write(finding)?;
                if finding.severity != Severity::Info {
                    outcome = Outcome::Found;
                }
            }
            Ok(outcome)
        })
        .await
}

async fn fleet(args: &Args, out: &Output) -> anyhow::Result<Fleet> {
    Fleet::open(TOOL, &args.aws, &args.accounts, out).await
}
