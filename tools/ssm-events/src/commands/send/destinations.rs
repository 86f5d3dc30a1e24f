//! The destinations of a run: those of a file of routes, or the one that the flags name. Secrets are read before the spool is opened.

use std::path::{Path, PathBuf};

use anyhow::bail;
use awsconf::{AwsArgs, SdkConfig};
use jiff::Timestamp;

use super::engine::Lane;
use super::https::Https;
use super::posting::{Closed, Poster, Transport};
use super::slack::{Bot, Webhook as SlackWebhook};
use super::spool::{Address, Form, Spool};
use super::topic::SnsTopic;
use super::webhook;
use crate::alerts::model::Webhook;
use crate::alerts::webhook::{Url, secret};
use crate::commands::style::StyleArgs;
use crate::records::format::Template;
use crate::routing::{
    Channel, Destination, HeaderName, HttpsUrl, Routes, SlackApi, SlackBot, Topic,
};

/// Where messages go: exactly one of the first five.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("to").required(true).multiple(false)))]
pub(crate) struct DestinationArgs {
    /// Read the URL of Slack's webhook from env:NAME, file:PATH, parameter:NAME (Parameter Store) or secret:ID (Secrets Manager)
    #[arg(long, value_name = "SOURCE", value_parser = source, group = "to")]
    webhook: Option<SecretSource>,

    /// Post as the Slack bot whose token is read from this source, as for --webhook; sessions become threads
    #[arg(long, value_name = "SOURCE", value_parser = source, group = "to", requires = "channel")]
    slack_token: Option<SecretSource>,

    /// Send what --jq-file makes to the HTTPS URL that is read from this source, as for --webhook
    #[arg(long, value_name = "SOURCE", value_parser = source, group = "to", requires = "jq_file")]
    url: Option<SecretSource>,

    /// Publish to this topic of Amazon SNS
    #[arg(long, value_name = "ARN", group = "to")]
    topic: Option<Topic>,

    /// Send to the destinations of this file, by its rules
    #[arg(long, value_name = "FILE", group = "to")]
    pub(super) routes: Option<PathBuf>,

    /// ID of the channel for --slack-token
    #[arg(long, value_name = "ID", value_parser = channel, requires = "slack_token")]
    channel: Option<ChannelArg>,

    /// Slack's Web API for --slack-token [default: https://slack.com/api]
    #[arg(long, value_name = "URL", value_parser = api, requires = "slack_token")]
    slack_api: Option<ApiArg>,

    /// Add a header to requests to --url, its value read from a source; repeat for several
    #[arg(long = "header", value_name = "NAME=SOURCE", value_parser = pair, requires = "url")]
    headers: Vec<PairArg>,

    /// Add a member to each body for --url as it is sent, its value read from a source; repeat for several
    #[arg(long = "field", value_name = "NAME=SOURCE", value_parser = pair, requires = "url")]
    fields: Vec<PairArg>,

    /// Allow --url to lead to this machine, a link-local address or a metadata service
    #[arg(long, requires = "url")]
    allow_local_address: bool,
}

/// Where a flag says that a secret is, or why it says nothing. An argument that clap refuses is quoted by it, and this one may be the
/// secret itself, given by mistake.
#[derive(Clone, Debug)]
struct SecretSource(Result<Webhook, String>);

/// A channel, or why it is none; it may be a token.
#[derive(Clone, Debug)]
struct ChannelArg(Result<Channel, String>);

/// Slack's Web API, or why it is none; it may be a token.
#[derive(Clone, Debug)]
struct ApiArg(Result<SlackApi, String>);

/// A name and the source of a value, or why it is none.
#[derive(Clone, Debug)]
struct PairArg(Result<(String, Webhook), String>);

fn source(text: &str) -> Result<SecretSource, std::convert::Infallible> {
    Ok(SecretSource(webhook(text)))
}

fn channel(text: &str) -> Result<ChannelArg, std::convert::Infallible> {
    Ok(ChannelArg(text.parse()))
}

fn api(text: &str) -> Result<ApiArg, std::convert::Infallible> {
    Ok(ApiArg(text.parse()))
}

fn pair(text: &str) -> Result<PairArg, std::convert::Infallible> {
    let wrong = || "expected NAME=env:VARIABLE, NAME=file:PATH, NAME=parameter:NAME or NAME=secret:ID, never the value itself";
    Ok(PairArg(match text.split_once('=') {
        Some((name, place)) if !name.is_empty() => webhook(place)
            .map(|place| (name.to_owned(), place))
            .map_err(|_| wrong().to_owned()),
        _ => Err(wrong().to_owned()),
    }))
}

