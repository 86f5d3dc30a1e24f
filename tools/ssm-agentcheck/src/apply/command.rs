//! One command to up to 50 nodes, followed to the end of every invocation, and the versions that it left.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::CommandInvocation;
use awsconf::{Deadline, Interrupt, describe};
use cli::{ChangeStatus, Progress, Target};
use diagnosis::Version;

use super::{NodeUpdate, Tried};
use crate::model::DOCUMENT;
use crate::observe;

/// The first pause between two looks; it grows, as commands take from seconds to an hour.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What a command may take on a node once it was delivered, as the document's own default is, and some minutes.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
pub(super) const EXECUTION: Duration = Duration::from_secs(3600 + 300);
/// How long an agent may take to report its new version: it does when it has restarted.
const PATIENCE: Duration = Duration::from_secs(180);
/// How many looks in a row may fail, each after the SDK's own retries, before the end of a command counts as unknown.
const MAX_FAILED_LOOKS: u32 = 5;
/// How long to look on after Ctrl-C: what has begun on a node is not stopped.
const FAREWELL: Duration = Duration::from_secs(10);

/// Some nodes of a wave, and what their command may do.
pub(super) struct Batch<'a> {
    pub(super) client: &'a Client,
    pub(super) target: &'a Target,
    pub(super) nodes: &'a [NodeUpdate],
    pub(super) concurrency: usize,
    pub(super) max_errors: usize,
}

