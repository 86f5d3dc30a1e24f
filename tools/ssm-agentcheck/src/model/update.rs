//! How agents are brought up to date, as desired: commands in waves, and an association.

use cli::CountOrPercent;
use diagnosis::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How outdated agents are brought up to date by Run Command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Update {
    /// The version to install; null for the newest that the region has.
    pub(crate) version: Option<Version>,
    /// How many of the outdated nodes are done after each wave; the last must be `100%`.
    pub(crate) waves: Vec<CountOrPercent>,
    /// How many nodes of a wave are updated at the same time.
    pub(crate) max_concurrency: CountOrPercent,
    /// How many nodes of a wave may fail before it stops; no further wave begins then.
    pub(crate) max_errors: CountOrPercent,
    /// How long SSM waits for a node to take the command, in seconds, 30 to 2,592,000.
    pub(crate) timeout_seconds: Timeout,
}

impl Update {
    /// Returns whether the waves grow, and the last leaves no node out.
    pub(super) fn has_all_waves(&self) -> bool {
        // Of few nodes, 10% may be no more than the one of the first wave; of any number, 5 after 10 is a mistake.
        let comparable = |pair: &[CountOrPercent]| match pair {
            [CountOrPercent::Nodes(a), CountOrPercent::Nodes(b)]
            | [CountOrPercent::Percent(a), CountOrPercent::Percent(b)] => a < b,
            _ => true,
        };
        self.waves.last() == Some(&CountOrPercent::Percent(100))
            && self.waves.windows(2).all(comparable)
    }
}

impl Default for Update {
    fn default() -> Update {
        Update {
            version: None,
            waves: vec![
                CountOrPercent::Nodes(1),
                CountOrPercent::Percent(10),
                CountOrPercent::Percent(100),
            ],
            max_concurrency: CountOrPercent::Nodes(50),
            max_errors: CountOrPercent::Nodes(0),
            timeout_seconds: Timeout(600),
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
