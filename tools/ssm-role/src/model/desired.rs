//! The desired state: what lets nodes talk to Systems Manager.

use records::NodeExclusion;
use schemars::JsonSchema;
use serde::Deserialize;

/// What lets nodes talk to Systems Manager. A part that is null is left alone.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Desired {
    /// Default Host Management of the account and region.
    pub(crate) default_host_management: Option<DefaultHostManagement>,
    /// Roles of the instance profiles that EC2 instances of the region use.
    pub(crate) instance_profiles: Option<NodeRoles>,
    /// Roles of the hybrid activations that registered nodes of the region come from.
    pub(crate) hybrid_activations: Option<NodeRoles>,
    /// A profile for instances that have none.
    pub(crate) assign_profile: Option<AssignProfile>,
    /// Nodes that Systems Manager must not manage: they get no profile, and a plan that would enroll them is refused.
    pub(crate) exclude: NodeExclusion,
}

impl Desired {
    /// Returns whether any role gets what the preferences write and decrypt.
    pub(crate) fn grants_preferences(&self) -> bool {
        let by_default = self.default_host_management.as_ref();
        let of_nodes = [&self.instance_profiles, &self.hybrid_activations];
        by_default.is_some_and(|required| required.enabled && required.grant_preferences)
            || of_nodes
                .into_iter()
                .flatten()
                .any(|required| required.grant_preferences)
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

/// Default Host Management as required.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DefaultHostManagement {
    /// Whether it is on.
    pub(crate) enabled: bool,
    /// The role's name without its path.
    pub(crate) role_name: RoleName,
    /// Whether the role is made when it does not exist.
    pub(crate) create_role: bool,
    /// Keep another role that is already set.
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

/// Roles of nodes that are there, as desired.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NodeRoles {
    /// Whether every role that may not do what a node needs gets AmazonSSMManagedInstanceCore.
    pub(crate) attach_managed_policy: bool,
    /// Whether the roles get an inline policy for what the preferences given by --prefs write and decrypt.
    pub(crate) grant_preferences: bool,
    /// Names of roles that are left alone.
    pub(crate) exclude_roles: Vec<RoleName>,
}

impl NodeRoles {
    /// Returns whether the role of this name is left alone.
    pub(crate) fn excludes(&self, name: &str) -> bool {
        self.exclude_roles.iter().any(|excluded| excluded.0 == name)
    }
}

impl Default for NodeRoles {
    fn default() -> NodeRoles {
        NodeRoles {
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
