//! The lock-out guard: what speaks against carrying out plans. The whole tree of policies as it will be is judged against the
//! tree as it is, for each account whose policies differ. Each risk has an ID, by which a person may accept it; nothing turns all
//! of them off, and what could not be read is a risk of its account. Pure.

mod account_shift;
mod actions;
mod becoming;
mod identity;
mod judged;
mod known;
mod meaning;
mod midway;
mod on_resources;
mod planned;
mod principals;
mod resource_control;
mod shift;
mod through;
mod user_id;
mod ways_in;
mod who;

use std::collections::BTreeSet;

use cli::{Finding, FindingKind, Reading, Severity, Target};
use iam_policy::{Compiled, OPERATOR_ACTIONS, arn_like, arn_like_in};

pub(crate) use self::account_shift::{AccountShift, Loss, Lost};
use self::actions::Actions;
pub(crate) use self::actions::resource as sample_resource;
pub(crate) use self::becoming::closed;
pub(crate) use self::identity::Identity;
use self::judged::Judged;
pub(crate) use self::known::Known;
pub(crate) use self::midway::{Midway, Step, midway};
pub(crate) use self::planned::{carry_out, parsed};
pub(crate) use self::principals::{in_account, stranger};
pub(crate) use self::shift::{Shift, may_allow};
pub(crate) use self::who::Who;
use crate::model::{AccountPrincipals, PrincipalPolicies, Way};
use crate::principal_arn::{self, partition};
use crate::replay::DeniedCall;

/// Something that would lock people out, or that nobody could look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Risk {
    /// What `--accept` takes.
    pub(crate) id: String,
    /// What would happen.
    pub(crate) message: String,
    /// What to change.
    pub(crate) fix: String,
}

impl Risk {
    fn new(id: String, message: String, fix: &str) -> Risk {
        Risk {
            id,
            message,
            fix: fix.to_owned(),
        }
    }

    /// Returns the risk as a finding; its resource is what `--accept` takes.
    pub(crate) fn finding(&self, target: &Target) -> Finding {
        Finding {
            kind: FindingKind::Finding,
            id: "scp.lockout.risk".to_owned(),
            severity: Severity::Error,
            target: Some(target.clone()),
            resource: self.id.clone(),
            message: self.message.clone(),
            fix: self.fix.clone(),
            is_unread: false,
        }
    }
}

/// What is known when plans are about to be carried out.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// What the plans change.
    pub(crate) shift: &'a Shift,
    /// The states on the way there.
    pub(crate) midway: &'a [Midway],
    /// The accounts whose policies differ, read as far as that went.
    pub(crate) accounts: &'a [AccountPrincipals],
    /// ARN of the caller's user or role, when its account is one of them.
    pub(crate) caller: Option<&'a str>,
    /// Why the path of the caller's role is not known, if it is not.
    pub(crate) unread_path: Option<&'a str>,
    /// Past calls that would have been denied.
    pub(crate) history: &'a [DeniedCall],
    /// Why past calls are not known, when they were to be looked at.
    pub(crate) unread_history: Option<&'a str>,
}

/// Returns the risks.
pub(crate) fn risks(evidence: &Evidence<'_>) -> Vec<Risk> {
    let read = evidence.accounts.iter().flat_map(governed);
    let arns = read.map(|principal| principal.arn.as_str());
    let patterns = evidence.shift.patterns.iter().map(String::as_str);
    let partition = partition(evidence.caller.into_iter().chain(arns).chain(patterns));
    let known = Known::of(evidence.accounts);
    let mut risks: Vec<Risk> = unread(evidence.accounts).collect();
    if !known.is_empty() {
        risks.extend(unmatched(evidence.shift, &known));
    }
    let actions = Actions::of(&evidence.shift.actions);
    for account in evidence.accounts {
        match evidence.shift.of_account(&account.account) {
            Ok(shift) if evidence.shift.binds(&account.account) => {
                Judged::new(partition, account, &shift, evidence, &known, &actions)
                    .risks(&mut risks);
            }
            Ok(_) => {}
            Err(error) => risks.push(Risk::new(
                format!("unjudged:{}", account.account),
                format!(
                    "it is unknown what account {} would lose: {error:#}",
                    account.account
                ),
                "correct that policy first",
            )),
        }
    }
    let mut ids: BTreeSet<String> = risks.iter().map(|risk| risk.id.clone()).collect();
    for state in evidence.midway {
        let actions = state.actions();
        let accounts = evidence.accounts.iter();
        for account in accounts.filter(|one| state.accounts.contains(&one.account)) {
            let found = state.risks(partition, account, evidence, (&known, &actions), &ids);
            // The first change that brings a risk is named, and no later one.
            risks.extend(found.into_iter().filter(|risk| ids.insert(risk.id.clone())));
        }
    }
    risks.extend(evidence.unread_history.map(|why| {
        Risk::new(
            "history:unread".to_owned(),
            format!("it is unknown whether the history holds calls that would be denied: {why}"),
            "pass --history records of calls as CloudTrail writes them",
        )
    }));
    risks.extend(history(evidence.history, evidence.shift));
    risks
}

