//! Gathers what the verbs are about: nodes from AWS or from files, roles from a file, a plan region by region.

use std::path::{Path, PathBuf};

use awsconf::{Fleet, Session};
use reach::{Node, RoleRecord, Roles};
use toolio::{Finding, Layers, Outcome, Output, Target, Unreachable};

use crate::model::{Connections, Desired};
use crate::observe::{self, Question, Region};
use crate::saved::Saved;
use crate::{Args, TOOL};

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
    args: &Args,
    source: &Source,
    evidence: &dyn Fn(&Session) -> anyhow::Result<Option<Connections>>,
    out: &Output,
    mut each: impl FnMut(Option<&[String]>, Node) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if !source.nodes.is_empty() {
        let (nodes, unreachable) = saved_nodes(&source.nodes, source.target.as_ref())?;
        nodes.into_iter().try_for_each(|node| each(None, node))?;
        return trouble(out, &unreachable);
    }
    let mut missing = source.instance_ids.clone();
    let fleet = Fleet::open(TOOL, &args.aws, &args.accounts, out).await?;
    let work = async |session: &Session, _: &(), nodes| {
        let question = Question {
            instance_ids: source.instance_ids.clone(),
            evidence: evidence(session)?,
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

/// What is wished for the nodes of a place, read once for all that come one after another.
pub(crate) struct Wishes<'l> {
    layers: &'l Layers<Desired>,
    last: Option<(Target, Desired)>,
}

impl<'l> Wishes<'l> {
    pub(crate) fn new(layers: &'l Layers<Desired>) -> Wishes<'l> {
        Wishes { layers, last: None }
    }

    /// Returns the wish, and with the first node of a place the overrides there whose last day is over.
    pub(crate) fn of(
        &mut self,
        target: &Target,
        units: Option<&[String]>,
    ) -> anyhow::Result<(&Desired, Vec<Finding>)> {
        let mut expired = Vec::new();
        if self.last.as_ref().is_none_or(|(last, _)| last != target) {
            let id = "agentcheck.override.expired";
            expired = self.layers.expired(id, target, units)?;
            self.last = None;
        }
        let desired = match self.last.take() {
            Some((_, desired)) => desired,
            None => self.layers.at(target, units)?,
        };
        let last = self.last.insert((target.clone(), desired));
        Ok((&last.1, expired))
    }
}

/// Prints the plan of every account and region asked for; `narrowed` are the nodes to look at, and what could not be read of
/// them.
pub(crate) async fn plan(
    args: &Args,
    out: &Output,
    layers: &Layers<Desired>,
    narrowed: Option<(Vec<Node>, Vec<Unreachable>)>,
    exit_code: bool,
) -> anyhow::Result<Outcome> {
    let (narrowed, unreachable) = match narrowed {
        Some((nodes, unreachable)) => (Some(nodes), unreachable),
        None => (None, Vec::new()),
    };
    let fleet = Fleet::open(TOOL, &args.aws, &args.accounts, out).await?;
    let work = async |session: &Session, _: &()| {
        let ids = narrowed.as_ref().map(|nodes| {
            let here = nodes.iter().filter(|node| node.target == session.target);
            here.map(|node| node.instance_id.clone()).collect()
        });
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let (nodes, associations) = observe::for_plan(session, &desired, ids).await?;
        Ok(crate::plan::plan(
            &desired,
            &session.target,
            &nodes,
            &associations,
        )?)
    };
    let outcome = fleet.visit(out, work, |session, planned| {
        out.write(&planned.plan)?;
        if !planned.offline.is_empty() {
            out.note(&format!(
                "{}: outdated, but not online, so no command reaches them: {}",
                session.target,
                planned.offline.join(", ")
            ));
        }
        Ok(match exit_code && !planned.plan.changes.is_empty() {
            true => Outcome::Found,
            false => Outcome::Fine,
        })
    });
    Ok(outcome.await?.and(trouble(out, &unreachable)?))
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
