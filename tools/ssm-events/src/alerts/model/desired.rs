//! What the user wants alerts for, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Webhook;
use crate::records::events::EVENTS;

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
    /// Systems Manager API calls that make an alert.
    #[serde(default = "events")]
    pub(crate) events: Vec<EventName>,
    /// EventBridge's own events of commands and automations that make an alert as well. They do not say who; parameters, which
    /// are in clear in some, are never part of an alert.
    #[serde(default)]
    pub(crate) status_events: Vec<StatusEvent>,
    /// Trail that records the calls. Without one here there must be another, as EventBridge receives API calls only through trails.
    #[serde(default)]
    pub(crate) trail: Option<DesiredTrail>,
    /// Lambda function whose alerts hold all fields, escaped. Without one, those of an API destination hold only fields that no
    /// caller can shape.
    #[serde(default)]
    pub(crate) function: Option<DesiredFunction>,
}

/// This tool as a Lambda function; `role_name` is its role, and the webhook must be kept by AWS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesiredFunction {
    /// Name of the function.
    #[serde(default = "function_name")]
    pub(crate) name: Name,
    /// The package that `make lambda` made.
    pub(crate) zip: String,
    /// What the package was made for.
    #[serde(default)]
    pub(crate) architecture: Architecture,
    /// Show times in this time zone, such as `Europe/Berlin` [default: UTC].
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
}

fn function_name() -> Name {
    Name("ssm-events".to_owned())
}

/// The instruction set of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Architecture {
    #[default]
    X86_64,
    Arm64,
}

/// A multi-region trail with log file validation, and its bucket.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesiredTrail {
    pub(crate) name: Name,
    /// Region that the trail is made in; it records all regions.
    pub(crate) home_region: String,
    /// Bucket for the log files: adopted if it is there, else made in the home region. `{account}` is replaced by the account ID.
    pub(crate) bucket: BucketName,
    /// What stands before `AWSLogs/` in the bucket.
    #[serde(default)]
    pub(crate) prefix: String,
}

impl DesiredTrail {
    /// Returns the name of the bucket in an account.
    pub(crate) fn bucket_name(&self, account: &str) -> String {
        self.bucket.0.replace(ACCOUNT, account)
    }
}

/// What is replaced by the account in the name of a bucket, whose name is nobody else's in the world.
const ACCOUNT: &str = "{account}";

/// The name of a bucket. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct BucketName(String);

impl TryFrom<String> for BucketName {
    type Error = String;

    fn try_from(text: String) -> Result<BucketName, String> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        let outer = |text: &str| !text.starts_with(['-', '.']) && !text.ends_with(['-', '.']);
        let name = text.replace(ACCOUNT, "111122223333");
        // CreateBucket makes no bucket of the account-regional namespace without asking for it, and S3 keeps this ending for
        // those. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>
        if name.ends_with("-an") {
            return Err(format!(
                "'{text}' is not a valid name for a new bucket: S3 keeps names that end in -an for the account-regional namespace"
            ));
        }
        if (3..=63).contains(&name.len()) && name.bytes().all(inner) && outer(&name) {
            Ok(BucketName(text))
        } else {
            Err(format!(
                "'{text}' is not a valid bucket name: expected 3 to 63 of a-z 0-9 . -"
            ))
        }
    }
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
                "'{text}' is not a valid name: expected 1 to 64 of A-Z a-z 0-9 . - _"
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
            Err(format!(
                "'{text}' is not the name of an API call: expected one such as StartSession"
            ))
        }
    }
}