/// Returns the actions that some patterns cover and those whose meaning is known, in classes that none of the policies
/// distinguishes. What a reader looks for comes first, in each class and among them.
pub(crate) fn action_classes(patterns: &[String], policies: &[&Compiled]) -> Vec<Vec<String>> {
    let classes = Actions::of(patterns).classes(policies, &[]);
    let sorted = classes.iter().map(|class| {
        let mut actions = class.actions.clone();
        actions.sort_by_cached_key(|action| urgency(action));
        actions
    });
    let mut classes: Vec<Vec<String>> = sorted.collect();
    classes.sort_by_cached_key(|class| urgency(&class[0]));
    classes
}

/// Returns what a list of actions is sorted by: sessions and commands, then what else operators do, then all others, by name.
pub(crate) fn urgency(action: &str) -> (u8, String) {
    let mut access = Way::Sessions.actions().chain(Way::Commands.actions());
    let rank = if access.any(|of_way| of_way == action) {
        0
    } else if OPERATOR_ACTIONS.contains(&action) {
        1
    } else {
        2
    };
    (rank, action.to_owned())
}

fn unread(accounts: &[AccountPrincipals]) -> impl Iterator<Item = Risk> {
    accounts.iter().filter_map(|account| {
        let Reading::Unknown(why) = &account.principals else {
            return None;
        };
        Some(Risk::new(
            format!("unread:{}", account.account),
            format!(
                "account {} could not be read, so it is unknown whether an exempt role exists there: {why}",
                account.account
            ),
            "pass --assume-role arn:aws:iam::{account}:role/NAME with a role that may read IAM in each account",
        ))
    })
}

fn unmatched(shift: &Shift, known: &Known<'_>) -> impl Iterator<Item = Risk> {
    let is_matched = |pattern: &&String| {
        known.principals().any(|one| match pattern.contains("${") {
            true => {
                let who = Who::found(one, &shift.traits);
                arn_like_in(pattern, &one.arn, &who.context)
            }
            false => arn_like(pattern, &one.arn),
        })
    };
    let patterns = shift.patterns.iter();
    let nobody = patterns.filter(move |pattern| !is_matched(pattern));
    nobody.map(|pattern| {
        Risk::new(
            format!("unmatched:{pattern}"),
            format!("no role or user in the accounts that could be read matches {pattern}"),
            "correct the pattern, or create the role first",
        )
    })
}

fn history(calls: &[DeniedCall], shift: &Shift) -> impl Iterator<Item = Risk> {
    let mut named = BTreeSet::new();
    calls.iter().filter_map(move |call| {
        let id = format!("history:{}:{}", call.principal, call.action);
        let DeniedCall {
            principal, action, ..
        } = call;
        named.insert(id.clone()).then(|| {
            let place = match &call.sid {
                Some(sid) => format!("statement {sid} of {}", call.policy),
                None => format!("a statement of {}", call.policy),
            };
            let above = shift.of_account(principal_arn::account(principal).unwrap_or_default());
            let attached = above.map(|above| above.attached(&call.policy));
            let n_calls = call.n_denied.saturating_add(call.n_unknown);
            let n_calls = usize::try_from(n_calls).unwrap_or(usize::MAX);
            // It is that of the last call in doubt, and others may be certain.
            let depends_on = call.depends_on.as_ref().filter(|_| call.n_denied == 0);
            let depends = match depends_on {
                Some(key) => format!(", depending on {key}"),
                None => String::new(),
            };
            let verb = match call.n_denied {
                0 => "may",
                _ => "would",
            };
            let message = format!(
                "{principal} called {action} {} until {} and {verb} be denied by {place}{}{depends}",
                cli::count(n_calls, "time"),
                call.last,
                attached.unwrap_or_default(),
            );
            let fix = format!(
                "exempt it in {place} with ArnNotLike aws:PrincipalArn, or accept that it ends"
            );
            Risk::new(id, message, &fix)
        })
    })
}

/// Returns the principals of an account that service control policies bind.
fn governed(account: &AccountPrincipals) -> impl Iterator<Item = &PrincipalPolicies> {
    let principals = account.principals.present().into_iter().flatten();
    principals.filter(|principal| !principal_arn::is_service_linked(&principal.arn))
}
