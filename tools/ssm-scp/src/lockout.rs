//! The lock-out guard: what speaks against carrying out a plan. Each risk has an id, by which a person may accept it;
//! nothing turns all of them off.

use std::collections::BTreeSet;

use cli::{Finding, FindingKind, Reading, Severity, Target};
use iam_policy::{Compiled, arn_like};

use crate::impact::{AccountPrincipals, anybody, denied_actions, partition, spares};
use crate::principal_arn;
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

/// What is known when a plan is about to be carried out.
pub(crate) struct Evidence<'a> {
    /// The policies as they will be.
    pub(crate) guard: &'a [Compiled],
    /// Their exemptions: values that `aws:PrincipalArn` is compared with.
    pub(crate) patterns: &'a [String],
    /// The accounts that will be bound, read as far as that went.
    pub(crate) accounts: &'a [AccountPrincipals],
    /// ARN of the caller's user or role, when its account will be bound.
    pub(crate) caller: Option<&'a str>,
    /// Past calls that would have been denied.
    pub(crate) history: &'a [DeniedCall],
}

/// Returns the risks.
pub(crate) fn risks(evidence: &Evidence<'_>) -> Vec<Risk> {
    let mut risks = Vec::new();
    let read: Vec<(&str, Vec<&str>)> = evidence.accounts.iter().filter_map(of_account).collect();
    let arns = || read.iter().flat_map(|(_, arns)| arns.iter().copied());
    let patterns = evidence.patterns.iter().map(String::as_str);
    let partition = partition(evidence.caller.into_iter().chain(arns()).chain(patterns));
    let anybodies: Vec<String> = evidence
        .accounts
        .iter()
        .map(|account| anybody(partition, &account.account))
        .collect();
    let asked = anybodies.iter().map(String::as_str).chain(arns());
    let actions = denied_actions(evidence.guard, asked.chain(evidence.caller));
    if !evidence.accounts.is_empty() && read.is_empty() {
        risks.push(Risk {
            id: "unread".to_owned(),
            message: "no account that the guard binds could be read, so nobody knows whether an exempt role exists".to_owned(),
            fix: "pass --assume-role arn:aws:iam::{account}:role/NAME with a role that may read IAM in each account".to_owned(),
        });
    }
    for account in evidence.accounts.iter().filter(|_| !read.is_empty()) {
        if let Reading::Unknown(why) = &account.principals {
            risks.push(Risk {
                id: format!("unread:{}", account.account),
                message: format!(
                    "account {} could not be read, so nobody knows whether an exempt role exists there: {why}",
                    account.account
                ),
                fix: "let the role of --assume-role read IAM there".to_owned(),
            });
        }
    }
    for pattern in evidence.patterns {
        let matched = read
            .iter()
            .flat_map(|(_, arns)| arns)
            .any(|arn| arn_like(pattern, arn));
        if !matched && !read.is_empty() {
            risks.push(Risk {
                id: format!("unmatched:{pattern}"),
                message: format!(
                    "no role or user in the accounts that could be read matches {pattern}"
                ),
                fix: "correct the pattern, or create the role first".to_owned(),
            });
        }
    }
    for (account, arns) in &read {
        if !arns.iter().any(|arn| spares(evidence.guard, &actions, arn)) {
            risks.push(Risk {
                id: format!("break_glass:{account}"),
                message: format!(
                    "nobody in account {account} would keep access: no role or user there is exempt"
                ),
                fix: "create a break-glass role there whose ARN the exemptions match".to_owned(),
            });
            continue;
        }
        let anybody = anybody(partition, account);
        for arn in arns {
            let mut lost = actions.iter().map(std::slice::from_ref);
            let is_singled_out = |action: &[String]| {
                !spares(evidence.guard, action, arn) && spares(evidence.guard, action, &anybody)
            };
            if lost.any(is_singled_out) {
                risks.push(Risk {
                    id: format!("singled_out:{arn}"),
                    message: format!(
                        "{arn} would lose what others of its account keep: the policy denies those whom it names, not all others"
                    ),
                    fix: "write ArnNotLike with the principals that should keep access".to_owned(),
                });
            }
        }
    }
    if let Some(caller) = evidence.caller
        && !spares(evidence.guard, &actions, caller)
    {
        risks.push(Risk {
            id: "caller".to_owned(),
            message: format!("you, {caller}, would lose access yourself"),
            fix: "exempt your role, or apply with credentials of the management account".to_owned(),
        });
    }
    let mut told = BTreeSet::new();
    for call in evidence.history {
        let id = format!("history:{}:{}", call.principal, call.action);
        if told.insert(id.clone()) {
            risks.push(Risk {
                id,
                message: format!(
                    "{} called {} {} times until {} and would be denied",
                    call.principal,
                    call.action,
                    call.n_denied + call.n_unknown,
                    call.last
                ),
                fix: "exempt it, or accept that it ends".to_owned(),
            });
        }
    }
    risks
}

fn of_account(account: &AccountPrincipals) -> Option<(&str, Vec<&str>)> {
    match &account.principals {
        Reading::Present(principals) => {
            let arns = principals.iter().map(|principal| principal.arn.as_str());
            let governed = arns.filter(|arn| !principal_arn::is_service_linked(arn));
            Some((&account.account, governed.collect()))
        }
        Reading::Absent | Reading::Unknown(_) => None,
    }
}
