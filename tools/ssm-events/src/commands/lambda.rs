//! The tool as a Lambda function: started under the name `bootstrap`, it takes events from the runtime API and sends alerts.
//! An event that is not delivered fails its invocation, so that it is tried again and then dead-lettered.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use anyhow::{Context, bail};
use awsconf::{AwsArgs, HttpClient, Request};
use cli::Outcome;
use serde_json::{Value, json};

use super::send::spool::Queued;
use super::send::{Posted, Poster, SlackWebhook, Transport, seconds, webhook};
use super::style::zone;
use crate::alerts::model::Webhook;
use crate::alerts::webhook::Url;
use crate::records::format::{MessageRenderer, Style};
use crate::records::source::LeftOut;

/// The name under which Lambda starts a function on an operating system's runtime.
const NAME: &str = "bootstrap";
/// Events that an instance remembers, so that a batch that is tried again is not sent twice.
const REMEMBERED: usize = 10_000;
/// Slack is tried for so long; then EventBridge and Lambda try again later.
const RETRY_FOR: f64 = 10.0;

/// What the environment of the function says.
struct Settings {
    /// `SSM_EVENTS_WEBHOOK`, as `--webhook`.
    webhook: Webhook,
    /// `SSM_EVENTS_INTERVAL`, as `--interval`.
    interval: f64,
    renderer: MessageRenderer,
}

/// Returns whether Lambda has started this process: it does so by that name and gives no arguments.
pub(crate) fn is_started() -> bool {
    let program = std::env::args_os().next().map(PathBuf::from);
    program.is_some_and(|program| program.file_name().is_some_and(|file| file == NAME))
}

/// Serves invocations until the process is stopped.
///
/// # Errors
/// The settings are wrong or the runtime API is gone.
pub(crate) async fn serve() -> anyhow::Result<Outcome> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")
        .ok()
        .context("AWS_LAMBDA_RUNTIME_API is not set")?;
    let runtime = Runtime {
        url: format!("http://{api}/2018-06-01/runtime"),
        plain: HttpClient::new()?,
    };
    let mut function = match Function::new().await {
        Ok(function) => function,
        Err(error) => {
            runtime.post("init/error", &failure(&error)).await?;
            return Err(error);
        }
    };
    loop {
        let (id, payload) = runtime.next().await?;
        match function.invoke(&payload).await {
            Ok(n_messages) => {
                runtime
                    .post(
                        &format!("invocation/{id}/response"),
                        &json!({ "messages": n_messages }),
                    )
                    .await?
            }
            Err(error) => {
                cli::print_error(crate::TOOL, &format!("{error:#}"));
                runtime
                    .post(&format!("invocation/{id}/error"), &failure(&error))
                    .await?;
            }
        }
    }
}

fn failure(error: &anyhow::Error) -> Value {
    json!({ "errorMessage": format!("{error:#}"), "errorType": "NotDelivered", "stackTrace": [] })
}

struct Runtime {
    url: String,
    plain: HttpClient,
}

impl Runtime {
    /// Waits for an invocation; returns its ID and payload.
    async fn next(&self) -> anyhow::Result<(String, String)> {
        let url = format!("{}/invocation/next", self.url);
        let answer = self
            .plain
            .send(Request {
                method: "GET",
                url,
                body: None,
                headers: Vec::new(),
                timeout: None,
            })
            .await?;
        let id = answer
            .header("lambda-runtime-aws-request-id")
            .context("next invocation: answer without ID")?;
        Ok((id.to_owned(), answer.body))
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let url = format!("{}/{path}", self.url);
        let answer = self
            .plain
            .send(Request {
                method: "POST",
                url,
                body: Some(body.to_string()),
                headers: Vec::new(),
                timeout: None,
            })
            .await?;
        if answer.status >= 300 {
            bail!("{path}: HTTP {}", answer.status);
        }
        Ok(())
    }
}

struct Function {
    settings: Settings,
    slack: Poster,
    delivered: HashSet<String>,
    order: VecDeque<String>,
}

impl Function {
    async fn new() -> anyhow::Result<Function> {
        let settings = Settings::read()?;
        let slack = settings.slack().await?;
        Ok(Function {
            settings,
            slack,
            delivered: HashSet::new(),
            order: VecDeque::new(),
        })
    }

