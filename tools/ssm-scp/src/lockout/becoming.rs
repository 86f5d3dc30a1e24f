//! Whether somebody can still become those who get in: whoever a role trusts must be somebody, and keep `sts:AssumeRole` on it.
//! Pure.

use std::cell::RefCell;

use iam_policy::{Verdict, glob};

use super::account_shift::{AccountShift, Time};
use super::identity::Identity;
use super::judged::Judged;
use super::known::{Comes, Known, Named};
use super::principals::{Found, stranger};
use super::shift::Shift;
use super::ways_in::ACCESS;
use super::who::Who;
use super::{Risk, resource_control};
use crate::model::PrincipalPolicies;
use crate::principal_arn::{account, partition};

/// What whoever is named in a trust policy calls. Nobody needs a permission to sign in by federation, as these calls are not
/// signed.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html>
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Returns why nobody can become somebody, by the policies as they will be; `account` has those of the account that they are in.
pub(crate) fn closed<'a>(
    known: &Known<'a>,
    whole: &Shift,
    account: &AccountShift<'_>,
    principal: &'a PrincipalPolicies,
) -> Option<String> {
    closed_at(Time::After, (known, whole), account, principal)
}

fn closed_at<'a>(
    time: Time,
    (known, whole): (&Known<'a>, &Shift),
    account: &AccountShift<'_>,
    principal: &'a PrincipalPolicies,
) -> Option<String> {
    let assuming = Assuming {
        known,
        whole,
        time,
        denied: RefCell::default(),
    };
    if !known.may_become(principal, |name, role| assuming.comes(name, role)) {
        return Some(match assuming.denied.into_inner() {
            Some(why) => format!("nobody may assume it: {why}"),
            None => "nobody may assume it".to_owned(),
        });
    }
    resource_control::closes(&account.resource_control, principal, &whole.traits)
}

/// Who assumes roles, at a time.
struct Assuming<'k, 'a> {
    known: &'k Known<'a>,
    whole: &'k Shift,
    time: Time,
    /// What keeps the first from it who is kept from it.
    denied: RefCell<Option<String>>,
}

impl<'a> Assuming<'_, 'a> {
    /// Returns whether anybody comes into a role by a name in its trust policy, whom no service control policy keeps from it for
    /// sure.
    fn comes(&self, name: &str, role: &PrincipalPolicies) -> Comes<'a> {
        let traits = &self.whole.traits;
        let named = self.known.named(name);
        match named {
            Named::Gone => Comes::Nobody,
            Named::Found(one) => match self.may(&Who::found(one, traits), role) {
                true => Comes::As(vec![one]),
                false => Comes::Nobody,
            },
            Named::Elsewhere => match self.may(&Who::by_arn(name, traits), role) {
                true => Comes::Somebody,
                false => Comes::Nobody,
            },
            Named::Account(id) => {
                let Some(found) = self.known.of_account(id) else {
                    return Comes::Somebody;
                };
                let partition = partition([role.arn.as_str()].into_iter());
                let anybody = stranger(partition, id, "role", &self.whole.named);
                if self.may(&Who::by_arn(&anybody, traits), role) {
                    return Comes::Somebody;
                }
                // Where an account is trusted its own policies say who may.
                let may = found.iter().copied().filter(|one| {
                    let who = Who::found(one, traits);
                    let own = Identity::of(one);
                    let own = own.map(|own| own.verdict(None, &who, ASSUME_ROLE));
                    own.is_some_and(|own| own != Verdict::Denied) && self.may(&who, role)
                });
                Comes::As(may.collect())
            }
        }
    }

    /// Returns whether no service control policy keeps somebody from assuming a role; none binds those of another organization.
    fn may(&self, who: &Who, role: &PrincipalPolicies) -> bool {
        let account = account(&who.arn).unwrap_or_default();
        let Ok(above) = self.whole.of_account(account) else {
            return true;
        };
        let Some(loss) = above.denial(self.time, who, (ASSUME_ROLE, &role.arn)) else {
            return true;
        };
        let mut denied = self.denied.borrow_mut();
        denied.get_or_insert_with(|| {
            let why = above.cause(&loss).message;
            format!("{ASSUME_ROLE} by {} is {why}", who.arn)
        });
        false
    }
}

impl<'a> Judged<'a> {
    /// Returns why nobody can become somebody.
    pub(super) fn closed(&self, principal: &'a PrincipalPolicies) -> Option<String> {
        if let Some(closed) = self.closed.borrow().get(principal.arn.as_str()) {
            return closed.clone();
        }
        let closed = closed(self.known, self.evidence.shift, self.shift, principal);
        let mut known = self.closed.borrow_mut();
        known.insert(&principal.arn, closed.clone());
        closed
    }

    /// Finds whether nobody can become any more those who have access, where nobody loses access itself.
    pub(super) fn unassumable(&self, risks: &mut Vec<Risk>) {
        let mut changed = self.evidence.shift.actions.iter();
        let action = ASSUME_ROLE.to_ascii_lowercase();
        let id = &self.account.account;
        let is_named = |kind: &str| {
            let id = format!("{kind}:{id}");
            risks.iter().any(|risk| risk.id == id)
        };
        if !changed.any(|pattern| glob(&pattern.to_ascii_lowercase(), &action))
            || is_named("break_glass")
            || is_named("assume_role")
        {
            return;
        }
        let people = self.principals.iter().filter(|class| class.calls_itself());
        let people: Vec<&Found<'a>> = people.flat_map(|class| &class.found).collect();
        let whole = (self.known, self.evidence.shift);
        for action in ACCESS {
            let may = |time: Time, who: &Who, own: &Identity| {
                let levels = match time {
                    Time::Before => self.shift.before(),
                    Time::After => self.shift.after(),
                };
                let levels = Some(levels).filter(|levels| !levels.is_empty());
                own.verdict(levels, who, action) != Verdict::Denied
            };
            let mut lost = None;
            let mut is_kept = false;
            for one in &people {
                let Some(own) = Identity::of(one.principal) else {
                    continue;
                };
                let closed = || self.closed(one.principal);
                match may(Time::After, &one.who, &own).then(closed) {
                    Some(None) => {
                        is_kept = true;
                        break;
                    }
                    Some(Some(why)) if lost.is_none() => {
                        let is_lost = may(Time::Before, &one.who, &own)
                            && closed_at(Time::Before, whole, self.shift, one.principal).is_none();
                        lost = is_lost.then_some((one, why));
                    }
                    _ => {}
                }
            }
            let Some((one, why)) = lost.filter(|_| !is_kept) else {
                continue;
            };
            risks.push(Risk::new(
                format!("assume_role:{id}"),
                format!(
                    "nobody in account {id} could become a break-glass role: {} may call {action}, but {why}",
                    one.principal.arn
                ),
                "spare there, with ArnNotLike aws:PrincipalArn, those whom a break-glass role trusts",
            ));
            return;
        }
    }
}
