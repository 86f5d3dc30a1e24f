//! Whether somebody can still become those who get in: whoever a role trusts must be somebody, and keep `sts:AssumeRole` on it.
//! Pure.

use std::cell::RefCell;

use iam_policy::{Arn, Verdict, glob};

use super::account_shift::{AccountShift, Time};
use super::actions::resource;
use super::identity::Identity;
use super::judged::Judged;
use super::known::{ASSUME_ROLE, Comes, Known, Named};
use super::principals::{Found, PrincipalClass, member, stranger};
use super::shift::Shift;
use super::ways_in::ACCESS;
use super::who::Who;
use super::{Risk, resource_control};
use crate::model::PrincipalPolicies;
use crate::principal_arn::{account, partition};

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
    /// Returns whether anybody comes into a role by a name in its trust policy, whom neither service control policies nor their own
    /// keep from it for sure.
    fn comes(&self, name: &str, role: &PrincipalPolicies) -> Comes<'a> {
        let traits = &self.whole.traits;
        let named = self.known.named(name);
        match named {
            Named::Gone => Comes::Nobody,
            Named::Found(one) => {
                let who = Who::found(one, traits);
                match self.may_by_own(one, &who, role) && self.may(&who, role) {
                    true => Comes::As(vec![one]),
                    false => Comes::Nobody,
                }
            }
            Named::Elsewhere => match self.may(&Who::by_arn(name, traits), role) {
                true => Comes::Somebody,
                false => Comes::Nobody,
            },
            Named::Account(id) => {
                let partition = partition([role.arn.as_str()].into_iter());
                let anybody = stranger(partition, id, "role", &self.whole.named);
                if self.may(&Who::by_arn(&anybody, traits), role) {
                    return Comes::Somebody;
                }
                let Some(assuming) = self.known.assuming(id) else {
                    return self.comes_unread((partition, id), &anybody, role);
                };
                // Where an account is trusted its own policies say who may.
                let may = assuming.iter().filter(|(one, own)| {
                    let who = Who::found(one, traits);
                    let own = own.verdict_on(&who.context, (ASSUME_ROLE, &role.arn));
                    own != Verdict::Denied && self.may(&who, role)
                });
                Comes::As(may.map(|(one, _)| *one).collect())
            }
        }
    }

    /// Returns whether there can be somebody in an account that was not read whom a policy spares; `anybody` is not.
    fn comes_unread(
        &self,
        (partition, id): (&str, &str),
        anybody: &str,
        role: &PrincipalPolicies,
    ) -> Comes<'a> {
        let mut spared = self.whole.spared_principals.iter();
        let is_open = spared.any(|pattern| {
            let member = member(partition, id, anybody, pattern);
            member.is_some_and(|arn| self.may(&Who::by_arn(&arn, &self.whole.traits), role))
        });
        if is_open {
            return Comes::Somebody;
        }
        if let Some(why) = self.denied.borrow_mut().as_mut() {
            why.push_str(&format!(", and who is in account {id} was not read"));
        }
        Comes::Nobody
    }

    /// Returns whether somebody's own policies let them assume a role whose trust policy names them. Those of another account have
    /// to allow it; within one account the trust policy does, and a denial counts all the same.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>
    fn may_by_own(&self, one: &'a PrincipalPolicies, who: &Who, role: &PrincipalPolicies) -> bool {
        let asked = (ASSUME_ROLE, role.arn.as_str());
        let own = self.known.identity(one);
        let may = own.is_some_and(|own| match account(&one.arn) == account(&role.arn) {
            true => !own.is_denied_on(&who.context, asked),
            false => own.verdict_on(&who.context, asked) != Verdict::Denied,
        });
        if !may {
            let mut denied = self.denied.borrow_mut();
            denied.get_or_insert_with(|| {
                format!(
                    "the policies of {} do not let it call {ASSUME_ROLE}",
                    one.arn
                )
            });
        }
        may
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
                let levels = Some(self.shift.levels(time)).filter(|levels| !levels.is_empty());
                own.verdict(levels, who, action) != Verdict::Denied
            };
            let mut lost = None;
            let mut is_kept = false;
            for one in &people {
                let Some(own) = self.known.identity(one.principal) else {
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
                "exempt there, with ArnNotLike aws:PrincipalArn, those whom a break-glass role trusts",
            ));
            return;
        }
    }

    /// Finds whether nobody here can assume any more roles of other accounts, whose break-glass roles may trust this one. Those
    /// accounts need not change, so that they are not read.
    pub(super) fn unassumable_elsewhere(&self, risks: &mut Vec<Risk>) {
        let whole = self.evidence.shift;
        let id = &self.account.account;
        let risk = format!("assume_role:{id}");
        if risks.iter().any(|known| known.id == risk) {
            return;
        }
        let action = ASSUME_ROLE.to_ascii_lowercase();
        let named = whole.guarded.iter().filter(|(pattern, resource)| {
            let other = Arn::parse(resource).map(|arn| arn.account);
            glob(&pattern.to_ascii_lowercase(), &action) && other != Some(id)
        });
        for (_, role) in named {
            let role = resource(role, whole.another_account(id));
            let is_there = |class: &PrincipalClass<'a>| {
                class.is_unnamed || !class.found.is_empty() || !self.is_read()
            };
            if let Some(loss) = self.lost_by_all(is_there, ASSUME_ROLE, &role) {
                let cause = self.shift.cause(&loss);
                risks.push(Risk::new(
                    risk,
                    format!(
                        "nobody in account {id} could call {ASSUME_ROLE} on {role} any more, and break-glass roles of other accounts \
                         may trust this one: {}",
                        cause.message
                    ),
                    "exempt there, with ArnNotLike aws:PrincipalArn, those whom a break-glass role trusts",
                ));
                return;
            }
        }
    }
}
