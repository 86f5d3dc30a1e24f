//! What is wrong with the roles of hybrid activations, which give their nodes credentials as profiles do for instances. Pure.

use cli::{Reading, Severity};

use super::{Findings, node_role, trusted};
use crate::model::NodeRoles;

pub(super) fn hybrid_activations(required: &NodeRoles, findings: &mut Findings<'_>) {
    let observed = findings.observed;
    let nodes = match &observed.hybrid_nodes {
        Reading::Unknown(reason) => {
            return findings.unknown("hybrid", &observed.target.to_string(), reason);
        }
        reading => reading.present().into_iter().flatten(),
    };
    for (name, ids) in nodes {
        let nodes = cli::count(ids.len(), "hybrid node");
        match observed.roles.get(name) {
            Some(Reading::Absent) => {
                let message = format!("no role {name} exists: no credentials for {nodes}");
                let fix = "create the role, or register the nodes by another activation";
                findings.push("hybrid.role_missing", Severity::Error, name, &message, fix);
            }
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html
            Some(Reading::Present(role)) => {
                let loss = format!("no credentials for {nodes}");
                trusted(
                    role,
                    "ssm.amazonaws.com",
                    "hybrid.role_trust",
                    &loss,
                    findings,
                );
            }
            _ => {}
        }
        node_role(required, name, &nodes, findings);
    }
}
