//! The verb `send`: messages to Slack, a URL or a topic, each once, none lost; by the flags to one destination, by a file of routes to
//! many.

mod answer;
mod destinations;
mod engine;
mod explain;
mod https;
mod intake;
mod posting;
mod slack;
pub(crate) mod spool;
mod threads;
mod topic;

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Context;
use cli::{Outcome, Output};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use self::destinations::{DestinationArgs, Opened};
use self::engine::IF_SAME;
pub(crate) use self::explain::Routed;
use self::intake::Intake;
pub(crate) use self::posting::{Posted, Poster, Transport};
pub(crate) use self::slack::Webhook as SlackWebhook;
use self::spool::{Address, Addresses, Recipient, Spool, named};
use self::threads::Threads;
use super::GlobalArgs;
use super::style::StyleArgs;
use crate::alerts::model::Webhook;
use crate::routing::Routes;

/// Messages that may be read ahead of the disk.
const AHEAD: usize = 256;

/// Send each message, or one for each record, exactly once to Slack, an HTTPS URL or an SNS topic
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 1h | ssm-events send --webhook env:SLACK_WEBHOOK_URL --spool spool\n  ssm-events history --since 1h | ssm-events send --routes routes.json --spool spool\n\nEnvironment:\n  SLACK_WEBHOOK_URL  The webhook, where env:SLACK_WEBHOOK_URL names it"
)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    destination: DestinationArgs,

    /// Keep undelivered messages, and the log of delivered ones, in this directory
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    spool: Option<PathBuf>,

    /// Send what waits for the earlier URL with these digits to the URL that has replaced it; repeat for several
    #[arg(long, value_name = "DIGITS", value_parser = replaced, requires = "spool", conflicts_with_all = ["topic", "slack_token"])]
    url_replaced: Vec<ReplacedArg>,

    /// Print for each record which rule of the routes decides and why others do not; send nothing
    #[arg(long, requires = "routes", conflicts_with = "spool")]
    explain: bool,

    /// Wait this many seconds between messages to a destination
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    interval: f64,

    /// Stop retrying and keep the messages when a destination has taken none for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    retry_for: f64,

    #[command(flatten)]
    style: StyleArgs,
}

/// What names an earlier URL, or why it does not; it may be the URL itself, which clap would quote.
#[derive(Clone, Debug)]
struct ReplacedArg(Result<Address, String>);

fn replaced(text: &str) -> Result<ReplacedArg, std::convert::Infallible> {
    Ok(ReplacedArg(text.parse()))
}

/// Reads `env:NAME`, `file:PATH`, `parameter:NAME` or `secret:ID`.
pub(super) fn webhook(text: &str) -> Result<Webhook, String> {
    let wrong = "expected env:NAME, file:PATH, parameter:NAME or secret:ID; the URL itself is a secret and no argument";
    let source = text.split_once(':');
    let source = source.and_then(|(kind, place)| Webhook::of(kind, place));
    source.ok_or_else(|| wrong.to_owned())
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
    /// The name of the destination in the routes, or what the flags name; null for the webhook of the flags.
    destination: Option<String>,
    status: Status,
    /// Why it was rejected, held or muted, or that it may have been delivered twice.
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
    /// It will never be taken as it is.
    Rejected,
    /// It waits in the spool.
    Held,
    /// A rule sends it nowhere.
    Muted,
}

