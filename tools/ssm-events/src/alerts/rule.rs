//! The documents this tool writes: event pattern, input transformer, trust and policy of the role.

use cli::Target;
use serde_json::{Value, json};

use crate::alerts::model::{Desired, RuleTarget};
use crate::records::events::service;
pub(crate) use crate::records::record::TEST_SOURCE;

/// Of an event that is not delivered; EventBridge's own defaults, which are its largest values.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>
const MAX_RETRY_ATTEMPTS: i32 = 185;
const MAX_EVENT_AGE_SECONDS: i32 = 86_400;

/// The longest that SQS keeps a message: 14 days.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
pub(crate) const RETENTION_SECONDS: u32 = 1_209_600;

/// Of the role that this tool makes.
pub(crate) const ROLE_DESCRIPTION: &str =
    "Lets EventBridge send Slack alerts for Systems Manager use";

/// Slack takes one message a second. <https://docs.slack.dev/apis/web-api/rate-limits>
pub(crate) const MESSAGES_PER_SECOND: i32 = 1;

/// A connection must have a key; Slack ignores a header that it does not know.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateConnection.html>
pub(crate) const UNUSED_KEY: (&str, &str) = ("X-Unused", "unused");

/// The longest event pattern that an account may have, unless it has asked for more, and the most that it can ask for.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const MAX_PATTERN: usize = 2_048;
const MAX_PATTERN_ON_REQUEST: usize = 4_096;

/// Returns what is wrong with a pattern that is longer than accounts may have: an error, or only a warning where a higher quota
/// helps, which nothing shows from here.
pub(crate) fn too_long(pattern: &Value) -> Option<Result<String, String>> {
    let length = pattern.to_string().chars().count();
    let most = format!("the event pattern has {length} characters");
    if length > MAX_PATTERN_ON_REQUEST {
        return Some(Err(format!(
            "{most}, and EventBridge takes {MAX_PATTERN_ON_REQUEST} at most: name fewer events"
        )));
    }
    (length > MAX_PATTERN).then(|| {
        Ok(format!(
            "{most}, and EventBridge takes {MAX_PATTERN} unless the account has a higher quota (\"Event pattern size\", up to \
             {MAX_PATTERN_ON_REQUEST}): PutRule is refused without it"
        ))
    })
}

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
    let mut services: Vec<&str> = names.iter().map(|name| service(name)).collect();
    services.sort_unstable();
    services.dedup();
    let of = |text: fn(&&str) -> String| services.iter().map(text).collect::<Vec<_>>();
    let calls = json!({
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": { "eventSource": of(|one| format!("{one}.amazonaws.com")), "eventName": names },
    });
    let mut sources = of(|one| format!("aws.{one}"));
    // Changes of status come from Systems Manager itself.
    if !desired.status_events.is_empty() && !services.contains(&"ssm") {
        sources.push("aws.ssm".to_owned());
    }
    sources.push(TEST_SOURCE.to_owned());
    let mut pattern = json!({ "source": sources });
    if desired.status_events.is_empty() {
        pattern["detail-type"] = calls["detail-type"].clone();
        pattern["detail"] = calls["detail"].clone();
    } else {
        let mut statuses = desired.status_events.clone();
        statuses.sort_unstable();
        statuses.dedup();
        let statuses: Vec<&str> = statuses.iter().map(|status| status.detail_type()).collect();
        pattern["$or"] = json!([calls, { "detail-type": statuses }]);
    }
    pattern
}

/// Returns the state of the rule. Calls that only read are matched by a rule of a state of its own.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html#eb-service-event-cloudtrail-management>
pub(crate) fn rule(desired: &Desired) -> Value {
    json!({ "pattern": pattern(desired), "enabled": true, "read_only_calls": asks_for_reads(desired) })
}

/// Returns whether a call is among the desired ones that CloudTrail calls read-only: by their names, as AWS gives them.
pub(crate) fn asks_for_reads(desired: &Desired) -> bool {
    let reads = |name: &str| {
        ["Describe", "Get", "List"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    desired.events.iter().any(|event| reads(&event.0))
}

/// Returns the name of a rule's dead-letter queue.
pub(crate) fn queue_name(rule: &str) -> String {
    format!("{rule}{QUEUE_SUFFIX}")
}

/// Returns the rule that a dead-letter queue belongs to.
pub(crate) fn rule_of_queue(queue: &str) -> Option<&str> {
    queue.strip_suffix(QUEUE_SUFFIX)
}

const QUEUE_SUFFIX: &str = "-undelivered";

/// Returns the ARN of a rule's dead-letter queue.
pub(crate) fn queue_arn(rule: &str, account: &Target, partition: &str) -> String {
    let (region, id) = (&account.region, &account.account);
    format!("arn:{partition}:sqs:{region}:{id}:{}", queue_name(rule))
}

/// Returns the ARN of a rule on the default bus.
pub(crate) fn arn(rule: &str, account: &Target, partition: &str) -> String {
    format!(
        "arn:{partition}:events:{}:{}:rule/{rule}",
        account.region, account.account
    )
}

/// Lets EventBridge put what it could not deliver into the queue, for this one rule.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>
pub(crate) fn queue_policy(rule: &str, account: &Target, partition: &str) -> Value {
    let arn = arn(rule, account, partition);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue_arn(rule, account, partition),
            "Condition": { "ArnEquals": { "aws:SourceArn": arn } },
        }],
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
            "source": "$.source",
            "status": "$.detail.status",
            "time": "$.time",
            "type": "$.detail.userIdentity.type",
        }),
        template: concat!(
            r#"{"text": "*<event><status>* in <account> <region> at <time>\nby <type> <role> from <address>\n"#,
            r#"error: <error>\nsource: <source>"}"#
        )
        .to_owned(),
        dead_letter_queue: Some(queue_arn(&desired.rule_name.0, account, partition)),
        max_retry_attempts: MAX_RETRY_ATTEMPTS,
        max_event_age_seconds: MAX_EVENT_AGE_SECONDS,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{pattern, too_long};
    use crate::alerts::model::Desired;

    fn desired(more: serde_json::Value) -> Result<Desired, String> {
        let mut desired = json!({ "webhook": { "env": "WEBHOOK" } });
        desired
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(desired).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_longer_than_the_default_quota_is_reported() {
        let of = |n_events: usize| {
            let names: Vec<String> = (0..n_events)
                .map(|n| format!("ManyNamesOfCalls{n:03}"))
                .collect();
            too_long(&pattern(&desired(json!({ "events": names })).unwrap()))
        };
        assert_eq!(too_long(&pattern(&desired(json!({})).unwrap())), None);
        assert_eq!(of(80), None);
        let warned = of(154).unwrap().unwrap();
        assert!(
            warned.contains("EventBridge takes 2048 unless the account has a higher quota"),
            "{warned}"
        );
        let refused = of(200).unwrap().unwrap_err();
        assert!(
            refused.contains("EventBridge takes 4096 at most"),
            "{refused}"
        );
    }

    #[test]
    fn a_bucket_in_the_account_regional_namespace_is_not_made() {
        let trail = |bucket: &str| {
            desired(
                json!({ "trail": { "name": "audit", "home_region": "eu-central-1", "bucket": bucket } }),
            )
        };
        assert!(trail("audit-{account}").is_ok());
        let refused = trail("audit-{account}-eu-central-1-an").unwrap_err();
        assert!(refused.contains("account-regional namespace"), "{refused}");
    }
}
