//! Gathers what the verbs are about: nodes from AWS or from files, roles from a file, a plan region by region.

use std::path::{Path, PathBuf};

use toolio::{Outcome, Output, Target, Unreachable};

use crate::TOOL;
use crate::model::{Connections, Desired, Node};
use crate::observe::{self, Question};
use crate::roles::{RoleRecord, Roles};
use crate::saved::Saved;

/// Where nodes come from.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// Look only at this node; repeat for several
    #[arg(long = "instance-id", value_name = "ID", conflicts_with = "nodes")]
    pub(crate) instance_ids: Vec<String>,
    /// Read nodes from FILE instead of asking AWS: records of show, or answers of the AWS CLI; repeat for several
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Vec<PathBuf>,
    /// Take ACCOUNT/REGION for those of nodes whose saved answers do not tell
    #[arg(long, value_name = "TARGET", requires = "nodes")]
    pub(crate) target: Option<Target>,
}

/// Hands over every node asked for, then prints what could not be read, which is never taken for "no nodes".
pub(crate) async fn nodes(
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
        let (nodes, unreachable) = saved_nodes(&source.nodes, source.target.as_ref())?;
        nodes.into_iter().try_for_each(each)?;
        unreachable
    };
    trouble(out, &unreachable)
}

/// Prints the plan of every region asked for; `narrowed` are the nodes to look at, and what could not be read of them.
pub(crate) async fn plan(
    aws: &awsconf::AwsArgs,
    out: &Output,
    desired: &Desired,
    narrowed: Option<(Vec<Node>, Vec<Unreachable>)>,
    exit_code: bool,
) -> anyhow::Result<Outcome> {
    let sessions = aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    let (narrowed, mut unreachable) = match narrowed {
        Some((nodes, unreachable)) => (Some(nodes), unreachable),
        None => (None, Vec::new()),
    };
    for session in &sessions {
        let planned = async {
            let ids = narrowed.as_ref().map(|nodes| {
                let here = nodes.iter().filter(|node| node.target == session.target);
                here.map(|node| node.instance_id.clone()).collect()
            });
            let (nodes, associations) = observe::for_plan(session, desired, ids).await?;
            Ok(crate::plan::plan(
                desired,
                &session.target,
                &nodes,
                &associations,
            )?)
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

/// Returns the nodes in saved files, and what was unreachable when they were saved.
pub(crate) fn saved_nodes(
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

/// Returns what the roles of instance profiles may do, out of what `ssm-role show` printed.
pub(crate) fn roles(path: &Path) -> anyhow::Result<Roles> {
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
