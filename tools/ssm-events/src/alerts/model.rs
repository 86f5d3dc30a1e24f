//! The states that a plan carries, and what was found. Plain data, no AWS types.

use cli::{Reading, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use crate::alerts::desired::{Desired, DesiredFunction, DesiredTrail, Webhook};

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

/// Hashes of what a plan must not hold: the webhook's URL, the function's package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes {
    /// SHA-256 of the URL in hexadecimal digits.
    pub(crate) endpoint: String,
    /// SHA-256 of the package in Base64, as Lambda tells it.
    pub(crate) code: String,
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

/// What `show` prints: one account and region, each part present, absent or unknown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alerts {
    kind: AlertsKind,
    target: Target,
    observed: Observed,
}

/// The `kind` of what `show` prints.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertsKind {
    /// The only value.
    Alerts,
}

impl Alerts {
    pub(crate) fn new(target: Target, observed: Observed) -> Alerts {
        Alerts {
            kind: AlertsKind::Alerts,
            target,
            observed,
        }
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

impl Action {
    /// Returns whether it is about the trail.
    pub(crate) fn is_of_trail(self) -> bool {
        use Action::{CreateTrail, DeleteTrail, StartLogging, StopLogging, UpdateTrail};
        matches!(
            self,
            CreateTrail | UpdateTrail | StartLogging | StopLogging | DeleteTrail
        )
    }

    /// Returns whether it is about the function.
    pub(crate) fn is_of_function(self) -> bool {
        matches!(
            self,
            Action::CreateFunction
                | Action::UpdateFunctionCode
                | Action::UpdateFunctionConfiguration
                | Action::PutFunctionEventInvokeConfig
                | Action::AddPermission
                | Action::DeleteFunction
        )
    }

    /// Returns whether it is about the trail's bucket.
    pub(crate) fn is_of_bucket(self) -> bool {
        matches!(
            self,
            Action::CreateBucket | Action::PutPublicAccessBlock | Action::PutBucketPolicy
        )
    }
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

/// Every write this tool can make; from `remove_targets` on they only undo. Buckets are never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    CreateBucket,
    PutPublicAccessBlock,
    PutBucketPolicy,
    CreateTrail,
    UpdateTrail,
    StartLogging,
    CreateRole,
    PutRolePolicy,
    CreateQueue,
    SetQueueAttributes,
    CreateFunction,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
    PutFunctionEventInvokeConfig,
    CreateConnection,
    CreateApiDestination,
    UpdateApiDestination,
    PutRule,
    AddPermission,
    PutTargets,
    RemoveTargets,
    DeleteRule,
    DeleteApiDestination,
    DeleteConnection,
    DeleteFunction,
    DeleteQueue,
    DeleteRole,
    StopLogging,
    DeleteTrail,
}
