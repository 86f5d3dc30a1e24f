//! Elements: which of them the type of policy allows, their names, lengths and spellings.

use std::collections::HashSet;

use super::resource_control::is_resource_control;
use super::{PolicyType, Problems};
use crate::placeholder::is_placeholder;
use crate::template::token;
use crate::{Effect, Located, Policy, Rule, Severity, Statement};

/// Before 2026-05-15; estates that stay below it can be moved between old and new organizations.
const OLD_MAX_CHARACTERS: usize = 5_120;

pub(super) fn size(text: &str, max_characters: usize, found: &mut Problems) {
    let start = crate::Position {
        line: 1,
        column: 1,
        path: "$".to_owned(),
    };
    let n_characters = text.trim_end().chars().count();
    let minified = serde_json::from_str::<serde_json::Value>(text)
        .map_or(n_characters, |value| value.to_string().chars().count());
    if minified > max_characters {
        let message = format!(
            "the policy has {minified} characters without white space, and may have {max_characters}"
        );
        found.add(
            Rule::Size,
            Severity::Error,
            &start,
            message,
            "split it into several policies, or join values by patterns",
        );
    } else if n_characters > max_characters {
        let message = format!(
            "the policy has {n_characters} characters and may have {max_characters}; white space counts when it is saved \
             through the API"
        );
        found.add(
            Rule::Size,
            Severity::Error,
            &start,
            message,
            "minify it: jq -c .",
        );
    } else if n_characters > OLD_MAX_CHARACTERS && max_characters > OLD_MAX_CHARACTERS {
        let message = format!(
            "the policy has {n_characters} characters; before May 2026 {OLD_MAX_CHARACTERS} were allowed"
        );
        found.add(
            Rule::Size,
            Severity::Info,
            &start,
            message,
            "nothing, unless a tool on the way still knows the old quota",
        );
    }
}

pub(super) fn elements(policy: &Policy, policy_type: PolicyType, found: &mut Problems) {
    let mut sids = HashSet::new();
    let is_service_control = matches!(policy_type, PolicyType::ServiceControl { .. });
    let is_resource_control = is_service_control && is_resource_control(policy);
    if let (true, Some(first)) = (is_resource_control, policy.statements.first()) {
        found.add(
            Rule::ForbiddenElement,
            Severity::Error,
            first.position(),
            "this is a resource control policy: a service control policy has no Principal".to_owned(),
            "lint it as a resource control policy; or remove Principal and compare aws:PrincipalArn in a Condition",
        );
    }
    for statement in &policy.statements {
        presence(statement, policy_type, is_resource_control, found);
        if let Some(sid) = &statement.sid {
            if !sid.value.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && policy_type != PolicyType::Resource
            {
                let message = format!(
                    "Sid {:?} has other characters than letters and digits",
                    sid.value
                );
                found.add(
                    Rule::Sid,
                    Severity::Error,
                    &sid.position,
                    message,
                    "leave only A-Z, a-z and 0-9",
                );
            }
            // Terraform writes an empty Sid into every statement that has none.
            if !sid.value.is_empty() && !sids.insert(&sid.value) {
                let message = format!("Sid {:?} is there twice", sid.value);
                found.add(
                    Rule::Sid,
                    Severity::Error,
                    &sid.position,
                    message,
                    "give each statement its own",
                );
            }
        }
        let resources = statement
            .resources
            .iter()
            .flat_map(|resources| &resources.values);
        let values = statement
            .conditions
            .iter()
            .flat_map(|condition| &condition.values);
        let principals = statement
            .principal
            .iter()
            .flat_map(|principal| &principal.entries)
            .map(|(_, name)| name);
        for text in resources.chain(values).chain(principals) {
            placeholder(text, found);
        }
    }
}

fn presence(
    statement: &Statement,
    policy_type: PolicyType,
    is_resource_control: bool,
    found: &mut Problems,
) {
    let forbidden = |element: &str, what: &str| format!("{what} has no {element}: AWS refuses it");
    match (policy_type, &statement.principal) {
        (PolicyType::ServiceControl { .. }, Some(_)) if !is_resource_control => found.add(
            Rule::ForbiddenElement,
            Severity::Error,
            statement.position(),
            forbidden("Principal", "a service control policy"),
            "remove it; compare aws:PrincipalArn in a Condition",
        ),
        (PolicyType::Identity, Some(_)) => found.add(
            Rule::ForbiddenElement,
            Severity::Error,
            statement.position(),
            forbidden("Principal", "an identity-based policy"),
            "remove it: the policy is for whom it is attached to",
        ),
        (PolicyType::Resource, None) => found.add(
            Rule::MissingElement,
            Severity::Error,
            statement.position(),
            "a statement of a resource-based policy needs Principal".to_owned(),
            "add Principal",
        ),
        _ => {}
    }
    if policy_type == PolicyType::Resource
        && statement.principal.as_ref().is_some_and(|one| one.negated)
    {
        not_principal(statement, found);
    }
    if statement.resources.is_none() && policy_type != PolicyType::Resource {
        let message = "a statement needs Resource".to_owned();
        found.add(
            Rule::MissingElement,
            Severity::Error,
            statement.position(),
            message,
            "add Resource with ARNs, or with * for all",
        );
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
fn not_principal(statement: &Statement, found: &mut Problems) {
    let (severity, message) = match statement.effect {
        Effect::Deny => (
            Severity::Warning,
            "Deny with NotPrincipal denies every user and role that has a permissions boundary, those that it names too",
        ),
        Effect::Allow => (
            Severity::Error,
            "Allow with NotPrincipal is not supported: it would allow everybody but those that it names, strangers too",
        ),
    };
    found.add(
        Rule::NotPrincipal,
        severity,
        statement.position(),
        message.to_owned(),
        "write \"Principal\": \"*\" and compare aws:PrincipalArn in a Condition",
    );
}

fn placeholder(text: &Located<String>, found: &mut Problems) {
    if is_placeholder(&text.value) && token(&text.value).is_none() {
        let message = format!(
            "{:?} still has a placeholder in it, and matches nothing real",
            text.value
        );
        found.add(
            Rule::Placeholder,
            Severity::Error,
            &text.position,
            message,
            "write the real value, or * where any will do",
        );
    }
}
