//! Resources that nothing is called: well-formed ARNs of the wrong account or partition.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use super::session::resources as of_statement;
use super::{PolicyType, Problems};
use crate::arn::Arn;
use crate::compiled::has_doubtful_type;
use crate::partition::partition_of;
use crate::pattern::arn_parts;
use crate::{Located, Policy, Rule, Severity, Version};

/// The beginnings of names that only AWS's own documents have, whatever their case.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];

pub(super) fn resources(policy: &Policy, policy_type: PolicyType, found: &mut Problems) {
    for statement in &policy.statements {
        for resource in of_statement(statement) {
            loose(resource, policy_type, found);
            let impossible = Arn::parse(&resource.value)
                .and_then(|arn| other_partition(&arn).or_else(|| other_account(&arn)));
            if let Some((why, fix)) = impossible {
                found.add(
                    Rule::ImpossibleResource,
                    Severity::Error,
                    &resource.position,
                    format!("{} matches nothing: {why}", resource.value),
                    &fix,
                );
            }
        }
    }
}

/// An ARN that is not complete, and a wildcard where the type of the resource stands.
fn loose(resource: &Located<String>, policy_type: PolicyType, found: &mut Problems) {
    let text = resource.value.as_str();
    let parts = arn_parts(text, Version::Of2012);
    if !text.starts_with("arn:") {
        return;
    }
    let (message, fix) = match parts.as_slice() {
        &[_, partition, service, _, _, name] => {
            // AWS's managed policies have such for security groups; in a guard nothing should hang on it.
            let is_guard = matches!(policy_type, PolicyType::ServiceControl { .. });
            if !is_guard || !has_doubtful_type(service, name) {
                return;
            }
            (
                format!(
                    "AWS allows no wildcard in the type of the resource: whether {text} matches anything is not documented"
                ),
                format!("write the type in full: arn:{partition}:{service}:REGION:ACCOUNT:TYPE/.."),
            )
        }
        parts if parts.len() < 6 && !text.ends_with('*') => (
            format!("{text} has {} parts, and an ARN has six", parts.len()),
            "write arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME, with * or nothing for what varies"
                .to_owned(),
        ),
        _ => return,
    };
    let position = &resource.position;
    found.add(Rule::LooseArn, Severity::Warning, position, message, &fix);
}

fn other_partition(arn: &Arn<'_>) -> Option<(String, String)> {
    // Only a whole name of a region shows its partition.
    let is_region =
        arn.region.ends_with(|c: char| c.is_ascii_digit()) && !arn.region.contains(['*', '?', '$']);
    let is_partition = arn.partition.starts_with("aws") && !arn.partition.contains(['*', '?', '$']);
    let partition = partition_of(arn.region);
    (is_region && is_partition && partition != arn.partition).then(|| {
        let why = format!(
            "{} is a region of {partition}, not of {}",
            arn.region, arn.partition
        );
        (
            why,
            format!("write arn:{partition}:.. for regions of {partition}"),
        )
    })
}

/// AWS's own documents are of no account, and those of an account are never AWS's.
fn other_account(arn: &Arn<'_>) -> Option<(String, String)> {
    if arn.service != "ssm" {
        return None;
    }
    let name = arn.named("document")?;
    let fixed = name.split(['*', '?', '$']).next().unwrap_or_default();
    let lower = fixed.to_ascii_lowercase();
    let is_reserved = RESERVED.iter().any(|start| lower.starts_with(start));
    // A wildcard may match the rest of a reserved beginning.
    let is_open = fixed != name && RESERVED.iter().any(|start| start.starts_with(&lower));
    let is_account = arn.account.bytes().all(|byte| byte.is_ascii_digit());
    match (arn.account, is_reserved) {
        (_, _) if is_open || !is_account => None,
        ("", false) => Some((
            "documents without an account are AWS's own, and their names begin otherwise"
                .to_owned(),
            "name the account that owns the document".to_owned(),
        )),
        ("", true) | (_, false) => None,
        (_, true) => Some((
            "AWS's own documents belong to no account".to_owned(),
            format!(
                "write arn:{}:ssm:{}::document/{name}",
                arn.partition, arn.region
            ),
        )),
    }
}