fn named<T: Clone>(flag: &str, given: &Result<T, String>) -> anyhow::Result<T> {
    given
        .clone()
        .map_err(|why| anyhow::anyhow!("{flag}: {why}"))
}

/// How the messages of a destination are made.
pub(super) enum Format {
    /// A message of Slack.
    Slack { has_threads: bool },
    /// What a filter makes: its own, or that of the flags.
    Json {
        own: Option<Template>,
        has_fields: bool,
    },
    /// Subject and message.
    Topic,
}

impl Format {
    pub(super) fn form(&self) -> Form {
        match self {
            Format::Slack { .. } => Form::Slack,
            Format::Json { .. } => Form::Json,
            Format::Topic => Form::Topic,
        }
    }
}

/// A destination with its secrets.
pub(super) struct Named {
    name: String,
    transport: Transport,
}

/// What a run sends with.
pub(super) struct Opened {
    pub(super) formats: Vec<(String, Format)>,
    pub(super) transports: Vec<Named>,
    /// Whether every destination could be opened.
    pub(super) is_whole: bool,
}

impl DestinationArgs {
    /// Reads the secrets of all destinations. One of the routes whose secret is missing holds up no other: what is for it waits.
    ///
    /// # Errors
    /// A filter that cannot be read; of the flags, a source that is wrong or missing.
    pub(super) async fn open(
        &self,
        routes: Option<&Routes>,
        style: &StyleArgs,
        aws: &AwsArgs,
    ) -> anyhow::Result<Opened> {
        let mut secrets = Secrets { aws, config: None };
        let mut opened = Opened {
            formats: Vec::new(),
            transports: Vec::new(),
            is_whole: true,
        };
        let flagged = match routes {
            Some(_) => None,
            None => {
                let destination = self.flagged(style)?;
                Some((destination.of_flags(), destination))
            }
        };
        let of_routes = routes.into_iter().flat_map(|routes| &routes.destinations);
        let all: Vec<(&String, &Destination)> = of_routes
            .chain(flagged.iter().map(|(name, one)| (name, one)))
            .collect();
        let directory = self.routes.as_deref().and_then(Path::parent);
        for (name, destination) in all {
            let format = match destination {
                Destination::SlackWebhook(_) => Format::Slack { has_threads: false },
                Destination::SlackBot(_) => Format::Slack { has_threads: true },
                Destination::SnsTopic(_) => Format::Topic,
                Destination::Https(https) if routes.is_none() => Format::Json {
                    own: None,
                    has_fields: !https.fields.is_empty(),
                },
                Destination::Https(https) => {
                    let path = directory.unwrap_or(Path::new("")).join(&https.jq_file);
                    Format::Json {
                        own: Some(Template::read(&path)?),
                        has_fields: !https.fields.is_empty(),
                    }
                }
            };
            let transport = match secrets.opened(destination).await {
                Ok(transport) => transport,
                Err(error) if routes.is_none() => return Err(error),
                Err(error) => {
                    // At once: more may come for days.
                    let why = format!("{error:#}");
                    let what = format!("destination '{name}': {why}: what is for it is held");
                    cli::print_error(crate::TOOL, &what);
                    opened.is_whole = false;
                    let form = format.form();
                    Transport::Closed(Closed { form, why })
                }
            };
            opened.formats.push((name.clone(), format));
            opened.transports.push(Named {
                name: name.clone(),
                transport,
            });
        }
        Ok(opened)
    }

    /// Returns the destination that the flags name.
    fn flagged(&self, style: &StyleArgs) -> anyhow::Result<Destination> {
        if let Some(webhook) = &self.webhook {
            return Ok(Destination::SlackWebhook(named("--webhook", &webhook.0)?));
        }
        if let Some(topic) = &self.topic {
            return Ok(Destination::SnsTopic(topic.clone()));
        }
        if let (Some(token), Some(channel)) = (&self.slack_token, &self.channel) {
            return Ok(Destination::SlackBot(SlackBot {
                token: named("--slack-token", &token.0)?,
                channel: named("--channel", &channel.0)?,
                api: match &self.slack_api {
                    Some(api) => named("--slack-api", &api.0)?,
                    None => SlackApi::default(),
                },
            }));
        }
        let Some(url) = &self.url else {
            bail!("no destination: pass --webhook, --slack-token, --url, --topic or --routes");
        };
        let headers = self.headers.iter().map(|pair| {
            let (name, value) = named("--header", &pair.0)?;
            let name =
                HeaderName::try_from(name).map_err(|why| anyhow::anyhow!("--header: {why}"))?;
            anyhow::Ok((name, value))
        });
        let fields = self.fields.iter().map(|pair| named("--field", &pair.0));
        Ok(Destination::Https(HttpsUrl {
            url: named("--url", &url.0)?,
            jq_file: style.jq_file.clone().unwrap_or_default(),
            headers: headers.collect::<Result<_, _>>()?,
            fields: fields.collect::<Result<_, _>>()?,
            allow_local_address: self.allow_local_address,
        }))
    }
}