/// Sends what waits, then what is read from stdin or `-f`.
///
/// # Errors
/// The input or the spool. When a destination does not take messages they are held, and the outcome says trouble.
pub(crate) async fn run(
    args: &SendArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let routes = args.destination.routes.as_deref().map(Routes::read);
    let mut routes = routes.transpose()?;
    if let (Some(routes), Some(pattern)) = (&mut routes, args.style.reason_pattern()) {
        // The rules judge by what messages are marked with.
        routes.reason_pattern = Some(pattern.clone());
    }
    let renderer = args.style.renderer(routes.as_ref())?;
    let Some(directory) = &args.spool else {
        let routes = routes.context("--explain needs --routes")?;
        return explain::run(&routes, &global.io, out);
    };
    let replaced = args.url_replaced.iter().map(|given| {
        let address = given.0.clone();
        address.map_err(|why| anyhow::anyhow!("--url-replaced: {why}"))
    });
    let replaced = replaced.collect::<Result<_, _>>()?;
    let Opened {
        formats,
        transports,
        is_whole,
    } = args
        .destination
        .open(routes.as_ref(), &args.style, &global.aws)
        .await?;
    let addresses = Addresses {
        of: transports
            .iter()
            .filter_map(destinations::Named::address)
            .collect(),
        replaced,
    };
    let spool = Spool::open(directory, addresses, out)?;
    let threads = Threads::open(directory)?;
    let lanes = transports.into_iter();
    let lanes = lanes.map(|named| named.lane(args.interval, args.retry_for, &spool));
    let lanes: Vec<_> = lanes.collect();
    let (sender, receiver) = mpsc::channel(AHEAD);
    // Reading blocks, and what waits must be sent meanwhile: stdin may be an endless stream.
    let io = global.io.clone();
    let intake = Intake {
        routes,
        formats,
        renderer,
    };
    // By a thread of its own, not one of the runtime: that would wait for it where sending has failed, and stdin may never end.
    let (ended, reader) = oneshot::channel();
    let reading = std::thread::Builder::new().name("intake".to_owned());
    let reading = reading.spawn(move || {
        // Nobody waits for it any more where sending has failed.
        let _ = ended.send(intake.read(&io, &sender));
    });
    reading.context("read")?;
    let (outcome, spool, lanes) = engine::run(lanes, spool, threads, receiver, out).await?;
    let read = reader.await.context("read")?;
    let mut outcome = match read {
        Ok(read) => read.end(out, outcome),
        Err(error) => {
            say_held(&spool, &lanes, directory, out);
            return Err(error);
        }
    };
    if say_held(&spool, &lanes, directory, out) || !is_whole {
        outcome = Outcome::Trouble;
    }
    Ok(outcome)
}

/// Says what is held, and returns whether anything is.
fn say_held(
    spool: &Spool,
    lanes: &[engine::Lane],
    directory: &std::path::Path,
    out: &Output,
) -> bool {
    let mut is_held = false;
    for (recipient, waiting) in spool.waiting() {
        is_held = true;
        let Recipient {
            destination: name,
            elsewhere,
        } = recipient;
        let lane = lanes.iter().find(|lane| lane.name == *name);
        let first = waiting.front().map_or("", |first| &first.event_id);
        let messages = match waiting.len() {
            1 => "1 message is".to_owned(),
            n => format!("{n} messages are"),
        };
        let shown = directory.display();
        let destination = named(name);
        out.note(&match (lane, elsewhere) {
            (Some(lane), Some(earlier)) if lane.poster.is_open() => format!(
                "{messages} held in {shown} for an earlier URL of {destination}: run send again with that URL, or with --url-replaced {earlier} if the present URL has replaced it, first {first}"
            ),
            (Some(lane), _) => {
                let reason = lane.poster.trouble().unwrap_or("it does not answer");
                let service = match name.as_str() {
                    "" => lane.poster.service().to_owned(),
                    name => format!("{name} ({})", lane.poster.service()),
                };
                let known = match lane.poster.is_open() {
                    true => HashSet::new(),
                    false => spool.sent_elsewhere(name),
                };
                let sent = waiting.iter().filter(|one| known.contains(&*one.event_id));
                let perhaps = match (elsewhere, sent.count()) {
                    (Some(_), _) | (None, 0) => String::new(),
                    (None, n_sent) => format!(" ({n_sent} {IF_SAME})"),
                };
                format!(
                    "{messages} held in {shown}{perhaps}: {service}: {reason}; run send again with this spool, first {first}"
                )
            }
            // Of another file of routes, or of flags: whoever knows the destination can send them.
            (None, _) => format!(
                "{messages} held in {shown} for {destination}, which this run does not have: run send again with this spool and that destination, first {first}"
            ),
        });
    }
    is_held
}

fn say(
    out: &Output,
    event_id: String,
    destination: &str,
    status: Status,
    note: Option<String>,
) -> anyhow::Result<()> {
    let written = out.write(&Delivered {
        kind: DeliveredKind::Delivery,
        event_id,
        destination: Some(destination.to_owned()).filter(|name| !name.is_empty()),
        status,
        note,
    });
    written.map_err(|error| {
        let advice = "what was sent is in `deliveries.jsonl` of the spool: run send again with it";
        cli::lost(&error, advice)
    })
}
