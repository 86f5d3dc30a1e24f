//! The only writes: updates wave by wave, then the association; each against its `from`, each read back.

mod associate;
mod command;
mod in_progress;

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use awsconf::{Interrupt, Session};
use cli::{
    Applied, ApplyArgs, Change, ChangeStatus, Outcome, Output, Plan, Progress, ResultKind,
    ResultRecord, Target,
};
use diagnosis::Version;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::TOOL;
use crate::model::{Action, UpdateState};
use crate::observe;
use crate::validated_change::Step;
use associate::Associations;
use command::Batch;

/// As many nodes as one command may name.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (InstanceIds)
const MAX_NODES: usize = 50;

/// What became of one change.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    status: ChangeStatus,
    error: Option<String>,
}

impl Tried {
    fn new(status: ChangeStatus, error: Option<String>) -> Tried {
        Tried { status, error }
    }

    fn failed(error: impl Into<String>) -> Tried {
        Tried::new(ChangeStatus::Failed, Some(error.into()))
    }

    fn skipped(reason: impl Into<String>) -> Tried {
        Tried::new(ChangeStatus::Skipped, Some(reason.into()))
    }
}

/// One node to update.
#[derive(Clone, Debug)]
struct NodeUpdate {
    /// Where it is in the plan.
    index: usize,
    instance_id: String,
    from: Version,
    to: UpdateState,
}

/// Carries out one plan; reports everything that was done, also when something failed.
pub(crate) async fn apply(
    session: &Session,
    plan: &Plan<Action>,
    steps: &[Step],
    how: ApplyArgs,
    interrupt: &Interrupt,
    out: &Output,
    progress: &Progress,
) -> (ResultRecord<Action>, Outcome) {
    let client = Client::new(&session.config);
    let associations = Associations {
        client: client.clone(),
    };
    let of_association = Plan::new(
        &plan.tool,
        plan.target.clone(),
        plan.changes
            .iter()
            .zip(steps)
            .filter(|(_, step)| matches!(step, Step::Associate))
            .map(|(change, _)| change.clone())
            .collect(),
    );
    let mut tried = BTreeMap::new();
    let mut nodes = Vec::new();
    for (index, (change, step)) in plan.changes.iter().zip(steps).enumerate() {
        if let Step::Update { from, to } = step {
            if how.recover {
                let reason = "an update has no undo: plan again to see which nodes still need it";
                tried.insert(index, Tried::skipped(reason));
                continue;
            }
            nodes.push(NodeUpdate {
                index,
                instance_id: change.resource.clone(),
                from: *from,
                to: to.clone(),
            });
        }
    }
    // A node that has changed is refused by itself, as nodes do not depend on each other; an association that has changed
    // says that somebody else is at work on all of them.
    let refused = match how.recover || nodes.is_empty() {
        true => Vec::new(),
        false => apply::refusals(&associations, &of_association).await,
    };
    let stopped = match refused.iter().any(Option::is_some) {
        true => {
            let reason = "another change of this plan was refused";
            tried.extend(
                nodes
                    .iter()
                    .map(|node| (node.index, Tried::skipped(reason))),
            );
            None
        }
        false => {
            let target = &session.target;
            update(&client, target, nodes, interrupt, progress, &mut tried).await
        }
    };
    let (associated, outcome) = match &stopped {
        Some(reason) if !how.recover => {
            let skipped = ResultRecord::skipped(&of_association, reason);
            (skipped, Outcome::Fine)
        }
        _ => apply::apply(&associations, &of_association, how, interrupt, out).await,
    };
    let mut associated_results = associated.results.into_iter();
    let results: Vec<Applied<Action>> = plan
        .changes
        .iter()
        .zip(steps)
        .enumerate()
        .filter_map(|(index, (change, step))| match step {
            Step::Update { .. } => Some(applied(change, tried.remove(&index))),
            Step::Associate => associated_results.next(),
        })
        .collect();
    let is_complete = results
        .iter()
        .all(|applied| matches!(applied.status, ChangeStatus::Done | ChangeStatus::Unchanged));
    let outcome = match interrupt.signal() {
        // Looks only.
        _ if how.recover => outcome,
        _ if is_complete => Outcome::Fine,
        Some(signal) => Outcome::Interrupted(signal),
        None => Outcome::Trouble,
    };
    let record = ResultRecord {
        kind: ResultKind::Result,
        tool: TOOL.to_owned(),
        target: plan.target.clone(),
        results,
        undo: associated.undo,
    };
    (record, outcome)
}

