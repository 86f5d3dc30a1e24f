//! What is wished for, what is there, and the names of everything on AWS's side. Never touches the world.

use std::collections::BTreeMap;

use cli::{Reading, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Attached to the roles of instance profiles.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>
pub(crate) const CORE_POLICY: &str = "AmazonSSMManagedInstanceCore";
/// Attached to the role of Default Host Management: the same without reading parameters.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedEC2InstanceDefaultPolicy.html>
pub(crate) const DEFAULT_POLICY: &str = "AmazonSSMManagedEC2InstanceDefaultPolicy";
/// The deprecated policy that also reads and writes every S3 bucket.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEC2RoleforSSM.html>
pub(crate) const LEGACY_POLICY: &str = "service-role/AmazonEC2RoleforSSM";
/// The setting that holds the role's name; one per account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
pub(crate) const SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";
/// The path that the console gives the role; the setting's value has it too, without the first slash.
pub(crate) const ROLE_PATH: &str = "/service-role/";
/// Marks the roles that this tool has made; it deletes no other.
pub(crate) const DESCRIPTION: &str = "Default Host Management role made by ssm-role";
/// Marks the roles of instances that this tool has made.
pub(crate) const INSTANCE_DESCRIPTION: &str = "Role of EC2 instances made by ssm-role";
/// The path of the instance profiles that this tool has made; it deletes no other.
pub(crate) const PROFILE_PATH: &str = "/ssm-role/";
/// The beginning of the name of the inline policy for logs and encryption; the region follows, as IAM has none and
/// preferences do.
pub(crate) const INLINE_POLICY: &str = "SessionManagerPreferences-";

/// What lets nodes talk to Systems Manager. A part that is null is left alone.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Desired {
    /// Default Host Management of the account and region.
    pub(crate) default_host_management: Option<DefaultHostManagement>,
    /// Roles of the instance profiles that EC2 instances of the region use.
    pub(crate) instance_profiles: Option<InstanceProfiles>,
    /// A profile for instances that have none.
    pub(crate) assign_profile: Option<AssignProfile>,
}

impl Desired {
    /// Returns whether any role gets what the preferences write and decrypt.
    pub(crate) fn grants_preferences(&self) -> bool {
        let by_default = self.default_host_management.as_ref();
        let of_profiles = self.instance_profiles.as_ref();
        by_default.is_some_and(|wished| wished.enabled && wished.grant_preferences)
            || of_profiles.is_some_and(|wished| wished.grant_preferences)
    }
}

/// The instance profile that instances without one get, with a role of the same name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AssignProfile {
    /// Name of the profile and its role; both are made when they do not exist.
    pub(crate) name: RoleName,
    /// Whether it also takes the place of profiles whose roles do not let SSM in, on the nodes given by --nodes.
    pub(crate) replace: bool,
}

impl Default for AssignProfile {
    fn default() -> AssignProfile {
        AssignProfile {
            name: RoleName("SSMManagedInstance".to_owned()),
            replace: false,
        }
    }
}

/// Default Host Management as wished for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DefaultHostManagement {
    /// Whether it is on.
    pub(crate) enabled: bool,
    /// The role's name without its path.
    pub(crate) role_name: RoleName,
    /// Whether the role is made when it does not exist.
    pub(crate) create_role: bool,
    /// Whether another role that is in the setting already will do.
    pub(crate) adopt: bool,
    /// Whether the role gets an inline policy for what the preferences given by --prefs write and decrypt.
    pub(crate) grant_preferences: bool,
}

impl Default for DefaultHostManagement {
    fn default() -> DefaultHostManagement {
        let role_name = RoleName("AWSSystemsManagerDefaultEC2InstanceManagementRole".to_owned());
        DefaultHostManagement {
            enabled: true,
            role_name,
            create_role: true,
            adopt: false,
            grant_preferences: true,
        }
    }
}

/// Instance profile roles as wished for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InstanceProfiles {
    /// Whether every role that may not do what a node needs gets AmazonSSMManagedInstanceCore.
    pub(crate) attach_managed_policy: bool,
    /// Whether the roles get an inline policy for what the preferences given by --prefs write and decrypt.
    pub(crate) grant_preferences: bool,
    /// Names of roles that are left alone.
    pub(crate) exclude_roles: Vec<RoleName>,
}

impl Default for InstanceProfiles {
    fn default() -> InstanceProfiles {
        InstanceProfiles {
            attach_managed_policy: true,
            grant_preferences: true,
            exclude_roles: Vec::new(),
        }
    }
}

/// A role's name, without path.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", extend("pattern" = r"^[\w+=,.@-]{1,64}$"))]
pub(crate) struct RoleName(pub(crate) String);

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(name: String) -> Result<RoleName, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
            return Ok(RoleName(name));
        }
        Err(format!(
            "'{name}' is not a role name: 1 to 64 of A-Z a-z 0-9 _+=,.@- and no path"
        ))
    }
}

