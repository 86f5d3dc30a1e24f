//! Reads one account and region; never writes, and never takes "could not be read" for "is not there".

mod coverage;
pub(crate) mod function;
mod rule;
mod trail;

use std::collections::BTreeMap;

use aws_sdk_sqs::types::QueueAttributeName;
use awsconf::{Session, reading};
use cli::Reading;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::alerts::model::{Action, Desired, Observed, Queue, Role};
use crate::alerts::rule::queue_name;

/// The ID of this tool's target in the rule, and the name of its inline policy in the role.
pub(crate) const OWN: &str = "slack";

/// The clients of one session.
pub(crate) struct Clients {
    pub(crate) events: aws_sdk_eventbridge::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) cloudtrail: aws_sdk_cloudtrail::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
}

impl Clients {
    /// Returns clients that share the session's connection pool and credentials.
    pub(crate) fn new(session: &Session) -> Clients {
        Clients {
            events: aws_sdk_eventbridge::Client::new(&session.config),
            iam: aws_sdk_iam::Client::new(&session.config),
            sqs: aws_sdk_sqs::Client::new(&session.config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&session.config),
            s3: aws_sdk_s3::Client::new(&session.config),
            lambda: aws_sdk_lambda::Client::new(&session.config),
        }
    }
}

/// What is looked at; an empty name is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Of the rule, which connection and destination share.
    pub(crate) rule: String,
    pub(crate) role: String,
    pub(crate) trail_arn: String,
    pub(crate) bucket: String,
    pub(crate) function: String,
}

impl Names {
    /// Returns the names in a desired state; the bucket matters in the trail's home only.
    pub(crate) fn of(desired: &Desired, session: &Session) -> Names {
        let trail = desired.trail.as_ref();
        let at_home = trail.filter(|trail| trail.home_region == session.target.region);
        Names {
            rule: desired.rule_name.0.clone(),
            role: desired.role_name.0.clone(),
            trail_arn: trail
                .map(|trail| trail.arn(&session.target.account, &session.partition))
                .unwrap_or_default(),
            function: desired
                .function
                .as_ref()
                .map(|function| function.name.0.clone())
                .unwrap_or_default(),
            bucket: at_home
                .map(|trail| trail.bucket_name(&session.target.account))
                .unwrap_or_default(),
        }
    }
}

/// What IAM has said of an account: it has no regions, so one answer does for all of them.
#[derive(Debug, Default)]
pub(crate) struct RoleCache(Mutex<BTreeMap<String, Reading<Role>>>);

/// Reads everything that is named.
pub(crate) async fn observe(clients: &Clients, known: &RoleCache, names: &Names) -> Observed {
    let mut observed = Observed::default();
    if !names.rule.is_empty() {
        let (events, name) = (&clients.events, names.rule.as_str());
        observed.connection = rule::connection(events, name).await;
        observed.destination = rule::destination(events, name).await;
        observed.rule = rule::rule(events, name).await;
        observed.target = rule::target(events, name).await;
        observed.queue = queue(&clients.sqs, &queue_name(name)).await;
    }
    if !names.role.is_empty() {
        let mut known = known.0.lock().await;
        observed.role = match known.get(&names.role) {
            Some(role) => role.clone(),
            None => {
                let read = role(&clients.iam, &names.role).await;
                known.insert(names.role.clone(), read.clone());
                read
            }
        };
    }
    if !names.trail_arn.is_empty() {
        observed.trail = trail::trail(clients, &names.trail_arn).await;
    }
    if !names.function.is_empty() {
        observed.function = function::function(clients, &names.function, &names.rule).await;
    }
    if !names.bucket.is_empty() {
        observed.bucket = trail::bucket(clients, &names.bucket).await;
    }
    observed
}

/// Returns whether a trail, whoever made it, has the write calls of a region.
pub(crate) async fn coverage(clients: &Clients) -> Reading<bool> {
    coverage::coverage(&clients.cloudtrail).await
}

