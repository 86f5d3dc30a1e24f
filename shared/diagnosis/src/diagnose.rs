//! Which rule explains why a node does not answer. Pure.

use records::Severity;

use crate::diagnosis::{Diagnosis, Hints};
use crate::roles::Roles;
use crate::rules::{lost, unconnected, unregistered};
use records::Node;
use records::Timestamp;

/// The problem of an instance whose metadata service is off.
pub const IMDS_DISABLED: &str = "imds.disabled";

/// Returns the one reason why neither sessions nor commands reach a node; none when nothing that was read points to one.
/// What could not be read, such as the connection of a node that is online, is not a reason.
#[must_use]
pub fn diagnose(
    node: &Node,
    roles: Option<&Roles>,
    now: Timestamp,
    hints: &Hints,
) -> Option<Diagnosis> {
    if !node.is_running() {
        return Some(asleep(node));
    }
    let is_without_imds = node
        .imds
        .as_ref()
        .is_some_and(|imds| imds.endpoint.as_deref() == Some("disabled"));
    let Some(agent) = &node.agent else {
        return Some(match &node.state {
            _ if is_without_imds => imds_disabled(node),
            Some(_) => unregistered(node, roles, now, hints),
            None => unknown(),
        });
    };
    let last = agent
        .last_ping
        .map_or_else(|| "at an unknown time".to_owned(), |time| time.to_string());
    match agent.ping.as_deref() {
        Some("Online") => {
            let connection = node.evidence.as_ref()?.connection.present()?;
            (connection == "notconnected").then(|| unconnected(node, roles, hints))
        }
        // Without its metadata service the agent has lost identity and credentials.
        Some("ConnectionLost") if is_without_imds => Some(imds_disabled(node)),
        Some("ConnectionLost") => Some(lost(node, roles, &last)),
        Some("Inactive") => Some(Diagnosis::new(
            "ping.inactive",
            Severity::Warning,
            format!("SSM calls the agent inactive; its last ping was {last}"),
            "restart the agent and read its errors.log",
        )),
        other => Some(Diagnosis::new(
            "ping.unknown",
            Severity::Warning,
            format!(
                "SSM gives '{}' as the agent's ping status, which says nothing",
                other.unwrap_or_default()
            ),
            "look at the node in Fleet Manager",
        )),
    }
}

/// Returns what it means that an instance's metadata service is off.
#[must_use]
pub fn imds_disabled(node: &Node) -> Diagnosis {
    Diagnosis::new(
        IMDS_DISABLED,
        Severity::Error,
        "the metadata service is disabled, so the agent can neither prove its identity nor get credentials",
        format!(
            "enable it: {} --http-endpoint enabled",
            node.options_command()
        ),
    )
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
fn asleep(node: &Node) -> Diagnosis {
    let (state, fix) = match node.state.as_deref().unwrap_or_default() {
        "pending" => ("pending", "check again when it runs"),
        "shutting-down" => ("shutting down", "nothing"),
        "terminated" => ("terminated", "nothing"),
        _ => ("stopped", "nothing, or start it and check again"),
    };
    Diagnosis::new(
        "node.stopped",
        Severity::Info,
        format!("it is {state}; its agent cannot be checked"),
        fix,
    )
}

/// Neither service knows anything of it.
fn unknown() -> Diagnosis {
    Diagnosis::new(
        "node.unknown",
        Severity::Error,
        "SSM does not know it, and nothing shows whether it exists: it has never registered, was deregistered, or is in \
         another account or region",
        "compare ID, account and region",
    )
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
