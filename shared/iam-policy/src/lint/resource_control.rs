//! Resource control policies: what AWS lets one hold, and the services that it governs.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>

use super::Problems;
use crate::governed_services::RCP_SERVICES;
use crate::{Effect, Located, Policy, Principals, Rule, Severity, Statement};

pub(super) fn resource_control(policy: &Policy, found: &mut Problems) {
    if is_full_access(policy) {
        return;
    }
    for statement in &policy.statements {
        statement_elements(statement, found);
        for action in &statement.actions.values {
            service(action, found);
        }
    }
}

/// `RCPFullAWSAccess`, which AWS attaches itself, is the one resource control policy that allows.
fn is_full_access(policy: &Policy) -> bool {
    let [statement] = policy.statements.as_slice() else {
        return false;
    };
    let all = |values: &[Located<String>]| values.iter().any(|value| value.value == "*");
    statement.effect == Effect::Allow
        && statement.principal.as_ref().is_some_and(is_everybody)
        && !statement.actions.negated
        && all(&statement.actions.values)
        && statement
            .resources
            .as_ref()
            .is_some_and(|resources| !resources.negated && all(&resources.values))
        && statement.conditions.is_empty()
}

fn is_everybody(principals: &Principals) -> bool {
    principals.everyone && !principals.negated
}

fn statement_elements(statement: &Statement, found: &mut Problems) {
    let mut forbid = |what: &str, fix: &str| {
        found.add(
            Rule::ForbiddenElement,
            Severity::Error,
            statement.position(),
            format!("a resource control policy {what}: AWS refuses it"),
            fix,
        );
    };
    if statement.effect == Effect::Allow {
        let fix = "write Deny: what RCPFullAWSAccess allows stays allowed without it";
        forbid("allows nothing", fix);
    }
    if statement.actions.negated {
        forbid("has no NotAction", "name the actions");
    }
    match &statement.principal {
        None => {
            found.add(
                Rule::MissingElement,
                Severity::Error,
                statement.position(),
                "a statement of a resource control policy needs Principal".to_owned(),
                "add \"Principal\": \"*\"; a service control policy has none, and is linted as such",
            );
        }
        Some(principals) if principals.negated => {
            let fix = "write \"Principal\": \"*\", and compare aws:PrincipalArn in a Condition";
            forbid("has no NotPrincipal", fix);
        }
        Some(principals) if !is_everybody(principals) => {
            let fix = "write \"*\", and compare aws:PrincipalArn in a Condition";
            forbid("has no Principal but \"*\"", fix);
        }
        Some(_) => {}
    }
}

fn service(action: &Located<String>, found: &mut Problems) {
    let lower = action.value.to_ascii_lowercase();
    let (prefix, _) = lower.split_once(':').unwrap_or((&lower, ""));
    if prefix.contains(['*', '?']) {
        found.add(
            Rule::ForbiddenElement,
            Severity::Error,
            &action.position,
            format!(
                "{:?} names no service, which each action of a resource control policy does: AWS refuses it",
                action.value
            ),
            "write an action for each service, such as s3:*",
        );
    } else if !governs(prefix) {
        found.add(
            Rule::UngovernedService,
            Severity::Warning,
            &action.position,
            format!(
                "resource control policies do not govern {prefix}, by AWS's list of September 2026: the statement does \
                 nothing for {}",
                action.value
            ),
            "deny it by a service control policy, which governs the principals of the organization",
        );
    }
}

/// Returns whether a policy is a resource control policy by its looks: it denies to all principals, and only what such
/// policies govern.
pub(super) fn is_resource_control(policy: &Policy) -> bool {
    !policy.statements.is_empty()
        && policy.statements.iter().all(|statement| {
            statement.effect == Effect::Deny
                && statement.principal.as_ref().is_some_and(is_everybody)
                && !statement.actions.negated
                && statement.actions.values.iter().all(|action| {
                    let lower = action.value.to_ascii_lowercase();
                    governs(lower.split(':').next().unwrap_or_default())
                })
        })
}

fn governs(prefix: &str) -> bool {
    RCP_SERVICES.contains(&prefix)
}
