//! What the roles of instance profiles may do, as `ssm-role show` says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use records::{Feature, HostManagement, Permission, Verdict};

/// What instance profiles let an agent do, by their ARNs.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    profiles: BTreeMap<String, Permitted>,
    without_role: BTreeSet<String>,
}

/// What one role lets an agent do.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// The role's name.
    pub role: String,
    /// Whether the agent may report to SSM, without which it never appears.
    pub register: Access,
    /// Whether it may open the channels for sessions and commands.
    pub channel: Access,
}

/// An answer for several actions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// All are allowed.
    Yes,
    /// These are denied.
    No(Vec<String>),
    /// None is denied, but not all could be judged.
    Unknown,
}

/// What is known of a profile.
pub enum ProfileAccess<'a> {
    /// No record speaks of it.
    Nothing,
    /// It holds no role.
    WithoutRole,
    /// Its role may do this.
    Role(&'a Permitted),
}

impl Roles {
    /// Returns what the records say together.
    pub fn of(records: Vec<HostManagement>) -> Roles {
        let mut roles = Roles::default();
        for record in records {
            roles.without_role.extend(record.profiles_without_role);
            for role in record.roles {
                let permitted = Permitted {
                    register: answer(&role.permissions, Feature::Register),
                    channel: answer(&role.permissions, Feature::Channel),
                    role: role.role,
                };
                let profiles = role.instance_profiles.into_iter();
                roles
                    .profiles
                    .extend(profiles.map(|profile| (profile, permitted.clone())));
            }
        }
        roles
    }

    pub fn profile(&self, arn: &str) -> ProfileAccess<'_> {
        match self.profiles.get(arn) {
            Some(permitted) => ProfileAccess::Role(permitted),
            None if self.without_role.contains(arn) => ProfileAccess::WithoutRole,
            None => ProfileAccess::Nothing,
        }
    }
}

fn answer(permissions: &[Permission], feature: Feature) -> Access {
    let of_feature = permissions.iter().filter(|one| one.feature == feature);
    let (mut denied, mut n_allowed, mut n_unknown) = (Vec::new(), 0, 0);
    for permission in of_feature {
        match permission.verdict {
            Verdict::Allowed => n_allowed += 1,
            Verdict::Denied => denied.push(permission.action.clone()),
            Verdict::Unknown => n_unknown += 1,
        }
    }
    match (denied.is_empty(), n_allowed, n_unknown) {
        (false, _, _) => Access::No(denied),
        (true, 1.., 0) => Access::Yes,
        _ => Access::Unknown,
    }
}
