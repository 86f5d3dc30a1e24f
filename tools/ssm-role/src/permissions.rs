//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run every verb with exactly this.

use cli::{Grant, IoArgs, Names, Permissions};

use crate::model::Desired;

const READS: &[&str] = &["show", "plan", "check"];
const EVERY: &[&str] = &["show", "plan", "check", "apply"];
const APPLY: &[&str] = &["apply"];
const ALL: &[&str] = &["*"];
const ROLES: &[&str] = &["arn:{partition}:iam::*:role/*"];
const OWN_ROLES: &[&str] = &["arn:{partition}:iam::*:role/{role}"];
const PROFILES: &[&str] = &["arn:{partition}:iam::*:instance-profile/*"];
const OWN_PROFILES: &[&str] = &["arn:{partition}:iam::*:instance-profile/ssm-role/{profile}"];
const SETTING: &[&str] = &[
    "arn:{partition}:ssm:{region}:*:servicesetting/ssm/managed-instance/default-ec2-instance-management-role",
];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: READS,
    writes: APPLY,
    grants: &[awsconf::GRANTS, GRANTS],
    names,
};

const GRANTS: &[Grant] = &[
    Grant::new(
        "HostManagement",
        EVERY,
        &["ssm:GetServiceSetting"],
        SETTING,
        "read whether Default Host Management is on, and with which role",
    ),
    Grant::new(
        "Instances",
        EVERY,
        &["ec2:DescribeInstances"],
        ALL,
        "find the instances and their profiles; apply: whether a profile to be deleted is in use",
    ),
    Grant::new(
        "HybridNodes",
        READS,
        &["ssm:DescribeInstanceInformation"],
        ALL,
        "find the nodes of hybrid activations, and excluded nodes that are managed all the same",
    ),
    Grant::new(
        "Profiles",
        EVERY,
        &["iam:GetInstanceProfile"],
        PROFILES,
        "read the roles of instance profiles",
    ),
    Grant::new(
        "Roles",
        EVERY,
        &[
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ],
        ROLES,
        "read the roles of nodes with their policies",
    ),
    Grant::new(
        "Policies",
        READS,
        &["iam:GetPolicy", "iam:GetPolicyVersion"],
        &["arn:{partition}:iam::*:policy/*"],
        "read the managed policies and permissions boundaries of these roles",
    ),
    Grant::new(
        "Operators",
        &["show"],
        &["iam:GetAccountAuthorizationDetails"],
        ALL,
        "read all roles that people may assume, with --operators",
    ),
    Grant::new(
        "MakeRoles",
        APPLY,
        &["iam:CreateRole", "iam:DeleteRole"],
        OWN_ROLES,
        "make the role of Default Host Management or of the profile, and take it back",
    ),
    Grant::new(
        "AttachPolicies",
        APPLY,
        &["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        &["arn:{partition}:iam::*:role/{any_role}"],
        "attach AWS's policies for nodes, and take them back",
    ),
    Grant::new(
        "GrantPreferences",
        APPLY,
        &["iam:DeleteRolePolicy", "iam:PutRolePolicy"],
        &["arn:{partition}:iam::*:role/{any_role}"],
        "let roles write transcripts and use the key of sessions, and take it back",
    ),
    Grant::new(
        "SetHostManagement",
        APPLY,
        &["ssm:ResetServiceSetting", "ssm:UpdateServiceSetting"],
        SETTING,
        "turn Default Host Management on and off",
    ),
    Grant::new(
        "PassToSystemsManager",
        APPLY,
        &["iam:PassRole"],
        OWN_ROLES,
        "give the role to Default Host Management",
    )
    .under("StringEquals", "iam:PassedToService", "ssm.amazonaws.com"),
    Grant::new(
        "MakeProfiles",
        APPLY,
        &[
            "iam:AddRoleToInstanceProfile",
            "iam:CreateInstanceProfile",
            "iam:DeleteInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
        ],
        OWN_PROFILES,
        "make the profile for instances without one, and take it back",
    ),
    Grant::new(
        "PassToEc2",
        APPLY,
        &["iam:PassRole"],
        OWN_ROLES,
        "give the role of the profile to instances",
    )
    .under("StringEquals", "iam:PassedToService", "ec2.amazonaws.com"),
    Grant::new(
        "ProfilesOfInstances",
        APPLY,
        &["ec2:DescribeIamInstanceProfileAssociations"],
        ALL,
        "read which profile an instance has",
    ),
    Grant::new(
        "AssociateProfiles",
        APPLY,
        &[
            "ec2:AssociateIamInstanceProfile",
            "ec2:DisassociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
        ],
        &["arn:{partition}:ec2:{region}:*:instance/*"],
        "put the profile on instances without one, and take it off",
    ),
];

/// The roles of nodes in use are not named in a desired state, so that only what is made for it is narrowed: where roles in use
/// are changed, that may be any.
fn names(io: &IoArgs) -> anyhow::Result<Names> {
    let desired: Desired = cli::read_desired(io, "desired roles")?;
    let of_host_management = desired.default_host_management.as_ref();
    let assigned = desired.assign_profile.as_ref();
    let mut roles: Vec<&str> = of_host_management
        .map(|one| one.role_name.0.as_str())
        .into_iter()
        .collect();
    roles.extend(assigned.map(|assign| assign.name.0.as_str()));
    // With and without a path.
    let own: Vec<String> = roles
        .iter()
        .flat_map(|name| [(*name).to_owned(), format!("*/{name}")])
        .collect();
    let changes_others =
        desired.instance_profiles.is_some() || desired.hybrid_activations.is_some();
    let any = match changes_others {
        true => vec!["*".to_owned()],
        false => own.clone(),
    };
    let profiles = assigned.map(|assign| assign.name.0.clone());
    Ok(Names::from([
        ("role", own),
        ("any_role", any),
        ("profile", profiles.into_iter().collect()),
    ]))
}