/// Updates the nodes; returns why it stopped before the end, if it did.
async fn update(
    client: &Client,
    target: &Target,
    nodes: Vec<NodeUpdate>,
    interrupt: &Interrupt,
    progress: &Progress,
    tried: &mut BTreeMap<usize, Tried>,
) -> Option<String> {
    if nodes.is_empty() {
        return None;
    }
    let ids: Vec<String> = nodes.iter().map(|node| node.instance_id.clone()).collect();
    let set = ids.iter().map(String::as_str).collect();
    let settled = in_progress::settle(client, &set, interrupt, progress).await;
    let known = match settled {
        Ok(()) => observe::information(client, target, &ids).await,
        Err(error) => Err(error),
    };
    let known = match known {
        Ok(known) => known,
        Err(error) => {
            let failed = nodes
                .iter()
                .map(|node| (node.index, Tried::failed(format!("{error:#}"))));
            tried.extend(failed);
            return Some("not tried: the nodes could not be read".to_owned());
        }
    };
    let mut waves: BTreeMap<u32, Vec<NodeUpdate>> = BTreeMap::new();
    for node in nodes {
        match refusal(&node, known.get(&node.instance_id)) {
            Some(refused) => drop(tried.insert(node.index, refused)),
            None => waves.entry(node.to.wave).or_default().push(node),
        }
    }
    progress.begin(waves.values().map(Vec::len).sum(), "node");
    let mut stopped: Option<String> = None;
    for (number, wave) in waves {
        if stopped.is_none() && interrupt.requested() {
            stopped = Some("interrupted".to_owned());
        }
        if let Some(reason) = &stopped {
            tried.extend(wave.iter().map(|node| (node.index, Tried::skipped(reason))));
            continue;
        }
        progress.say(&format!(
            "wave {number}: {}",
            cli::count(wave.len(), "node")
        ));
        let outcome = run_wave(client, target, &wave, interrupt, progress).await;
        let n_failed = outcome
            .values()
            .filter(|tried| tried.status == ChangeStatus::Failed)
            .count();
        let limit = wave
            .first()
            .map_or(0, |node| node.to.max_errors.of(wave.len()));
        if n_failed > limit {
            stopped = Some(format!(
                "not tried: in wave {number} {n_failed} failed, {limit} may"
            ));
        }
        tried.extend(outcome);
    }
    progress.end();
    stopped
}

/// Returns what to say of a node that is not updated now.
fn refusal(node: &NodeUpdate, known: Option<&diagnosis::Information>) -> Option<Tried> {
    let Some(information) = known else {
        return Some(Tried::skipped("SSM does not know it any more"));
    };
    let version = information.agent.version.as_deref().unwrap_or_default();
    let Ok(version) = version.parse::<Version>() else {
        return Some(Tried::failed(format!(
            "its version '{version}' cannot be compared"
        )));
    };
    if version >= node.to.at_least {
        return Some(Tried::new(ChangeStatus::Unchanged, None));
    }
    if version != node.from {
        return Some(Tried::failed(format!(
            "the plan expects version {}, but there is {version}: make a new plan",
            node.from
        )));
    }
    (information.agent.ping.as_deref() != Some("Online"))
        .then(|| Tried::skipped("it is not online now: no command reaches it"))
}

/// Updates the nodes of one wave, in as many commands side by side as its concurrency takes.
async fn run_wave(
    client: &Client,
    target: &Target,
    wave: &[NodeUpdate],
    interrupt: &Interrupt,
    progress: &Progress,
) -> BTreeMap<usize, Tried> {
    let mut outcome = BTreeMap::new();
    let Some(first) = wave.first() else {
        return outcome;
    };
    let limit = first.to.max_errors.of(wave.len());
    let concurrency = first.to.max_concurrency.of(wave.len()).max(1);
    let mut batches = wave.chunks(MAX_NODES);
    let mut running = FuturesUnordered::new();
    let mut n_failed = 0;
    loop {
        while running.len() < concurrency.div_ceil(MAX_NODES)
            && n_failed <= limit
            && !interrupt.requested()
        {
            let Some(nodes) = batches.next() else { break };
            let batch = Batch {
                client,
                target,
                nodes,
                concurrency: concurrency.min(MAX_NODES),
                max_errors: limit - n_failed,
            };
            running.push(batch.run(interrupt, progress));
        }
        let Some(done) = running.next().await else {
            break;
        };
        n_failed += done
            .iter()
            .filter(|(_, tried)| tried.status == ChangeStatus::Failed)
            .count();
        outcome.extend(done);
    }
    let reason = match interrupt.requested() {
        true => "interrupted",
        false => "not tried: too many of its wave failed",
    };
    for node in batches.flatten() {
        outcome.insert(node.index, Tried::skipped(reason));
    }
    outcome
}

fn applied(change: &Change<Action>, tried: Option<Tried>) -> Applied<Action> {
    let tried = tried.unwrap_or_else(|| Tried::skipped("not tried"));
    Applied::of(change, tried.status, tried.error)
}
