//! The lock-out guard: what speaks against carrying out plans. The whole tree of policies as it will be is judged against the
//! tree as it is, for each account whose policies differ. Each risk has an id, by which a person may accept it; nothing turns all
//! of them off, and what could not be read is a risk of its account. Pure.

mod actions;
mod entry;
mod shift;

use std::collections::BTreeSet;

use cli::{Finding, FindingKind, Reading, Severity, Target};
use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS, Verdict, arn_like};

use self::actions::{BECOMING, LOGGING, sample};
use self::entry::Known;
use self::shift::{AccountShift, Loss, Lost};
pub(crate) use self::shift::{Shift, may_allow};
use crate::impact::{AccountPrincipals, Identity, PrincipalPolicies, anybody, partition};
use crate::principal_arn;
use crate::replay::DeniedCall;
use crate::simulate::why;

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
        }
    }
}

/// What is known when plans are about to be carried out.
pub(crate) struct Evidence<'a> {
    /// What the plans change.
    pub(crate) shift: &'a Shift,
    /// The accounts whose policies differ, read as far as that went.
    pub(crate) accounts: &'a [AccountPrincipals],
    /// ARN of the caller's user or role, when its account is one of them.
    pub(crate) caller: Option<&'a str>,
    /// Past calls that would have been denied.
    pub(crate) history: &'a [DeniedCall],
}

/// Returns the risks.
pub(crate) fn risks(evidence: &Evidence<'_>) -> Vec<Risk> {
    let read = |account: &'_ AccountPrincipals| account.principals.present().is_some();
    let arns = || {
        let read = evidence.accounts.iter().flat_map(governed);
        read.map(|principal| principal.arn.as_str())
    };
    let patterns = evidence.shift.patterns.iter().map(String::as_str);
    let partition = partition(evidence.caller.into_iter().chain(arns()).chain(patterns));
    let known = Known {
        accounts: evidence
            .accounts
            .iter()
            .filter(|account| read(account))
            .map(|account| account.account.as_str())
            .collect(),
        arns: arns().collect(),
    };
    let mut risks: Vec<Risk> = unread(evidence.accounts).collect();
    if !known.accounts.is_empty() {
        risks.extend(unmatched(&evidence.shift.patterns, &known.arns));
    }
    for account in evidence.accounts {
        match evidence.shift.of_account(&account.account) {
            Ok(shift) => {
                let judged = Judged {
                    account,
                    shift,
                    anybody: anybody(partition, &account.account),
                    evidence,
                    known: &known,
                };
                judged.risks(&mut risks);
            }
            Err(error) => risks.push(Risk::new(
                format!("unjudged:{}", account.account),
                format!(
                    "nobody knows what account {} would lose: {error:#}",
                    account.account
                ),
                "correct that policy first",
            )),
        }
    }
    risks.extend(history(evidence.history));
    risks
}

fn unread(accounts: &[AccountPrincipals]) -> impl Iterator<Item = Risk> {
    accounts.iter().filter_map(|account| {
        let Reading::Unknown(why) = &account.principals else {
            return None;
        };
        Some(Risk::new(
            format!("unread:{}", account.account),
            format!(
                "account {} could not be read, so nobody knows whether an exempt role exists there: {why}",
                account.account
            ),
            "pass --assume-role arn:aws:iam::{account}:role/NAME with a role that may read IAM in each account",
        ))
    })
}

fn unmatched(patterns: &[String], arns: &BTreeSet<&str>) -> impl Iterator<Item = Risk> {
    let nobody = patterns
        .iter()
        .filter(|pattern| !arns.iter().any(|arn| arn_like(pattern, arn)));
    nobody.map(|pattern| {
        Risk::new(
            format!("unmatched:{pattern}"),
            format!("no role or user in the accounts that could be read matches {pattern}"),
            "correct the pattern, or create the role first",
        )
    })
}

