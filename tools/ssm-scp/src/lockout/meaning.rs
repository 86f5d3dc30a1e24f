//! What it means to lose an action, for those whose meaning is known. Pure.

use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS};

/// What makes somebody a role. Without it a break-glass role lets nobody in.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
const BECOMING: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// What agents call to encrypt and log sessions.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html>
const LOGGING: &[&str] = &[
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "s3:GetEncryptionConfiguration",
    "s3:PutObject",
];

/// What a delegated administrator calls to take a policy back.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html>
const REPAIR: &[&str] = &[
    "organizations:AttachPolicy",
    "organizations:DeletePolicy",
    "organizations:DescribePolicy",
    "organizations:DetachPolicy",
    "organizations:ListPolicies",
    "organizations:ListTargetsForPolicy",
    "organizations:UpdatePolicy",
];

/// What gives people a role by IAM Identity Center, where an account administers it for the organization. To take it up needs no
/// permission of IAM: `GetRoleCredentials` goes by the token of who has signed in.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetdelegation.html>
/// <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html>
const ASSIGNING: &[&str] = &[
    "identitystore:CreateGroupMembership",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "sso:CreatePermissionSet",
    "sso:ListInstances",
    "sso:ListPermissionSets",
    "sso:ProvisionPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
];

/// What it means to lose an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Meaning {
    /// Operators lose access.
    Operators,
    /// Nodes go offline.
    Agents,
    /// Nobody becomes a role.
    Becoming,
    /// Transcripts break.
    Logging,
    /// Policies could not be taken back.
    Repair,
    /// Nobody gets a role by IAM Identity Center any more.
    Assigning,
    Other,
}

/// Returns the actions whose meaning is known.
pub(super) fn known() -> [(Meaning, &'static [&'static str]); 6] {
    [
        (Meaning::Operators, OPERATOR_ACTIONS),
        (Meaning::Agents, AGENT_ACTIONS),
        (Meaning::Becoming, BECOMING),
        (Meaning::Logging, LOGGING),
        (Meaning::Repair, REPAIR),
        (Meaning::Assigning, ASSIGNING),
    ]
}
