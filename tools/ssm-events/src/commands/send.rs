//! The verb `send`: messages to a Slack webhook, one a second, each once, none lost.

mod slack;
pub(crate) mod spool;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use cli::{Outcome, Output};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(crate) use self::slack::{Posted, Slack};
use self::spool::{DeliveryStatus, Queued, Spool};
use super::GlobalArgs;
use super::style::StyleArgs;
use crate::alerts::model::Webhook;
use crate::alerts::webhook::Url;
use crate::records::format::digest;
use crate::records::source::{self, LeftOut};

/// While messages keep coming a Slack that was down is tried again after so long.
const REST: Duration = Duration::from_secs(60);
/// Messages that may be read ahead of the disk.
const AHEAD: usize = 256;

/// Send messages, or messages about records, to a Slack webhook, each once
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 1h | ssm-events send --webhook env:SLACK_WEBHOOK_URL --spool spool"
)]
pub(crate) struct SendArgs {
    /// Read the webhook's URL from env:NAME, file:PATH, parameter:NAME (Parameter Store) or secret:ID (Secrets Manager)
    #[arg(long, value_name = "SOURCE", value_parser = webhook_source)]
    webhook: WebhookSource,

    /// Keep what is not delivered yet, and what was, in this directory
    #[arg(long, value_name = "DIR")]
    spool: PathBuf,

    /// Wait this many seconds between messages
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    interval: f64,

    /// Hold the messages when Slack has not taken one for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    retry_for: f64,

    #[command(flatten)]
    style: StyleArgs,
}

/// Where `--webhook` says that the URL is, or why it says nothing. An argument that clap refuses is quoted by it, and this one
/// may be the URL itself, given by mistake.
#[derive(Clone, Debug)]
pub(crate) struct WebhookSource(Result<Webhook, String>);

impl WebhookSource {
    /// Returns the source.
    ///
    /// # Errors
    /// It names none.
    fn named(&self) -> anyhow::Result<&Webhook> {
        self.0
            .as_ref()
            .map_err(|why| anyhow::anyhow!("--webhook: {why}"))
    }
}

fn webhook_source(text: &str) -> Result<WebhookSource, std::convert::Infallible> {
    Ok(WebhookSource(webhook(text)))
}

/// Returns whether it may name an environment variable; anything else may be the secret.
fn is_variable(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_name)
}

/// Reads `env:NAME`, `file:PATH`, `parameter:NAME` or `secret:ID`.
pub(super) fn webhook(text: &str) -> Result<Webhook, String> {
    let wrong = "expected env:NAME, file:PATH, parameter:NAME or secret:ID; the URL itself is a secret and no argument";
    match text.split_once(':') {
        // A web address is the secret itself, with the word for its place before it.
        Some((_, place)) if place.contains("://") => Err(wrong.to_owned()),
        Some(("env", name)) if is_variable(name) => Ok(Webhook::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Webhook::File(path.to_owned())),
        Some(("parameter", name)) if !name.is_empty() => Ok(Webhook::Parameter(name.to_owned())),
        Some(("secret", id)) if !id.is_empty() => Ok(Webhook::Secret(id.to_owned())),
        _ => Err(wrong.to_owned()),
    }
}

/// Reads a number of seconds.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, 0 to 86400".to_owned()),
    }
}

/// What became of one message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Delivered {
    kind: DeliveredKind,
    event_id: String,
    status: Status,
    /// Why it was rejected, or that it may have been delivered twice.
    note: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveredKind {
    Delivery,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Delivered,
    /// Its event was delivered, or is waiting, already.
    Duplicate,
    /// Slack will never take it.
    Rejected,
    /// It waits in the spool.
    Held,
}