/// Reads secrets; asks AWS only for those that it keeps.
struct Secrets<'a> {
    aws: &'a AwsArgs,
    config: Option<SdkConfig>,
}

impl Secrets<'_> {
    async fn opened(&mut self, destination: &Destination) -> anyhow::Result<Transport> {
        Ok(match destination {
            Destination::SlackWebhook(webhook) => {
                let config = self.config(webhook).await?;
                Transport::Webhook(SlackWebhook::new(Url::read(webhook, config).await?)?)
            }
            Destination::SlackBot(bot) => {
                let token = self.read(&bot.token, "the bot's token").await?;
                // With rotation it has `xoxe.` in front. <https://docs.slack.dev/authentication/using-token-rotation>
                let kind = token.strip_prefix("xoxe.").unwrap_or(&token);
                if !kind.starts_with("xoxb-") && !kind.starts_with("xoxp-") {
                    bail!("the bot's token does not begin with xoxb- (it is not shown)");
                }
                Transport::Bot(Bot::new(token, &bot.channel.0, &bot.api.0)?)
            }
            Destination::Https(https) => {
                let url = self.read(&https.url, "the URL").await?;
                let (mut headers, mut fields) = (Vec::new(), Vec::new());
                for (name, value) in &https.headers {
                    let what = format!("the header {}", name.0);
                    headers.push((name.0.clone(), self.read(value, &what).await?));
                }
                for (name, value) in &https.fields {
                    let what = format!("the field {name}");
                    fields.push((name.clone(), self.read(value, &what).await?));
                }
                let allow_local_address = https.allow_local_address;
                Transport::Https(Https::new(url, headers, fields, allow_local_address)?)
            }
            Destination::SnsTopic(topic) => {
                let mut aws = self.aws.clone();
                aws.regions = vec![topic.region.clone()];
                let session = aws.session().await?;
                Transport::Topic(SnsTopic::new(&session.config, topic.clone()))
            }
        })
    }

    /// Returns what AWS is asked with, where a secret is kept there.
    async fn config(&mut self, source: &Webhook) -> anyhow::Result<Option<&SdkConfig>> {
        if source.is_here() {
            return Ok(None);
        }
        if self.config.is_none() {
            self.config = Some(self.aws.session().await?.config);
        }
        Ok(self.config.as_ref())
    }

    async fn read(&mut self, source: &Webhook, what: &str) -> anyhow::Result<String> {
        let config = self.config(source).await?;
        let (text, place) = secret(source, what, config).await?;
        let text = text.trim();
        if text.is_empty() {
            bail!("read {what}: {place} is empty");
        }
        Ok(text.to_owned())
    }
}

impl Named {
    /// Returns the destination's name with what names its URL, if it has one; nothing where that is not known.
    pub(super) fn address(&self) -> Option<(String, Option<Address>)> {
        let address = match &self.transport {
            Transport::Webhook(webhook) => Some(webhook.address()),
            Transport::Https(https) => Some(https.address()),
            Transport::Bot(_) | Transport::Topic(_) => None,
            Transport::Closed(_) => return None,
        };
        Some((self.name.clone(), address))
    }

    /// Returns the destination's lane.
    pub(super) fn lane(mut self, interval: f64, retry_for: f64, spool: &Spool) -> Lane {
        let since_last = spool.last_called(&self.name, Timestamp::now());
        let mut channel = None;
        match &mut self.transport {
            Transport::Bot(bot) => channel = Some(bot.channel().to_owned()),
            Transport::Https(https) => https.goes_on(spool.has_taken(&self.name)),
            Transport::Webhook(_) | Transport::Topic(_) | Transport::Closed(_) => {}
        }
        Lane {
            poster: Poster::new(self.transport, interval, retry_for, since_last),
            name: self.name,
            channel,
        }
    }
}
