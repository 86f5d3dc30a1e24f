//! Reads the rule and what it leads to: connection, API destination, target. The first three share their name.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::RuleState;
use awsconf::reading;
use cli::Reading;
use serde_json::{Value, json};

use super::OWN;
use crate::alerts::model::{Connection, Destination, Rule, RuleTarget};
use crate::records::digest::sha256;

const ABSENT: &[&str] = &["ResourceNotFoundException"];

pub(super) async fn connection(client: &Client, name: &str) -> Reading<Connection> {
    let answer = client.describe_connection().name(name).send().await;
    reading(format!("DescribeConnection {name}"), ABSENT, answer).and_then(|answer| {
        Reading::Present(Connection {
            arn: answer.connection_arn().unwrap_or_default().to_owned(),
            state: answer
                .connection_state()
                .map(|state| state.as_str().to_owned())
                .unwrap_or_default(),
        })
    })
}

pub(super) async fn destination(client: &Client, name: &str) -> Reading<Destination> {
    let answer = client.describe_api_destination().name(name).send().await;
    reading(format!("DescribeApiDestination {name}"), ABSENT, answer).and_then(|answer| {
        Reading::Present(Destination {
            arn: answer.api_destination_arn().unwrap_or_default().to_owned(),
            endpoint_sha256: sha256(answer.invocation_endpoint().unwrap_or_default()),
            active: answer
                .api_destination_state()
                .is_some_and(|state| state.as_str() == "ACTIVE"),
        })
    })
}

pub(super) async fn rule(client: &Client, name: &str) -> Reading<Rule> {
    let answer = client.describe_rule().name(name).send().await;
    reading(format!("DescribeRule {name}"), ABSENT, answer).and_then(|answer| {
        Reading::Present(Rule {
            pattern: answer
                .event_pattern()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or(Value::Null),
            enabled: answer
                .state()
                .is_some_and(|state| *state != RuleState::Disabled),
            read_only_calls: answer
                .state()
                .is_some_and(|state| *state == RuleState::EnabledWithAllCloudtrailManagementEvents),
        })
    })
}

/// Returns this tool's target of the rule.
pub(super) async fn target(client: &Client, rule: &str) -> Reading<RuleTarget> {
    let mut next = None;
    loop {
        let answer = client
            .list_targets_by_rule()
            .rule(rule)
            .set_next_token(next)
            .send()
            .await;
        let answer = match reading(format!("ListTargetsByRule {rule}"), ABSENT, answer) {
            Reading::Present(answer) => answer,
            Reading::Absent => return Reading::Absent,
            Reading::Unknown(reason) => return Reading::Unknown(reason),
        };
        if let Some(target) = answer.targets().iter().find(|target| target.id() == OWN) {
            let transformer = target.input_transformer();
            let paths = transformer.and_then(|transformer| transformer.input_paths_map());
            // arn:aws:events:REGION:ACCOUNT:api-destination/NAME/UUID
            // and arn:aws:lambda:REGION:ACCOUNT:function:NAME, which is kept whole.
            let destination = target.arn().split('/').nth(1).unwrap_or(target.arn());
            let sorted = paths.map(|paths| paths.iter().collect::<BTreeMap<_, _>>());
            return Reading::Present(RuleTarget {
                destination: destination.to_owned(),
                role: target.role_arn().unwrap_or_default().to_owned(),
                paths: json!(sorted),
                template: transformer
                    .map(|transformer| transformer.input_template().to_owned())
                    .unwrap_or_default(),
                dead_letter_queue: target
                    .dead_letter_config()
                    .and_then(|config| config.arn().map(str::to_owned)),
                // What is not set is EventBridge's own.
                max_retry_attempts: target
                    .retry_policy()
                    .and_then(|retry| retry.maximum_retry_attempts())
                    .unwrap_or(185),
                max_event_age_seconds: target
                    .retry_policy()
                    .and_then(|retry| retry.maximum_event_age_in_seconds())
                    .unwrap_or(86_400),
            });
        }
        next = answer.next_token;
        if next.is_none() {
            return Reading::Absent;
        }
    }
}
