//! SendCommand, which is not idempotent: what may have been taken is looked for before it is sent again.

use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::operation::send_command::builders::SendCommandFluentBuilder;
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types;
use aws_sdk_ssm::types::CloudWatchOutputConfig;

use super::budget::Budget;
use super::run::Run;
use super::send_error::{SendError, send_error};
use crate::batch::Batch;
use crate::in_flight::{InFlightCommand, waiting};
use crate::job::Job;
use crate::observe::commands::FailureKind;
use crate::observe::place::Place;
use crate::observe::{commands, nodes};
use crate::reason;
use crate::run_id;
use records::{Absence, Command, CommandKind};

/// How often a command is sent that was surely not taken, and the pauses in between.
const MAX_TRIES: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// When to look for a command whose answer was lost: the list lags behind SendCommand for a moment.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(300),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
    Duration::from_millis(4_000),
];
/// How much earlier than now, by this machine's clock, such a command is looked for. Requests that are signed with a clock
/// further off are refused.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
const CLOCK_SKEW_SECONDS: i64 = 15 * 60;

/// What became of a batch.
pub(super) enum Sent {
    Taken(InFlightCommand),
    /// Nothing was sent and its nodes are reported, but for these.
    Without(Vec<Batch>),
}

/// Sends one command; nodes that no command reaches are reported.
pub(super) async fn send(
    run: &Run<'_>,
    place: &Place,
    budget: &Budget,
    batch: &Batch,
    n_slots: usize,
) -> anyhow::Result<Sent> {
    let Some(job) = run.order.jobs.as_ref().and_then(|jobs| jobs.get(batch.job)) else {
        let nothing = reason::not_taken(&anyhow::anyhow!("nothing is to run there"));
        run.report_not_sent(place, batch, &nothing)?;
        return Ok(Sent::Without(Vec::new()));
    };
    let number = run.number.get();
    run.number.set(number + 1);
    let comment = run
        .token
        .comment(number, &place.caller, run.order.why.as_deref());
    let client = once(&place.client);
    let (mut pause, mut n_tries) = (FIRST_PAUSE, 0);
    let command = loop {
        n_tries += 1;
        let call = request(run, &client, job, batch, n_slots, budget.left(), &comment);
        let fault = match call.send().await {
            Ok(answer) => match answer.command {
                Some(command) => break command,
                None => SendError::Unclear(anyhow::anyhow!("SendCommand: answer without command")),
            },
            Err(error) => send_error(format!("SendCommand {}", job.document), error),
        };
        let (error, is_unclear) = match fault {
            SendError::NotNow(error) => (error, false),
            SendError::Unclear(error) => match look_for(run, place, job, number).await {
                Ok(Some(command)) => break command,
                Ok(None) => (error, false),
                Err(looking) => (error.context(format!("{looking:#}")), true),
            },
            SendError::NoSuchNode(message) => return without(run, place, batch, &message).await,
            SendError::Final(error) => {
                let reason = reason::not_taken(&error);
                run.report_not_sent(place, batch, &reason)?;
                return Ok(Sent::Without(Vec::new()));
            }
        };
        if is_unclear || n_tries >= MAX_TRIES || run.interrupt.requested() {
            let reason = match (is_unclear, run.interrupt.requested()) {
                (true, _) => reason::unclear(&error),
                (false, true) => reason::interrupted(),
                (false, false) => reason::not_taken(&error),
            };
            run.report_not_sent(place, batch, &reason)?;
            return Ok(Sent::Without(Vec::new()));
        }
        // Commands of several places that were throttled together do not come back together.
        let jitter = Duration::from_millis(u64::from(number * 37 % 100) * 3);
        run.nap(pause + jitter).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    report(run, place, batch, job, &command)?;
    let names = batch.nodes.iter();
    let names = names.map(|node| (node.instance_id.clone(), node.name.clone()));
    let flown = commands::flown(run.now(), &command, waiting(names));
    Ok(Sent::Taken(flown))
}

/// The SDK would send again after a lost answer, too.
fn once(client: &Client) -> Client {
    let config = client.config().to_builder();
    Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

fn request(
    run: &Run<'_>,
    client: &Client,
    job: &Job,
    batch: &Batch,
    n_slots: usize,
    max_errors: Option<usize>,
    comment: &str,
) -> SendCommandFluentBuilder {
    let ids = batch.nodes.iter().map(|node| node.instance_id.clone());
    let targets = batch.choice.as_ref().map(|choice| {
        types::Target::builder()
            .key(&choice.key)
            .set_values(Some(choice.values.clone()))
            .build()
    });
    // Without these SSM would stop a command at its first error, and run it on 50 nodes at once.
    let whole = || "100%".to_owned();
    let (max_errors, max_concurrency) = match batch.choice {
        None => (
            max_errors.map_or_else(whole, |max| max.to_string()),
            n_slots.to_string(),
        ),
        Some(_) => (
            run.order
                .max_errors
                .map_or_else(whole, |share| share.to_string()),
            run.order
                .node_concurrency
                .map_or_else(whole, |share| share.to_string()),
        ),
    };
    let log_group = run.order.log_group.as_ref().map(|name| {
        CloudWatchOutputConfig::builder()
            .cloud_watch_log_group_name(name)
            .cloud_watch_output_enabled(true)
            .build()
    });
    let bucket = run.order.bucket.as_ref();
    let prefix = bucket.map(|bucket| bucket.prefix.clone());
    let parameters = job.parameters.clone().into_iter().collect();
    client
        .send_command()
        .document_name(&job.document)
        .set_document_version(job.document_version.clone())
        .set_parameters(Some(parameters))
        .set_instance_ids(batch.choice.is_none().then(|| ids.collect()))
        .set_targets(targets.map(|target| vec![target]))
        .set_timeout_seconds(run.order.timeout)
        .comment(comment)
        .max_concurrency(max_concurrency)
        .max_errors(max_errors)
        .set_output_s3_bucket_name(bucket.map(|bucket| bucket.name.clone()))
        .set_output_s3_key_prefix(prefix.filter(|prefix| !prefix.is_empty()))
        .set_cloud_watch_output_config(log_group)
}

/// Returns the command with our token if SSM has it.
async fn look_for(
    run: &Run<'_>,
    place: &Place,
    job: &Job,
    number: u32,
) -> anyhow::Result<Option<types::Command>> {
    let is_ours = |command: &types::Command| {
        let named = command.comment().and_then(run_id::RunId::of_comment);
        named.is_some_and(|(token, of)| token == run.token && of == number)
    };
    let since = DateTime::from_secs(run.token.began() - CLOCK_SKEW_SECONDS);
    for pause in LOOKS {
        awsconf::sleep(pause).await;
        let found = sent_since(run, place, since, job, is_ours).await?;
        if let Some(command) = found.into_iter().find(is_ours) {
            return Ok(Some(command));
        }
    }
    Ok(None)
}

/// Lists what was sent until one is ours. A list that fails says nothing about the command, so it is asked for again: to
/// give up the nodes of a command that runs is nearly as bad as to run it twice.
async fn sent_since(
    run: &Run<'_>,
    place: &Place,
    since: DateTime,
    job: &Job,
    is_ours: impl Fn(&types::Command) -> bool,
) -> anyhow::Result<Vec<types::Command>> {
    // Of a document given by its ARN the filter takes another name.
    let document = Some(job.document.as_str()).filter(|document| !document.contains(':'));
    let (mut pause, mut n_tries) = (FIRST_PAUSE, 0);
    loop {
        n_tries += 1;
        let has_ours = |found: &[types::Command]| found.iter().any(&is_ours);
        match commands::since(&place.client, since, document, has_ours).await {
            Ok(found) => return Ok(found),
            Err(failure) if failure.kind == FailureKind::Denied => return Err(failure.error),
            Err(failure) if n_tries >= MAX_TRIES || run.interrupt.requested() => {
                return Err(failure.error);
            }
            Err(_) => run.nap(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One node that is not there refuses the whole command: those that are not are reported, the others are sent again.
async fn without(
    run: &Run<'_>,
    place: &Place,
    batch: &Batch,
    message: &str,
) -> anyhow::Result<Sent> {
    let ids: Vec<String> = batch
        .nodes
        .iter()
        .map(|node| node.instance_id.clone())
        .collect();
    let known = match nodes::with_ids(&place.session, &ids).await {
        Ok(known) => known,
        Err(error) => {
            let reason = reason::not_read(&error);
            run.report_not_sent(place, batch, &reason)?;
            return Ok(Sent::Without(Vec::new()));
        }
    };
    let mut rest = Vec::new();
    let mut n_reported = 0;
    for node in &batch.nodes {
        let reason = match known.get(&node.instance_id) {
            None => Some(reason::unknown()),
            Some(found) => reason::unreachable(found, run.time()),
        };
        // SSM may call a node online for a while after it has gone.
        let reason = reason.or_else(|| {
            message
                .contains(&node.instance_id)
                .then(|| reason::refused(message))
        });
        match reason {
            Some(reason) => {
                n_reported += 1;
                run.report_all_without_command(place, [node], Absence::Unreachable, &reason)?;
            }
            None => rest.push(node.clone()),
        }
    }
    if n_reported == 0 {
        return halves(run, place, batch.job, rest, message);
    }
    let rest = (!rest.is_empty()).then(|| Batch::of_nodes(batch.job, rest));
    Ok(Sent::Without(rest.into_iter().collect()))
}

/// Nothing says which node it is: what is taken of two halves leaves it in the end.
fn halves(
    run: &Run<'_>,
    place: &Place,
    job: usize,
    mut nodes: Vec<crate::batch::Node>,
    message: &str,
) -> anyhow::Result<Sent> {
    if nodes.len() == 1 {
        let reason = reason::refused(message);
        run.report_all_without_command(place, &nodes, Absence::Unreachable, &reason)?;
        return Ok(Sent::Without(Vec::new()));
    }
    let second = nodes.split_off(nodes.len() / 2);
    let halves = [nodes, second].map(|nodes| Batch::of_nodes(job, nodes));
    Ok(Sent::Without(halves.into_iter().collect()))
}

fn report(
    run: &Run<'_>,
    place: &Place,
    batch: &Batch,
    job: &Job,
    command: &types::Command,
) -> anyhow::Result<()> {
    let ids = batch.nodes.iter().map(|node| node.instance_id.clone());
    let record = Command {
        kind: CommandKind::Command,
        target: place.target.clone(),
        command_id: command.command_id().unwrap_or_default().to_owned(),
        document: job.document.clone(),
        document_version: job.document_version.clone(),
        comment: command.comment().unwrap_or_default().to_owned(),
        instance_ids: batch.choice.is_none().then(|| ids.collect()),
        n_nodes: batch.choice.is_none().then_some(batch.nodes.len()),
        targets: batch.choice.clone().map(|choice| vec![choice]),
    };
    run.first_command
        .borrow_mut()
        .get_or_insert_with(|| record.command_id.clone());
    run.printed(run.out.write_block(&record, || crate::text::sent(&record)));
    Ok(())
}
