//! Who is mentioned and which colour a message has: the first rule whose event pattern fits the record decides.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::event_pattern::EventPattern;

/// What messages look like, from a file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// The first one that fits decides.
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// An event pattern on the CloudTrail record itself: `{"eventName": ["StartSession"]}`.
    when: EventPattern,
    /// `#` and six hexadecimal digits [default: red for denied and failed calls, else green].
    color: Option<Color>,
    /// Whom to mention beside the channel.
    mention: Option<Mention>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Color(String);

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Color, String> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Color(text))
        } else {
            Err(format!(
                "'{text}' is not a color: expected # and six hexadecimal digits"
            ))
        }
    }
}

/// Whom a message mentions. <https://docs.slack.dev/messaging/formatting-message-text#mentioning-users>
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Mention {
    /// Everybody who is active in the channel.
    Here,
    /// Everybody in the channel.
    Channel,
    /// One person, by member ID such as `U012AB3CD`.
    User(SlackId),
    /// A user group, by ID such as `S012AB3CD`.
    Group(SlackId),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct SlackId(String);

impl TryFrom<String> for SlackId {
    type Error = String;

    fn try_from(text: String) -> Result<SlackId, String> {
        let good = text.len() >= 2
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if good {
            Ok(SlackId(text))
        } else {
            Err(format!("'{text}' is not an ID of Slack such as U012AB3CD"))
        }
    }
}

/// What the rules say of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) color: Option<String>,
    /// As Slack writes it.
    pub(super) mention: Option<String>,
}

impl Rules {
    pub(super) fn look(&self, record: &Value) -> Look {
        if self.rules.is_empty() {
            return Look::default();
        }
        let text = record.to_string();
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.when.0.matches(&text).unwrap_or(false));
        let Some(rule) = rule else {
            return Look::default();
        };
        let mention = rule.mention.as_ref().map(|mention| match mention {
            Mention::Here => "<!here>".to_owned(),
            Mention::Channel => "<!channel>".to_owned(),
            Mention::User(id) => format!("<@{}>", id.0),
            Mention::Group(id) => format!("<!subteam^{}>", id.0),
        });
        Look {
            color: rule.color.as_ref().map(|color| color.0.clone()),
            mention,
        }
    }
}
