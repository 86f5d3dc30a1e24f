//! `show`: one record for every node.

use awsconf::Session;
use cli::{Outcome, Output};

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
    /// Also read what tells why nodes do not answer, with one more call for each that is online
    #[arg(long)]
    evidence: bool,
}

pub(crate) async fn run(
    args: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest("check");
    let evidence = args.evidence.then_some(Connections::All);
    let options = |_: &Session| {
        Ok(ReadOptions {
            evidence,
            ..ReadOptions::default()
        })
    };
    let nodes = &args.nodes;
    nodes
        .each(
            global,
            &options,
            out,
            |_, _, observation| match observation {
                Observation::Node(node) => out.write(&node),
                Observation::MetadataDefaults(_) => Ok(()),
            },
        )
        .await
}
