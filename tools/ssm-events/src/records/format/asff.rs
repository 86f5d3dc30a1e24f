//! Records as findings of Security Hub: lists, each of one account and Region, as `aws securityhub batch-import-findings
//! --findings` takes them.
//!
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>,
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>

use std::collections::BTreeMap;

use cli::{AsffFinding, AsffList, MAX_ASFF_BYTES, asff_text};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Marks, Style, message, ocsf};
use crate::records::record::{Event, Outcome};

/// "Resources: 32 objects".
const MOST_RESOURCES: usize = 32;
/// Of all resources of a finding: the other texts have limits by which they are smaller than the rest of an argument.
const MOST_BYTES: usize = MAX_ASFF_BYTES / 4;
/// What somebody did; Security Hub has no type for what is nothing out of the ordinary.
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html>
const TYPE: &str = "Unusual Behaviors/User";

/// Findings by account and Region, until there are enough for a list.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    waiting: BTreeMap<(String, String), AsffList>,
    /// How many records Security Hub has no place for: they have no account, Region or time.
    pub(crate) n_left_out: usize,
}

impl Lists {
    /// Takes a record; returns the list that is full with it.
    pub(crate) fn add(
        &mut self,
        style: &Style,
        event: &Event,
        record: &Value,
        marks: &Marks,
    ) -> Option<Value> {
        let Some(finding) = finding(style, event, record, marks) else {
            self.n_left_out += 1;
            return None;
        };
        let key = (event.account.clone(), event.region.clone());
        self.waiting.entry(key).or_default().add(finding)
    }

    /// Returns the lists that are not full.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        let lists = std::mem::take(&mut self.waiting).into_values();
        lists.filter_map(|mut list| list.take()).collect()
    }
}

fn finding(style: &Style, event: &Event, record: &Value, marks: &Marks) -> Option<Value> {
    let (account, region) = (&event.account, &event.region);
    let partition = event.partition()?;
    let time = Timestamp::from_millisecond(ocsf::time(&event.time)?).ok()?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let id = match event.event_id.as_str() {
        "" => message::digest(record),
        id => id.to_owned(),
    };
    let label = match event.outcome {
        Outcome::Denied => "MEDIUM",
        Outcome::Failed => "LOW",
        Outcome::Allowed if marks.missed.is_some() => "LOW",
        Outcome::Allowed => "INFORMATIONAL",
    };
    let resource = |node: &String| match node.starts_with("i-") {
        true => json!({ "Type": "AwsEc2Instance", "Partition": partition, "Region": region,
            "Id": format!("arn:{partition}:ec2:{region}:{account}:instance/{node}") }),
        false => {
            json!({ "Type": "Other", "Id": asff_text(node, 512), "Partition": partition, "Region": region })
        }
    };
    let mut n_bytes = 0;
    let resources = event.nodes.iter().map(resource).take(MOST_RESOURCES);
    let resources = resources.take_while(|one| {
        n_bytes += one.to_string().len();
        n_bytes <= MOST_BYTES
    });
    let mut resources: Vec<Value> = resources.collect();
    // Nothing is left out unsaid.
    let description = match (event.nodes.len(), resources.len()) {
        (n_nodes, n) if n < n_nodes => format!(
            "{n_nodes} nodes, the first {n} of which are its resources here. {}",
            style.text(event)
        ),
        _ => style.text(event),
    };
    if resources.is_empty() {
        let of_account = format!("AWS::::Account:{account}");
        resources
            .push(json!({ "Type": "AwsAccount", "Id": of_account, "Partition": partition, "Region": region }));
    }
    let mut fields = serde_json::Map::new();
    let session_id = event.session_id.as_str();
    for (name, value) in [
        ("principal", event.who.principal.as_str()),
        ("session_name", &event.who.session_name),
        ("source_address", &event.source_address),
        ("reason", &event.reason),
        ("document", &event.document),
        ("session_id", session_id),
        ("command_id", &event.command_id),
        ("error", &event.error),
        ("event_id", &event.event_id),
    ] {
        if !value.is_empty() {
            fields.insert(
                format!("{}/{name}", crate::TOOL),
                json!(asff_text(value, 2048)),
            );
        }
    }
    let mut finding = AsffFinding {
        tool: crate::TOOL,
        place: (partition, account, region),
        // The same whenever the record is sent.
        id: &id,
        generator: &event.event,
        r#type: TYPE,
        time,
        label,
        title: &style.subject(event, marks),
        description: &description,
        resources,
    }
    .value();
    finding["FirstObservedAt"] = finding["CreatedAt"].clone();
    finding["ProductFields"] = fields.into();
    finding["Action"] =
        json!({ "ActionType": "AWS_API_CALL", "AwsApiCallAction": api_call(event) });
    Some(finding)
}

/// <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsApiCallAction.html>
fn api_call(event: &Event) -> Value {
    let mut call = json!({ "Api": asff_text(&event.event, 128), "ServiceName": asff_text(&event.source, 128) });
    let address = event.source_address.as_str();
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        call["CallerType"] = json!("remoteIp");
        call["RemoteIpDetails"] = json!({ "IpAddressV4": address });
    } else if address.contains(".amazonaws.com") {
        call["CallerType"] = json!("domain");
        call["DomainDetails"] = json!({ "Domain": asff_text(address, 128) });
    }
    call
}
