//! The flags of single verbs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use toolio::{Filter, IoArgs};

use crate::format::Style;
use crate::model::Webhook;

/// How messages look.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StyleArgs {
    /// Tell times in this zone, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<TimeZone>,

    /// Name nodes as in these node records, such as `ssm-agentcheck show` prints
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,

    /// Colour messages and mention people by the rules of this file
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Make messages with the jq filter in this file
    #[arg(long, value_name = "FILE")]
    jq_file: Option<PathBuf>,
}

impl StyleArgs {
    /// Reads the files that the flags name.
    ///
    /// # Errors
    /// A file that cannot be read or is not what it should be.
    pub(crate) fn style(&self) -> anyhow::Result<Style> {
        let mut style = Style::default();
        if let Some(zone) = &self.time_zone {
            style.zone = zone.clone();
        }
        if let Some(path) = &self.nodes {
            style.names = names(path)?;
        }
        if let Some(path) = &self.rules {
            style.rules = toolio::read(&IoArgs::of_file(path), "rules")?;
        }
        Ok(style)
    }

    /// Returns the template, when there is one.
    ///
    /// # Errors
    /// The file cannot be read, or jq does not understand it.
    pub(crate) fn template(&self) -> anyhow::Result<Option<Template>> {
        let Some(path) = &self.jq_file else {
            return Ok(None);
        };
        let action = || format!("read the template from {}", path.display());
        let code = std::fs::read_to_string(path).with_context(action)?;
        Ok(Some(Template(Filter::compile(&code).with_context(action)?)))
    }
}

/// A user's own jq filter from an event to messages.
pub(crate) struct Template(Filter);

impl Template {
    /// Returns the messages that the filter yields.
    ///
    /// # Errors
    /// The filter fails on this event.
    pub(crate) fn messages(&self, input: &Value) -> anyhow::Result<Vec<Value>> {
        let mut messages = Vec::new();
        self.0.run(&input.to_string(), |yielded| {
            messages.push(serde_json::from_str(&yielded.json())?);
            Ok(())
        })?;
        Ok(messages)
    }
}

/// As much of a node record as names need.
#[derive(Deserialize)]
struct Node {
    instance_id: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Returns the names of nodes by id, of node records in a file.
///
/// # Errors
/// The file cannot be read or holds something else.
pub(crate) fn names(path: &std::path::Path) -> anyhow::Result<BTreeMap<String, String>> {
    let nodes: Vec<Node> = toolio::read_records_from(path, "nodes")?;
    let named = nodes
        .into_iter()
        .filter_map(|mut node| Some((node.instance_id, node.tags.remove("Name")?)));
    Ok(named.collect())
}

/// Reads the name of a time zone.
pub(crate) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("'{text}' is no time zone such as Europe/Berlin"))
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
    pub(crate) fn named(&self) -> anyhow::Result<&Webhook> {
        self.0
            .as_ref()
            .map_err(|why| anyhow::anyhow!("--webhook: {why}"))
    }
}

fn webhook_source(text: &str) -> Result<WebhookSource, std::convert::Infallible> {
    Ok(WebhookSource(webhook(text)))
}

/// Reads `env:NAME`, `file:PATH`, `parameter:NAME` or `secret:ID`.
pub(crate) fn webhook(text: &str) -> Result<Webhook, String> {
    let wrong = "expected env:NAME, file:PATH, parameter:NAME or secret:ID; the URL itself is a secret and no argument";
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Webhook::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Webhook::File(path.to_owned())),
        Some(("parameter", name)) if !name.is_empty() => Ok(Webhook::Parameter(name.to_owned())),
        Some(("secret", id)) if !id.is_empty() => Ok(Webhook::Secret(id.to_owned())),
        _ => Err(wrong.to_owned()),
    }
}

/// Where messages go, and where they wait.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// Read the webhook's URL from env:NAME, file:PATH, parameter:NAME (Parameter Store) or secret:ID (Secrets Manager)
    #[arg(long, value_name = "SOURCE", value_parser = webhook_source)]
    pub(crate) webhook: WebhookSource,

    /// Keep what is not delivered yet, and what was, in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) spool: PathBuf,

    /// Wait this many seconds between messages
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub(crate) interval: f64,

    /// Hold the messages when Slack has not taken one for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    pub(crate) retry_for: f64,
}

/// Reads a number of seconds.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, 0 to 86400".to_owned()),
    }
}
