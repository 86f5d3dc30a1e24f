//! Who was read, and whether anybody can become them: a role that only a service may assume lets nobody in, nor does one that
//! trusts nobody but such roles, or itself. Pure.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use iam_policy::{Arn, is_for_people};

use super::governed;
use crate::model::{AccountPrincipals, PrincipalPolicies};

/// The principals that were read, by account.
pub(crate) struct Known<'a> {
    accounts: HashMap<&'a str, Vec<&'a PrincipalPolicies>>,
    by_arn: HashMap<&'a str, &'a PrincipalPolicies>,
}

/// What a name in a trust policy is.
#[derive(Clone, Copy)]
pub(super) enum Named<'a, 'n> {
    /// A user or role that was read.
    Found(&'a PrincipalPolicies),
    /// A user or role of an account that was read, which has none of that name.
    Gone,
    /// A user or role of another account.
    Elsewhere,
    /// An account.
    Account(&'n str),
}

/// Whether anybody comes in by a name.
pub(super) enum Comes<'a> {
    Somebody,
    Nobody,
    /// Whoever can become one of these.
    As(Vec<&'a PrincipalPolicies>),
}

impl<'a> Known<'a> {
    /// Returns what was read of some accounts.
    pub(crate) fn of(accounts: &'a [AccountPrincipals]) -> Known<'a> {
        let read = accounts
            .iter()
            .filter(|account| account.principals.present().is_some());
        let accounts: HashMap<&str, Vec<&PrincipalPolicies>> = read
            .map(|account| (account.account.as_str(), governed(account).collect()))
            .collect();
        let all = accounts.values().flatten();
        Known {
            by_arn: all.map(|one| (one.arn.as_str(), *one)).collect(),
            accounts,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) fn principals(&self) -> impl Iterator<Item = &'a PrincipalPolicies> {
        self.by_arn.values().copied()
    }

    /// Returns who was read in an account; `None` where it was not read.
    pub(super) fn of_account(&self, account: &str) -> Option<&[&'a PrincipalPolicies]> {
        self.accounts.get(account).map(Vec::as_slice)
    }

    /// Returns what a name in a trust policy is: an ARN, or the ID of an account.
    pub(super) fn named<'n>(&self, name: &'n str) -> Named<'a, 'n> {
        let Some(arn) = Arn::parse(name) else {
            return Named::Account(name);
        };
        if arn.resource == "root" {
            return Named::Account(arn.account);
        }
        let Some(read) = self.accounts.get(arn.account) else {
            return Named::Elsewhere;
        };
        // A session is known by the name of its role, without the path.
        let session = arn.resource.strip_prefix("assumed-role/");
        let found = match session.and_then(|rest| rest.split('/').next()) {
            Some(role) => read.iter().find(|one| {
                let resource = Arn::parse(&one.arn).map_or("", |arn| arn.resource);
                resource.starts_with("role/") && resource.rsplit('/').next() == Some(role)
            }),
            None => self.by_arn.get(name),
        };
        found.map_or(Named::Gone, |found| Named::Found(found))
    }

    /// Returns whether a person may become a principal: users sign in, a role has to trust somebody who may exist, and whom
    /// somebody may become in turn. `comes` says whether anybody comes into a role by a name in its trust policy.
    pub(super) fn may_become(
        &self,
        principal: &'a PrincipalPolicies,
        comes: impl Fn(&str, &PrincipalPolicies) -> Comes<'a>,
    ) -> bool {
        let mut seen = BTreeSet::from([principal.arn.as_str()]);
        let mut next = vec![principal];
        while let Some(role) = next.pop() {
            let Some(trust) = &role.trust else {
                return true;
            };
            let through = RefCell::new(Vec::new());
            let is_open = is_for_people(trust, |name| match comes(name, role) {
                Comes::Somebody => true,
                Comes::Nobody => false,
                Comes::As(found) => {
                    through.borrow_mut().extend(found);
                    false
                }
            });
            if is_open {
                return true;
            }
            let through = through.into_inner().into_iter();
            next.extend(through.filter(|one| seen.insert(one.arn.as_str())));
        }
        false
    }
}
