//! What a guard leaves open: kinds of nodes that its resources leave out, and requests that a condition spares whoever makes
//! them.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html>

use super::Problems;
use super::guard::{ANYBODY, covers_operator_action, request};
use super::session::{allows_action as names_action, resources as of};
use crate::compiled::Compiled;
use crate::evaluate::denies;
use crate::operator::Family;
use crate::{Condition, Effect, Policy, Rule, Severity, Statement};

/// A kind of node: what it is called, the ARN of one that nobody names, and of all.
type Nodes = (&'static str, &'static str, &'static str);

/// What sessions and commands reach.
const NODES: [Nodes; 3] = [
    (
        "EC2 instances",
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-0q7zkw4",
        "arn:aws:ec2:*:*:instance/*",
    ),
    (
        "hybrid nodes",
        "arn:aws:ssm:eu-west-1:111122223333:managed-instance/mi-0q7zkw4",
        "arn:aws:ssm:*:*:managed-instance/*",
    ),
    (
        "ECS tasks",
        "arn:aws:ecs:eu-west-1:111122223333:task/q7zkw4/q7zkw4",
        "arn:aws:ecs:*:*:task/*",
    ),
];
/// A document of an account and one of AWS's.
const DOCUMENTS: [&str; 2] = [
    "arn:aws:ssm:eu-west-1:111122223333:document/q7zkw4",
    "arn:aws:ssm:eu-west-1::document/AWS-q7zkw4",
];

/// The preferences, with which a session starts that names no document.
const DEFAULT_DOCUMENT: &str =
    "arn:aws:ssm:eu-west-1:111122223333:document/SSM-SessionManagerRunShell";

/// Keys that say who asks.
const OF_PRINCIPALS: [&str; 5] = [
    "aws:principal",
    "aws:userid",
    "aws:username",
    "aws:sourceidentity",
    "aws:federatedprovider",
];
/// Keys that only requests have that an AWS service makes for a resource of its own.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcearn>
const OF_SERVICES: [&str; 5] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

pub(super) fn openings(policy: &Policy, found: &mut Problems) {
    let whole = Compiled::new("", policy).ok();
    let guards = policy.statements.iter().filter(|statement| {
        statement.effect == Effect::Deny
            && !statement.actions.negated
            && covers_operator_action(statement)
    });
    for statement in guards {
        if let Some(whole) = &whole {
            // One sentence for each: a command reaches no tasks.
            nodes(whole, statement, "ssm:StartSession", &NODES, found);
            nodes(whole, statement, "ssm:SendCommand", &NODES[..2], found);
        }
        requests(statement, found);
    }
}

fn nodes(
    whole: &Compiled,
    statement: &Statement,
    action: &str,
    nodes: &[Nodes],
    found: &mut Problems,
) {
    let is_listed = statement.resources.as_ref().is_some_and(|one| !one.negated);
    if !is_listed || !names_action(statement, action) {
        return;
    }
    // A denial that depends on a condition is one.
    let denied = |resource: &str| denies(whole, &request(ANYBODY, action, resource)).is_some();
    let (closed, open): (Vec<Nodes>, Vec<Nodes>) =
        nodes.iter().copied().partition(|(_, node, _)| denied(node));
    // A denial of AWS-StartPortForwardingSession is meant for that; one of the default document looks like a fence.
    let documents_only = denied(DEFAULT_DOCUMENT)
        && of(statement)
            .iter()
            .all(|resource| resource.value.contains(":document/"));
    // Every session and command needs a document; one of a certain node is meant to be that one.
    let all_documents = DOCUMENTS.iter().all(|document| denied(document));
    if open.is_empty() || all_documents || (closed.is_empty() && !documents_only) {
        return;
    }
    let names = joined(open.iter().map(|(name, ..)| *name).collect());
    let arns = joined(open.iter().map(|(.., all)| *all).collect());
    let message = match documents_only {
        true => format!(
            "{action} is denied with the documents that are named only: with others, {names} stay open"
        ),
        false => format!("{action} is not denied on {names}"),
    };
    let place = statement
        .resources
        .iter()
        .flat_map(|one| &one.values)
        .next();
    found.add(
        Rule::OpenNodes,
        Severity::Warning,
        place.map_or(statement.position(), |resource| &resource.position),
        message,
        &format!("write \"Resource\": \"*\", or add {arns}"),
    );
}

fn joined(names: Vec<&str>) -> String {
    match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

fn requests(statement: &Statement, found: &mut Problems) {
    let is_of_principals = |condition: &Condition| {
        let key = condition.key.value.to_ascii_lowercase();
        OF_PRINCIPALS.iter().any(|start| key.starts_with(start))
    };
    let negated = |condition: &&Condition| {
        condition.operator.test.negated && condition.operator.test.family != Family::Null
    };
    let spares_principals = statement
        .conditions
        .iter()
        .filter(negated)
        .any(is_of_principals);
    for condition in statement.conditions.iter().filter(negated) {
        if is_of_principals(condition) || !condition.key.value.contains(':') {
            continue;
        }
        let (operator, key) = (condition.operator, &condition.key.value);
        let of_services = OF_SERVICES.iter().any(|one| one.eq_ignore_ascii_case(key));
        if of_services && !spares_principals {
            let message = format!(
                "only requests that AWS services make have {key}, so {operator} holds for all people and nobody is exempt"
            );
            found.add(
                Rule::NobodyExempt,
                Severity::Error,
                &condition.key.position,
                message,
                "compare aws:PrincipalArn with the roles that should keep access",
            );
        } else if !of_services {
            let values: Vec<&str> = condition
                .values
                .iter()
                .take(3)
                .map(|value| value.value.as_str())
                .collect();
            let more = match condition.values.len() {
                0..=3 => "",
                _ => ", ..",
            };
            let message = format!(
                "{operator} exempts everybody, whoever asks, where {key} is {}{more}",
                values.join(", ")
            );
            found.add(
                Rule::RequestExempt,
                Severity::Info,
                &condition.key.position,
                message,
                "keep it if that is meant; else compare aws:PrincipalArn",
            );
        }
    }
}
