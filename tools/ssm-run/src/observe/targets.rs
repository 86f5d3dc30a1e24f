//! From what is asked for to nodes that a command can be sent to, and records for those that it cannot.

use std::collections::BTreeMap;

use anyhow::bail;
use awsconf::{Fleet, Session};
use cli::{IoArgs, Outcome, Output, Target, Unreachable};
use futures_util::stream::{self, StreamExt};
use records::{Node, Timestamp};

use super::place::Place;
use super::{nodes as read_nodes, places};
use crate::arguments::{GlobalArgs, Where};
use crate::batch::{self, Batch};
use crate::job::Jobs;
use crate::nodes::{Asked, AskedNode, by_target, parse};
use crate::run_spec::RunSpec;
use crate::targets::Targets;
use crate::{TOOL, reason};
use records::{Absence, Invocation, Reason};

/// Where nodes come from, for who has given none.
const WHERE_FROM: &str = "pipe in what `ssm-agentcheck show` prints, or node IDs";

/// Everything that a run is about.
#[derive(Default)]
pub(crate) struct Resolved {
    pub(crate) places: Vec<Place>,
    /// The nodes are in the order of the input.
    pub(crate) targets: Targets,
    /// The records of nodes that no command is sent to.
    pub(crate) absent: Vec<Invocation>,
    pub(crate) unreachable: Vec<Unreachable>,
    pub(crate) outcome: Option<Outcome>,
}

impl Resolved {
    pub(crate) fn n_nodes(&self) -> usize {
        self.targets.nodes.len() + self.absent.len()
    }

    /// Adds a node as far as it is known: to those that a command is sent to, or with the reason why not.
    fn add(&mut self, place: usize, node: &Node, jobs: &Jobs, now: Timestamp) {
        let name = node.tags.get("Name").map(String::as_str);
        let job = match reason::unreachable(node, now) {
            Some(reason) => Err((Absence::Unreachable, reason)),
            None => jobs
                .on(node.platform.r#type.as_deref())
                .map_err(|reason| (Absence::NotSent, reason)),
        };
        match job {
            Ok(job) => self.targets.nodes.push(batch::Node {
                place,
                job,
                instance_id: node.instance_id.clone(),
                name: name.map(str::to_owned),
            }),
            Err((absence, reason)) => {
                self.refuse(&node.target, &node.instance_id, name, absence, reason);
            }
        }
    }

    fn refuse(
        &mut self,
        target: &Target,
        id: &str,
        name: Option<&str>,
        absence: Absence,
        reason: Reason,
    ) {
        let record = Invocation::without_command(target, id, name, absence, reason);
        self.absent.push(record);
    }
}

/// Reads what is asked for from stdin or a file; with a tag or a resource group stdin is not read.
pub(crate) fn read(io: &IoArgs, r#where: &Where, order: &RunSpec) -> anyhow::Result<Asked> {
    if r#where.is_given() && io.file.is_none() {
        return Ok(Asked::default());
    }
    let cure = format!("{WHERE_FROM}, or use --tag or --resource-group");
    cli::expect_input(io.path(), "nodes", &cure)?;
    let mut texts = cli::read_texts(&[], io, "nodes")?;
    let (source, text) = texts.pop().unwrap_or_default();
    let asked = parse(&text).map_err(|error| error.context(format!("read nodes from {source}")))?;
    if r#where.is_given() {
        if !asked.nodes.is_empty() {
            bail!("read nodes from {source}: either nodes there, or --tag or --resource-group");
        }
    } else if let Some(place) = asked.places.first() {
        bail!("read nodes from {source}: {place} names no node: pass --tag or --resource-group");
    }
    let is_empty = asked.nodes.is_empty() && asked.places.is_empty();
    if is_empty && asked.unreachable.is_empty() && order.resume.is_none() {
        bail!("read nodes from {source}: the input is empty: {WHERE_FROM}");
    }
    Ok(asked)
}

