//! The nodes that `show` and `check` are about, from AWS or from files.

use std::path::PathBuf;

use awsconf::Session;
use cli::{Outcome, Output, Target, Unreachable};
use records::Node;

use super::GlobalArgs;
use crate::import_aws_cli::Saved;
use crate::observe::{ReadOptions, Region};

/// Where nodes come from.
#[derive(clap::Args)]
pub(crate) struct NodeArgs {
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

impl NodeArgs {
    /// Hands over every node asked for, then prints what could not be read, which is never taken for "no nodes".
    pub(super) async fn each(
        &self,
        global: &GlobalArgs,
        options: &dyn Fn(&Session) -> anyhow::Result<ReadOptions>,
        out: &Output,
        mut each: impl FnMut(Option<&[String]>, Node) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        if !self.nodes.is_empty() {
            let (nodes, unreachable) = saved_nodes(&self.nodes, self.target.as_ref())?;
            nodes.into_iter().try_for_each(|node| each(None, node))?;
            return trouble(out, &unreachable);
        }
        let mut missing = self.instance_ids.clone();
        let fleet = global.fleet(out).await?;
        let work = async |session: &Session, _: &(), nodes| {
            let question = ReadOptions {
                instance_ids: self.instance_ids.clone(),
                ..options(session)?
            };
            let region = Region::new(session.clone(), question, nodes);
            region.read().await
        };
        let outcome = fleet.stream(out, work, |session, node: Node| {
            missing.retain(|id| *id != node.instance_id);
            each(session.units.as_deref(), node)?;
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
