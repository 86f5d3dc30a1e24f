//! What it takes to publish messages, and to find uses of break-glass principals.

use cli::{Grant, When};

use super::DECRYPT;

const SEND: &[&str] = &["send"];
const ANY_KEY: &[&str] = &["arn:{partition}:kms:{region}:*:key/*"];
/// What a desired state names is the webhook; these name others, or none.
const OTHERS: When = When::AnyFlag(&["--routes", "--slack-token", "--url"]);

pub(super) const OF_SENDING: &[Grant] = &[
    Grant::new(
        "Publish",
        SEND,
        &["sns:Publish"],
        &["arn:{partition}:sns:*:*:*"],
        "publish to a topic, or to the topics of the routes",
    )
    .when(When::AnyFlag(&["--topic", "--routes"])),
    Grant::new(
        "SecretsInParameters",
        SEND,
        &["ssm:GetParameter"],
        &["arn:{partition}:ssm:{region}:*:parameter/*"],
        "read secrets of destinations from parameters",
    )
    .when(OTHERS),
    Grant::new(
        "SecretsInSecretsManager",
        SEND,
        &["secretsmanager:GetSecretValue"],
        &["arn:{partition}:secretsmanager:{region}:*:secret:*"],
        "read secrets of destinations from Secrets Manager",
    )
    .when(OTHERS),
    Grant::new(
        "KeysOfSecretsInParameters",
        SEND,
        DECRYPT,
        ANY_KEY,
        "read these parameters under a customer managed key",
    )
    .under("StringLike", "kms:ViaService", "ssm.*")
    .when(OTHERS),
    Grant::new(
        "KeysOfSecretsInSecretsManager",
        SEND,
        DECRYPT,
        ANY_KEY,
        "read these secrets under a customer managed key",
    )
    .under("StringLike", "kms:ViaService", "secretsmanager.*")
    .when(OTHERS),
    Grant::new(
        "CheckEventHistory",
        &["check"],
        &["cloudtrail:LookupEvents"],
        &["*"],
        "find uses of break-glass principals and sessions without a reason",
    )
    .when(When::Flag("--routes")),
    Grant::new(
        "CheckRoles",
        &["check"],
        &["iam:ListRoles"],
        &["*"],
        "find the roles that are break-glass principals, to look up who has assumed them",
    )
    .when(When::Flag("--routes")),
    Grant::new(
        "CheckUsers",
        &["check"],
        &["iam:ListUsers"],
        &["*"],
        "find the users that are break-glass principals, to look up what they have called",
    )
    .when(When::Flag("--routes")),
];
