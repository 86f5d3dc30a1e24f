//! Who is affected by a guard: every role and user that could be read, before and after, for a reviewer to sign. Pure.

mod folded;
mod gathered;
mod record;

use std::collections::{BTreeSet, HashMap};

use iam_policy::{Compiled, Request, Verdict, denies};

pub(crate) use self::folded::folded;
pub(crate) use self::gathered::Gathered;
pub(crate) use self::record::{Class, Impact, ImpactCounts};
use self::record::{ImpactKind, ImpactLoss, MAX_NAMED, PrincipalType};
use crate::lockout::{AccountShift, Identity, Known, Loss, Lost, Shift, Who, closed, urgency};
use crate::model::{AccountPrincipals, PrincipalPolicies};
use crate::principal_arn::{self, anybody, partition};

/// A guard in an organization: as it is, and as it will be.
pub(crate) struct Candidate<'a> {
    pub(crate) shift: &'a Shift,
    pub(crate) guard: &'a [Compiled],
    /// Actions in classes that no policy distinguishes.
    pub(crate) classes: &'a [Vec<String>],
    /// Accounts that the guard will bind, whether it does so today or not.
    pub(crate) governed: &'a BTreeSet<String>,
}

impl Candidate<'_> {
    /// Returns what becomes of the principals of an account, as far as they were read; `known` are those who may assume its roles.
    pub(crate) fn impacts(&self, read: &AccountPrincipals, known: &Known<'_>) -> Vec<Impact> {
        let account = read.account.as_str();
        let principals = read.principals.present().map(Vec::as_slice);
        let principals = principals.unwrap_or_default();
        let arns = || principals.iter().map(|principal| principal.arn.as_str());
        // Whatever brought the change there: people lose by it.
        let is_governed = self.governed.contains(account) || self.shift.binds(account);
        let judged = match self.shift.of_account(account) {
            Ok(shift) => {
                let anybody = anybody(partition(arns()), account);
                // Of whoever is bound by nothing it does not matter what the guard would say.
                let found = principals.iter().filter(|_| is_governed);
                let found = found.map(|one| Who::found(one, &self.shift.traits));
                let asked: Vec<Who> = std::iter::once(Who::by_arn(&anybody, &self.shift.traits))
                    .chain(found)
                    .collect();
                let classes = self.classes.iter().filter(|class| {
                    let mut asked = asked.iter();
                    asked.any(|who| self.is_concerned(&shift, who, &class[0]))
                });
                Ok(Bound {
                    account,
                    whole: self.shift,
                    known,
                    classes: classes.map(Vec::as_slice).collect(),
                    is_governed,
                    shift,
                })
            }
            Err(error) => Err(format!("{error:#}")),
        };
        let impact = |principal: &PrincipalPolicies| {
            let found = match &judged {
                Ok(bound) => bound.classify(principal),
                // One policy that is not understood leaves open what is below it, and nothing else.
                Err(why) => Found::new(Class::Unknown, Vec::new(), why.clone()),
            };
            Impact {
                kind: ImpactKind::Impact,
                account: account.to_owned(),
                principal: principal.arn.clone(),
                r#type: principal_type(&principal.arn),
                class: found.class,
                actions: found.actions,
                losses: found.losses,
                why: found.why,
            }
        };
        principals.iter().map(impact).collect()
    }

    /// Returns whether somebody loses an action, or the guard would deny it if nothing else did.
    fn is_concerned(&self, shift: &AccountShift<'_>, who: &Who, action: &str) -> bool {
        let request = Request::on_unknown_resource(action, who.context.clone());
        let mut guard = self.guard.iter();
        shift.lost(who, action).is_some() || guard.any(|policy| denies(policy, &request).is_some())
    }
}

/// One account with the actions that are asked about there.
struct Bound<'a> {
    account: &'a str,
    whole: &'a Shift,
    known: &'a Known<'a>,
    shift: AccountShift<'a>,
    classes: Vec<&'a [String]>,
    is_governed: bool,
}

/// What becomes of somebody.
struct Found {
    class: Class,
    actions: Vec<String>,
    losses: Vec<ImpactLoss>,
    why: String,
}

impl Found {
    fn new(class: Class, actions: Vec<String>, why: impl Into<String>) -> Found {
        Found {
            class,
            actions,
            losses: Vec::new(),
            why: why.into(),
        }
    }
}