impl Batch<'_> {
    /// Returns what became of every node.
    pub(super) async fn run(
        self,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> BTreeMap<usize, Tried> {
        let command_id = match self.begin().await {
            Ok(command_id) => command_id,
            Err(error) => return self.all(&Tried::failed(format!("{error:#}"))),
        };
        let (ended, uncanceled) = self.follow(&command_id, interrupt, progress).await;
        let succeeded: Vec<&NodeUpdate> = self
            .nodes
            .iter()
            .filter(|node| matches!(ended.get(&node.instance_id), Some(InvocationEnd::Success)))
            .collect();
        let mut versions = self.versions(&succeeded, interrupt).await;
        let outcome = self.nodes.iter().map(|node| {
            let tried = match ended.get(&node.instance_id) {
                Some(InvocationEnd::Success) => versions
                    .remove(&node.instance_id)
                    .unwrap_or_else(|| Tried::failed("SSM does not know it any more")),
                Some(InvocationEnd::Failed(reason)) => {
                    Tried::failed(format!("{reason} (command {command_id})"))
                }
                Some(InvocationEnd::NotBegun(reason)) => {
                    Tried::skipped(format!("not tried: {reason}"))
                }
                None => Tried::failed(match &uncanceled {
                    Some(why) => format!("not canceled, and its end is not known: {why}"),
                    None => format!("its end is not known (command {command_id})"),
                }),
            };
            (node.index, tried)
        });
        outcome.collect()
    }

    fn all(&self, tried: &Tried) -> BTreeMap<usize, Tried> {
        let nodes = self.nodes.iter();
        nodes.map(|node| (node.index, tried.clone())).collect()
    }

    async fn begin(&self) -> anyhow::Result<String> {
        let to = &self.nodes.first().context("a command without nodes")?.to;
        let version = match to.version.as_str() {
            // The document takes no word for the newest: an empty version is the default.
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-tutorial-update-software.html
            crate::model::LATEST => String::new(),
            version => version.to_owned(),
        };
        let mut call = self
            .client
            .send_command()
            .document_name(DOCUMENT)
            .set_instance_ids(Some(
                self.nodes
                    .iter()
                    .map(|node| node.instance_id.clone())
                    .collect(),
            ))
            .parameters("allowDowngrade", vec!["false".to_owned()])
            .timeout_seconds(to.timeout_seconds.0)
            .max_concurrency(self.concurrency.to_string())
            .max_errors(self.max_errors.to_string())
            .comment(format!("{} wave {}", crate::TOOL, to.wave));
        if !version.is_empty() {
            call = call.parameters("version", vec![version]);
        }
        let answer = call.send().await;
        let answer = answer.map_err(|error| describe(format!("SendCommand {DOCUMENT}"), error))?;
        let id = answer.command().and_then(|command| command.command_id());
        Ok(id
            .context("SendCommand: answer without command ID")?
            .to_owned())
    }

    /// Looks until every invocation has ended, the command must have timed out, or looking fails for good. Returns those that
    /// have, and why the command could not be canceled where that was tried.
    async fn follow(
        &self,
        command_id: &str,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> (BTreeMap<String, InvocationEnd>, Option<String>) {
        let timeout = self
            .nodes
            .first()
            .map_or(0, |node| node.to.timeout_seconds.0);
        let delivery = Duration::from_secs(u64::try_from(timeout).unwrap_or_default());
        let mut deadline = Deadline::after(delivery + EXECUTION);
        let mut ended = BTreeMap::new();
        let (mut pause, mut n_failed_looks) = (FIRST_PAUSE, 0);
        let (mut is_canceled, mut uncanceled) = (false, None);
        while ended.len() < self.nodes.len() && !deadline.has_passed() {
            if interrupt.requested() && !is_canceled {
                is_canceled = true;
                deadline = deadline.min(Deadline::after(FAREWELL));
                // Where it works, what the invocations say next shows it.
                let sent = self.client.cancel_command().command_id(command_id).send();
                let sent = sent.await.map_err(|error| {
                    let error = describe(format!("CancelCommand {command_id}"), error);
                    format!("{error:#}")
                });
                uncanceled = sent.err();
            }
            awsconf::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            match self.look(command_id).await {
                Ok(invocations) => {
                    n_failed_looks = 0;
                    for (id, end) in invocations {
                        if ended.insert(id, end).is_none() {
                            progress.step();
                        }
                    }
                }
                Err(error) => {
                    n_failed_looks += 1;
                    if n_failed_looks >= MAX_FAILED_LOOKS {
                        let reason = format!("sent, but its end is not known: {error:#}");
                        for node in self.nodes {
                            let id = node.instance_id.clone();
                            ended
                                .entry(id)
                                .or_insert(InvocationEnd::Failed(reason.clone()));
                        }
                    }
                }
            }
        }
        (ended, uncanceled)
    }

    /// Returns the invocations that have ended.
    async fn look(&self, command_id: &str) -> anyhow::Result<Vec<(String, InvocationEnd)>> {
        let call = self
            .client
            .list_command_invocations()
            .command_id(command_id)
            .details(true)
            .max_results(50);
        let mut pages = call.into_paginator().items().send();
        let mut ended = Vec::new();
        while let Some(invocation) = pages.next().await {
            let invocation = invocation
                .map_err(|error| describe(format!("ListCommandInvocations {command_id}"), error))?;
            if let Some(end) = end(&invocation) {
                ended.push((invocation.instance_id().unwrap_or_default().to_owned(), end));
            }
        }
        Ok(ended)
    }

    /// Reads the versions that the agents report, until all are as required or patience ends.
    async fn versions(
        &self,
        nodes: &[&NodeUpdate],
        interrupt: &Interrupt,
    ) -> BTreeMap<String, Tried> {
        let ids: Vec<String> = nodes.iter().map(|node| node.instance_id.clone()).collect();
        let deadline = Deadline::after(PATIENCE);
        let mut pause = FIRST_PAUSE;
        loop {
            let known = observe::information(self.client, self.target, &ids).await;
            let is_last = deadline.has_passed() || interrupt.requested();
            let mut tried = BTreeMap::new();
            for node in nodes {
                let read = known.as_ref().map(|known| known.get(&node.instance_id));
                if let Some(one) = judged(node, read, is_last) {
                    tried.insert(node.instance_id.clone(), one);
                }
            }
            if tried.len() == nodes.len() || is_last {
                return tried;
            }
            awsconf::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

/// Returns what became of a node whose command succeeded; `None` while its agent may still be restarting.
fn judged(
    node: &NodeUpdate,
    read: Result<Option<&diagnosis::Information>, &anyhow::Error>,
    is_last: bool,
) -> Option<Tried> {
    let information = match read {
        Ok(information) => information,
        Err(error) => {
            let failed = || Tried::failed(format!("updated, but not read back: {error:#}"));
            return is_last.then(failed);
        }
    };
    let version = information.and_then(|one| one.agent.version.as_ref());
    let version = version.and_then(|version| version.parse::<Version>().ok());
    match version {
        Some(version) if version >= node.to.at_least => Some(Tried::new(ChangeStatus::Done, None)),
        // It has changed and is still too old: the region has nothing newer.
        Some(version) if version != node.from || is_last => Some(Tried::failed(format!(
            "the command succeeded, but the agent is {version}, not {} or newer",
            node.to.at_least
        ))),
        _ => None,
    }
}

/// How an invocation ended.
enum InvocationEnd {
    Success,
    Failed(String),
    /// SSM never gave it to the node.
    NotBegun(String),
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
fn end(invocation: &CommandInvocation) -> Option<InvocationEnd> {
    let details = invocation.status_details().unwrap_or_default();
    let status = invocation.status().map(|status| status.as_str());
    match status.unwrap_or_default() {
        "Success" => Some(InvocationEnd::Success),
        "Cancelled" => Some(InvocationEnd::NotBegun(match details {
            "Terminated" => "too many of its command failed".to_owned(),
            _ => "the command was canceled".to_owned(),
        })),
        status @ ("Failed" | "TimedOut") => {
            let output = invocation
                .command_plugins()
                .iter()
                .filter_map(|plugin| plugin.output())
                .flat_map(str::lines)
                .map(str::trim)
                .rfind(|line| !line.is_empty());
            let what = if details.is_empty() { status } else { details };
            Some(InvocationEnd::Failed(match output {
                Some(line) => format!("{what}: {line}"),
                None => what.to_owned(),
            }))
        }
        _ => None,
    }
}
