//! Resources that no request is about: well-formed ARNs of the wrong account, partition or type.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>

use super::Problems;
use super::session::resources as of_statement;
use crate::arn::Arn;
use crate::{Effect, Located, Policy, Rule, Severity, Statement};

/// The beginnings of names that only AWS's own documents have, whatever their case.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];

/// The types of resources of actions: service and beginning of the resource; none for an action that knows only `*`.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>
const TYPES: [(&str, &[(&str, &str)]); 10] = [
    (
        "ssm:startsession",
        &[
            ("ec2", "instance/"),
            ("ecs", "task/"),
            // The connector of EKS runs by sessions, as AmazonEKSConnectorServiceRolePolicy shows.
            ("eks", "cluster/"),
            ("ssm", "managed-instance/"),
            ("ssm", "document/"),
        ],
    ),
    (
        "ssm:sendcommand",
        &[
            ("ec2", "instance/"),
            ("ssm", "managed-instance/"),
            ("ssm", "document/"),
            ("s3", ""),
        ],
    ),
    ("ssm:terminatesession", &[("ssm", "session/")]),
    ("ssm:resumesession", &[("ssm", "session/")]),
    ("ssm:describesessions", &[]),
    ("ssm:describeinstanceinformation", &[]),
    ("ssm:describeinstanceproperties", &[]),
    ("ssm:listcommands", &[]),
    ("ssm:listcommandinvocations", &[]),
    ("ec2:describeinstances", &[]),
];

pub(super) fn resources(policy: &Policy, found: &mut Problems) {
    for statement in &policy.statements {
        for resource in of_statement(statement) {
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
        types(statement, found);
    }
}

fn other_partition(arn: &Arn<'_>) -> Option<(String, String)> {
    // Only a whole name of a region tells its partition.
    let is_region =
        arn.region.ends_with(|c: char| c.is_ascii_digit()) && !arn.region.contains(['*', '?', '$']);
    let is_partition = arn.partition.starts_with("aws") && !arn.partition.contains(['*', '?', '$']);
    let partition = awsdata::partition_of(arn.region).name;
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
    // A wildcard may stand for the rest of a reserved beginning.
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

/// Looks at statements all of whose actions are known here.
fn types(statement: &Statement, found: &mut Problems) {
    let is_listed = !statement.actions.negated
        && !statement.actions.values.is_empty()
        && statement.effect == Effect::Allow;
    let types = |action: &Located<String>| {
        let lower = action.value.to_ascii_lowercase();
        TYPES
            .iter()
            .find(|(one, _)| *one == lower)
            .map(|(_, types)| *types)
    };
    let actions = statement.actions.values.iter().map(types);
    let Some(types) = actions.collect::<Option<Vec<_>>>().filter(|_| is_listed) else {
        return;
    };
    for resource in of_statement(statement) {
        let Some(arn) = Arn::parse(&resource.value) else {
            continue;
        };
        if !types.iter().copied().flatten().any(|one| may_be(&arn, one)) {
            found.add(
                Rule::ResourceType,
                Severity::Error,
                &resource.position,
                format!(
                    "none of the actions is ever asked on {}: the statement allows nothing there",
                    resource.value
                ),
                &cure(&types),
            );
        }
    }
}

fn may_be(arn: &Arn<'_>, (service, start): &(&str, &str)) -> bool {
    let fixed = arn.resource.split(['*', '?']).next().unwrap_or_default();
    let is_open = fixed != arn.resource;
    crate::glob(arn.service, service)
        && (fixed.starts_with(start) || (is_open && start.starts_with(fixed)))
}

fn cure(types: &[&[(&str, &str)]]) -> String {
    let mut forms: Vec<String> = types
        .iter()
        .copied()
        .flatten()
        .filter(|(_, start)| !start.is_empty())
        .map(|(service, start)| format!("arn:..:{service}:..:{start}.."))
        .collect();
    forms.dedup();
    match forms.is_empty() {
        true => "write \"*\": the actions know no resources".to_owned(),
        false => format!("write {}", forms.join(" or ")),
    }
}
