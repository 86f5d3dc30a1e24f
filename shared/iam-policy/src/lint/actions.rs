//! Actions that AWS's service reference does not have. A misspelt action is valid, and neither allows nor denies anything.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

use std::collections::HashSet;

use super::Problems;
use crate::{Located, Policy, Rule, Severity, reference, spelling};

/// Services that are taken for each other: iam:AssumeRole.
const NEAR: &[&[&str]] = &[
    &["iam", "sts"],
    &[
        "ssm",
        "ssmmessages",
        "ec2messages",
        "ssm-guiconnect",
        "ssm-quicksetup",
    ],
    &[
        "ec2",
        "ec2-instance-connect",
        "autoscaling",
        "elasticloadbalancing",
    ],
    &["logs", "cloudwatch"],
];

pub(super) fn actions(policy: &Policy, found: &mut Problems) {
    // A service that is not known is reported once, however many of its actions follow.
    let mut services = HashSet::new();
    for statement in &policy.statements {
        for action in &statement.actions.values {
            known(action, &mut services, found);
        }
    }
}

fn known<'p>(action: &'p Located<String>, services: &mut HashSet<&'p str>, found: &mut Problems) {
    let Some((prefix, name)) = action.value.split_once(':') else {
        return;
    };
    let is_known = match action.value.contains(['*', '?']) {
        true => reference::actions(&action.value).next().is_some(),
        false => reference::action(&action.value).is_some(),
    };
    if is_known {
        return;
    }
    // What AWS added since the data was made is missing here, so that nothing is proved.
    let date = reference::date();
    let is_service = prefix.contains(['*', '?']) || reference::service(prefix).is_some();
    if !is_service && !services.insert(prefix) {
        return;
    }
    let (rule, message) = match is_service {
        true => (
            Rule::UnknownAction,
            format!(
                "AWS's service reference of {date} has no action {:?}: the statement does nothing for it",
                action.value
            ),
        ),
        false => (
            Rule::UnknownService,
            format!(
                "AWS's service reference of {date} has no service {prefix:?}: the statement does nothing for it"
            ),
        ),
    };
    let fix = match meant(prefix, name) {
        Some(meant) => format!("write {meant}"),
        None => "correct the name".to_owned(),
    };
    found.add(rule, Severity::Warning, &action.position, message, &fix);
}

/// Returns the action that was probably meant by one that the reference does not have.
#[must_use]
pub fn meant_action(action: &str) -> Option<String> {
    let (prefix, name) = action.split_once(':')?;
    meant(prefix, name)
}

fn meant(prefix: &str, name: &str) -> Option<String> {
    let service = reference::service(prefix);
    if service.is_none()
        && let Some(other) = spelling::closest(prefix, reference::services())
        && reference::actions(&format!("{other}:{name}"))
            .next()
            .is_some()
    {
        return Some(format!("{other}:{name}"));
    }
    if name.contains(['*', '?']) {
        return None;
    }
    let own = service.and_then(|service| {
        let names = service.actions.iter().map(|action| action.name);
        let name = spelling::closest(name, names)?;
        Some(format!("{}:{name}", service.prefix))
    });
    own.or_else(|| {
        let near = NEAR.iter().filter(|services| services.contains(&prefix));
        let mut others = near.flat_map(|services| services.iter());
        let action = others.find_map(|other| reference::action(&format!("{other}:{name}")))?;
        Some(action.full_name())
    })
}