fn history(calls: &[DeniedCall]) -> impl Iterator<Item = Risk> {
    let mut told = BTreeSet::new();
    calls.iter().filter_map(move |call| {
        let id = format!("history:{}:{}", call.principal, call.action);
        told.insert(id.clone()).then(|| {
            let message = format!(
                "{} called {} {} times until {} and would be denied",
                call.principal,
                call.action,
                call.n_denied + call.n_unknown,
                call.last
            );
            Risk::new(id, message, "exempt it, or accept that it ends")
        })
    })
}

/// Returns the principals of an account that service control policies bind.
fn governed(account: &AccountPrincipals) -> impl Iterator<Item = &PrincipalPolicies> {
    let principals = account.principals.present().into_iter().flatten();
    principals.filter(|principal| !principal_arn::is_service_linked(&principal.arn))
}

/// One account whose policies differ.
struct Judged<'a> {
    account: &'a AccountPrincipals,
    shift: AccountShift<'a>,
    /// A role of it that no list names.
    anybody: String,
    evidence: &'a Evidence<'a>,
    known: &'a Known<'a>,
}

impl Judged<'_> {
    fn risks(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        let lost = self.lost_by_operators();
        if self.account.principals.present().is_some() && !lost.is_empty() {
            match self.way_in(&lost) {
                Ok(()) => self.singled_out(&lost, risks),
                Err(why) => risks.push(Risk::new(
                    format!("break_glass:{id}"),
                    format!("nobody in account {id} would keep access: {why}"),
                    "have a break-glass role there whose ARN the exemptions match, whose policies allow it, and which somebody may \
                     assume",
                )),
            }
        }
        if let Some(caller) = self
            .evidence
            .caller
            .filter(|caller| principal_arn::account(caller) == Some(id))
        {
            let mut all = lost.iter().copied().chain(BECOMING.iter().copied());
            if all.any(|action| self.shift.lost(caller, action).is_some()) {
                risks.push(Risk::new(
                    "caller".to_owned(),
                    format!("you, {caller}, would lose access yourself"),
                    "exempt your role, or apply with credentials of the management account",
                ));
            }
        }
        for (kind, actions, what, fix) in [
            (
                "nodes_offline",
                AGENT_ACTIONS,
                "nodes of account ID would go offline",
                "leave what agents call out of the policy",
            ),
            (
                "assume_role",
                BECOMING,
                "nobody in account ID could become a break-glass role",
                "leave sts out of the policy, or exempt who assumes roles",
            ),
            (
                "logging",
                LOGGING,
                "sessions of account ID would not be logged, or refused",
                "leave what agents call for transcripts out of the policy",
            ),
        ] {
            if let Some((action, loss)) = self.first_lost(actions) {
                let what = what.replace("ID", id);
                risks.push(Risk::new(
                    format!("{kind}:{id}"),
                    format!("{what}: {action} is {}", why(&loss.decision)),
                    fix,
                ));
            }
        }
        self.others(risks);
        self.beyond_repair(risks);
    }

    /// Returns the operator actions that anybody loses here.
    fn lost_by_operators(&self) -> Vec<&'static str> {
        let lost = OPERATOR_ACTIONS.iter().copied().filter(|action| {
            let mut asked = self.askers();
            asked.any(|arn| self.shift.lost(arn, action).is_some())
        });
        lost.collect()
    }

    fn askers(&self) -> impl Iterator<Item = &str> {
        let read = governed(self.account).map(|principal| principal.arn.as_str());
        std::iter::once(self.anybody.as_str()).chain(read)
    }

    /// Returns whether somebody can still do what others lose.
    ///
    /// # Errors
    /// Why nobody can.
    fn way_in(&self, lost: &[&str]) -> Result<(), String> {
        let keeps = |principal: &&PrincipalPolicies| {
            let mut lost = lost.iter();
            !lost.any(|action| self.shift.lost(&principal.arn, action).is_some())
        };
        let mut why = "no role or user there is exempt".to_owned();
        for principal in governed(self.account).filter(keeps) {
            let Some(identity) = Identity::of(principal) else {
                why = format!(
                    "{} is exempt, but a policy of its own cannot be understood",
                    principal.arn
                );
                continue;
            };
            let may = |action: &&str| {
                let levels = Some(self.shift.after()).filter(|levels| !levels.is_empty());
                identity.verdict(levels, &principal.arn, action) != Verdict::Denied
            };
            if !lost.iter().any(may) {
                why = format!(
                    "{} is exempt, but its own policies allow it none of this",
                    principal.arn
                );
            } else if !self.known.may_become(principal) {
                why = format!("{} is exempt, but nobody may assume it", principal.arn);
            } else {
                return Ok(());
            }
        }
        Err(why)
    }

    /// Finds who loses what a role that no list names keeps.
    fn singled_out(&self, lost: &[&str], risks: &mut Vec<Risk>) {
        for principal in governed(self.account) {
            let arn = &principal.arn;
            let is_singled_out = |action: &&str| {
                self.shift.lost(arn, action).is_some()
                    && self.shift.lost(&self.anybody, action).is_none()
            };
            if lost.iter().any(is_singled_out) {
                risks.push(Risk::new(
                    format!("singled_out:{arn}"),
                    format!(
                        "{arn} would lose what others of its account keep: the policy denies those whom it names, not all others"
                    ),
                    "write ArnNotLike with the principals that should keep access",
                ));
            }
        }
    }

    /// Returns the first of some actions that a role loses which no list names, other than on some resources.
    fn first_lost(&self, actions: &'static [&'static str]) -> Option<(&'static str, Loss<'_>)> {
        actions.iter().find_map(|action| {
            let loss = self.shift.lost(&self.anybody, action)?;
            (loss.lost != Lost::OnSome).then_some((*action, loss))
        })
    }

    /// Finds what is lost besides what the classes above are about.
    fn others(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        let is_of_class = |action: &str| {
            [OPERATOR_ACTIONS, AGENT_ACTIONS, BECOMING, LOGGING]
                .iter()
                .any(|class| class.iter().any(|one| one.eq_ignore_ascii_case(action)))
        };
        let everything = ["*".to_owned()];
        let patterns = self.evidence.shift.actions.iter().chain(&everything);
        let mut lost: Vec<&str> = patterns
            .filter(|pattern| !is_of_class(pattern))
            .filter(|pattern| {
                let loss = self.shift.lost(&self.anybody, &sample(pattern));
                loss.is_some_and(|loss| loss.lost == Lost::Surely)
            })
            .map(String::as_str)
            .collect();
        lost.dedup();
        if let [first, ..] = lost.as_slice() {
            let loss = self.shift.lost(&self.anybody, &sample(first));
            let why = loss.map(|loss| why(&loss.decision)).unwrap_or_default();
            risks.push(Risk::new(
                format!("other:{id}"),
                format!(
                    "account {id} would lose more than what operators do: {} ({why})",
                    lost.join(", ")
                ),
                "leave it out of the policy, or keep the policy that allows it",
            ));
        }
    }

    /// Finds what nobody could do any more to what a policy protects.
    fn beyond_repair(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        let is_beyond = |(action, resource): &&(String, String)| {
            let (action, resource) = (sample(action), actions::resource(resource, id));
            let surely = |arn: &str| {
                let loss = self.shift.lost_on(arn, &action, &resource);
                loss.is_some_and(|loss| loss.lost == Lost::Surely)
            };
            self.account.principals.present().is_some() && self.askers().all(surely)
        };
        if let Some((action, resource)) = self.evidence.shift.guarded.iter().find(is_beyond) {
            risks.push(Risk::new(
                format!("beyond_repair:{id}"),
                format!("nobody in account {id} could call {action} on {resource} any more, so that nobody could repair it there"),
                "spare the exempt principals in that statement, too",
            ));
        }
    }
}