/// Reads what an action changes, and what writing it takes besides; nothing else that is named.
pub(crate) async fn about(clients: &Clients, names: &Names, action: Action) -> Observed {
    let mut observed = Observed::default();
    let (events, name) = (&clients.events, names.rule.as_str());
    match action {
        Action::CreateRole | Action::PutRolePolicy | Action::DeleteRole => {
            observed.role = role(&clients.iam, &names.role).await;
        }
        Action::CreateConnection | Action::DeleteConnection => {
            observed.connection = rule::connection(events, name).await;
        }
        Action::CreateApiDestination
        | Action::UpdateApiDestination
        | Action::DeleteApiDestination => {
            observed.connection = rule::connection(events, name).await;
            observed.destination = rule::destination(events, name).await;
        }
        Action::PutRule | Action::DeleteRule => observed.rule = rule::rule(events, name).await,
        Action::PutTargets | Action::RemoveTargets => {
            observed.destination = rule::destination(events, name).await;
            observed.target = rule::target(events, name).await;
        }
        Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => {
            observed.queue = queue(&clients.sqs, &queue_name(name)).await;
        }
        Action::CreateFunction
        | Action::UpdateFunctionCode
        | Action::UpdateFunctionConfiguration
        | Action::PutFunctionEventInvokeConfig
        | Action::AddPermission
        | Action::DeleteFunction => {
            observed.function = function::function(clients, &names.function, name).await;
        }
        Action::CreateBucket | Action::PutPublicAccessBlock | Action::PutBucketPolicy => {
            observed.bucket = trail::bucket(clients, &names.bucket).await;
        }
        Action::CreateTrail
        | Action::UpdateTrail
        | Action::StartLogging
        | Action::StopLogging
        | Action::DeleteTrail => observed.trail = trail::trail(clients, &names.trail_arn).await,
    }
    observed
}

/// SQS says it in both ways, by the protocol that it is spoken to in.
const NO_QUEUE: [&str; 2] = [
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
];

async fn queue(client: &aws_sdk_sqs::Client, name: &str) -> Reading<Queue> {
    let found = client.get_queue_url().queue_name(name).send().await;
    let url = match reading(format!("GetQueueUrl {name}"), &NO_QUEUE, found) {
        Reading::Present(found) => found.queue_url.unwrap_or_default(),
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let answer = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await;
    reading(format!("GetQueueAttributes {name}"), &NO_QUEUE, answer).and_then(|answer| {
        let attribute = |name| {
            answer
                .attributes()
                .and_then(|attributes| attributes.get(&name))
                .cloned()
                .unwrap_or_default()
        };
        let number = |name| attribute(name).parse::<u64>().unwrap_or_default();
        Reading::Present(Queue {
            policy: serde_json::from_str(&attribute(QueueAttributeName::Policy))
                .unwrap_or(Value::Null),
            retention_seconds: attribute(QueueAttributeName::MessageRetentionPeriod)
                .parse()
                .unwrap_or_default(),
            encrypted: attribute(QueueAttributeName::SqsManagedSseEnabled) == "true",
            n_messages: number(QueueAttributeName::ApproximateNumberOfMessages)
                + number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        })
    })
}

async fn role(client: &aws_sdk_iam::Client, name: &str) -> Reading<Role> {
    let answer = client.get_role().role_name(name).send().await;
    let role = match reading(
        format!("GetRole {name}"),
        &["NoSuchEntity", "NoSuchEntityException"],
        answer,
    ) {
        Reading::Present(answer) => answer.role,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let trust = role
        .as_ref()
        .and_then(|role| role.assume_role_policy_document())
        .map(document);
    let policy = client
        .get_role_policy()
        .role_name(name)
        .policy_name(OWN)
        .send()
        .await;
    match reading(
        format!("GetRolePolicy {name}"),
        &["NoSuchEntity", "NoSuchEntityException"],
        policy,
    ) {
        Reading::Unknown(reason) => Reading::Unknown(reason),
        policy => Reading::Present(Role {
            trust: trust.unwrap_or_default(),
            policy: policy
                .present()
                .map(|policy| document(policy.policy_document()))
                .unwrap_or_default(),
        }),
    }
}

/// IAM answers with percent-encoded documents (RFC 3986).
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
fn document(encoded: &str) -> Value {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match hex
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}