/// The writes that a plan may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Make a role, with its managed policy attached.
    CreateRole,
    /// Attach a managed policy to a role.
    AttachPolicy,
    /// Write the inline policy for logs and encryption.
    PutRolePolicy,
    /// Make an instance profile that holds the role of its name.
    CreateInstanceProfile,
    /// Put an instance profile on an instance.
    AssociateInstanceProfile,
    /// Turn Default Host Management on, or to another role.
    UpdateServiceSetting,
    /// Turn Default Host Management off.
    ResetServiceSetting,
    /// Detach a managed policy; only to undo.
    DetachPolicy,
    /// Delete the inline policy; only to undo.
    DeleteRolePolicy,
    /// Delete an instance profile as it was made; only to undo.
    DeleteInstanceProfile,
    /// Take an instance profile off an instance; only to undo.
    DisassociateInstanceProfile,
    /// Delete a role as it was made; only to undo.
    DeleteRole,
}

/// Everything that was looked at in one account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) target: Target,
    pub(crate) partition: String,
    pub(crate) setting: Reading<Setting>,
    /// Running and stopped instances without a profile.
    #[serde(default)]
    pub(crate) bare_instances: Vec<String>,
    /// Instance profiles in use, by ARN; absent never.
    pub(crate) profiles: Reading<Vec<Profile>>,
    /// Every role that a profile, the setting or the wish names, by name.
    pub(crate) roles: BTreeMap<String, Reading<Role>>,
    /// The profile that instances without one are to get; absent when it does not exist or none is wished.
    #[serde(default)]
    pub(crate) assigned: Reading<OwnProfile>,
}

/// The instance profile that instances without one are to get.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnProfile {
    pub(crate) arn: String,
    /// The name of its role.
    pub(crate) role: Option<String>,
}

/// The service setting of Default Host Management.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) status: Option<String>,
}

impl Setting {
    /// Returns the role with its path but no leading slash, null when it is off. The status is no help: AWS's own
    /// example shows `Default` beside a role.
    pub(crate) fn role(&self) -> Option<&str> {
        Some(self.value.as_str()).filter(|value| !value.is_empty() && *value != "$None")
    }
}

/// An instance profile that EC2 instances use.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) arn: String,
    /// The existing instances that have it.
    pub(crate) instance_ids: Vec<String>,
    /// The name of its role; it has at most one.
    pub(crate) role: Reading<String>,
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) trust: Value,
    /// Documents by ARN.
    pub(crate) attached_policies: BTreeMap<String, Value>,
    /// Documents by name.
    pub(crate) inline_policies: BTreeMap<String, Value>,
    /// The permissions boundary.
    #[serde(default)]
    pub(crate) boundary: Option<Boundary>,
}

/// A permissions boundary: the role may do no more than it allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Boundary {
    /// ARN of the managed policy.
    pub(crate) arn: String,
    /// Its document.
    pub(crate) document: Value,
}

impl Role {
    /// Returns whether the AWS managed policy of this name is attached.
    pub(crate) fn has(&self, partition: &str, policy: &str) -> bool {
        self.attached_policies
            .contains_key(&managed_policy(partition, policy))
    }

    /// Returns whether a service such as `ssm.amazonaws.com` may assume it.
    pub(crate) fn trusts(&self, service: &str) -> bool {
        let is_service = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(service));
        let assumes = |action: &Value| matches!(action.as_str(), Some(action) if ["sts:assumerole", "sts:*", "*"].contains(&&*action.to_ascii_lowercase()));
        one_or_many(&self.trust["Statement"])
            .iter()
            .any(|statement| {
                statement["Effect"] == "Allow"
                    && one_or_many(&statement["Principal"]["Service"])
                        .iter()
                        .any(is_service)
                    && one_or_many(&statement["Action"]).iter().any(assumes)
            })
    }

    /// Returns the value of the service setting that names this role.
    pub(crate) fn setting_value(&self, name: &str) -> String {
        format!("{}{name}", self.path.trim_start_matches('/'))
    }
}

/// Returns the ARN of an AWS managed policy.
pub(crate) fn managed_policy(partition: &str, name: &str) -> String {
    format!("arn:{partition}:iam::aws:policy/{name}")
}

/// Returns the ARN of the service setting.
pub(crate) fn setting_arn(partition: &str, target: &Target) -> String {
    format!(
        "arn:{partition}:ssm:{}:{}:servicesetting{SETTING}",
        target.region, target.account
    )
}

/// Returns the trust policy of AWS's guides for one service: `ssm.amazonaws.com` or that of EC2.
pub(crate) fn trust(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }
        ]
    })
}

/// Returns the service that hands an instance profile's role to instances.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html>
pub(crate) fn ec2_service(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "ec2.amazonaws.com.cn",
        _ => "ec2.amazonaws.com",
    }
}

/// Returns the ARN of the instance profile that this tool makes.
pub(crate) fn profile_arn(partition: &str, account: &str, name: &str) -> String {
    format!("arn:{partition}:iam::{account}:instance-profile{PROFILE_PATH}{name}")
}

/// Returns the ARN of an instance.
pub(crate) fn instance_arn(partition: &str, target: &Target, instance_id: &str) -> String {
    let Target { account, region } = target;
    format!("arn:{partition}:ec2:{region}:{account}:instance/{instance_id}")
}

/// In a policy, a list of one may be written without brackets.
fn one_or_many(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