impl Bound<'_> {
    /// Returns what becomes of somebody. Whoever is spared lets people in only where they can become it.
    fn classify(&self, principal: &PrincipalPolicies) -> Found {
        let found = self.spared_or_denied(principal);
        let why_closed = match found.class {
            Class::StillIn => closed(self.known, self.whole, &self.shift, principal),
            _ => None,
        };
        match why_closed {
            None => found,
            Some(closed) => Found {
                class: Class::NotAssumable,
                why: format!("{}, but {closed}", found.why),
                ..found
            },
        }
    }

    fn spared_or_denied(&self, principal: &PrincipalPolicies) -> Found {
        let arn = principal.arn.as_str();
        // Who may do something by one of its sessions may do it: whoever assumes a role names the session.
        let sessions = self.whole.traits.of_themselves(principal);
        let Some(identity) = Identity::of(principal) else {
            let why = "a policy of its own cannot be understood";
            return Found::new(Class::Unknown, Vec::new(), why);
        };
        // What policies above do not distinguish, its own policies may.
        let allowed = |levels: Option<&[Vec<&Compiled>]>| -> Vec<Vec<&str>> {
            let may = |action: &&str| {
                let mut sessions = sessions.iter();
                sessions.any(|who| identity.verdict(levels, who, action) != Verdict::Denied)
            };
            let classes = self.classes.iter().map(|class| {
                // A class may have 22,000 actions: those that no statement of its own distinguishes are asked about once.
                let mut known: HashMap<Vec<bool>, bool> = HashMap::new();
                let may_known = |action: &&str| {
                    let known = known.entry(identity.statements_about(action));
                    *known.or_insert_with(|| may(action))
                };
                class.iter().map(String::as_str).filter(may_known).collect()
            });
            classes
                .filter(|class: &Vec<&str>| !class.is_empty())
                .collect()
        };
        if principal_arn::is_service_linked(arn) {
            let why = "a service-linked role is outside any service control policy";
            return Found::new(Class::NotGoverned, named(&allowed(None)), why);
        }
        let before = Some(self.shift.before()).filter(|levels| !levels.is_empty());
        if before.is_none() || !self.is_governed {
            let why = match before {
                None => "the management account is outside any service control policy",
                Some(_) => "no target of the guard is above its account",
            };
            return Found::new(Class::NotGoverned, named(&allowed(before)), why);
        }
        let today = allowed(before);
        let mut losses: Vec<ImpactLoss> = Vec::new();
        let mut open: Vec<ImpactLoss> = Vec::new();
        let (mut is_denied, mut is_by_session) = (false, false);
        for class in &today {
            let may = |levels, who: &Who, action: &str| {
                identity.verdict(Some(levels), who, action) != Verdict::Denied
            };
            let mut lost: Vec<(&Who, Loss<'_>)> = Vec::new();
            let mut rest: Vec<&Who> = Vec::new();
            for who in &sessions {
                match self.shift.lost(who, class[0]) {
                    Some(loss) => lost.push((who, loss)),
                    None => rest.push(who),
                }
            }
            // A session that IAM allows nothing loses nothing, and is not one that keeps access.
            let may_today = |who: &Who, action: &&str| may(self.shift.before(), who, action);
            lost.retain(|(who, _)| class.iter().any(|action| may_today(who, action)));
            let Some((who, loss)) = lost.into_iter().max_by_key(|(_, loss)| loss.lost) else {
                continue;
            };
            let why = self.shift.cause(&loss).message;
            // What a guard denies on some resources only is lost all the same.
            if loss.lost == Lost::Perhaps {
                ImpactLoss::add(&mut open, class, &loss.decision, why);
                continue;
            }
            let is_kept = class.iter().all(|action| {
                let mut rest = rest.iter();
                rest.any(|who| may(self.shift.after(), who, action))
            });
            is_by_session |= is_kept;
            is_denied |= !is_kept
                && !self
                    .shift
                    .is_left(&loss, (who, class[0]), self.account, self.whole);
            ImpactLoss::add(&mut losses, class, &loss.decision, why);
        }
        if let Some(first) = losses.first().filter(|_| is_denied) {
            let mut actions: Vec<String> =
                losses.iter().flat_map(|one| one.actions.clone()).collect();
            actions.sort_by_cached_key(|action| urgency(action));
            return Found {
                class: Class::NewlyDenied,
                actions,
                why: first.why.clone(),
                losses: losses.into_iter().chain(open).collect(),
            };
        }
        let today = named(&today);
        let after = || named(&allowed(Some(self.shift.after())));
        match open.first().map(|first| first.why.clone()) {
            Some(why) => Found {
                losses: losses.into_iter().chain(open).collect(),
                ..Found::new(Class::Unknown, today, why)
            },
            None if !losses.is_empty() => Found {
                losses,
                ..Found::new(
                    Class::StillIn,
                    today,
                    match is_by_session {
                        true => "the guard exempts some of its sessions, by their names",
                        false => "the guard exempts it with the resources that it lists",
                    },
                )
            },
            None if !today.is_empty() => Found::new(Class::StillIn, today, "the guard exempts it"),
            None if self.classes.is_empty() => {
                let why = "the guard denies nobody here anything";
                Found::new(Class::Exempt, today, why)
            }
            None if !after().is_empty() => Found::new(
                Class::StillIn,
                after(),
                "the guard exempts it, and what denies it today goes",
            ),
            None if sessions.iter().all(|who| self.spares(who)) => {
                let why = "the guard exempts it, and IAM allows it nothing";
                Found::new(Class::Exempt, today, why)
            }
            None => Found::new(Class::DeniedBefore, today, "it has no access today either"),
        }
    }

    /// Returns whether the policies as they will be deny somebody none of the actions, whatever is not known.
    fn spares(&self, who: &Who) -> bool {
        let policies = || self.shift.after().iter().flatten();
        self.classes.iter().all(|class| {
            let request = Request::on_unknown_resource(&class[0], who.context.clone());
            !policies().any(|policy| denies(policy, &request).is_some())
        })
    }
}

/// Returns actions by name, as many of them as a person reads.
fn named(classes: &[Vec<&str>]) -> Vec<String> {
    let actions = classes.iter().flatten().copied();
    let mut actions: Vec<String> = actions.take(MAX_NAMED).map(str::to_owned).collect();
    actions.sort_by_cached_key(|action| urgency(action));
    actions
}

fn principal_type(arn: &str) -> PrincipalType {
    if arn.contains(":user/") {
        PrincipalType::User
    } else if arn.contains(":role/aws-reserved/sso.amazonaws.com/") {
        PrincipalType::PermissionSet
    } else {
        PrincipalType::Role
    }
}
