//! Who was read, and whether anybody can become them: a role that only a service may assume lets nobody in, nor does one that
//! trusts nobody but such roles, or itself. Pure.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use iam_policy::{Arn, Context, Request, Verdict, is_for_people};

use super::governed;
use super::identity::Identity;
use crate::model::{AccountPrincipals, PrincipalPolicies};
use crate::principal_arn::is_role_named;

/// What whoever is named in a trust policy calls. Nobody needs a permission to sign in by federation, as these calls are not
/// signed.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html>
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";

/// The principals that were read, by account.
pub(crate) struct Known<'a> {
    accounts: HashMap<&'a str, Vec<&'a PrincipalPolicies>>,
    by_arn: HashMap<&'a str, &'a PrincipalPolicies>,
    /// By ARN: the policies of principals, of which each is asked about many roles. `None` where they are not understood.
    identities: RefCell<HashMap<String, Option<Rc<Identity>>>>,
    /// By account: who may assume any role by their own policies.
    assuming: RefCell<HashMap<String, Assuming>>,
}

/// Who may assume any role by their own policies: their places in the account, and these policies.
type Assuming = Vec<(usize, Rc<Identity>)>;

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
            identities: RefCell::default(),
            assuming: RefCell::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    pub(super) fn principals(&self) -> impl Iterator<Item = &'a PrincipalPolicies> {
        self.by_arn.values().copied()
    }

    /// Returns the policies of somebody; `None` where one is not understood.
    pub(super) fn identity(&self, principal: &PrincipalPolicies) -> Option<Rc<Identity>> {
        if let Some(known) = self.identities.borrow().get(&principal.arn) {
            return known.clone();
        }
        let identity = Identity::of(principal).map(Rc::new);
        let mut known = self.identities.borrow_mut();
        known.insert(principal.arn.clone(), identity.clone());
        identity
    }

    /// Returns who was read in an account and may assume any role by their own policies; `None` where it was not read.
    pub(super) fn assuming(
        &self,
        account: &str,
    ) -> Option<Vec<(&'a PrincipalPolicies, Rc<Identity>)>> {
        let read = self.accounts.get(account)?;
        let mut known = self.assuming.borrow_mut();
        let known = known.entry(account.to_owned()).or_insert_with(|| {
            let request = Request::on_unknown_resource(ASSUME_ROLE, Context::partial());
            let assuming = read.iter().enumerate().filter_map(|(place, one)| {
                let own = self.identity(one)?;
                let verdict = own.decided(None, &request);
                (verdict != Verdict::Denied).then_some((place, own))
            });
            assuming.collect()
        });
        let assuming = known.iter();
        let assuming = assuming.map(|(place, own)| (read[*place], Rc::clone(own)));
        Some(assuming.collect())
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
            Some(role) => read.iter().find(|one| is_role_named(&one.arn, role)),
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
