//! What the user wants to be told, the states that a plan carries, and what was found. Plain data, no AWS types.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolio::Reading;

/// Calls that open a way into a node, run something there, or change who may and what is recorded.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Operations.html>
pub(crate) const EVENTS: [&str; 31] = [
    "StartSession",
    "ResumeSession",
    "TerminateSession",
    "SendCommand",
    "CancelCommand",
    "StartAutomationExecution",
    "StopAutomationExecution",
    "CreateAssociation",
    "CreateAssociationBatch",
    "UpdateAssociation",
    "StartAssociationsOnce",
    "DeleteAssociation",
    "CreateDocument",
    "UpdateDocument",
    "UpdateDocumentDefaultVersion",
    "DeleteDocument",
    "ModifyDocumentPermission",
    "UpdateServiceSetting",
    "ResetServiceSetting",
    "CreateActivation",
    "DeleteActivation",
    "RegisterManagedInstance",
    "DeregisterManagedInstance",
    "UpdateManagedInstanceRole",
    "RegisterTaskWithMaintenanceWindow",
    "UpdateMaintenanceWindowTask",
    "StartAccessRequest",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    // Tags decide who may start sessions where policies ask for them.
    "AddTagsToResource",
    "RemoveTagsFromResource",
];

/// Desired alerts of one account and region.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desired {
    /// Name of the EventBridge rule; its connection and API destination have the same name.
    #[serde(default = "rule_name")]
    pub(crate) rule_name: Name,
    /// Where the Slack webhook's URL is read from; the URL itself is a secret and never written here.
    pub(crate) webhook: Webhook,
    /// Role that lets EventBridge call the API destination; created when missing.
    #[serde(default = "role_name")]
    pub(crate) role_name: Name,
    /// Systems Manager API calls to tell.
    #[serde(default = "events")]
    pub(crate) events: Vec<EventName>,
    /// EventBridge's own events of commands and automations to tell besides. They do not say who; parameters, which are in
    /// clear in some, are never told.
    #[serde(default)]
    pub(crate) status_events: Vec<StatusEvent>,
}

/// An event that EventBridge has of Systems Manager itself.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-eventbridge-events.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusEvent {
    /// EC2 Command Status-change Notification: of a command as a whole.
    Command,
    /// EC2 Command Invocation Status-change Notification: of a command on one node.
    CommandInvocation,
    /// EC2 Automation Execution Status-change Notification.
    Automation,
}

impl StatusEvent {
    /// Returns the `detail-type`.
    pub(crate) fn detail_type(self) -> &'static str {
        match self {
            StatusEvent::Command => "EC2 Command Status-change Notification",
            StatusEvent::CommandInvocation => "EC2 Command Invocation Status-change Notification",
            StatusEvent::Automation => "EC2 Automation Execution Status-change Notification",
        }
    }
}

fn rule_name() -> Name {
    Name("ssm-activity".to_owned())
}

fn role_name() -> Name {
    Name("ssm-events-to-slack".to_owned())
}

fn events() -> Vec<EventName> {
    EVENTS
        .iter()
        .map(|name| EventName((*name).to_owned()))
        .collect()
}

/// A name that EventBridge and IAM accept: 1 to 64 of A-Z a-z 0-9 . - _
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Name(pub(crate) String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Name, String> {
        let good = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        if good && (1..=64).contains(&text.len()) {
            Ok(Name(text))
        } else {
            Err(format!(
                "'{text}' is no name: expected 1 to 64 of A-Z a-z 0-9 . - _"
            ))
        }
    }
}

/// The name of an API call, such as `StartSession`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct EventName(pub(crate) String);

impl TryFrom<String> for EventName {
    type Error = String;

    fn try_from(text: String) -> Result<EventName, String> {
        let good = text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if good {
            Ok(EventName(text))
        } else {
            Err(format!("'{text}' is no API call such as StartSession"))
        }
    }
}

/// The source of the webhook's URL: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Webhook {
    /// Name of the environment variable that holds it.
    Env(String),
    /// Path of the file that holds it and nothing else.
    File(String),
    /// Name of the parameter in Parameter Store, best a `SecureString`.
    Parameter(String),
    /// Name or ARN of the secret in Secrets Manager.
    Secret(String),
}

/// Everything that was read about one account and region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) role: Reading<Role>,
    pub(crate) connection: Reading<Connection>,
    pub(crate) destination: Reading<Destination>,
    pub(crate) rule: Reading<Rule>,
    pub(crate) target: Reading<RuleTarget>,
    pub(crate) queue: Reading<Queue>,
}

/// The dead-letter queue: what did not reach Slack after all retries waits here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) trust: Value,
    /// The inline policy of this tool; null when the role has none.
    pub(crate) policy: Value,
}

/// The connection that an API destination needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    pub(crate) arn: String,
    /// `AUTHORIZED`, `DEAUTHORIZED`, `DELETING`, ..
    pub(crate) state: String,
}

/// The API destination; its URL is kept as a hash only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) arn: String,
    pub(crate) endpoint_sha256: String,
    pub(crate) active: bool,
}

/// The rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) pattern: Value,
    pub(crate) enabled: bool,
}

/// This tool's target of the rule, named by what it points to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Every write this tool can make; from `remove_targets` on they only undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    CreateRole,
    PutRolePolicy,
    CreateQueue,
    SetQueueAttributes,
    CreateConnection,
    CreateApiDestination,
    UpdateApiDestination,
    PutRule,
    PutTargets,
    RemoveTargets,
    DeleteRule,
    DeleteApiDestination,
    DeleteConnection,
    DeleteQueue,
    DeleteRole,
}

/// Returns the schemas of everything this tool reads and prints.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("plan", generator.subschema_for::<toolio::Plan<Action>>()),
        (
            "result",
            generator.subschema_for::<toolio::ResultRecord<Action>>(),
        ),
        ("finding", generator.subschema_for::<toolio::Finding>()),
        (
            "explanation",
            generator.subschema_for::<crate::matching::Explained>(),
        ),
        ("delivery", crate::send::schema(generator)),
        (
            "session",
            generator.subschema_for::<crate::report::Session>(),
        ),
        (
            "command",
            generator.subschema_for::<crate::report::Command>(),
        ),
        (
            "refused",
            generator.subschema_for::<crate::report::Refused>(),
        ),
        ("rules", generator.subschema_for::<crate::format::Rules>()),
    ]
}
