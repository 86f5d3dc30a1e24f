//! Who was read, and whether anybody can become them: a role that only a service may assume lets nobody in. Pure.

use std::collections::BTreeSet;

use iam_policy::is_for_people;

use super::governed;
use crate::model::{AccountPrincipals, PrincipalPolicies};
use crate::principal_arn::account;

/// The principals that were read, by account.
pub(crate) struct Known<'a> {
    pub(crate) accounts: BTreeSet<&'a str>,
    pub(crate) arns: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Returns what was read of some accounts.
    pub(crate) fn of(accounts: &'a [AccountPrincipals]) -> Known<'a> {
        let read = accounts
            .iter()
            .filter(|account| account.principals.present().is_some());
        let governed = read.clone().flat_map(governed);
        Known {
            accounts: read.map(|account| account.account.as_str()).collect(),
            arns: governed.map(|principal| principal.arn.as_str()).collect(),
        }
    }

    /// Returns whether a person may become a principal: users sign in, a role has to trust somebody who may exist.
    pub(super) fn may_become(&self, principal: &PrincipalPolicies) -> bool {
        let is_read = |arn: &str| self.accounts.contains(account(arn).unwrap_or_default());
        let exists = |arn: &str| !is_read(arn) || self.arns.contains(arn);
        let trust = principal.trust.as_ref();
        trust.is_none_or(|trust| is_for_people(trust, exists))
    }
}
