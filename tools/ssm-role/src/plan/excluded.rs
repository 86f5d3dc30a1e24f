//! The nodes that must not be managed, and the changes that would enroll them all the same: Default Host Management takes a whole
//! region, and a role all instances that have it.

use cli::{Change, Reading};
use iam_policy::Trust;
use records::{Feature, Verdict};

use super::PlanError;
use crate::model::{Action, DefaultHostManagement, Desired, ExcludedInstance, Observed};
use crate::required_permissions::{permissions, required_permissions};

/// Refuses changes that would enroll excluded nodes, or that may because these could not be read. Where that `is_accepted`, the
/// changes say which they enroll.
pub(super) fn refuse(
    desired: &Desired,
    observed: &Observed,
    is_accepted: bool,
    changes: &mut [Change<Action>],
) -> Result<(), PlanError> {
    let default_role = desired
        .default_host_management
        .as_ref()
        .filter(|required| required.enabled)
        .map(|required| default_role(required, observed));
    for change in changes {
        let Some(enrolling) = Enrolling::of(change, default_role) else {
            continue;
        };
        let excluded = match &observed.excluded {
            Reading::Unknown(_) if is_accepted => continue,
            excluded => excluded.known()?.map(Vec::as_slice).unwrap_or_default(),
        };
        let mut enrolled = Vec::new();
        for instance in excluded {
            match enrolling.enrolls(observed, instance) {
                Ok(true) => enrolled.push(instance.to_string()),
                Err(_) if is_accepted => enrolled.push(instance.to_string()),
                Ok(false) => {}
                Err(reason) => return Err(PlanError::Unknown(format!("{instance}: {reason}"))),
            }
        }
        if enrolled.is_empty() {
            continue;
        }
        let enrolled = enrolled.join(", ");
        if !is_accepted {
            return Err(PlanError::Excluded(enrolling.to_string(), enrolled));
        }
        change.why = format!("{}; it enrolls excluded nodes: {enrolled}", change.why);
    }
    Ok(())
}

/// Returns what to say of excluded instances that get no profile though others do.
pub(crate) fn left_out(desired: &Desired, observed: &Observed) -> Option<String> {
    desired.assign_profile.as_ref()?;
    let excluded = observed.excluded.present()?.iter();
    let bare = excluded.filter(|instance| matches!(instance.role, Reading::Absent));
    let named: Vec<String> = bare.map(ToString::to_string).collect();
    (!named.is_empty()).then(|| {
        format!(
            "{}: no instance profile for excluded nodes: {}",
            observed.target,
            named.join(", ")
        )
    })
}

/// Whom a change lets in.
enum Enrolling<'a> {
    /// Every instance that its own profile does not let in.
    Region,
    /// Every instance that has this role.
    Holders(&'a str),
}

impl std::fmt::Display for Enrolling<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Enrolling::Region => formatter.write_str("Default Host Management"),
            Enrolling::Holders(role) => write!(formatter, "a policy for role {role}"),
        }
    }
}

impl<'a> Enrolling<'a> {
    /// Returns none for what lets nobody in: the permissions for logs and sessions are of no use to a node that is not managed.
    fn of(change: &'a Change<Action>, default_role: Option<&str>) -> Option<Enrolling<'a>> {
        let role = change.resource.rsplit('/').next().unwrap_or_default();
        match change.action {
            Action::UpdateServiceSetting => Some(Enrolling::Region),
            Action::CreateRole | Action::AttachPolicy if default_role == Some(role) => {
                Some(Enrolling::Region)
            }
            Action::AttachPolicy => Some(Enrolling::Holders(role)),
            // A new role has no holders, and excluded instances are given no profile.
            _ => None,
        }
    }

    fn enrolls<'o>(
        &self,
        observed: &'o Observed,
        instance: &'o ExcludedInstance,
    ) -> Result<bool, &'o str> {
        let name = instance.role.known()?;
        match (self, name) {
            (Enrolling::Holders(role), name) => Ok(name.is_some_and(|name| name == role)),
            (Enrolling::Region, None) => Ok(true),
            // The agent of an instance that its profile lets in never asks Default Host Management; a refused one does.
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html
            (Enrolling::Region, Some(name)) => {
                let needs = required_permissions(&observed.partition, &observed.target, None);
                let is_let_in = observed.role(name)?.is_some_and(|role| {
                    observed.trusts(role, "ec2.amazonaws.com") == Trust::Yes
                        && permissions(role, &needs).iter().all(|one| {
                            one.feature != Feature::Register || one.verdict == Verdict::Allowed
                        })
                });
                Ok(!is_let_in)
            }
        }
    }
}

/// Returns the name of the role that Default Host Management is to have.
fn default_role<'a>(required: &'a DefaultHostManagement, observed: &'a Observed) -> &'a str {
    let setting = observed
        .setting
        .present()
        .and_then(|setting| setting.role());
    let adopted = setting
        .filter(|_| required.adopt)
        .and_then(|value| value.rsplit('/').next());
    adopted.unwrap_or(&required.role_name.0)
}
