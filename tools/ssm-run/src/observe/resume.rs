//! A run that is resumed: what it has sent, by the token in the comments of its commands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types;

use super::commands;
use super::targets::Resolved;
use crate::in_flight::{InFlightCommand, waiting};
use crate::job::Jobs;
use crate::run_spec::RunSpec;
use crate::{reason, run_id};
use records::{Absence, Invocation};

/// How much earlier than by the clock of the machine that began the run its first command may have been sent.
const CLOCK_SKEW_SECONDS: i64 = 15 * 60;

/// Takes what the run has reached out of what is to be done, and adds its commands to what is followed. Returns the run's
/// token and the number of its next command.
///
/// # Errors
/// There is no such command, it is not of this tool, it ran something else, or SSM cannot be asked.
pub(crate) async fn take_up(
    found: &mut Resolved,
    order: &RunSpec,
    command_id: &str,
) -> anyhow::Result<(run_id::RunId, u32)> {
    let run = run_of(found, command_id).await?;
    let since = DateTime::from_secs(run.began() - CLOCK_SKEW_SECONDS);
    let mut last = 0;
    let mut reached = BTreeSet::new();
    for (number, place) in found.places.iter().enumerate() {
        let commands = commands::since(&place.client, since, None, |_| false).await;
        let commands = commands.map_err(|failure| failure.error)?;
        for command in commands {
            let of = command.comment().and_then(run_id::RunId::of_comment);
            let Some((_, of)) = of.filter(|(token, _)| *token == run) else {
                continue;
            };
            refuse_another(order.jobs.as_ref(), &command)?;
            last = last.max(of);
            let ids = command.instance_ids().iter();
            reached.extend(ids.map(|id| (place.target.to_string(), id.clone())));
            found
                .targets
                .flown
                .push((number, resumed(found, number, &command)));
        }
    }
    let target = |place: usize| {
        found
            .places
            .get(place)
            .map(|place| place.target.to_string())
    };
    let is_reached = |place: usize, id: &str| {
        target(place).is_some_and(|target| reached.contains(&(target, id.to_owned())))
    };
    let nodes = std::mem::take(&mut found.targets.nodes);
    let left: Vec<_> = nodes
        .into_iter()
        .filter(|node| !is_reached(node.place, &node.instance_id))
        .collect();
    // A node that was reached and is dark now has its end all the same.
    let is_new = |record: &Invocation| {
        !reached.contains(&(record.target.to_string(), record.instance_id.clone()))
    };
    found.absent.retain(is_new);
    let flown = &found.targets.flown;
    let was_chosen = |place: usize| flown.iter().any(|(at, one)| *at == place && one.is_open);
    found
        .targets
        .choices
        .retain(|(place, _)| !was_chosen(*place));
    match order.jobs {
        Some(_) => found.targets.nodes = left,
        None => {
            let mut documents = flown.iter().map(|(_, one)| &one.document);
            let first = documents.next();
            let document = first.filter(|first| documents.all(|other| other == *first));
            for node in left {
                if let Some(place) = found.places.get(node.place) {
                    found.absent.push(Invocation {
                        document: document.cloned(),
                        ..Invocation::without_command(
                            &place.target,
                            &node.instance_id,
                            node.name.as_deref(),
                            Absence::NotSent,
                            reason::not_reached(),
                        )
                    });
                }
            }
        }
    }
    Ok((run, last + 1))
}

async fn run_of(found: &Resolved, command_id: &str) -> anyhow::Result<run_id::RunId> {
    for place in &found.places {
        let command = commands::one(&place.client, command_id).await;
        if let Some(command) = command.map_err(|failure| failure.error)? {
            let named = command.comment().and_then(run_id::RunId::of_comment);
            let (run, _) = named.context(format!(
                "--resume {command_id}: its comment does not show that this tool has sent it"
            ))?;
            return Ok(run);
        }
    }
    bail!("--resume {command_id}: there is no such command in the accounts and regions asked for")
}

/// What the rest of the nodes run must be what the others have run.
fn refuse_another(jobs: Option<&Jobs>, command: &types::Command) -> anyhow::Result<()> {
    let Some(jobs) = jobs else {
        return Ok(());
    };
    let document = command.document_name().unwrap_or_default();
    // A document may be given by its ARN and listed by its name.
    let name = |document: &str| document.rsplit('/').next().unwrap_or_default().to_owned();
    let mut same = jobs
        .iter()
        .filter(|job| name(&job.document) == name(document));
    let given = command.parameters();
    let is_same = |parameters: &BTreeMap<String, Vec<String>>| {
        given.is_none_or(|given| {
            given.is_empty()
                || (given.len() == parameters.len()
                    && given
                        .iter()
                        .all(|(key, values)| parameters.get(key) == Some(values)))
        })
    };
    match same.next() {
        Some(job) if is_same(&job.parameters) => Ok(()),
        _ => bail!(
            "--resume: the run sent something else, {document} with other parameters: give the same command, or none"
        ),
    }
}

fn resumed(found: &Resolved, place: usize, command: &types::Command) -> InFlightCommand {
    let name = |id: &String| {
        let mut nodes = found.targets.nodes.iter();
        let node = nodes.find(|node| node.place == place && node.instance_id == *id);
        node.and_then(|node| node.name.clone())
    };
    let ids = command
        .instance_ids()
        .iter()
        .map(|id| (id.clone(), name(id)));
    commands::flown(Duration::ZERO, command, waiting(ids))
}
