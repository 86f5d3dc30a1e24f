//! Shows and checks the SSM Agent of every node - EC2 instances, whether SSM has seen them or not, and hybrid nodes -
//! and brings outdated ones up to date. Writes only commands that update agents, and one association that does.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod model;
mod update;

mod schema;

mod saved;

mod ask;
mod observe;

mod check;
mod host;
mod plan;
mod step;

mod apply;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use awsconf::Session;
use reach::Timestamp;
use toolio::{ApplyArgs, Layers, Outcome, Output, Progress};

use crate::ask::Source;
use crate::check::Tally;
use crate::model::{Connections, Desired};
use crate::observe::host::Redirect;
use crate::update::Action;

const TOOL: &str = "ssm-agentcheck";

/// Check the SSM Agent of every node: present, new enough, online, able to reach its metadata service
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    accounts: awsconf::AccountArgs,
    #[command(flatten)]
    io: toolio::IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print one record for every EC2 instance and hybrid node
    Show {
        #[command(flatten)]
        source: Source,
        /// Also read what tells why nodes do not answer, with one more call for each that is online
        #[arg(long)]
        evidence: bool,
    },
    /// Print what is wrong with the nodes, one reason for each that cannot be reached; exit with 1 when something is
    Check {
        #[command(flatten)]
        source: Source,
        /// Read what the roles of instance profiles may do from FILE, as ssm-role show prints it
        #[arg(long, value_name = "FILE")]
        roles: Option<PathBuf>,
    },
    /// Print what is wrong with the agent of this machine, without calling AWS; exit with 1 when something is
    Host {
        /// Look at the files of the system in DIR
        #[arg(long, value_name = "DIR", default_value = "/")]
        root: PathBuf,
        /// Ask the metadata service at this URL
        #[arg(
            long,
            value_name = "URL",
            env = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            hide_env_values = true
        )]
        metadata_endpoint: Option<String>,
    },
    /// Print what apply would change to bring outdated agents up to date
    Plan {
        /// Look only at the nodes whose records are in FILE
        #[arg(long, value_name = "FILE")]
        nodes: Option<PathBuf>,
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Change what the plans on stdin say, wave by wave, and print what became of every node
    Apply(ApplyArgs),
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
    match &args.verb {
        Verb::Show { source, evidence } => {
            let evidence = evidence.then_some(Connections::All);
            let evidence = |_: &Session| Ok(evidence);
            ask::nodes(&args, source, &evidence, &out, |_, node| out.write(&node)).await
        }
        Verb::Check { source, roles } => {
            let layers = Layers::<Desired>::read(&args.io, "desired agents")?;
            let roles = roles.as_deref().map(ask::roles).transpose()?;
            let (now, mut tally) = (now(), Tally::default());
            let evidence = |session: &Session| {
                let desired = layers.at(&session.target, session.units.as_deref())?;
                Ok(Some(desired.connections))
            };
            let mut wishes = ask::Wishes::new(&layers);
            let outcome = ask::nodes(&args, source, &evidence, &out, |units, node| {
                let (desired, expired) = wishes.of(&node.target, units)?;
                for finding in expired {
                    out.write(&finding)?;
                    tally.found();
                }
                let (findings, verdict) = check::check(desired, roles.as_ref(), &node, now);
                tally.count(&findings, verdict);
                findings.iter().try_for_each(|finding| out.write(finding))
            })
            .await?;
            out.note(&tally.to_string());
            Ok(outcome.and(tally.outcome()))
        }
        Verb::Host {
            root,
            metadata_endpoint,
        } => {
            let desired: Desired = toolio::read(&args.io, "desired agents")?;
            let redirect = Redirect {
                root: root.clone(),
                metadata_endpoint: metadata_endpoint.clone(),
                endpoint_url: args.aws.endpoint_url.clone(),
            };
            let host = observe::host::observe(&redirect, now()).await?;
            let findings = host::check(&desired, &host);
            findings.iter().try_for_each(|finding| out.write(finding))?;
            Ok(match findings.is_empty() {
                true => Outcome::Fine,
                false => Outcome::Found,
            })
        }
        Verb::Plan { nodes, exit_code } => {
            let layers = Layers::<Desired>::read(&args.io, "desired agents")?;
            let narrowed = nodes
                .as_ref()
                .map(|path| ask::saved_nodes(std::slice::from_ref(path), None));
            let narrowed = narrowed.transpose()?;
            ask::plan(&args, &out, &layers, narrowed, *exit_code).await
        }
        Verb::Apply(how) => {
            let plans = toolio::read_plans::<Action>(&args.io, TOOL)?;
            let steps: Vec<_> = plans
                .plans
                .iter()
                .map(step::steps)
                .collect::<Result<_, _>>()?;
            let interrupt = awsconf::Interrupt::listen();
            let progress = Progress::new(args.io.quiet || plans.plans.len() > 1);
            let work = async |session: &Session, plan: &toolio::Plan<Action>, number: usize| {
                apply::apply(
                    session,
                    plan,
                    &steps[number],
                    *how,
                    &interrupt,
                    &out,
                    &progress,
                )
                .await
            };
            args.aws.apply(&out, &plans, &interrupt, work).await
        }
    }
}

/// The only clock; what decides gets it handed in.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}
