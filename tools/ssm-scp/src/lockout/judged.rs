//! What one account would lose: every class of its principals against every class of actions, reported by what it means. Pure.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use iam_policy::Verdict;

use super::account_shift::{AccountShift, Loss, Lost};
use super::actions::{ActionClass, Actions, in_words};
use super::identity::Identity;
use super::known::Known;
use super::meaning::Meaning;
use super::principals::{self, Found, PrincipalClass};
use super::who::Who;
use super::{Evidence, Risk, governed};
use crate::model::AccountPrincipals;
use crate::principal_arn;

/// One account whose policies differ.
pub(super) struct Judged<'a> {
    pub(super) account: &'a AccountPrincipals,
    pub(super) shift: &'a AccountShift<'a>,
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) known: &'a Known<'a>,
    pub(super) principals: Vec<PrincipalClass<'a>>,
    pub(super) actions: Rc<Vec<ActionClass>>,
    pub(super) all: &'a Actions,
    /// By class of actions, then by class of principals.
    pub(super) losses: Vec<Vec<Option<Loss<'a>>>>,
    /// Why nobody can become somebody, by their ARN: many actions are asked about.
    pub(super) closed: RefCell<HashMap<&'a str, Option<String>>>,
}

impl<'a> Judged<'a> {
    pub(super) fn new(
        partition: &str,
        account: &'a AccountPrincipals,
        shift: &'a AccountShift<'a>,
        evidence: &'a Evidence<'a>,
        known: &'a Known<'a>,
        all: &'a Actions,
    ) -> Judged<'a> {
        let policies = shift.policies();
        let actions = all.classes(&policies, &shift.resource_control);
        let principals = principals::classes(
            (partition, &account.account),
            governed(account),
            &policies,
            &evidence.shift.named,
            &evidence.shift.traits,
        );
        let losses = actions.iter().map(|class| {
            let principals = principals.iter();
            let lost = |who: &PrincipalClass<'_>| {
                if !class.is_called_by(who.caller) {
                    return None;
                }
                let asked = (&who.example, class.example());
                let loss = shift.lost(asked.0, asked.1)?;
                Some(shift.in_whole(loss, asked, &account.account, &evidence.shift.resources))
            };
            principals.map(lost).collect()
        });
        Judged {
            losses: losses.collect(),
            closed: RefCell::default(),
            account,
            shift,
            evidence,
            known,
            principals,
            actions,
            all,
        }
    }

    pub(super) fn risks(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        let lost = self.lost_by_operators();
        // What everybody loses is lost whoever could be read.
        if !lost.is_empty() && (self.is_read() || self.nobody_keeps(&lost)) {
            match self.way_in(&lost) {
                Ok(()) => self.singled_out(&lost, risks),
                Err(why) => {
                    let cause = self.first_cause(&lost);
                    risks.push(Risk::new(
                        format!("break_glass:{id}"),
                        format!("nobody in account {id} would keep access: {why}; {cause}"),
                        "have a break-glass role there whose ARN the exemptions match, whose policies allow it, and which somebody may \
                         assume",
                    ));
                }
            }
        }
        self.caller(risks);
        for (kind, meaning, what) in [
            (
                "nodes_offline",
                Meaning::Agents,
                "nodes of account ID would go offline",
            ),
            (
                "assume_role",
                Meaning::Becoming,
                "nobody in account ID could become a break-glass role",
            ),
            (
                "logging",
                Meaning::Logging,
                "sessions of account ID would not be logged, or refused",
            ),
        ] {
            self.needed(meaning, kind, &what.replace("ID", id), risks);
        }
        self.unassumable(risks);
        self.unassumable_elsewhere(risks);
        for (kind, meaning, what) in [
            (
                "repair",
                Meaning::Repair,
                "nobody in account ID could take policies back any more, should it administer them",
            ),
            (
                "assign_access",
                Meaning::Assigning,
                "nobody in account ID could give people a role any more, should it administer IAM Identity Center",
            ),
            (
                "other",
                Meaning::Other,
                "account ID would lose more than what operators do",
            ),
        ] {
            self.others(meaning, kind, &what.replace("ID", id), risks);
        }
        self.conditional(risks);
        self.beyond_repair(risks);
    }

    pub(super) fn is_read(&self) -> bool {
        self.account.principals.present().is_some()
    }

    /// Returns the classes of actions of a meaning by their index.
    fn of(&self, meaning: Meaning) -> impl Iterator<Item = usize> {
        let classes = self.actions.iter().enumerate();
        classes
            .filter(move |(_, class)| class.meaning == meaning)
            .map(|(index, _)| index)
    }

    /// Returns the classes of operator actions of which anybody loses something here.
    fn lost_by_operators(&self) -> Vec<usize> {
        let operators = self.of(Meaning::Operators);
        operators
            .filter(|index| self.losses[*index].iter().any(Option::is_some))
            .collect()
    }

    /// Returns who loses something of these actions, and why.
    fn first_cause(&self, lost: &[usize]) -> String {
        let mut found = lost.iter().flat_map(|index| {
            let losses = self.losses[*index].iter().enumerate();
            losses.filter_map(|(who, loss)| Some((*index, who, loss.as_ref()?)))
        });
        found.next().map_or_else(String::new, |(index, who, loss)| {
            format!(
                "{} would lose {}: {}",
                self.principals[who].in_words(),
                self.actions[index].example(),
                self.shift.cause(loss).message
            )
        })
    }

    /// Returns whether a class of principals cannot do any more what a class of actions is for.
    pub(super) fn loses(&self, index: usize, who: usize) -> bool {
        let loss = self.losses[index][who].as_ref();
        loss.is_some_and(|loss| {
            self.is_whole(
                loss,
                &self.principals[who].example,
                self.actions[index].example(),
            )
        })
    }

    fn is_whole(&self, loss: &Loss<'_>, who: &Who, action: &str) -> bool {
        let (account, whole) = (&self.account.account, self.evidence.shift);
        !self.shift.is_left(loss, (who, action), account, whole)
    }

    /// Returns which actions somebody's own policies allow, as far as they are understood.
    pub(super) fn used(&self, found: &Found<'a>) -> impl Fn(&str) -> bool + use<> {
        let (identity, who) = (self.known.identity(found.principal), found.who.clone());
        move |action| {
            let verdict = |one: &Identity| one.verdict(None, &who, action);
            identity
                .as_ref()
                .is_none_or(|one| verdict(one) != Verdict::Denied)
        }
    }

    fn caller(&self, risks: &mut Vec<Risk>) {
        let Some(caller) = self.evidence.caller else {
            return;
        };
        if principal_arn::account(caller) != Some(&self.account.account) {
            return;
        }
        let who = self.caller_found(caller);
        let of_people = [
            Meaning::Operators,
            Meaning::Becoming,
            Meaning::Repair,
            Meaning::Assigning,
        ];
        let mut lost = self
            .actions
            .iter()
            .filter(|class| of_people.contains(&class.meaning))
            .filter_map(|class| {
                let loss = self.shift.lost(&who, class.example());
                let loss = loss.filter(|loss| self.is_whole(loss, &who, class.example()))?;
                Some((class, loss))
            });
        if let Some((class, loss)) = lost.next() {
            let cause = self.shift.cause(&loss);
            let unread = self.evidence.unread_path.map_or_else(String::new, |why| {
                format!("; whether that role has a path is not known: {why}")
            });
            risks.push(Risk::new(
                "caller".to_owned(),
                format!(
                    "you, {caller}, would lose access yourself, to {}: {}{unread}",
                    in_words(class.actions.iter().map(String::as_str)),
                    cause.message
                ),
                "exempt your role, or apply with credentials of the management account",
            ));
        }
    }

    /// Returns what is known of who applies: all where they were found, else the ARN.
    fn caller_found(&self, caller: &str) -> Who {
        let mut found = governed(self.account);
        let found = found.find(|principal| principal.arn == caller);
        let traits = &self.evidence.shift.traits;
        found.map_or_else(
            || Who::by_arn(caller, traits),
            |principal| Who::found(principal, traits),
        )
    }

    /// Finds who loses what others of the account, whom no policy names, keep.
    fn singled_out(&self, lost: &[usize], risks: &mut Vec<Risk>) {
        // Somebody may be in several classes, by the names of their sessions.
        let mut named = BTreeSet::new();
        for (who, class) in self.principals.iter().enumerate() {
            let mut lost = lost.iter().filter_map(|index| {
                let losses = &self.losses[*index];
                let loss = losses[who].as_ref().filter(|_| losses[0].is_none())?;
                Some((*index, loss))
            });
            let Some((index, loss)) = lost.next() else {
                continue;
            };
            let cause = self.shift.cause(loss);
            for Found { principal, .. } in &class.found {
                if !named.insert(&principal.arn) {
                    continue;
                }
                risks.push(Risk::new(
                    format!("singled_out:{}", principal.arn),
                    format!(
                        "{} would lose {}, which the change takes from nobody whom no policy names: {}",
                        principal.arn,
                        self.actions[index].example(),
                        cause.message
                    ),
                    "write ArnNotLike with the principals that should keep access",
                ));
            }
        }
    }

    /// Finds who loses what no node, and nobody who assumes a role, can do without. What is lost on some resources only is
    /// left to those who know the resources.
    fn needed(&self, meaning: Meaning, kind: &str, what: &str, risks: &mut Vec<Risk>) {
        for index in self.of(meaning) {
            let class = &self.actions[index];
            for (who, loss) in self.losses[index].iter().enumerate() {
                let Some(loss) = loss.as_ref().filter(|loss| loss.lost != Lost::OnSome) else {
                    continue;
                };
                // Of those whom a policy names they count who may do it today.
                let used = |one: &&Found<'a>| {
                    let is_used = self.used(one);
                    class.actions.iter().any(|action| is_used(action))
                };
                let principals = &self.principals[who];
                let affected = match principals.is_unnamed || principals.found.is_empty() {
                    true => Some(principals.in_words()),
                    false => principals
                        .found
                        .iter()
                        .find(used)
                        .map(|one| one.principal.arn.clone()),
                };
                if let Some(affected) = affected {
                    let cause = self.shift.cause(loss);
                    risks.push(Risk::new(
                        format!("{kind}:{}", self.account.account),
                        format!(
                            "{what}: {affected} would lose {}: {}",
                            in_words(class.actions.iter().map(String::as_str)),
                            cause.message
                        ),
                        &cause.fix,
                    ));
                    return;
                }
            }
        }
    }

    /// Finds what is lost for sure besides, and kept by nobody who gets in: what somebody keeps has been fenced, not lost.
    fn others(&self, meaning: Meaning, kind: &str, what: &str, risks: &mut Vec<Risk>) {
        let is_sure =
            |loss: &Option<Loss<'_>>| loss.as_ref().is_some_and(|loss| loss.lost == Lost::Surely);
        let lost: Vec<usize> = self
            .of(meaning)
            .filter(|index| self.losses[*index].iter().any(is_sure) && !self.is_kept(*index))
            .collect();
        let Some(first) = lost.first() else {
            return;
        };
        let found = self.losses[*first]
            .iter()
            .enumerate()
            .find(|(_, loss)| is_sure(loss));
        let Some((who, Some(loss))) = found else {
            return;
        };
        let cause = self.shift.cause(loss);
        let actions = lost.iter().flat_map(|index| &self.actions[*index].actions);
        risks.push(Risk::new(
            format!("{kind}:{}", self.account.account),
            format!(
                "{what}: {}; {} would lose {}: {}",
                in_words(actions.map(String::as_str)),
                self.principals[who].in_words(),
                self.actions[*first].example(),
                cause.message
            ),
            &cause.fix,
        ));
    }

    /// Finds what else is lost under conditions that depend on the request, such as its address, and kept by nobody who gets in.
    fn conditional(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        let lost = |index: &usize| {
            let losses = self.losses[*index].iter().flatten();
            let mut losses = losses.filter(|loss| loss.lost != Lost::OnSome).peekable();
            let first = losses.peek().copied();
            first.filter(|_| losses.all(|loss| loss.lost == Lost::Perhaps))
        };
        let of_people = [Meaning::Repair, Meaning::Assigning, Meaning::Other];
        let others = of_people.into_iter().flat_map(|meaning| self.of(meaning));
        let lost: Vec<(usize, &Loss<'_>)> = others
            .filter_map(|index| Some((index, lost(&index)?)))
            .filter(|(index, _)| !self.is_kept(*index))
            .collect();
        let Some((_, loss)) = lost.first() else {
            return;
        };
        let cause = self.shift.cause(loss);
        let actions = lost
            .iter()
            .flat_map(|(index, _)| &self.actions[*index].actions);
        risks.push(Risk::new(
            format!("conditional:{id}"),
            format!(
                "it is unknown whether anybody in account {id} keeps {}: {}",
                in_words(actions.map(String::as_str)),
                cause.message
            ),
            &cause.fix,
        ));
    }
}
