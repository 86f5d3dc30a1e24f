//! What it takes to publish messages, and to find uses of break-glass principals.

use cli::{Grant, When};

const SEND: &[&str] = &["send"];
const PUBLISH: &[&str] = &["sns:Publish"];
const TOPICS: &[&str] = &["arn:{partition}:sns:*:*:*"];

const GET_PARAMETER: &[&str] = &["ssm:GetParameter"];
const PARAMETERS: &[&str] = &["arn:{partition}:ssm:{region}:*:parameter/*"];
const WHY_PARAMETER: &str = "read secrets of destinations from parameters";
const GET_SECRET: &[&str] = &["secretsmanager:GetSecretValue"];
const SECRETS: &[&str] = &["arn:{partition}:secretsmanager:{region}:*:secret:*"];
const WHY_SECRET: &str = "read secrets of destinations from Secrets Manager";

pub(super) const OF_SENDING: &[Grant] = &[
    Grant::new("Publish", SEND, PUBLISH, TOPICS, "publish to a topic").when(When::Flag("--topic")),
    Grant::new(
        "PublishByRoutes",
        SEND,
        PUBLISH,
        TOPICS,
        "publish to the topics of the routes",
    )
    .when(When::Flag("--routes")),
    Grant::new(
        "RoutesByParameter",
        SEND,
        GET_PARAMETER,
        PARAMETERS,
        WHY_PARAMETER,
    )
    .when(When::Flag("--routes")),
    Grant::new("RoutesBySecret", SEND, GET_SECRET, SECRETS, WHY_SECRET)
        .when(When::Flag("--routes")),
    Grant::new(
        "TokenByParameter",
        SEND,
        GET_PARAMETER,
        PARAMETERS,
        WHY_PARAMETER,
    )
    .when(When::Flag("--slack-token")),
    Grant::new("TokenBySecret", SEND, GET_SECRET, SECRETS, WHY_SECRET)
        .when(When::Flag("--slack-token")),
    Grant::new(
        "UrlByParameter",
        SEND,
        GET_PARAMETER,
        PARAMETERS,
        WHY_PARAMETER,
    )
    .when(When::Flag("--url")),
    Grant::new("UrlBySecret", SEND, GET_SECRET, SECRETS, WHY_SECRET).when(When::Flag("--url")),
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
