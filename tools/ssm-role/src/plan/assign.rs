//! An instance profile for instances that have none; one in use is replaced only where asked.

use cli::{Change, Reading};
use iam_policy::Trust;
use records::{Feature, Verdict};
use serde_json::{Value, json};

use super::{PlanContext, PlanError, grant_preferences};

use crate::model::{
    Action, AssignProfile, Observed, PROFILE_PATH, Role, ec2_service, instance_arn, profile_arn,
};
use crate::required_permissions::{permissions, required_permissions};
use crate::validated_change::{OnInstanceState, ProfileState, RoleState};

/// Adds the role, the profile and the associations that are missing, in this order. With `grants` the role gets what the
/// preferences ask for at once, so that no session is refused, nor its transcript lost, until the next plan.
pub(super) fn assign(
    required: &AssignProfile,
    observed: &Observed,
    given: PlanContext<'_>,
    grants: bool,
    changes: &mut Vec<Change<Action>>,
) -> Result<(), PlanError> {
    if required.replace && !given.is_narrowed {
        return Err(PlanError::ReplaceEverywhere);
    }
    let mut instances: Vec<(&str, Option<&str>)> = observed
        .bare_instances
        .iter()
        .map(|id| (id.as_str(), None))
        .collect();
    let profiles = observed.profiles.known()?;
    if required.replace {
        for profile in profiles.into_iter().flatten() {
            let role = profile
                .role
                .known()?
                .and_then(|name| observed.roles.get(name));
            let role = role.map(Reading::known).transpose()?.flatten();
            if role.is_none_or(|role| is_shut_out(observed, role)) {
                let excluded = observed.excluded.present().map(Vec::as_slice);
                let is_excluded = |id: &&String| {
                    let mut excluded = excluded.into_iter().flatten();
                    excluded.any(|instance| instance.instance_id == **id)
                };
                let ids = profile.instance_ids.iter().filter(|id| !is_excluded(id));
                instances.extend(ids.map(|id| (id.as_str(), Some(profile.arn.as_str()))));
            }
        }
    }
    if instances.is_empty() {
        return Ok(());
    }
    let name = &required.name.0;
    let arn = role_and_profile(name, observed, given, grants, changes)?;
    for (instance_id, current) in instances {
        if current == Some(arn.as_str()) {
            continue;
        }
        let state = |arn: &str| {
            json!(OnInstanceState {
                profile_arn: arn.to_owned(),
            })
        };
        changes.push(Change {
            id: format!("associate_instance_profile/{instance_id}"),
            action: Action::AssociateInstanceProfile,
            resource: instance_arn(&observed.partition, &observed.target, instance_id),
            from: current.map_or(Value::Null, state),
            to: state(&arn),
            why: match current {
                None => "it has no instance profile; its agent tries again within 30 minutes, or when restarted",
                Some(_) => "the role of its instance profile does not let Systems Manager in",
            }
            .to_owned(),
        });
    }
    Ok(())
}

/// Adds what is missing of the profile and its role; returns the profile's ARN.
fn role_and_profile(
    name: &str,
    observed: &Observed,
    given: PlanContext<'_>,
    grants: bool,
    changes: &mut Vec<Change<Action>>,
) -> Result<String, PlanError> {
    let account = &observed.target.account;
    let service = ec2_service(&observed.partition);
    let role = observed.role(name)?;
    let role_arn = format!("arn:{}:iam::{account}:role/{name}", observed.partition);
    match role {
        Some(role) if observed.trusts(role, "ec2.amazonaws.com") == Trust::No => {
            return Err(PlanError::Trust(name.to_owned(), service));
        }
        Some(_) => {}
        None => changes.push(Change {
            id: format!("create_role/{name}"),
            action: Action::CreateRole,
            resource: role_arn.clone(),
            from: Value::Null,
            to: json!(RoleState::of_instances(&observed.partition)),
            why: "instances without a profile need a role that lets Systems Manager in".to_owned(),
        }),
    }
    if grants {
        let role_arn = role.map_or(role_arn.as_str(), |role| role.arn.as_str());
        let grant = grant_preferences(observed, given, name, role_arn, role);
        // A role whose profile other instances have already is among those of the region.
        changes.extend(grant.filter(|grant| changes.iter().all(|change| change.id != grant.id)));
    }
    if let Some(profile) = observed.assigned.known()? {
        return match &profile.role {
            Some(role) if role == name => Ok(profile.arn.clone()),
            role => Err(PlanError::ForeignProfile(
                name.to_owned(),
                role.clone().unwrap_or_else(|| "no role".to_owned()),
            )),
        };
    }
    let arn = profile_arn(&observed.partition, account, name);
    changes.push(Change {
        id: format!("create_instance_profile/{name}"),
        action: Action::CreateInstanceProfile,
        resource: arn.clone(),
        from: Value::Null,
        to: json!(ProfileState {
            path: PROFILE_PATH.to_owned(),
            role: Some(name.to_owned()),
        }),
        why: "EC2 gives instances a role by an instance profile".to_owned(),
    });
    Ok(arn)
}

fn is_shut_out(observed: &Observed, role: &Role) -> bool {
    let needs = required_permissions(&observed.partition, &observed.target, None);
    observed.trusts(role, "ec2.amazonaws.com") == Trust::No
        || permissions(role, &needs).iter().any(|one| {
            matches!(one.feature, Feature::Register | Feature::Channel)
                && one.verdict == Verdict::Denied
        })
}
