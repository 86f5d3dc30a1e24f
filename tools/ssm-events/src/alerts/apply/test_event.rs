//! A marked event on the bus, and what came of it: delivery is proven by delivering.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::types::Message;
use awsconf::{Deadline, Session, describe};
use cli::{Finding, FindingKind, Severity};
use serde_json::json;

use crate::alerts::model::Desired;
use crate::alerts::observe::Clients;
use crate::alerts::rule;

/// Between two looks into the dead-letter queue.
const PAUSE: Duration = Duration::from_millis(500);
/// Messages that one look takes; the queue is empty when all is well.
const AT_ONCE: i32 = 10;
/// The finding about a test that could not be made.
const UNKNOWN: &str = "events.test.unknown";

/// Puts a marked event on the bus and waits for it to come back undelivered; says what came of it. That the bus or the queue cannot be
/// asked is a finding as well: it takes nothing away of what else is known.
pub(crate) async fn send(
    clients: &Clients,
    session: &Session,
    desired: &Desired,
    patience: Duration,
) -> Finding {
    let found = attempt(clients, session, desired, patience).await;
    let (severity, id, message, fix) = found.unwrap_or_else(|error| {
        (
            Severity::Error,
            UNKNOWN,
            format!("whether a test event is delivered is not known: {error:#}"),
            "allow what the message names; where the queue is missing, plan and apply make it",
        )
    });
    Finding {
        kind: FindingKind::Finding,
        id: id.to_owned(),
        severity,
        target: Some(session.target.clone()),
        resource: desired.rule_name.0.clone(),
        message,
        fix: fix.to_owned(),
        is_unread: id == UNKNOWN,
    }
}

/// What a finding says: severity, ID, message and fix.
type Said = (Severity, &'static str, String, &'static str);

async fn attempt(
    clients: &Clients,
    session: &Session,
    desired: &Desired,
    patience: Duration,
) -> anyhow::Result<Said> {
    let now = jiff::Timestamp::now();
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let id = format!("test-{}", now.as_nanosecond());
    let name = desired
        .events
        .first()
        .map(|event| event.0.clone())
        .unwrap_or_default();
    let target = &session.target;
    // The shape of a record, so that the same rule, transformer and formatter meet it; the source says that it is none.
    let detail = json!({
        "eventSource": "ssm.amazonaws.com", "eventName": name, "eventID": id, "eventTime": time,
        "awsRegion": target.region, "recipientAccountId": target.account, "sourceIPAddress": rule::TEST_SOURCE,
        "userIdentity": { "type": "Test", "arn": session.caller }, "requestParameters": { "reason": "test of delivery" },
    });
    let entry = PutEventsRequestEntry::builder()
        .source(rule::TEST_SOURCE)
        .detail_type("AWS API Call via CloudTrail")
        .detail(detail.to_string())
        .build();
    let sent = clients.events.put_events().entries(entry).send().await;
    let sent = sent.map_err(|error| describe("PutEvents", error))?;
    if let Some(entry) = sent
        .entries()
        .first()
        .filter(|_| sent.failed_entry_count() > 0)
    {
        let reason = entry
            .error_message()
            .or(entry.error_code())
            .unwrap_or("no reason given");
        return Ok((
            Severity::Error,
            "events.test.refused",
            format!("the bus refuses a test event: {reason}"),
            "allow events:PutEvents",
        ));
    }
    let deadline = Deadline::after(patience);
    while !deadline.has_passed() {
        awsconf::sleep(PAUSE).await;
        let found = undelivered(clients, &desired.rule_name.0, &id).await;
        // It is on its way into the channel all the same.
        let found = found.with_context(|| format!("the test event {id} was put on the bus"))?;
        if let Some(reason) = found {
            return Ok((
                Severity::Error,
                "events.test.undelivered",
                format!("the test event {id} did not reach Slack: {reason}"),
                "fix the named cause",
            ));
        }
    }
    let message = format!(
        "the test event {id} was put on the bus and has not come back in {} s: look for it in the channel",
        patience.as_secs()
    );
    Ok((
        Severity::Info,
        "events.test.sent",
        message,
        "none is needed when it is there",
    ))
}

/// Returns why a test event lies in the dead-letter queue; `None` when it does not.
async fn undelivered(
    clients: &Clients,
    rule_name: &str,
    id: &str,
) -> anyhow::Result<Option<String>> {
    let queue = rule::queue_name(rule_name);
    let found = clients.sqs.get_queue_url().queue_name(&queue).send().await;
    let url = found
        .map_err(|error| describe(format!("GetQueueUrl {queue}"), error))?
        .queue_url;
    let url = url.context("GetQueueUrl: answer without URL")?;
    // Seen by others at once again: this only looks.
    let got = clients
        .sqs
        .receive_message()
        .queue_url(url)
        .visibility_timeout(0)
        .max_number_of_messages(AT_ONCE)
        .message_attribute_names("All")
        .send()
        .await;
    let got = got.map_err(|error| describe(format!("ReceiveMessage {queue}"), error))?;
    let is_it = |message: &&Message| message.body().is_some_and(|body| body.contains(id));
    Ok(got.messages().iter().find(is_it).map(reason))
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-attributes>
fn reason(message: &Message) -> String {
    let attribute = |name: &str| {
        let attributes = message.message_attributes()?;
        attributes.get(name)?.string_value().map(str::to_owned)
    };
    let parts = ["ERROR_CODE", "ERROR_MESSAGE"]
        .into_iter()
        .filter_map(attribute);
    parts.collect::<Vec<_>>().join(": ")
}
