//! Shows and checks the SSM Agent of every node: EC2 instances, whether SSM has seen them or not, and hybrid nodes.
//! It reads only; no call of this tool can change anything.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod check;
mod model;
mod observe;
mod timestamp;
mod version;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use toolio::{Outcome, Output, Unreachable, UnreachableKind};

use crate::model::{Desired, Node};
use crate::timestamp::Timestamp;

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
    Show,
    /// Print what is wrong with the nodes; exit with 1 when something is
    Check {
        /// Check the records in FILE, as show prints them, instead of asking AWS
        #[arg(long, value_name = "FILE")]
        nodes: Option<PathBuf>,
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
    match &args.verb {
        Verb::Show => {
            let (nodes, unreachable) = observe::everywhere(&args.aws).await?;
            for node in &nodes {
                out.write(node)?;
            }
            trouble(&out, unreachable)
        }
        Verb::Check { nodes: None } => {
            let desired: Desired = toolio::read(&args.io, "desired agents")?;
            let (nodes, unreachable) = observe::everywhere(&args.aws).await?;
            let outcome = report(&out, &desired, &nodes)?;
            Ok(outcome.and(trouble(&out, unreachable)?))
        }
        Verb::Check { nodes: Some(path) } => {
            let desired: Desired = toolio::read(&args.io, "desired agents")?;
            let (nodes, unreachable) = observe::saved(path, &args.io)?;
            let outcome = report(&out, &desired, &nodes)?;
            Ok(outcome.and(trouble(&out, unreachable)?))
        }
    }
}

/// Prints the findings, and how many nodes they are about on stderr.
fn report(out: &Output, desired: &Desired, nodes: &[Node]) -> anyhow::Result<Outcome> {
    let findings = check::check(desired, nodes, now());
    for finding in &findings {
        out.write(finding)?;
    }
    out.note(&check::summary(nodes, &findings));
    Ok(check::outcome(&findings))
}

/// Prints what could not be read; it is never taken for "no nodes".
fn trouble(out: &Output, unreachable: Vec<Unreachable>) -> anyhow::Result<Outcome> {
    for record in &unreachable {
        out.write(record)?;
    }
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

/// Returns the record for a region that could not be read.
fn unreachable(target: toolio::Target, error: &anyhow::Error) -> Unreachable {
    Unreachable {
        kind: UnreachableKind::Unreachable,
        tool: TOOL.to_owned(),
        target,
        error: format!("{error:#}"),
    }
}