    /// Delivers everything that a payload holds: one event or a batch. What cannot be read or is rejected holds up nothing else, and
    /// fails the invocation afterwards: whether its queue takes a list of the failed messages, a function does not know.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
    async fn invoke(&mut self, payload: &str) -> anyhow::Result<usize> {
        let value: Value = serde_json::from_str(payload).context("the payload")?;
        let mut left_out = LeftOut::default();
        let messages = self.settings.renderer.messages(value, &mut left_out)?;
        let mut failed = left_out
            .unread
            .kept()
            .first()
            .map(|why| anyhow::anyhow!("{why}"));
        if messages.is_empty() && failed.is_none() {
            bail!("the payload holds no CloudTrail record and no event of Systems Manager");
        }
        let n_messages = messages.len();
        for (id, message) in messages {
            if self.delivered.contains(&id) {
                continue;
            }
            let queued = Queued {
                event_id: id.clone(),
                destination: String::new(),
                address: None,
                form: None,
                thread: None,
                message: serde_json::value::to_raw_value(&message)?,
            };
            match self.deliver(&queued).await? {
                None => self.remember(id),
                Some(reason) => {
                    failed.get_or_insert(anyhow::anyhow!(
                        "event {id}: Slack rejects the message: {reason}"
                    ));
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(n_messages),
        }
    }

    /// Delivers a message, or returns why Slack will never take it.
    ///
    /// # Errors
    /// Slack takes none now.
    async fn deliver(&mut self, message: &Queued) -> anyhow::Result<Option<String>> {
        let mut posted = Posted::Down;
        // Within the pause that Slack has asked for it is not called; Lambda tries again later.
        if self.slack.paused_until().is_none() {
            self.slack.wait().await;
            posted = self.slack.post(message, None).await;
        }
        if posted == Posted::Down && self.slack.paused_until().is_none() {
            // The URL may have been replaced since it was read.
            self.slack = self.settings.slack().await?;
            posted = self.slack.post(message, None).await;
        }
        match posted {
            Posted::Taken { .. } => Ok(None),
            Posted::Rejected(reason) => Ok(Some(reason)),
            Posted::Down => bail!(
                "event {}: Slack: {}",
                message.event_id,
                self.slack.trouble().unwrap_or("it does not answer")
            ),
        }
    }

    fn remember(&mut self, id: String) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.delivered.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.delivered.insert(id);
    }
}

impl Settings {
    fn read() -> anyhow::Result<Settings> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let webhook = variable("SSM_EVENTS_WEBHOOK").context("SSM_EVENTS_WEBHOOK is not set")?;
        let wrong =
            |name: &'static str| move |problem: String| anyhow::anyhow!("{name}: {problem}");
        let webhook = self::webhook(&webhook).map_err(wrong("SSM_EVENTS_WEBHOOK"))?;
        let interval = variable("SSM_EVENTS_INTERVAL")
            .map(|text| seconds(&text))
            .transpose();
        let mut style = Style::default();
        if let Some(zone) = variable("SSM_EVENTS_TIME_ZONE") {
            style.zone = self::zone(&zone).map_err(wrong("SSM_EVENTS_TIME_ZONE"))?;
        }
        if let Some(rules) = variable("SSM_EVENTS_RULES") {
            style.rules =
                serde_json::from_str(&cli::without_comments(&rules)).context("SSM_EVENTS_RULES")?;
        }
        Ok(Settings {
            webhook,
            interval: interval
                .map_err(wrong("SSM_EVENTS_INTERVAL"))?
                .unwrap_or(1.0),
            renderer: MessageRenderer {
                style,
                template: None,
            },
        })
    }

    async fn slack(&self) -> anyhow::Result<Poster> {
        let config = match self.webhook.is_here() {
            true => None,
            false => Some(AwsArgs::from_environment().session().await?.config),
        };
        let url = Url::read(&self.webhook, config.as_ref()).await?;
        let webhook = Transport::Webhook(SlackWebhook::new(url)?);
        Ok(Poster::new(webhook, self.interval, RETRY_FOR, None))
    }
}
