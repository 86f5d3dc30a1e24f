//! What the common flags need of IAM, the same in every tool.

use cli::{Grant, When};

/// What it takes to enter accounts and regions. GetCallerIdentity needs no permission.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
pub const GRANTS: &[Grant] = &[
    Grant::new(
        "AssumeRoles",
        &[],
        &["sts:AssumeRole"],
        &["{assumed_role}"],
        "enter accounts; the roles need the rest of this policy",
    )
    .when(When::AssumeRole),
    Grant::new(
        "TagSessions",
        &[],
        &["sts:TagSession"],
        &["{assumed_role}"],
        "give session tags to these roles",
    )
    .when(When::SessionTag),
    Grant::new(
        "ListAccounts",
        &[],
        &["organizations:ListAccounts"],
        &["*"],
        "find all accounts of the organization",
    )
    .when(When::AccountsOrg),
    Grant::new(
        "ListRegions",
        &[],
        &["ec2:DescribeRegions"],
        &["*"],
        "find the regions that are enabled in each account",
    )
    .when(When::RegionAll),
];
