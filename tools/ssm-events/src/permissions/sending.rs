//! What it takes to publish messages, and to find uses of break-glass principals.

use cli::{Grant, When};

const SEND: &[&str] = &["send"];
const PUBLISH: &[&str] = &["sns:Publish"];
const TOPICS: &[&str] = &["arn:{partition}:sns:*:*:*"];

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
        "CheckEventHistory",
        &["check"],
        &["cloudtrail:LookupEvents"],
        &["*"],
        "find uses of break-glass principals and sessions without a reason",
    )
    .when(When::Flag("--routes")),
];
