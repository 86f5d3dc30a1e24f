//! The only writes: updates wave by wave, then the association; each against its `from`, each read back.

mod associate;
mod command;
mod under_way;

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use awsconf::{Interrupt, Session};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reach::Version;
use toolio::{
    Applied, ApplyArgs, Change, ChangeStatus, Outcome, Plan, Progress, ResultKind, ResultRecord,
    Target,
};

use crate::TOOL;
use crate::observe;
use crate::step::Step;
use crate::update::{Action, UpdateState};
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
struct Node {
    /// Where it is in the plan.
    index: usize,
    instance_id: String,
    from: Version,
    to: UpdateState,
}

/// Carries out one plan; tells everything that was done, also when something failed.
pub(crate) async fn apply(
    session: &Session,
    plan: &Plan<Action>,
    steps: &[Step],
    how: ApplyArgs,
    interrupt: &Interrupt,
    progress: &Progress,
) -> (ResultRecord<Action>, Outcome) {
    let client = Client::new(&session.config);
    let mut tried = BTreeMap::new();
    let mut nodes = Vec::new();
    for (index, (change, step)) in plan.changes.iter().zip(steps).enumerate() {
        if let Step::Update { from, to } = step {
            if how.recover {
                let reason = "an update has no undo: plan again to see which nodes still need it";
                tried.insert(index, Tried::skipped(reason));
                continue;
            }
            nodes.push(Node {
                index,
                instance_id: change.resource.clone(),
                from: *from,
                to: to.clone(),
            });
        }
    }
    let stopped = update(
        &client,
        &session.target,
        nodes,
        interrupt,
        progress,
        &mut tried,
    )
    .await;
    let mut undo = Vec::new();
    for (index, (change, step)) in plan.changes.iter().zip(steps).enumerate() {
        if let Step::Associate { from, to } = step {
            let one = match &stopped {
                _ if how.recover => associate::recovered(&client, from.as_ref(), to.as_ref()).await,
                _ if interrupt.requested() => Tried::skipped("not tried: interrupted"),
                Some(reason) => Tried::skipped(reason),
                None => associate::associate(&client, from.as_ref(), to.as_ref()).await,
            };
            let is_recovered = how.recover && one.status == ChangeStatus::Unchanged;
            if one.status == ChangeStatus::Done || is_recovered {
                undo.insert(0, inverse(change));
            }
            tried.insert(index, one);
        }
    }
    let results: Vec<Applied<Action>> = plan
        .changes
        .iter()
        .enumerate()
        .map(|(index, change)| applied(change, tried.remove(&index)))
        .collect();
    let is_complete = results
        .iter()
        .all(|applied| matches!(applied.status, ChangeStatus::Done | ChangeStatus::Unchanged));
    let is_told = !results
        .iter()
        .any(|applied| applied.status == ChangeStatus::Failed);
    let outcome = match (interrupt.signal(), is_complete) {
        _ if how.recover && is_told => Outcome::Fine,
        (_, true) => Outcome::Fine,
        (Some(signal), false) => Outcome::Interrupted(signal),
        (None, false) => Outcome::Trouble,
    };
    let record = ResultRecord {
        kind: ResultKind::Result,
        tool: TOOL.to_owned(),
        target: plan.target.clone(),
        results,
        undo: (!undo.is_empty()).then(|| Plan::new(TOOL, plan.target.clone(), undo)),
    };
    (record, outcome)
}

/// Updates the nodes; returns why it stopped before the end, if it did.
async fn update(
    client: &Client,
    target: &Target,
    nodes: Vec<Node>,
    interrupt: &Interrupt,
    progress: &Progress,
    tried: &mut BTreeMap<usize, Tried>,
) -> Option<String> {
    if nodes.is_empty() {
        return None;
    }
    let ids: Vec<String> = nodes.iter().map(|node| node.instance_id.clone()).collect();
    let set = ids.iter().map(String::as_str).collect();
    let settled = under_way::settle(client, &set, interrupt, progress).await;
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
    let mut waves: BTreeMap<u32, Vec<Node>> = BTreeMap::new();
    for node in nodes {
        match refusal(&node, known.get(&node.instance_id)) {
            Some(refused) => drop(tried.insert(node.index, refused)),
            None => waves.entry(node.to.wave).or_default().push(node),
        }
    }
    progress.begin(waves.values().map(Vec::len).sum());
    let mut stopped: Option<String> = None;
    for (number, wave) in waves {
        if stopped.is_none() && interrupt.requested() {
            stopped = Some("not tried: interrupted".to_owned());
        }
        if let Some(reason) = &stopped {
            tried.extend(wave.iter().map(|node| (node.index, Tried::skipped(reason))));
            continue;
        }
        progress.say(&format!("wave {number}: {} nodes", wave.len()));
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
fn refusal(node: &Node, known: Option<&reach::Information>) -> Option<Tried> {
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
            "changed since the plan was made: the agent is {version}, not {}; plan again",
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
    wave: &[Node],
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
        true => "not tried: interrupted",
        false => "not tried: too many of its wave failed",
    };
    for node in batches.flatten() {
        outcome.insert(node.index, Tried::skipped(reason));
    }
    outcome
}

fn applied(change: &Change<Action>, tried: Option<Tried>) -> Applied<Action> {
    let tried = tried.unwrap_or_else(|| Tried::skipped("not tried"));
    Applied {
        id: change.id.clone(),
        action: change.action,
        resource: change.resource.clone(),
        status: tried.status,
        error: tried.error,
    }
}

/// Returns the change that takes one of the association back; an agent's update is for good.
fn inverse(change: &Change<Action>) -> Change<Action> {
    let action = match change.action {
        Action::CreateAssociation => Action::DeleteAssociation,
        Action::DeleteAssociation => Action::CreateAssociation,
        other => other,
    };
    Change {
        id: change.id.clone(),
        action,
        resource: change.resource.clone(),
        from: change.to.clone(),
        to: change.from.clone(),
        why: "undo".to_owned(),
    }
}
