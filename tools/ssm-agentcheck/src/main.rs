//! Shows and checks the SSM Agent of every node - EC2 instances, whether SSM has seen them or not, and hybrid nodes -
//! and brings outdated ones up to date. Writes only commands that update agents, and one association that does.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod capability;
mod model;
mod timestamp;
mod update;
mod version;

mod join;
mod roles;
mod saved;
mod ways;

mod observe;

mod cause;
mod check;
mod host;
mod plan;
mod step;

mod apply;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use toolio::{Outcome, Output, Progress, Target, Unreachable};

use crate::check::Tally;
use crate::model::{Connections, Desired, Node};
use crate::observe::Question;
use crate::observe::host::Redirect;
use crate::roles::{RoleRecord, Roles};
use crate::saved::Saved;
use crate::timestamp::Timestamp;
use crate::update::Action;

const TOOL: &str = "ssm-agentcheck";

/// Check the SSM Agent of every node: present, new enough, online, able to reach its metadata service
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
    /// Print one record for every EC2 instance and hybrid node
    Show {
        #[command(flatten)]
        source: Source,
        /// Also read what tells why nodes do not answer
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
        #[arg(long, value_name = "URL", env = "AWS_EC2_METADATA_SERVICE_ENDPOINT")]
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
    Apply,
}

/// Where nodes come from.
#[derive(clap::Args)]
struct Source {
    /// Look only at this node; repeat for several
    #[arg(long = "instance-id", value_name = "ID", conflicts_with = "nodes")]
    instance_ids: Vec<String>,
    /// Read nodes from FILE instead of asking AWS: records of show, or answers of the AWS CLI; repeat for several
    #[arg(long, value_name = "FILE")]
    nodes: Vec<PathBuf>,
    /// Take ACCOUNT/REGION for those of nodes whose saved answers do not tell
    #[arg(long, value_name = "TARGET", requires = "nodes")]
    target: Option<Target>,
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
    match &args.verb {
        Verb::Show { source, evidence } => {
            let evidence = evidence.then_some(Connections::All);
            nodes(&args.aws, source, evidence, &out, |node| out.write(&node)).await
        }
        Verb::Check { source, roles } => {
            let desired: Desired = toolio::read(&args.io, "desired agents")?;
            let roles = roles.as_deref().map(read_roles).transpose()?;
            let (now, mut tally) = (now(), Tally::default());
            let connections = Some(desired.connections);
            let outcome = nodes(&args.aws, source, connections, &out, |node| {
                let (findings, verdict) = check::check(&desired, roles.as_ref(), &node, now);
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
            let desired: Desired = toolio::read(&args.io, "desired agents")?;
            let narrowed = nodes
                .as_ref()
                .map(|path| read_nodes(std::slice::from_ref(path), None));
            let narrowed = narrowed.transpose()?.map(|(nodes, _)| nodes);
            plan_all(&args.aws, &out, &desired, narrowed, *exit_code).await
        }
        Verb::Apply => {
            let plans = toolio::read_plans::<Action>(&args.io, TOOL)?;
            let steps: Vec<_> = plans.iter().map(step::steps).collect::<Result<_, _>>()?;
            let interrupt = awsconf::Interrupt::listen();
            let progress = Progress::new(args.io.quiet);
            let mut outcome = Outcome::Fine;
            for (plan, steps) in plans.iter().zip(&steps) {
                let session = args.aws.session_for(&plan.target).await?;
                let (result, ended) =
                    apply::apply(&session, plan, steps, &interrupt, &progress).await;
                out.write(&result)?;
                outcome = outcome.and(ended);
            }
            Ok(outcome)
        }
    }
}

/// Hands over every node asked for, then prints what could not be read, which is never taken for "no nodes".
async fn nodes(
    aws: &awsconf::AwsArgs,
    source: &Source,
    evidence: Option<Connections>,
    out: &Output,
    mut each: impl FnMut(Node) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let unreachable = if source.nodes.is_empty() {
        let question = Question {
            instance_ids: source.instance_ids.clone(),
            evidence,
        };
        let mut missing = source.instance_ids.clone();
        let unreachable = observe::for_each(aws, &question, |node| {
            missing.retain(|id| *id != node.instance_id);
            each(node)
        })
        .await?;
        anyhow::ensure!(
            missing.is_empty() || !unreachable.is_empty(),
            "no such node in these regions: {}",
            missing.join(", ")
        );
        unreachable
    } else {
        let (nodes, unreachable) = read_nodes(&source.nodes, source.target.as_ref())?;
        nodes.into_iter().try_for_each(each)?;
        unreachable
    };
    trouble(out, &unreachable)
}

async fn plan_all(
    aws: &awsconf::AwsArgs,
    out: &Output,
    desired: &Desired,
    narrowed: Option<Vec<Node>>,
    exit_code: bool,
) -> anyhow::Result<Outcome> {
    let sessions = aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    let mut unreachable = Vec::new();
    for session in &sessions {
        let planned = async {
            let ids = narrowed.as_ref().map(|nodes| {
                let here = nodes.iter().filter(|node| node.target == session.target);
                here.map(|node| node.instance_id.clone()).collect()
            });
            let (nodes, associations) = observe::for_plan(session, desired, ids).await?;
            Ok(plan::plan(desired, &session.target, &nodes, &associations)?)
        };
        match planned.await {
            Ok(planned) => {
                out.write(&planned.plan)?;
                if !planned.offline.is_empty() {
                    out.note(&format!(
                        "{}: outdated, but not online, so no command reaches them: {}",
                        session.target,
                        planned.offline.join(", ")
                    ));
                }
                if exit_code && !planned.plan.changes.is_empty() {
                    outcome = outcome.and(Outcome::Found);
                }
            }
            Err(error) if sessions.len() == 1 => return Err(error),
            Err(error) => unreachable.push(Unreachable::new(TOOL, &session.target, &error)),
        }
    }
    Ok(outcome.and(trouble(out, &unreachable)?))
}

fn read_nodes(
    paths: &[PathBuf],
    target: Option<&Target>,
) -> anyhow::Result<(Vec<Node>, Vec<Unreachable>)> {
    let mut saved = Saved::default();
    for path in paths {
        let io = toolio::IoArgs::of_file(path);
        toolio::for_each_record(&io, "nodes", |document| saved.add(document))?;
    }
    saved.nodes(target)
}

fn read_roles(path: &Path) -> anyhow::Result<Roles> {
    let mut records: Vec<RoleRecord> = Vec::new();
    let io = toolio::IoArgs::of_file(path);
    toolio::for_each_record(&io, "roles", |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(Roles::of(records))
}

fn trouble(out: &Output, unreachable: &[Unreachable]) -> anyhow::Result<Outcome> {
    unreachable
        .iter()
        .try_for_each(|record| out.write(record))?;
    Ok(if unreachable.is_empty() {
        Outcome::Fine
    } else {
        Outcome::Trouble
    })
}

/// The only clock; what decides gets it handed in.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}
