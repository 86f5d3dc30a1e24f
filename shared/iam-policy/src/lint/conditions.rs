//! Conditions that are valid and do not do what they seem to.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>

use super::Problems;
use super::presence::needs;
use crate::arn::Arn;
use crate::operator::Family;
use crate::placeholder::is_placeholder;
use crate::principal::{PrincipalMistake, lacks_region, principal_mistake};
use crate::{Condition, Effect, Policy, Rule, SetOperator, Severity, Statement};

/// Keys that many requests do not have, and whose they are. Keys end in `/` where any name may follow.
const RARE_KEYS: &[(&str, &str)] = &[
    (
        "aws:multifactorauthpresent",
        "requests signed with long-term keys do not have it",
    ),
    (
        "aws:multifactorauthage",
        "requests without MFA do not have it",
    ),
    (
        "aws:sourcevpce",
        "only requests through a VPC endpoint have it",
    ),
    (
        "aws:sourcevpc",
        "only requests through a VPC endpoint have it",
    ),
    (
        "aws:vpcsourceip",
        "only requests through a VPC endpoint have it",
    ),
    (
        "aws:principaltag/",
        "principals without this tag do not have it",
    ),
    (
        "aws:resourcetag/",
        "resources without this tag do not have it",
    ),
    ("aws:requesttag/", "only requests that set this tag have it"),
    (
        "ssm:resourcetag/",
        "nodes without this tag, and documents, do not have it",
    ),
    (
        "aws:tokenissuetime",
        "requests signed with long-term keys do not have it",
    ),
    (
        "aws:sourceidentity",
        "sessions without a source identity do not have it",
    ),
];

pub(super) fn conditions(policy: &Policy, found: &mut Problems) {
    for statement in &policy.statements {
        for condition in &statement.conditions {
            literal_wildcards(condition, found);
            principal_arn(condition, found);
            missing_key(policy, statement, condition, found);
        }
    }
}

fn literal_wildcards(condition: &Condition, found: &mut Problems) {
    let test = condition.operator.test;
    if test.family != Family::String || test.wildcards {
        return;
    }
    for value in &condition.values {
        // `${*}` is how a plain star is written.
        let plain = value.value.replace("${*}", "").replace("${?}", "");
        if plain.contains(['*', '?']) {
            let message = format!(
                "{} takes the wildcard in {:?} for a plain character",
                condition.operator, value.value
            );
            let operator = condition.operator.to_string();
            let like = operator
                .replace("EqualsIgnoreCase", "Like")
                .replace("Equals", "Like");
            found.add(
                Rule::LiteralWildcard,
                Severity::Warning,
                &value.position,
                message,
                &format!("write {like}"),
            );
        }
    }
}

fn principal_arn(condition: &Condition, found: &mut Problems) {
    if !condition.key.value.eq_ignore_ascii_case("aws:PrincipalArn") {
        return;
    }
    for value in &condition.values {
        let mistake = match condition.operator.test.family {
            // A placeholder is reported as such.
            _ if is_placeholder(&value.value) => group(&value.value),
            Family::Arn => match principal_mistake(&value.value) {
                Some(PrincipalMistake::Nobody(message)) => Some(message),
                // Whether that is wrong depends on the operator; the rules of guards look at it.
                Some(PrincipalMistake::Everybody(_)) | None => None,
            },
            Family::String => group(&value.value).or_else(|| session(&value.value)),
            _ => None,
        };
        if let Some(message) = mistake {
            found.add(
                Rule::PrincipalArn,
                Severity::Error,
                &value.position,
                message,
                "name roles or users by their ARN with path",
            );
        } else if lacks_region(&value.value) {
            found.add(
                Rule::PrincipalArn,
                Severity::Warning,
                &value.position,
                format!(
                    "{} matches only where IAM Identity Center has its home in us-east-1: elsewhere the path holds the region",
                    value.value
                ),
                "write role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_NAME_*",
            );
        }
    }
}

fn group(text: &str) -> Option<String> {
    Arn::parse(text)?
        .named("group")
        .is_some()
        .then(|| format!("'{text}' is a group, and a group is never a principal"))
}

fn session(text: &str) -> Option<String> {
    text.contains(":assumed-role/").then(|| {
        format!("'{text}' is a session, but aws:PrincipalArn of a session is the ARN of its role")
    })
}

fn missing_key(
    policy: &Policy,
    statement: &Statement,
    condition: &Condition,
    found: &mut Problems,
) {
    let operator = condition.operator;
    let key = condition.key.value.to_ascii_lowercase();
    // Who asks for the key by itself knows that it may be missing.
    let guarded = statement.conditions.iter().any(|other| {
        other.operator.test.family == Family::Null && other.key.value.eq_ignore_ascii_case(&key)
    });
    if guarded {
        return;
    }
    // A denial of those who have the value is silent about the others whatever else it demands.
    let says_without = statement.effect == Effect::Allow || operator.test.negated;
    if says_without && needs(policy, statement, condition, &key) {
        return;
    }
    if operator.set == Some(SetOperator::ForAllValues) && statement.effect == Effect::Allow {
        let message = format!(
            "{operator} is true for requests without {}, so the statement allows them",
            condition.key.value
        );
        let fix = format!("add \"Null\": {{\"{}\": \"false\"}}", condition.key.value);
        found.add(
            Rule::IfExists,
            Severity::Warning,
            &condition.key.position,
            message,
            &fix,
        );
        return;
    }
    if operator.if_exists || operator.set.is_some() || operator.test.family == Family::Null {
        return;
    }
    let rare = RARE_KEYS
        .iter()
        .find(|(name, _)| match name.strip_suffix('/') {
            Some(_) => key.starts_with(name),
            None => key == *name,
        });
    let Some((_, whose)) = rare else { return };
    let name = &condition.key.value;
    let message = match (statement.effect, operator.test.negated) {
        (Effect::Deny, false) => format!("without {name} the statement does not deny: {whose}"),
        (Effect::Deny, true) => format!(
            "without {name} the statement denies: {whose}, and calls that AWS services make may lack it"
        ),
        // Without the key nothing is allowed: narrower than it looks, but safe.
        (Effect::Allow, false) => return,
        (Effect::Allow, true) => format!("without {name} the statement allows: {whose}"),
    };
    let fix = match (statement.effect, operator.test.negated) {
        (Effect::Deny, false) => format!("write {operator}IfExists to deny them too"),
        (Effect::Deny, true) => {
            format!("add \"Null\": {{\"{name}\": \"false\"}} to exempt them, or mean it")
        }
        _ => format!("add \"Null\": {{\"{name}\": \"false\"}}"),
    };
    found.add(
        Rule::IfExists,
        Severity::Warning,
        &condition.key.position,
        message,
        &fix,
    );
}
