//! What the file of routes says.

use std::collections::BTreeMap;

use cli::Severity;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::destination::Destination;
use super::hours::Hours;
use super::principal::PrincipalPattern;
use crate::event_pattern::EventPattern;
use crate::records::reason::ReasonPattern;

/// Where records go: the first rule that fits decides, and what none fits goes to the default.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Routes {
    /// Where records can go, each by a name of your own.
    pub(crate) destinations: BTreeMap<String, Destination>,
    /// Names of destinations for records that no rule decides.
    pub(crate) default: Vec<String>,
    /// Principals for emergencies. Their records go here before any rule is asked, and cannot be muted.
    #[serde(default)]
    pub(crate) break_glass: Option<BreakGlass>,
    /// Regular expression that the reason of each session must have, such as the number of a ticket.
    #[serde(default)]
    pub(crate) reason_pattern: Option<ReasonPattern>,
    /// The first one that fits decides.
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
}

/// Principals that are used in emergencies only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakGlass {
    /// ARNs of roles, users or role sessions; `*` matches any characters.
    pub(crate) principals: Vec<PrincipalPattern>,
    /// Names of destinations.
    pub(crate) to: Vec<String>,
}

/// One rule: all of its conditions must hold. It has either `to` or `mute`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RoutingRule")]
pub(crate) struct Rule {
    /// Name of the rule, for messages.
    pub(crate) name: String,
    /// Event pattern of EventBridge on the CloudTrail record itself: `{"eventName": ["StartSession"]}`.
    #[serde(default)]
    pub(crate) pattern: Option<EventPattern>,
    /// IDs of accounts.
    #[serde(default)]
    pub(crate) accounts: Option<Vec<AccountId>>,
    /// ARNs of roles, users or role sessions; `*` matches any characters.
    #[serde(default)]
    pub(crate) principals: Option<Vec<PrincipalPattern>>,
    /// `error`: denied, or by a break-glass principal; `warning`: failed, or a session without the required reason; `info`: all others.
    #[serde(default)]
    pub(crate) severities: Option<Vec<Severity>>,
    /// Hours of the day at which the call was made.
    #[serde(default)]
    pub(crate) hours: Option<Hours>,
    /// Names of destinations.
    #[serde(default)]
    pub(crate) to: Option<Vec<String>>,
    /// Send it nowhere; it is counted.
    #[serde(default)]
    pub(crate) mute: Option<Mute>,
}

/// Why, and until when, records are not sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mute {
    /// Why, for whoever reads it next.
    pub(crate) reason: String,
    /// The last day in UTC on which it holds, `2027-01-31` [default: it does not end].
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(crate) expires: Option<Date>,
}

/// Twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct AccountId(pub(crate) String);

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<AccountId, String> {
        match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(AccountId(text)),
            false => Err(format!("'{text}' is not an account ID")),
        }
    }
}
