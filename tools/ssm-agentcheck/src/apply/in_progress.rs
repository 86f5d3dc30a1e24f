//! Updates that an earlier run has sent and did not live to see the end of: they are waited for, not sent again.

use std::collections::BTreeSet;

use anyhow::bail;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{CommandFilter, CommandFilterKey};
use awsconf::{Deadline, Interrupt, describe};
use cli::Progress;

use super::command::{EXECUTION, FIRST_PAUSE, LONGEST_PAUSE};
use crate::model::DOCUMENT;

/// The statuses of an invocation that has not ended.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
const OPEN: [&str; 4] = ["Pending", "InProgress", "Delayed", "Cancelling"];

/// Waits until no update of these nodes is under way, whoever sent it, or the run is interrupted.
///
/// # Errors
/// What is under way cannot be read: something might be. It does not end.
pub(super) async fn settle(
    client: &Client,
    instance_ids: &BTreeSet<&str>,
    interrupt: &Interrupt,
    progress: &Progress,
) -> anyhow::Result<()> {
    let deadline = Deadline::after(EXECUTION);
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(command_id) = under_way(client, instance_ids).await? else {
            return Ok(());
        };
        if interrupt.requested() {
            return Ok(());
        }
        if deadline.has_passed() {
            bail!("another update of these nodes does not end: command {command_id}");
        }
        progress.say(&format!("an earlier update is under way: {command_id}"));
        awsconf::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Returns a command that updates one of these nodes now.
async fn under_way(
    client: &Client,
    instance_ids: &BTreeSet<&str>,
) -> anyhow::Result<Option<String>> {
    let filter = |key, value: &str| CommandFilter::builder().key(key).value(value).build();
    let call = client
        .list_commands()
        .filters(filter(CommandFilterKey::DocumentName, DOCUMENT)?)
        .filters(filter(CommandFilterKey::ExecutionStage, "Executing")?);
    let mut commands = call.into_paginator().items().send();
    while let Some(command) = commands.next().await {
        let command = command.map_err(|error| describe("ListCommands", error))?;
        let named = command.instance_ids();
        let is_about_others =
            !named.is_empty() && named.iter().all(|id| !instance_ids.contains(id.as_str()));
        let command_id = command.command_id().unwrap_or_default();
        if !is_about_others && is_open(client, command_id, instance_ids).await? {
            return Ok(Some(command_id.to_owned()));
        }
    }
    Ok(None)
}

/// Returns whether a command has not ended on one of these nodes.
async fn is_open(
    client: &Client,
    command_id: &str,
    instance_ids: &BTreeSet<&str>,
) -> anyhow::Result<bool> {
    let call = client.list_command_invocations().command_id(command_id);
    let mut invocations = call.into_paginator().items().send();
    while let Some(invocation) = invocations.next().await {
        let invocation = invocation
            .map_err(|error| describe(format!("ListCommandInvocations {command_id}"), error))?;
        let status = invocation.status().map(|status| status.as_str());
        if instance_ids.contains(invocation.instance_id().unwrap_or_default())
            && OPEN.contains(&status.unwrap_or_default())
        {
            return Ok(true);
        }
    }
    Ok(false)
}
