//! What was read of the organization.

use std::collections::{BTreeMap, BTreeSet};

use cli::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Document, PolicyState, TargetId};

/// What an account in no organization is, and what to do about it.
pub(crate) const NO_ORGANIZATION: &str =
    "is in no organization, and service control policies exist only in organizations";
pub(crate) const USE_MANAGEMENT: &str =
    "use credentials of the management account or of a delegated administrator";

/// What was found in the organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) account: String,
    pub(crate) partition: String,
    /// The management account's ID; absent when the account is in no organization.
    pub(crate) management_account: Reading<String>,
    /// The root, and whether it has service control policies enabled.
    pub(crate) root: Reading<Root>,
    /// By name: the policies that the desired state renders to.
    pub(crate) policies: BTreeMap<String, Reading<Policy>>,
    /// Parts that the guard had and no longer has.
    #[serde(default)]
    pub(crate) left_over: Reading<Vec<Policy>>,
    /// How many policies are attached to each desired target; absent when there is no such target.
    pub(crate) targets: BTreeMap<TargetId, Reading<usize>>,
}

/// The root of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    pub(crate) root_id: TargetId,
    pub(crate) policy_type_enabled: bool,
}

/// A service control policy that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) aws_managed: bool,
    pub(crate) state: PolicyState,
    pub(crate) attached_to: BTreeSet<TargetId>,
}

/// A role or user with its policies as they were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalPolicies {
    pub(crate) arn: String,
    /// `AROA..` of a role, `AIDA..` of a user.
    #[serde(default)]
    pub(crate) unique_id: Option<String>,
    /// Inline and attached policies, those of groups among them.
    pub(crate) policies: Vec<Document>,
    pub(crate) boundary: Option<Document>,
    /// The trust policy of a role; users have none.
    #[serde(default)]
    pub(crate) trust: Option<Document>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// The principals of an account, or why they could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountPrincipals {
    pub(crate) account: String,
    pub(crate) principals: Reading<Vec<PrincipalPolicies>>,
}
