//! What the roles of instance profiles may do, as `ssm-role show` says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::{Trust, trusts};
use records::{Feature, HostManagement, NodeRole, Permission, Target, Verdict};

/// What instance profiles let an agent do, by their ARNs, and what Default Host Management does, by account and region.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    profiles: BTreeMap<String, Permitted>,
    without_role: BTreeSet<String>,
    by_default: BTreeMap<Target, Option<DefaultRole>>,
}

/// The role of Default Host Management in one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRole {
    /// The value of the setting: its name with its path.
    pub setting: String,
    /// Why no node gets credentials from it that let it in: none when it is fine or nothing is known.
    pub problem: Option<String>,
    /// Whether everything that matters is known to be as it must be.
    pub is_fine: bool,
}

/// What one role lets an agent do.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// The role's name.
    pub role: String,
    /// Whether EC2 may assume it, without which its instances get no credentials.
    pub ec2: Trust,
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
        for record in records.into_iter().filter(|record| !record.of_operators) {
            if let Some(target) = &record.target {
                let setting = record.default_host_management.role.as_deref();
                let role = setting.map(|setting| default_role(setting, &record.roles));
                roles.by_default.insert(target.clone(), role);
            }
            roles.without_role.extend(record.profiles_without_role);
            for role in record.roles {
                let permitted = Permitted {
                    register: answer(&role.permissions, Feature::Register),
                    channel: answer(&role.permissions, Feature::Channel),
                    ec2: trusts(&role.trust, "ec2.amazonaws.com", None),
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

    /// Returns what a record says of Default Host Management at a place: none without a record, and the inner one none
    /// when it is off.
    pub fn by_default(&self, target: &Target) -> Option<Option<&DefaultRole>> {
        self.by_default.get(target).map(Option::as_ref)
    }
}

/// What makes Default Host Management work: the role exists under the very path that the setting names, SSM may assume it,
/// and it lets agents in.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
fn default_role(setting: &str, roles: &[NodeRole]) -> DefaultRole {
    let name = setting.rsplit('/').next().unwrap_or_default();
    // A role has its name once in an account, whatever its path.
    let Some(role) = roles.iter().find(|role| role.role == name) else {
        return DefaultRole {
            setting: setting.to_owned(),
            problem: Some(format!("no role {name} exists")),
            is_fine: false,
        };
    };
    let value = format!("{}{name}", role.path.trim_start_matches('/'));
    let (trust, register) = (
        trusts(&role.trust, "ssm.amazonaws.com", None),
        answer(&role.permissions, Feature::Register),
    );
    let problem = match (&trust, &register) {
        // Records that people write by hand may leave the path out.
        _ if !role.path.is_empty() && value != setting => Some(format!(
            "the role's path is {}, which makes it {value}, not what the setting names",
            role.path
        )),
        (Trust::No, _) => Some("ssm.amazonaws.com may not assume it".to_owned()),
        (_, Access::No(actions)) => Some(format!("it does not allow {}", actions.join(", "))),
        _ => None,
    };
    DefaultRole {
        setting: setting.to_owned(),
        is_fine: problem.is_none()
            && !role.path.is_empty()
            && trust == Trust::Yes
            && register == Access::Yes,
        problem,
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
