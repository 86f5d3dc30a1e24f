//! CloudTrail records in whatever they are wrapped, and what a person wants to know of one. Nothing in a record is
//! trusted: a caller shapes the session name, the reason, the comment and the user agent.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

mod identity;
mod status;
mod unwrapped;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use identity::{Identity, permission_set};
use unwrapped::is_native;
pub(crate) use unwrapped::{damage, is_known, mistyped, unwrap};

/// The source of events that `check --send-test` puts on the bus: no account may use a source of AWS.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub(crate) const TEST_SOURCE: &str = concat!("ssm-events", ".", "test");

/// One call, or one change of a command's status, as far as it is known. Keys as in every output of this tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Event {
    pub(crate) event: String,
    /// `allowed`, `denied` or `failed`.
    pub(crate) outcome: Outcome,
    pub(crate) time: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) who: Identity,
    pub(crate) source_address: String,
    pub(crate) nodes: Vec<String>,
    pub(crate) document: String,
    pub(crate) reason: String,
    pub(crate) session_id: String,
    pub(crate) command_id: String,
    /// What else was asked for, as far as CloudTrail shows it: `name=value`.
    pub(crate) parameters: Vec<String>,
    /// Whether CloudTrail hides the text of a command.
    pub(crate) is_hidden: bool,
    pub(crate) error: String,
    pub(crate) error_message: String,
    pub(crate) source: String,
    pub(crate) user_agent: String,
    pub(crate) event_id: String,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    #[default]
    Allowed,
    Denied,
    Failed,
}

/// Members of `requestParameters` that have names of their own, or never.
const NAMED: [&str; 11] = [
    "target",
    "instanceIds",
    "instanceId",
    "InstanceId",
    "targets",
    "documentName",
    "reason",
    "sessionId",
    "commandId",
    "parameters",
    "content",
];

impl Event {
    /// Reads what [`unwrap`] gave.
    pub(crate) fn of(record: &Value) -> Event {
        if is_native(record) {
            return Event::of_native(record);
        }
        let (request, response) = (&record["requestParameters"], &record["responseElements"]);
        let error = text(&record["errorCode"]);
        Event {
            event: text(&record["eventName"]),
            outcome: outcome(record, &error),
            time: text(&record["eventTime"]),
            account: text(&record["recipientAccountId"]),
            region: text(&record["awsRegion"]),
            who: Identity::of(&record["userIdentity"]),
            source_address: text(&record["sourceIPAddress"]),
            nodes: nodes(request),
            document: first(&[&request["documentName"], &request["name"]]),
            reason: text(&request["reason"]),
            session_id: first(&[&response["sessionId"], &request["sessionId"]]),
            command_id: first(&[&response["command"]["commandId"], &request["commandId"]]),
            parameters: parameters(request),
            is_hidden: request["parameters"].is_string(),
            error,
            error_message: text(&record["errorMessage"]),
            source: text(&record["eventSource"]),
            user_agent: text(&record["userAgent"]),
            event_id: text(&record["eventID"]),
        }
    }

    /// The parameters of the command stay out: they are in clear, and may hold passwords.
    fn of_native(envelope: &Value) -> Event {
        let detail = &envelope["detail"];
        let arns = envelope["resources"].as_array().into_iter().flatten();
        let mut nodes: Vec<String> = arns
            .map(text)
            .filter_map(|arn| arn.split_once("instance/").map(|(_, id)| id.to_owned()))
            .collect();
        nodes.extend(
            detail["instance-id"]
                .as_str()
                .map(str::to_owned)
                .filter(|id| !nodes.contains(id)),
        );
        let status = first(&[&detail["status"], &detail["Status"]]);
        Event {
            event: format!("{}: {status}", text(&envelope["detail-type"])),
            outcome: match status::is_failure(&status) {
                true => Outcome::Failed,
                false => Outcome::Allowed,
            },
            time: text(&envelope["time"]),
            account: text(&envelope["account"]),
            region: text(&envelope["region"]),
            nodes,
            document: first(&[&detail["document-name"], &detail["Definition"]]),
            command_id: text(&detail["command-id"]),
            source: text(&envelope["source"]),
            event_id: text(&envelope["id"]),
            ..Event::default()
        }
    }

    /// Returns the service that was called, in a word; nothing where the record does not say.
    pub(crate) fn service(&self) -> &str {
        let source = self.source.as_str();
        let source = source.strip_prefix("aws.").unwrap_or(source);
        source.split(".amazonaws.").next().unwrap_or_default()
    }

