//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run every verb with exactly this.

mod history;
mod sending;
mod sessions;

use cli::{Grant, IoArgs, Names, Permissions, When};

use crate::alerts::model::{Desired, Webhook};
use crate::alerts::rule;

const READS: &[&str] = &["show", "plan", "check", "send", "history", "sessions"];
const ALERTS: &[&str] = &["show", "plan", "check", "apply"];
const URL: &[&str] = &["plan", "check", "apply", "send"];
const APPLY: &[&str] = &["apply"];
const ALL: &[&str] = &["*"];
const DECRYPT: &[&str] = &["kms:Decrypt"];
/// A key may be any one; there is none to ask for where there is no parameter or secret.
const KEYS_OF_PARAMETERS: &[&str] = &["arn:{partition}:kms:{region}:*:key/{key_of_parameter}"];
const KEYS_OF_SECRETS: &[&str] = &["arn:{partition}:kms:{region}:*:key/{key_of_secret}"];
const RULE: &[&str] = &["arn:{partition}:events:{region}:*:rule/{rule}"];
const CONNECTION: &[&str] = &["arn:{partition}:events:{region}:*:connection/{rule}*"];
const DESTINATION: &[&str] = &["arn:{partition}:events:{region}:*:api-destination/{rule}*"];
const QUEUE: &[&str] = &["arn:{partition}:sqs:{region}:*:{queue}"];
const ROLE: &[&str] = &["arn:{partition}:iam::*:role/{role}"];
const FUNCTION: &[&str] = &["arn:{partition}:lambda:{region}:*:function:{function}"];
const TRAIL: &[&str] = &["arn:{partition}:cloudtrail:*:*:trail/{trail}"];
const SEEN_TRAIL: &[&str] = &["arn:{partition}:cloudtrail:*:*:trail/{seen_trail}"];
const BUCKET: &[&str] = &["arn:{partition}:s3:::{bucket}"];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: READS,
    writes: APPLY,
    grants: &[
        awsconf::GRANTS,
        ALERTING,
        WRITING,
        OF_TRAIL,
        history::OF_HISTORY,
        sessions::OF_SESSIONS,
        sending::OF_SENDING,
    ],
    names,
};

const ALERTING: &[Grant] = &[
    Grant::new(
        "Rule",
        ALERTS,
        &["events:DescribeRule", "events:ListTargetsByRule"],
        RULE,
        "read the rule and its target",
    ),
    Grant::new(
        "Connection",
        ALERTS,
        &["events:DescribeConnection"],
        CONNECTION,
        "read the connection to Slack",
    ),
    Grant::new(
        "Destination",
        ALERTS,
        &["events:DescribeApiDestination"],
        DESTINATION,
        "read where alerts are sent",
    ),
    Grant::new(
        "Queue",
        ALERTS,
        &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
        QUEUE,
        "read the queue of what could not be sent",
    ),
    Grant::new(
        "Role",
        ALERTS,
        &["iam:GetRole", "iam:GetRolePolicy"],
        ROLE,
        "read the role that sends alerts",
    ),
    Grant::new(
        "Function",
        ALERTS,
        &[
            "lambda:GetFunctionConfiguration",
            "lambda:GetFunctionEventInvokeConfig",
            "lambda:GetPolicy",
        ],
        FUNCTION,
        "read the function that sends alerts, with `function`",
    ),
    Grant::new(
        "WebhookInParameter",
        URL,
        &["ssm:GetParameter"],
        &["arn:{partition}:ssm:{region}:*:parameter/{parameter}"],
        "read the webhook from a parameter",
    ),
    Grant::new(
        "WebhookInSecret",
        URL,
        &["secretsmanager:GetSecretValue"],
        &["arn:{partition}:secretsmanager:{region}:*:secret:{secret}"],
        "read the webhook from a secret",
    ),
    // https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    Grant::new(
        "KeysOfParameters",
        URL,
        DECRYPT,
        KEYS_OF_PARAMETERS,
        "read secrets in parameters under a customer managed key",
    )
    .under("StringLike", "kms:ViaService", "ssm.*"),
    // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    Grant::new(
        "KeysOfSecrets",
        URL,
        DECRYPT,
        KEYS_OF_SECRETS,
        "read secrets under a customer managed key",
    )
    .under("StringLike", "kms:ViaService", "secretsmanager.*"),
    Grant::new(
        "SendTestEvent",
        &["check"],
        &["events:PutEvents"],
        &["arn:{partition}:events:{region}:*:event-bus/default"],
        "send a test event",
    )
    .when(When::Flag("--send-test")),
    Grant::new(
        "ReadTestEvent",
        &["check"],
        &["sqs:ReceiveMessage"],
        QUEUE,
        "see whether the test event could not be sent",
    )
    .when(When::Flag("--send-test")),
];

