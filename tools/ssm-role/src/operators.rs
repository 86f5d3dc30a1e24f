//! The roles of people who start sessions, as records that other tools judge: who may use the key of the sessions. Pure.

use std::collections::BTreeMap;

use cli::Target;
use records::{Feature, HostManagement, NodeRole, Verdict};
use transcripts::Need;

use crate::host_management::node_role;
use crate::model::Role;
use crate::required_permissions::permissions;

/// Returns the record of the roles that may start a session, or that may for all that is known; with `names` those roles, by name
/// or ARN, whatever they may do.
///
/// # Errors
/// A role that is named is not among them.
pub(crate) fn record(
    target: &Target,
    roles: &BTreeMap<String, Role>,
    names: &[String],
) -> anyhow::Result<HostManagement> {
    for name in names {
        anyhow::ensure!(
            roles.iter().any(|(role, read)| is_named(name, role, read)),
            "no role {name} that people may assume is in {}",
            target.account
        );
    }
    // On which node and by which document is not known: a role may be for some of them only.
    let needs = [Need::plain(Feature::Channel, "ssm:StartSession", None)];
    let starts = |role: &Role| {
        let mut permissions = permissions(role, &needs).into_iter();
        permissions.any(|one| one.verdict != Verdict::Denied)
    };
    let chosen = roles.iter().filter(|(name, role)| match names {
        [] => starts(role),
        names => names.iter().any(|given| is_named(given, name, role)),
    });
    let mut roles: Vec<NodeRole> = chosen.map(|(name, role)| node_role(name, role)).collect();
    roles.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(HostManagement {
        target: Some(target.clone()),
        of_operators: true,
        roles,
        ..HostManagement::default()
    })
}

fn is_named(given: &str, name: &str, role: &Role) -> bool {
    given == name || given == role.arn
}