/// Finds out where nodes are and whether a command reaches them; records are taken as they are, IDs are looked up.
pub(crate) async fn find(
    r#where: &Where,
    global: &GlobalArgs,
    order: &RunSpec,
    asked: Asked,
    now: Timestamp,
    out: &Output,
) -> anyhow::Result<Resolved> {
    let nothing = Jobs::default();
    let jobs = order.jobs.as_ref().unwrap_or(&nothing);
    if r#where.is_given() {
        return chosen(r#where, global, jobs, asked, now, out).await;
    }
    if global.accounts.accounts.is_some() {
        bail!("--accounts goes with --tag or --resource-group: records name their own account");
    }
    let mut found = Resolved {
        unreachable: asked.unreachable,
        ..Resolved::default()
    };
    // Bare IDs are where the flags say, records where they say themselves.
    let is_at_home = |node: &AskedNode| node.target.is_none();
    let needs_home = asked.nodes.iter().any(is_at_home) || asked.nodes.is_empty();
    let home = match needs_home {
        true if global.aws.regions.len() > 1 => {
            bail!("IDs alone do not name their region: name one --region, or give records")
        }
        true => Some(global.aws.session().await?.with_adaptive_retry()),
        false => None,
    };
    let home_target = home.as_ref().map(|home| home.target.clone());
    let (targets, nodes) = by_target(asked.nodes, home_target.as_ref());
    let mut sessions: Vec<(Target, anyhow::Result<Session>)> = Vec::new();
    sessions.extend(home.map(|home| (home.target.clone(), Ok(home))));
    let others = targets.get(sessions.len()..).unwrap_or_default();
    sessions.extend(places::open(&global.aws, others).await?);
    let known = look_up(global, &sessions, &nodes).await;
    // Numbers of targets to numbers of places: there is no place for what cannot be reached.
    let mut numbers = Vec::new();
    for (target, session) in &sessions {
        numbers.push(match session {
            Ok(session) => {
                found.places.push(Place::new(session));
                Ok(found.places.len() - 1)
            }
            Err(error) => {
                let record = Unreachable::new(TOOL, target, error);
                found.unreachable.push(record);
                Err(reason::no_session(error))
            }
        });
    }
    for (number, node) in nodes {
        let (Some((target, _)), Some(place), Some(known)) =
            (sessions.get(number), numbers.get(number), known.get(number))
        else {
            continue;
        };
        let id = &node.instance_id;
        match (place, node.record, known) {
            (Err(reason), _, _) => {
                found.refuse(target, id, None, Absence::NotSent, reason.clone());
            }
            (Ok(place), Some(record), _) => found.add(*place, &record, jobs, now),
            (Ok(_), None, Err(error)) => {
                found.refuse(target, id, None, Absence::NotSent, reason::not_read(error));
            }
            (Ok(place), None, Ok(known)) => match known.get(id) {
                Some(node) => found.add(*place, node, jobs, now),
                None => found.refuse(target, id, None, Absence::Unreachable, reason::unknown()),
            },
        }
    }
    Ok(found)
}

/// Returns what AWS knows of the nodes without a record, by target.
async fn look_up(
    global: &GlobalArgs,
    sessions: &[(Target, anyhow::Result<Session>)],
    nodes: &[(usize, AskedNode)],
) -> Vec<anyhow::Result<BTreeMap<String, Node>>> {
    let mut ids: Vec<Vec<String>> = sessions.iter().map(|_| Vec::new()).collect();
    for (number, node) in nodes {
        if let (None, Some(ids)) = (&node.record, ids.get_mut(*number)) {
            ids.push(node.instance_id.clone());
        }
    }
    let looking =
        stream::iter(sessions.iter().zip(ids)).map(async |((_, session), ids)| match session {
            Ok(session) if !ids.is_empty() => read_nodes::with_ids(session, &ids).await,
            _ => Ok(BTreeMap::new()),
        });
    let looking = looking.buffered(global.aws.max_concurrency.get());
    looking.collect().await
}

/// Finds the nodes with tags, or those of a resource group, in every account and region that the flags or the input name.
async fn chosen(
    r#where: &Where,
    global: &GlobalArgs,
    jobs: &Jobs,
    asked: Asked,
    now: Timestamp,
    out: &Output,
) -> anyhow::Result<Resolved> {
    let mut found = Resolved {
        unreachable: asked.unreachable,
        ..Resolved::default()
    };
    let (tags, group) = (&r#where.tags, r#where.resource_group.as_deref());
    let group = match (group, jobs.anywhere()) {
        (Some(name), Some(job)) => Some(Batch::of_resource_group(job, name)),
        (Some(_), None) => bail!(
            "--resource-group: only SSM knows its nodes and their platforms: name one script or one document"
        ),
        (None, _) => None,
    };
    let read = async |session: &Session| match &group {
        Some(_) => Ok(Vec::new()),
        None => read_nodes::with_tags(session, tags).await,
    };
    let mut add = |session: &Session, nodes: Vec<Node>| {
        found.places.push(Place::new(session));
        let place = found.places.len() - 1;
        nodes
            .iter()
            .for_each(|node| found.add(place, node, jobs, now));
        let choice = group.clone().map(|batch| (place, batch));
        found.targets.choices.extend(choice);
    };
    let (mut unreachable, mut reported) = (Vec::new(), None);
    if asked.places.is_empty() {
        let fleet = Fleet::open(TOOL, &global.aws, &global.accounts, out).await?;
        let work = async |session: &Session, _: &()| read(session).await;
        let outcome = fleet.visit(out, work, |session, nodes| {
            add(session, nodes);
            Ok(Outcome::Fine)
        });
        reported = Some(outcome.await?);
    }
    for (target, session) in places::open(&global.aws, &asked.places).await? {
        let nodes = match &session {
            Ok(session) => read(session).await.map(|nodes| add(session, nodes)),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        };
        if let Err(error) = nodes {
            unreachable.push(Unreachable::new(TOOL, &target, &error));
        }
    }
    found.unreachable.extend(unreachable);
    found.outcome = reported;
    let is_nobody = found.n_nodes() == 0 && found.targets.choices.is_empty();
    if is_nobody && found.unreachable.is_empty() && found.outcome != Some(Outcome::Trouble) {
        bail!("no node that SSM knows has these tags here");
    }
    Ok(found)
}
