//! `show`: one record for every node.

use std::cell::Cell;

use awsconf::Session;
use cli::{Next, Outcome, Output};

use super::GlobalArgs;
use super::nodes::NodeArgs;
use crate::model::Connections;
use crate::observe::{Observation, ReadOptions};

/// Print one record for every EC2 instance and hybrid node
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-agentcheck show\n  ssm-agentcheck show --region us-east-1,us-west-2 -o csv >nodes.csv\n  ssm-agentcheck show --jq 'select(.agent.ping != \"Online\") | .instance_id' -r"
)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    nodes: NodeArgs,
    /// Also read evidence on why nodes do not answer; one more call per online node
    #[arg(long)]
    evidence: bool,
}

pub(crate) async fn run(
    args: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.list_of("node");
    out.suggest(Next::Bare("check"));
    let evidence = args.evidence.then_some(Connections::All);
    let options = |_: &Session| {
        Ok(ReadOptions {
            evidence,
            ..ReadOptions::default()
        })
    };
    let nodes = &args.nodes;
    let is_unread = Cell::new(false);
    let outcome = nodes.each(global, &options, out, |_, _, observation| {
        let Observation::Node(node) = observation else {
            return Ok(());
        };
        let evidence = node.evidence.as_ref();
        if evidence.is_some_and(|evidence| !evidence.unread().is_empty()) {
            is_unread.set(true);
        }
        out.write(&node)
    });
    let outcome = outcome.await?;
    Ok(match is_unread.get() {
        true => outcome.and(Outcome::Trouble),
        false => outcome,
    })
}
