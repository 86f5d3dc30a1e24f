//! What a record can be sent to. Secrets are named by their place, never written here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::alerts::model::Webhook;
use crate::alerts::webhook::is_loopback;

/// One destination: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[schemars(rename = "RoutingDestination")]
pub(crate) enum Destination {
    /// Incoming webhook of Slack: where its URL is read from.
    SlackWebhook(Webhook),
    /// Bot of Slack, which keeps a session in one thread.
    SlackBot(SlackBot),
    /// Any other service that takes JSON by HTTPS.
    Https(HttpsUrl),
    /// Topic of Amazon SNS: its ARN.
    SnsTopic(Topic),
}

impl Destination {
    /// Returns the name that a destination of the flags has in a spool, which no name of a file of routes can be: two of them are not
    /// taken for one. A URL is a secret, so that its source is named, and those of the fields, which may say whose it is.
    pub(crate) fn of_flags(&self) -> String {
        match self {
            Destination::SlackWebhook(_) => String::new(),
            Destination::SlackBot(bot) => format!("slack_bot {}", bot.channel.0),
            Destination::SnsTopic(topic) => format!("sns_topic {}", topic.arn),
            Destination::Https(https) => {
                let fields = https.fields.iter();
                let fields = fields.map(|(name, source)| format!(" {name}={source}"));
                format!("https {}{}", https.url, fields.collect::<String>())
            }
        }
    }
}

/// A bot with the scope `chat:write`. <https://docs.slack.dev/reference/methods/chat.postMessage>
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlackBot {
    /// Where the bot's token is read from.
    pub(crate) token: Webhook,
    /// ID of the channel, such as `C0123456789`; the bot must be a member.
    pub(crate) channel: Channel,
    /// Where Slack's Web API is [default: https://slack.com/api].
    #[serde(default)]
    pub(crate) api: SlackApi,
}

/// The ID of a channel, or its name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Channel(pub(crate) String);

impl TryFrom<String> for Channel {
    type Error = String;

    fn try_from(text: String) -> Result<Channel, String> {
        text.parse()
    }
}

impl std::str::FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Channel, String> {
        // A token in its place must not be quoted.
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"#-_".contains(&byte);
        if text.starts_with("xox") || text.is_empty() || !text.bytes().all(is_good) {
            return Err("expected the ID of a channel, such as C0123456789".to_owned());
        }
        Ok(Channel(text.to_owned()))
    }
}

/// Slack's Web API, that of GovSlack, or one on the loopback.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct SlackApi(pub(crate) String);

impl Default for SlackApi {
    fn default() -> SlackApi {
        SlackApi("https://slack.com/api".to_owned())
    }
}

impl TryFrom<String> for SlackApi {
    type Error = String;

    fn try_from(text: String) -> Result<SlackApi, String> {
        text.parse()
    }
}

impl std::str::FromStr for SlackApi {
    type Err = String;

    fn from_str(text: &str) -> Result<SlackApi, String> {
        let known = ["https://slack.com/api", "https://slack-gov.com/api"];
        let text = text.trim_end_matches('/');
        match is_loopback(text) || known.contains(&text) {
            true => Ok(SlackApi(text.to_owned())),
            false => Err(
                "it is neither Slack's Web API, slack.com/api, nor that of GovSlack, slack-gov.com/api, with https in front"
                    .to_owned(),
            ),
        }
    }
}

/// A service that takes JSON by HTTPS; any answer of 2xx is a delivery, but for a page of HTML.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpsUrl {
    /// Where the URL is read from.
    pub(crate) url: Webhook,
    /// File with the jq filter that makes the body; a relative path is of the directory that the routes are in.
    pub(crate) jq_file: PathBuf,
    /// Further headers by name, and where the value of each is read from.
    #[serde(default)]
    pub(crate) headers: BTreeMap<HeaderName, Webhook>,
    /// Members that each body gets as it is sent, so that a secret is never in the spool, and where the value of each is read from.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Webhook>,
    /// Whether the URL may lead to this machine, its link or a metadata service.
    #[serde(default)]
    pub(crate) allow_local_address: bool,
}

/// The name of a header that may be set. <https://www.rfc-editor.org/rfc/rfc9110#name-field-names>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct HeaderName(pub(crate) String);

/// What HTTP itself sets.
const OF_HTTP: [&str; 5] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
];

impl TryFrom<String> for HeaderName {
    type Error = String;

    fn try_from(text: String) -> Result<HeaderName, String> {
        let lower = text.to_ascii_lowercase();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if lower.is_empty() || !lower.bytes().all(is_token) || OF_HTTP.contains(&&*lower) {
            return Err(
                "expected the name of a header such as Authorization, and none of those that HTTP sets itself"
                    .to_owned(),
            );
        }
        Ok(HeaderName(lower))
    }
}

/// The ARN of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Topic {
    pub(crate) arn: String,
    pub(crate) region: String,
}

impl Topic {
    /// Returns whether its messages keep their order. <https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html>
    pub(crate) fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }
}

impl TryFrom<String> for Topic {
    type Error = String;

    fn try_from(text: String) -> Result<Topic, String> {
        text.parse()
    }
}

impl std::str::FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Topic, String> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["arn", partition, "sns", region, account, name]
                if partition.starts_with("aws")
                    && !region.is_empty()
                    && account.len() == 12
                    && !name.is_empty() =>
            {
                Ok(Topic {
                    arn: text.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err(format!(
                "'{text}' is not the ARN of a topic, such as arn:aws:sns:eu-central-1:111122223333:sessions"
            )),
        }
    }
}
