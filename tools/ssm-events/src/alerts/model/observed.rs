//! What was read of one account and region. Plain data, no AWS types.

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that was read about one account and region.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) role: Reading<Role>,
    pub(crate) connection: Reading<Connection>,
    pub(crate) destination: Reading<Destination>,
    pub(crate) rule: Reading<Rule>,
    pub(crate) target: Reading<RuleTarget>,
    pub(crate) queue: Reading<Queue>,
    #[serde(default)]
    pub(crate) trail: Reading<Trail>,
    #[serde(default)]
    pub(crate) bucket: Reading<TrailBucket>,
    #[serde(default)]
    pub(crate) function: Reading<Function>,
}

/// The Lambda function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Function {
    pub(crate) code_sha256: String,
    pub(crate) configuration: Value,
    /// ARN that gets what the function could not deliver.
    pub(crate) on_failure: Option<String>,
    /// ARN of the rule that this tool's statement lets invoke it.
    pub(crate) permission: Option<String>,
    /// Whether no change of it is under way.
    pub(crate) ready: bool,
}

impl Observed {
    /// Returns whether everything could be read.
    pub(crate) fn is_known(&self) -> bool {
        let unknown = [
            matches!(self.role, Reading::Unknown(_)),
            matches!(self.connection, Reading::Unknown(_)),
            matches!(self.destination, Reading::Unknown(_)),
            matches!(self.rule, Reading::Unknown(_)),
            matches!(self.target, Reading::Unknown(_)),
            matches!(self.queue, Reading::Unknown(_)),
            matches!(self.trail, Reading::Unknown(_)),
            matches!(self.bucket, Reading::Unknown(_)),
            matches!(self.function, Reading::Unknown(_)),
        ];
        !unknown.contains(&true)
    }
}

/// The trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trail {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) multi_region: bool,
    pub(crate) global_events: bool,
    pub(crate) validation: bool,
    pub(crate) logging: bool,
    pub(crate) all_management_events: bool,
    /// Why CloudTrail could not write last, in its words.
    pub(crate) delivery_error: Option<String>,
}

/// The bucket of the trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrailBucket {
    pub(crate) public_access_blocked: bool,
    pub(crate) policy: Value,
}

/// The dead-letter queue: what did not reach Slack after all retries waits here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    pub(crate) policy: Value,
    pub(crate) retention_seconds: u32,
    /// Whether SQS encrypts it with its own key.
    pub(crate) encrypted: bool,
    /// Events that wait; approximate, as SQS counts.
    pub(crate) n_messages: u64,
}

/// The role that EventBridge assumes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) trust: Value,
    /// The inline policy of this tool; null when the role has none.
    pub(crate) policy: Value,
}

/// The connection that an API destination needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    pub(crate) arn: String,
    /// `AUTHORIZED`, `DEAUTHORIZED`, `DELETING`, ..
    pub(crate) state: String,
}

/// The API destination; its URL is kept as a hash only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) arn: String,
    pub(crate) endpoint_sha256: String,
    pub(crate) active: bool,
}

/// The rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) pattern: Value,
    pub(crate) enabled: bool,
    /// Whether it matches read-only calls too, which rules do not by themselves.
    #[serde(default)]
    pub(crate) read_only_calls: bool,
}

impl Rule {
    /// Returns the state as EventBridge names it.
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
    pub(crate) fn state(&self) -> &'static str {
        match (self.enabled, self.read_only_calls) {
            (false, _) => "DISABLED",
            (true, false) => "ENABLED",
            (true, true) => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        }
    }
}

/// This tool's target of the rule, named by what it points to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTarget {
    pub(crate) destination: String,
    pub(crate) role: String,
    pub(crate) paths: Value,
    pub(crate) template: String,
    /// ARN of the dead-letter queue.
    pub(crate) dead_letter_queue: Option<String>,
    pub(crate) max_retry_attempts: i32,
    pub(crate) max_event_age_seconds: i32,
}