/// Sends what waits, then what is read from stdin or `-f`.
///
/// # Errors
/// The input or the spool. When Slack does not take messages they are held, and the outcome says trouble.
pub(crate) async fn run(
    args: &SendArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let renderer = args.style.renderer()?;
    let webhook = args.webhook.named()?;
    let url = match Url::read_here(webhook).await? {
        Some(url) => url,
        None => {
            let session = global.aws.session().await?;
            Url::read(webhook, Some(&session.config)).await?
        }
    };
    let mut spool = Spool::open(&args.spool)?;
    let mut slack = Slack::new(
        url,
        args.interval,
        args.retry_for,
        spool.last_delivery(Timestamp::now()),
    )?;
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    // Reading blocks, and what waits must be sent meanwhile: stdin may be an endless stream.
    let io = global.io.clone();
    let reader = tokio::task::spawn_blocking(move || {
        let mut left_out = LeftOut::default();
        source::objects(&io, &mut left_out, |object, left_out| {
            let Some(value) = left_out.value(object)? else {
                return Ok(());
            };
            let messages = if is_message(&value) {
                vec![(id_of(&value).unwrap_or_else(|| digest(&value)), value)]
            } else {
                renderer.messages(value, left_out)?
            };
            if sender.blocking_send(messages).is_err() {
                return Err(anyhow::anyhow!("stopped").into());
            }
            Ok(())
        })?;
        Ok(left_out)
    });
    let (mut outcome, mut down, mut open) = (Outcome::Fine, None::<Instant>, true);
    while open || (down.is_none() && spool.first().is_some()) {
        let rests = down.is_some_and(|since| since.elapsed() < REST);
        if open && (rests || spool.first().is_none()) {
            match receiver.recv().await {
                Some(messages) => take(&mut spool, messages, out)?,
                None => open = false,
            }
        }
        // Everything that has been read goes to the disk before the next request, for it may take a while.
        while let Ok(messages) = receiver.try_recv() {
            take(&mut spool, messages, out)?;
        }
        spool.sync()?;
        let may_try = down.is_none_or(|since| open && since.elapsed() >= REST);
        if may_try && spool.first().is_some() {
            let is_up = one(&mut spool, &mut slack, out, &mut outcome).await?;
            down = (!is_up).then(Instant::now);
        }
    }
    let read: anyhow::Result<LeftOut> = reader.await.context("read")?;
    let read = read.map(|left_out| outcome = left_out.end(out, outcome));
    if let Some(queued) = spool.first().filter(|_| down.is_some()) {
        let reason = slack.trouble().unwrap_or("it does not answer");
        out.note(&format!(
            "{} held in {}: Slack: {reason}; run send again with this spool, first {}",
            match spool.n_waiting() {
                1 => "1 message is".to_owned(),
                n => format!("{n} messages are"),
            },
            args.spool.display(),
            queued.event_id
        ));
        return read.map(|()| Outcome::Trouble);
    }
    read.map(|()| outcome)
}

/// Queues messages.
fn take(spool: &mut Spool, messages: Vec<(String, Value)>, out: &Output) -> anyhow::Result<()> {
    for (event_id, message) in messages {
        let message = serde_json::value::to_raw_value(&message)?;
        if !spool.add(Queued {
            event_id: event_id.clone(),
            message,
        })? {
            say(out, event_id, Status::Duplicate, None)?;
        }
    }
    Ok(())
}

/// Sends the first message; `false` when Slack does not take any.
async fn one(
    spool: &mut Spool,
    slack: &mut Slack,
    out: &Output,
    outcome: &mut Outcome,
) -> anyhow::Result<bool> {
    let Some(queued) = spool.first().cloned() else {
        return Ok(true);
    };
    let note = spool
        .is_in_doubt(&queued.event_id)
        .then(|| "may be there twice: an earlier run was killed while it sent this".to_owned());
    slack.wait().await;
    spool.log(DeliveryStatus::Sending, None, Timestamp::now())?;
    match slack.post(queued.message.get()).await {
        Posted::Taken => {
            spool.log(DeliveryStatus::Delivered, None, Timestamp::now())?;
            say(out, queued.event_id, Status::Delivered, note)?;
            Ok(true)
        }
        Posted::Rejected(reason) => {
            spool.log(
                DeliveryStatus::Rejected,
                Some(reason.clone()),
                Timestamp::now(),
            )?;
            *outcome = Outcome::Trouble;
            say(out, queued.event_id, Status::Rejected, Some(reason))?;
            Ok(true)
        }
        Posted::Down => {
            if slack.has_answered() {
                spool.log(DeliveryStatus::Held, None, Timestamp::now())?;
            }
            say(
                out,
                queued.event_id,
                Status::Held,
                slack.trouble().map(str::to_owned),
            )?;
            Ok(false)
        }
    }
}

fn say(out: &Output, event_id: String, status: Status, note: Option<String>) -> anyhow::Result<()> {
    let written = out.write(&Delivered {
        kind: DeliveredKind::Delivery,
        event_id,
        status,
        note,
    });
    written.map_err(|error| {
        let advice = "what was sent is in `deliveries.jsonl` of the spool: run send again with it";
        cli::lost(&error, advice)
    })
}

/// Tells whether a value is a message for a webhook already.
fn is_message(value: &Value) -> bool {
    let names = ["text", "blocks", "attachments"];
    value.is_object()
        && names.iter().any(|name| !value[*name].is_null())
        && value["eventSource"].is_null()
        && value["detail"].is_null()
}

/// `format` puts the event's id into the `block_id` of a message.
fn id_of(message: &Value) -> Option<String> {
    let attached = message["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|attachment| &attachment["blocks"]);
    let blocks = attached
        .chain([&message["blocks"]])
        .filter_map(Value::as_array)
        .flatten();
    let mut ids = blocks.filter_map(|block| {
        block["block_id"]
            .as_str()?
            .strip_prefix(crate::records::format::BLOCK_ID)
    });
    ids.next().map(str::to_owned)
}

/// Returns seconds as a duration.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
