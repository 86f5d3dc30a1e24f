//! The guard as people write it. Whatever would lock people out or leave agents mute is refused while it is read.

use std::collections::BTreeSet;

use records::AccountId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::TargetId;
use super::denied_action::Actions;
use super::principal::Principal;
use super::session_document::SessionDocuments;
use super::session_records::SessionRecords;
use super::way::Way;

/// The guard that should be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desired {
    /// Name of the policy, by which it is found; a second policy, should one not be long enough, is called NAME-2.
    pub(crate) policy_name: PolicyName,
    /// Description of the policy, at most 512 characters.
    #[serde(default)]
    pub(crate) description: Description,
    /// ARNs, `*` and `?` allowed, of the roles and users that keep the actions.
    #[serde(default)]
    pub(crate) exempt_principals: BTreeSet<Principal>,
    /// Names of IAM Identity Center permission sets whose roles keep the actions, in every account.
    #[serde(default)]
    pub(crate) exempt_permission_sets: BTreeSet<PermissionSet>,
    /// Accounts whose principals all keep the actions.
    #[serde(default)]
    pub(crate) exempt_accounts: BTreeSet<AccountId>,
    /// Actions that everybody else loses, besides the `ways`.
    #[serde(default)]
    pub(crate) actions: Option<Actions>,
    /// Ways onto nodes that everybody else loses [default: sessions and commands].
    #[serde(default)]
    pub(crate) ways: Option<BTreeSet<Way>>,
    /// Let sessions of just-in-time node access through: exempt the role that their tokens are for.
    #[serde(default)]
    pub(crate) exempt_just_in_time: bool,
    /// Session documents that sessions may be started with; all others are denied to everybody, exempt principals included.
    #[serde(default)]
    pub(crate) allowed_documents: Option<SessionDocuments>,
    /// What sessions leave, which nobody but the principals named there may remove or shorten.
    #[serde(default)]
    pub(crate) protect_records: Option<SessionRecords>,
    /// Keep everybody else from changing the Session Manager preferences.
    #[serde(default)]
    pub(crate) protect_preferences: bool,
    /// Keep everybody else from changing Default Host Management Configuration and passing its role.
    #[serde(default)]
    pub(crate) protect_dhmc: Option<Dhmc>,
    /// Keep everybody else from creating, changing or handing on roles and users that the exemptions name.
    #[serde(default)]
    pub(crate) protect_exempt_roles: bool,
    /// Enable service control policies in the root where they are not.
    #[serde(default)]
    pub(crate) enable_policy_type: bool,
    /// Partition of the ARNs that are protected.
    #[serde(default)]
    pub(crate) partition: Partition,
    /// Detach the policy from everything that is not among the targets.
    #[serde(default)]
    pub(crate) exact: bool,
    /// Roots, organizational units and accounts that the policy must be attached to, in this order.
    pub(crate) targets: Targets,
}

/// Default Host Management Configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dhmc {
    /// Name of its role, with the path.
    #[serde(default = "default_dhmc_role")]
    pub(crate) role: RoleName,
}

fn default_dhmc_role() -> RoleName {
    RoleName("service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole".to_owned())
}

/// A name that Organizations accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct PolicyName(pub(crate) String);

impl TryFrom<String> for PolicyName {
    type Error = String;

    fn try_from(text: String) -> Result<PolicyName, String> {
        match text.chars().count() {
            1..=128 if !text.chars().any(char::is_control) => Ok(PolicyName(text)),
            _ => Err("a policy name has 1 to 128 characters and none of control".to_owned()),
        }
    }
}

/// A description that Organizations accepts; it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Description(pub(crate) String);

impl TryFrom<String> for Description {
    type Error = String;

    fn try_from(text: String) -> Result<Description, String> {
        match text.chars().count() {
            0..=512 => Ok(Description(text)),
            n_characters => Err(format!(
                "a description has at most 512 characters, this has {n_characters}"
            )),
        }
    }
}

/// The name of a permission set, without wildcards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct PermissionSet(pub(crate) String);

impl TryFrom<String> for PermissionSet {
    type Error = String;

    fn try_from(text: String) -> Result<PermissionSet, String> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
        // https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_PermissionSet.html
        if (1..=32).contains(&text.len()) && text.bytes().all(sound) {
            Ok(PermissionSet(text))
        } else {
            Err(format!(
                "'{text}' is not the name of a permission set: 1 to 32 letters, digits and +=,.@-_"
            ))
        }
    }
}

/// The name of a role with its path, without a slash in front.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct RoleName(pub(crate) String);

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(text: String) -> Result<RoleName, String> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&byte);
        if !text.is_empty()
            && text.bytes().all(sound)
            && !text.starts_with(['/', '-'])
            && !text.starts_with("role/")
        {
            Ok(RoleName(text))
        } else {
            Err(format!(
                "'{text}' is not a role: expected NAME or path/NAME"
            ))
        }
    }
}

/// A partition of AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Partition(pub(crate) String);

impl TryFrom<String> for Partition {
    type Error = String;

    fn try_from(text: String) -> Result<Partition, String> {
        if text == "aws"
            || text
                .strip_prefix("aws-")
                .is_some_and(|rest| !rest.is_empty())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        {
            Ok(Partition(text))
        } else {
            Err(format!(
                "'{text}' is not a partition: expected aws, aws-cn, aws-us-gov, .."
            ))
        }
    }
}

impl Default for Partition {
    fn default() -> Partition {
        Partition("aws".to_owned())
    }
}

/// Targets: at least one, each once, in the order in which they are attached.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<TargetId>")]
#[schemars(with = "Vec<String>")]
pub(crate) struct Targets(pub(crate) Vec<TargetId>);

impl TryFrom<Vec<TargetId>> for Targets {
    type Error = String;

    fn try_from(targets: Vec<TargetId>) -> Result<Targets, String> {
        let mut once: Vec<TargetId> = Vec::with_capacity(targets.len());
        for target in targets {
            if once.contains(&target) {
                return Err(format!("{} is there twice", target.0));
            }
            once.push(target);
        }
        if once.is_empty() {
            return Err(
                "name at least one target: a policy attached nowhere denies nothing".to_owned(),
            );
        }
        Ok(Targets(once))
    }
}
