//! How agents are brought up to date, as desired: commands in waves, and an association.

use diagnosis::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How outdated agents are brought up to date by Run Command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Update {
    /// The version to install; null for the newest that the region has.
    pub(crate) version: Option<Version>,
    /// How many of the outdated nodes are done after each wave; the last must be `100%`.
    pub(crate) waves: Vec<Share>,
    /// How many nodes of a wave are updated at the same time.
    pub(crate) max_concurrency: Share,
    /// How many nodes of a wave may fail before it stops; no further wave begins then.
    pub(crate) max_errors: Share,
    /// How long SSM waits for a node to take the command, in seconds, 30 to 2,592,000.
    pub(crate) timeout_seconds: Timeout,
}

impl Default for Update {
    fn default() -> Update {
        Update {
            version: None,
            waves: vec![Share::Nodes(1), Share::Percent(10), Share::Percent(100)],
            max_concurrency: Share::Nodes(50),
            max_errors: Share::Nodes(0),
            timeout_seconds: Timeout(600),
        }
    }
}

/// A number of nodes, or a percentage of them such as `"10%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(
    with = "Value",
    extend("anyOf" = [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"}])
)]
pub(crate) enum Share {
    Nodes(u32),
    Percent(u32),
}

impl Share {
    /// Returns how many of `n_nodes` it is; a percentage above 0 is at least one node.
    pub(crate) fn of(self, n_nodes: usize) -> usize {
        match self {
            Share::Nodes(count) => usize::try_from(count).unwrap_or(usize::MAX).min(n_nodes),
            Share::Percent(percent) => {
                (n_nodes * usize::try_from(percent).unwrap_or(100)).div_ceil(100)
            }
        }
    }
}

impl TryFrom<Value> for Share {
    type Error = String;

    fn try_from(value: Value) -> Result<Share, String> {
        let percent = value
            .as_str()
            .and_then(|text| text.strip_suffix('%'))
            .and_then(|digits| digits.parse().ok());
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        match (count, percent) {
            (Some(count), _) => Ok(Share::Nodes(count)),
            (None, Some(percent)) if percent <= 100 => Ok(Share::Percent(percent)),
            _ => Err(format!(
                "{value} is neither a number of nodes nor a percentage such as \"10%\""
            )),
        }
    }
}

impl From<Share> for Value {
    fn from(share: Share) -> Value {
        match share {
            Share::Nodes(count) => count.into(),
            Share::Percent(percent) => format!("{percent}%").into(),
        }
    }
}

/// Seconds, in the range that SSM takes.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (TimeoutSeconds)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i32", into = "i32")]
#[schemars(with = "i32", extend("minimum" = 30, "maximum" = 2_592_000))]
pub(crate) struct Timeout(pub(crate) i32);

impl TryFrom<i32> for Timeout {
    type Error = String;

    fn try_from(seconds: i32) -> Result<Timeout, String> {
        match seconds {
            30..=2_592_000 => Ok(Timeout(seconds)),
            _ => Err(format!("{seconds} is not between 30 and 2592000 seconds")),
        }
    }
}

impl From<Timeout> for i32 {
    fn from(timeout: Timeout) -> i32 {
        timeout.0
    }
}

/// The State Manager association that keeps agents current.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DesiredAssociation {
    /// Whether there is to be one.
    pub(crate) enabled: bool,
    /// Its name.
    pub(crate) association_name: String,
    /// When it runs: a rate or cron expression.
    pub(crate) schedule_expression: String,
    /// How many nodes are updated at the same time: a number or percentage, as text.
    pub(crate) max_concurrency: String,
    /// How many may fail before it stops: a number or percentage, as text.
    pub(crate) max_errors: String,
}

impl Default for DesiredAssociation {
    fn default() -> DesiredAssociation {
        DesiredAssociation {
            enabled: true,
            association_name: "UpdateSSMAgent".to_owned(),
            // As the console's own "Auto update SSM Agent".
            schedule_expression: "rate(14 days)".to_owned(),
            max_concurrency: "50".to_owned(),
            max_errors: "0".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Share;

    #[test]
    fn a_share_is_a_count_or_a_percentage() {
        for (value, n_nodes, expected) in [
            (json!(1), 40, 1),
            (json!(50), 40, 40),
            (json!(0), 40, 0),
            (json!("10%"), 40, 4),
            (json!("10%"), 41, 5),
            (json!("1%"), 3, 1),
            (json!("0%"), 3, 0),
            (json!("100%"), 3, 3),
        ] {
            let share: Share = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(share.of(n_nodes), expected, "{value} of {n_nodes}");
            assert_eq!(json!(share), value);
        }
        for bad in [
            json!("101%"),
            json!("10"),
            json!(-1),
            json!(1.5),
            json!("%"),
            json!(null),
        ] {
            assert!(
                serde_json::from_value::<Share>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }
}