    /// Returns the service where it is another one than Systems Manager: Athena and others have calls of the same names.
    pub(crate) fn other_service(&self) -> Option<&str> {
        Some(self.service()).filter(|service| !["", "ssm"].contains(service))
    }

    /// Returns what people want to see of many records: time, who, what, node, result.
    pub(crate) fn row(&self) -> Value {
        let word = match self.outcome {
            Outcome::Allowed => "allowed",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
        };
        let reason = match self.error.as_str() {
            "" => &self.error_message,
            error => error,
        };
        let result = match reason {
            "" => word.to_owned(),
            reason => format!("{word}: {reason}"),
        };
        let some = |text: &str| {
            Some(text)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        json!({"kind": "call", "time": self.time, "event": self.event, "result": result,
            "denied": self.outcome == Outcome::Denied, "principal": some(&self.who.principal),
            "session_name": some(&self.who.session_name), "nodes": self.nodes, "reason": some(&self.reason),
            "source_address": some(&self.source_address),
            "target": {"account": some(&self.account), "region": some(&self.region)}})
    }

    /// Returns the partition that the region is in; `None` for one that is not known.
    pub(crate) fn partition(&self) -> Option<&'static str> {
        partition(&self.region)
    }

    /// Returns an address in the console of the right partition and region, made of nothing but checked IDs.
    /// <https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/select-region.html>
    pub(crate) fn console(&self) -> Option<String> {
        let domain = console_domain(self.partition()?);
        let region = Some(self.region.as_str()).filter(|region| is_plain(region))?;
        let page = match (
            self.event.as_str(),
            self.command_id.as_str(),
            self.event_id.as_str(),
        ) {
            ("SendCommand", id, _) if is_plain(id) => {
                format!("systems-manager/run-command/{id}?region={region}")
            }
            (_, _, id) if is_plain(id) && !self.who.principal_type.is_empty() => {
                format!("cloudtrailv2/home?region={region}#/events/{id}")
            }
            (_, id, _) if is_plain(id) => {
                format!("systems-manager/run-command/{id}?region={region}")
            }
            _ => return None,
        };
        Some(format!("https://{region}.{domain}/{page}"))
    }
}

/// Returns the partition that a Region is in; `None` for one that is not known, or has no console that everybody knows.
pub(crate) fn partition(region: &str) -> Option<&'static str> {
    let partition = awsdata::partition_of(region).name;
    (!region.is_empty() && !partition.starts_with("aws-iso")).then_some(partition)
}

/// Returns the domain of the console in a partition.
/// <https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/select-region.html>
pub(crate) fn console_domain(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    }
}

/// Codes differ by service: `AccessDenied`, `AccessDeniedException`, `Client.UnauthorizedOperation`. A sign-in that fails has none.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
fn outcome(record: &Value, code: &str) -> Outcome {
    let denied = code.contains("AccessDenied")
        || code.ends_with("UnauthorizedOperation")
        || code == "UnauthorizedAccess";
    let is_sign_in_failure = || {
        let name = record["eventName"].as_str().unwrap_or_default();
        record["responseElements"][name] == "Failure" || !text(&record["errorMessage"]).is_empty()
    };
    match code {
        "" if is_sign_in_failure() => Outcome::Failed,
        "" => Outcome::Allowed,
        _ if denied => Outcome::Denied,
        _ => Outcome::Failed,
    }
}

fn nodes(request: &Value) -> Vec<String> {
    let list = |value: &Value| {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect::<Vec<_>>()
    };
    let mut nodes = list(&request["instanceIds"]);
    let targets = request["targets"].as_array().into_iter().flatten();
    nodes.extend(
        targets.map(|target| format!("{}={}", text(&target["key"]), text(&target["values"]))),
    );
    nodes.extend(["target", "instanceId", "InstanceId"].map(|name| text(&request[name])));
    nodes.retain(|node| !node.is_empty());
    nodes
}

fn parameters(request: &Value) -> Vec<String> {
    let mut pairs = Vec::new();
    for (name, value) in request.as_object().into_iter().flatten() {
        let value = text(value);
        if !NAMED.contains(&name.as_str()) && !value.is_empty() {
            pairs.push(format!("{name}={value}"));
        }
    }
    // A port to forward is shown, a command is not: then CloudTrail gives a text in place of the object.
    for (name, value) in request["parameters"].as_object().into_iter().flatten() {
        pairs.push(format!("{name}={}", text(value)));
    }
    pairs
}

fn first(values: &[&Value]) -> String {
    values
        .iter()
        .map(|value| text(value))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// Returns a value as one line.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Returns whether a text is an ID or a region and nothing that could lead elsewhere in a URL.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
