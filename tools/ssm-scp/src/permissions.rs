//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run every verb with exactly this.

use cli::{Grant, IoArgs, Names, Permissions};

use crate::model::Desired;

const READS: &[&str] = &["show", "plan", "check", "impact", "gaps", "simulate"];
const EVERY: &[&str] = &[
    "show", "plan", "check", "impact", "gaps", "simulate", "apply",
];
const TREE: &[&str] = &["show", "check", "impact", "gaps", "simulate", "apply"];
const APPLY: &[&str] = &["apply"];
const ALL: &[&str] = &["*"];
/// AWS's own among them, whose account is `aws`.
const POLICIES: &[&str] = &["arn:{partition}:organizations::*:policy/*"];
const PARENTS: &[&str] = &[
    "arn:{partition}:organizations::*:root/*",
    "arn:{partition}:organizations::*:ou/*",
];
const TARGETS: &[&str] = &[
    "arn:{partition}:organizations::*:root/o-*/{root}",
    "arn:{partition}:organizations::*:ou/o-*/{unit}",
    "arn:{partition}:organizations::*:account/o-*/{account}",
];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: READS,
    writes: APPLY,
    grants: &[awsconf::GRANTS, GRANTS],
    names,
};

const GRANTS: &[Grant] = &[
    Grant::new(
        "Organization",
        EVERY,
        &[
            "organizations:DescribeOrganization",
            "organizations:ListPolicies",
            "organizations:ListRoots",
        ],
        ALL,
        "find the root, the management account and the policies",
    ),
    Grant::new(
        "Policies",
        EVERY,
        &[
            "organizations:DescribePolicy",
            "organizations:ListTargetsForPolicy",
        ],
        POLICIES,
        "read the policies, and what they are attached to",
    ),
    Grant::new(
        "Tree",
        TREE,
        &[
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
        ],
        PARENTS,
        "read the organizational units and accounts",
    ),
    Grant::new(
        "Targets",
        &["plan", "check"],
        &["organizations:ListPoliciesForTarget"],
        TARGETS,
        "read how many policies the targets have, of which there may be five",
    ),
    Grant::new(
        "Principals",
        &["impact", "apply"],
        &["iam:GetAccountAuthorizationDetails"],
        ALL,
        "read the users and roles of each account, to say who would be locked out",
    ),
    Grant::new(
        "Caller",
        APPLY,
        &["iam:GetRole"],
        &["arn:{partition}:iam::*:role/*"],
        "read the path of the caller's own role, to say whether it would be locked out",
    ),
    Grant::new(
        "MakePolicies",
        APPLY,
        &["organizations:CreatePolicy"],
        ALL,
        "make the guard",
    )
    .under(
        "StringEquals",
        "organizations:PolicyType",
        "SERVICE_CONTROL_POLICY",
    ),
    Grant::new(
        "ChangePolicies",
        APPLY,
        &["organizations:DeletePolicy", "organizations:UpdatePolicy"],
        &["arn:{partition}:organizations::*:policy/o-*/service_control_policy/*"],
        "change the guard, and take it back",
    ),
    Grant::new(
        "AttachPolicies",
        APPLY,
        &["organizations:AttachPolicy", "organizations:DetachPolicy"],
        &[
            "arn:{partition}:organizations::*:policy/o-*/service_control_policy/*",
            "arn:{partition}:organizations::*:root/o-*/{root}",
            "arn:{partition}:organizations::*:ou/o-*/{unit}",
            "arn:{partition}:organizations::*:account/o-*/{account}",
        ],
        "attach the guard to its targets, and detach it",
    ),
    Grant::new(
        "EnablePolicyType",
        APPLY,
        &["organizations:EnablePolicyType"],
        &["arn:{partition}:organizations::*:root/o-*/*"],
        "enable service control policies, with enable_policy_type",
    ),
];

/// The ID of a policy is not known before it is made, those of its targets are.
fn names(io: &IoArgs) -> anyhow::Result<Names> {
    let desired: Desired = cli::read_desired(io, "desired policy")?;
    let targets = || desired.targets.0.iter().map(|target| target.0.as_str());
    let of = |is_kind: fn(&str) -> bool| {
        let ids = targets().filter(|id| is_kind(id));
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    Ok(Names::from([
        ("root", of(|id| id.starts_with("r-"))),
        ("unit", of(|id| id.starts_with("ou-"))),
        (
            "account",
            of(|id| id.bytes().all(|byte| byte.is_ascii_digit())),
        ),
    ]))
}