const WRITING: &[Grant] = &[
    Grant::new(
        "MakeRule",
        APPLY,
        &[
            "events:DeleteRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
        ],
        RULE,
        "make the rule and its target, and take them back",
    ),
    Grant::new(
        "MakeConnection",
        APPLY,
        &["events:CreateConnection", "events:DeleteConnection"],
        CONNECTION,
        "make the connection, and take it back",
    ),
    Grant::new(
        "MakeServiceRole",
        APPLY,
        &["iam:CreateServiceLinkedRole"],
        &[
            "arn:{partition}:iam::*:role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations",
        ],
        "let EventBridge keep the key of the connection, once an account",
    )
    .under(
        "StringEquals",
        "iam:AWSServiceName",
        "apidestinations.events.amazonaws.com",
    ),
    Grant::new(
        "MakeDestination",
        APPLY,
        &[
            "events:CreateApiDestination",
            "events:DeleteApiDestination",
            "events:UpdateApiDestination",
        ],
        &[
            "arn:{partition}:events:{region}:*:api-destination/{rule}*",
            "arn:{partition}:events:{region}:*:connection/{rule}*",
        ],
        "make the destination, and take it back",
    ),
    Grant::new(
        "MakeQueue",
        APPLY,
        &["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"],
        QUEUE,
        "make the queue, and take it back",
    ),
    Grant::new(
        "MakeRole",
        APPLY,
        &[
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PutRolePolicy",
        ],
        ROLE,
        "make the role that sends alerts, and take it back",
    ),
    Grant::new(
        "PassRole",
        APPLY,
        &["iam:PassRole"],
        ROLE,
        "give that role to the target",
    )
    .under("StringEquals", "iam:PassedToService", "events.amazonaws.com"),
    Grant::new(
        "PassRoleToFunction",
        APPLY,
        &["iam:PassRole"],
        ROLE,
        "give that role to the function",
    )
    .under("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"),
    Grant::new(
        "MakeFunction",
        APPLY,
        &[
            "lambda:AddPermission",
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionEventInvokeConfig",
            "lambda:PutFunctionEventInvokeConfig",
            "lambda:RemovePermission",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
        FUNCTION,
        "make the function, let the rule call it, and take it back",
    ),
];

const OF_TRAIL: &[Grant] = &[
    Grant::new(
        "FindTrail",
        ALERTS,
        &["cloudtrail:DescribeTrails"],
        ALL,
        "find the trail, or one that covers the region",
    ),
    Grant::new(
        "Trail",
        ALERTS,
        &["cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
        SEEN_TRAIL,
        "read what a trail records, and whether it does",
    ),
    Grant::new(
        "TrailBucket",
        ALERTS,
        &[
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:ListBucket",
        ],
        BUCKET,
        "find the bucket of the trail, and read who may use it",
    ),
    Grant::new(
        "MakeTrail",
        APPLY,
        &[
            "cloudtrail:CreateTrail",
            "cloudtrail:DeleteTrail",
            "cloudtrail:StartLogging",
            "cloudtrail:StopLogging",
            "cloudtrail:UpdateTrail",
        ],
        TRAIL,
        "make the trail, and take it back",
    ),
    Grant::new(
        "MakeTrailBucket",
        APPLY,
        &[
            "s3:CreateBucket",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
        ],
        BUCKET,
        "make the bucket of the trail",
    ),
];

fn names(io: &IoArgs) -> anyhow::Result<Names> {
    let desired: Desired = cli::read_desired(io, "desired alerts")?;
    let one = |text: &str| vec![text.to_owned()];
    let (mut parameter, mut secret) = (Vec::new(), Vec::new());
    match &desired.webhook {
        Webhook::Parameter(name) => parameter = one(name.trim_start_matches('/')),
        // A name, behind which an ARN has six characters, or such an ARN.
        Webhook::Secret(id) => match id.split_once(":secret:") {
            Some((_, name)) => secret = one(name),
            None => secret = vec![id.clone(), format!("{id}-??????")],
        },
        Webhook::Env(_) | Webhook::File(_) => {}
    }
    let any = |names: &[String]| match names {
        [] => Vec::new(),
        _ => one("*"),
    };
    let (key_of_parameter, key_of_secret) = (any(&parameter), any(&secret));
    let trail = desired.trail.as_ref();
    let function = desired.function.as_ref();
    Ok(Names::from([
        ("rule", one(&desired.rule_name.0)),
        ("queue", one(&rule::queue_name(&desired.rule_name.0))),
        ("role", one(&desired.role_name.0)),
        ("parameter", parameter),
        ("secret", secret),
        ("key_of_parameter", key_of_parameter),
        ("key_of_secret", key_of_secret),
        (
            "trail",
            trail
                .map(|trail| trail.name.0.clone())
                .into_iter()
                .collect(),
        ),
        // Without a trail of its own any one does that covers the region, whoever made it.
        (
            "seen_trail",
            one(trail.map_or("*", |trail| trail.name.0.as_str())),
        ),
        (
            "bucket",
            trail
                .map(|trail| trail.bucket_name("*"))
                .into_iter()
                .collect(),
        ),
        (
            "function",
            function.map(|one| one.name.0.clone()).into_iter().collect(),
        ),
    ]))
}
