//! The nodes that `show` and `check` are about, from AWS or from files.

use std::path::PathBuf;

use awsconf::Session;
use cli::{Outcome, Output, Target, Unreachable};
use records::{InstanceId, Node};

use super::GlobalArgs;
use crate::import_aws_cli::Saved;
use crate::observe::{Observation, ReadOptions, Region};

/// Where nodes come from.
#[derive(clap::Args)]
pub(crate) struct NodeArgs {
    /// Look only at this node; repeat for several
    #[arg(long = "instance-id", value_name = "ID", conflicts_with = "nodes")]
    instance_ids: Vec<InstanceId>,
    /// Read nodes from FILE instead of asking AWS: records of show, or answers of the AWS CLI; repeat for several
    #[arg(long, value_name = "FILE")]
    nodes: Vec<PathBuf>,
    /// Assume ACCOUNT/REGION for saved nodes that do not state their own
    #[arg(long, value_name = "TARGET", requires = "nodes")]
    target: Option<Target>,
}

impl NodeArgs {
    /// Returns whether nodes are named one by one.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.instance_ids.is_empty()
    }

    /// Hands over every node asked for, then prints what could not be read, which is never taken for "no nodes".
    pub(super) async fn each(
        &self,
        global: &GlobalArgs,
        options: &dyn Fn(&Session) -> anyhow::Result<ReadOptions>,
        out: &Output,
        mut each: impl FnMut(Option<&[String]>, &Target, Observation) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        if !self.nodes.is_empty() {
            let (nodes, unreachable) = saved_nodes(&self.nodes, self.target.as_ref())?;
            for node in nodes {
                let target = node.target.clone();
                each(None, &target, Observation::Node(Box::new(node)))?;
            }
            return trouble(out, &unreachable);
        }
        let ids = self.instance_ids.iter().map(|id| id.as_ref().to_owned());
        let ids: Vec<String> = ids.collect();
        let mut missing = ids.clone();
        let fleet = global.fleet(out).await?;
        let work = async |session: &Session, _: &(), nodes| {
            let question = ReadOptions {
                instance_ids: ids.clone(),
                ..options(session)?
            };
            let region = Region::new(session.clone(), question, nodes);
            region.read().await
        };
        let outcome = fleet.stream(out, work, |session, observation: Observation| {
            if let Observation::Node(node) = &observation {
                missing.retain(|id| *id != node.instance_id);
            }
            each(session.units.as_deref(), &session.target, observation)?;
            Ok(Outcome::Fine)
        });
        let outcome = outcome.await?;
        anyhow::ensure!(
            missing.is_empty() || outcome != Outcome::Fine,
            "no such node in these regions: {}",
            missing.join(", ")
        );
        Ok(outcome)
    }
}

/// Returns the nodes in saved files, and what was unreachable when they were saved.
pub(super) fn saved_nodes(
    paths: &[PathBuf],
    target: Option<&Target>,
) -> anyhow::Result<(Vec<Node>, Vec<Unreachable>)> {
    let mut saved = Saved::default();
    for path in paths {
        let io = cli::IoArgs::of_file(path);
        cli::for_each_record(&io, "nodes", |document| saved.add(document))?;
    }
    saved.nodes(target)
}

/// Prints what could not be read.
pub(super) fn trouble(out: &Output, unreachable: &[Unreachable]) -> anyhow::Result<Outcome> {
    unreachable
        .iter()
        .try_for_each(|record| out.write(record))?;
    Ok(if unreachable.is_empty() {
        Outcome::Fine
    } else {
        Outcome::Trouble
    })
}
