//! The documents this tool writes: event pattern, input transformer, trust and policy of the role.

use serde_json::{Value, json};
use toolio::Target;

use crate::model::{Desired, RuleTarget};

/// Returns the event pattern. It asks for nothing in `requestParameters`: that is null in many denied calls, and those
/// are the important ones.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
pub(crate) fn pattern(desired: &Desired) -> Value {
    let mut names: Vec<&str> = desired
        .events
        .iter()
        .map(|event| event.0.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    json!({
        "source": ["aws.ssm"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": { "eventSource": ["ssm.amazonaws.com"], "eventName": names },
    })
}

/// Returns the rule's target. The transformer does not escape what it inserts, so only fields go in that the caller
/// cannot shape - no session name, reason or user agent - and every placeholder stands inside a quoted string, where a
/// missing path leaves nothing behind instead of broken JSON.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>
pub(crate) fn target(desired: &Desired, account: &Target, partition: &str) -> RuleTarget {
    RuleTarget {
        destination: desired.rule_name.0.clone(),
        role: role_arn(&desired.role_name.0, account, partition),
        paths: json!({
            "account": "$.account",
            "address": "$.detail.sourceIPAddress",
            "error": "$.detail.errorCode",
            "event": "$.detail.eventName",
            "region": "$.region",
            "role": "$.detail.userIdentity.sessionContext.sessionIssuer.arn",
            "time": "$.time",
            "type": "$.detail.userIdentity.type",
        }),
        template: concat!(
            r#"{"text": "*<event>* in <account> <region> at <time>\nby <type> <role> from <address>\n"#,
            r#"error: <error>"}"#
        )
        .to_owned(),
    }
}

/// Returns the ARN of a role on the path `/`.
pub(crate) fn role_arn(name: &str, account: &Target, partition: &str) -> String {
    format!("arn:{partition}:iam::{}:role/{name}", account.account)
}

/// The condition keeps EventBridge from using the role for a rule of another account.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html>
pub(crate) fn trust(account: &Target) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": account.account } },
        }],
    })
}

/// Grants the one call that the target needs; the region stays open because the role serves the rules of all regions.
pub(crate) fn role_policy(name: &str, account: &Target, partition: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "events:InvokeApiDestination",
            "Resource": format!("arn:{partition}:events:*:{}:api-destination/{name}/*", account.account),
        }],
    })
}
