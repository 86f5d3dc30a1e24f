//! What a change of the organization's policies takes from whom: the whole tree as it is against the whole tree as it will be.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iam_policy::{
    Compiled, Decision, Effect, Layer, Policies, Policy, Request, Verdict, decide, denies,
};
use organization::{CompiledOrganization, Organization};
use serde_json::Value;

use super::who::{Traits, Who};

/// The organization before and after.
pub(crate) struct Shift {
    /// The same for all states on the way.
    before: Arc<CompiledOrganization>,
    after: CompiledOrganization,
    /// The accounts from which something may be taken, each with the names of those that are new to it or have another document.
    accounts: BTreeMap<String, BTreeSet<String>>,
    /// From the root to each of these accounts: what each entity is called, and the names of its policies after.
    lines: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Values of the actions of all policies that come, go or change, in the order of their names; `*` where a statement is
    /// about all others.
    pub(crate) actions: Vec<String>,
    /// Values with which these policies compare `aws:PrincipalArn`.
    pub(crate) named: Vec<String>,
    /// What these policies compare of principals beside.
    pub(crate) traits: Traits,
    /// Pairs of action and resource that policies which come or change deny on some resources only.
    pub(crate) guarded: Vec<(String, String)>,
    /// Resources that denials of policies which come or change spare by `NotResource`.
    pub(crate) spared: Vec<String>,
    /// Values of `aws:PrincipalArn` that policies which come or change spare.
    pub(crate) patterns: Vec<String>,
}

/// How much of an action somebody loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lost {
    /// On some resources.
    OnSome,
    /// Under conditions that are not known.
    Perhaps,
    /// Whatever else is known.
    Surely,
}

/// A loss with the statement behind it.
pub(crate) struct Loss<'p> {
    pub(crate) lost: Lost,
    pub(crate) decision: Decision<'p>,
}

/// Why somebody loses an action.
pub(crate) struct Cause {
    /// The statement, its policy, and where that is attached.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl Shift {
    /// Compares two organizations.
    pub(crate) fn of(before: &Organization, after: &Organization) -> Shift {
        Shift::between(before, Arc::new(before.judge()), after)
    }

    /// Compares with the same organization before another one after.
    pub(super) fn to(&self, before: &Organization, after: &Organization) -> Shift {
        Shift::between(before, Arc::clone(&self.before), after)
    }

    fn between(
        before: &Organization,
        judged_before: Arc<CompiledOrganization>,
        after: &Organization,
    ) -> Shift {
        let is_changed = |name: &str| {
            before.policy(name).map(|policy| &policy.document)
                != after.policy(name).map(|policy| &policy.document)
        };
        // Where a policy is attached counts: with one level fewer that allows, nothing is allowed.
        let attached = |organization: &Organization, account: &str| -> BTreeSet<(String, String)> {
            let line = organization.lineage(account);
            let pairs = line.iter().flat_map(|entity| {
                let names = entity.policies.iter();
                names.map(|name| (entity.id.clone(), name.clone()))
            });
            pairs.collect()
        };
        let gone_allows = |name: &String| {
            let policy = before.policy(name);
            policy.is_none_or(|policy| may_allow(&policy.document))
        };
        let mut accounts = BTreeMap::new();
        let (mut differing, mut coming) = (BTreeSet::new(), BTreeSet::new());
        for account in after.accounts().filter(|account| !account.management) {
            let (was, is) = (attached(before, &account.id), attached(after, &account.id));
            let is_new = |one: &&(String, String)| !was.contains(*one) || is_changed(&one.1);
            let new = is.iter().filter(is_new).map(|(_, name)| name.clone());
            let new: BTreeSet<String> = new.collect();
            let gone = was.difference(&is).map(|(_, name)| name.clone());
            let gone: Vec<String> = gone.collect();
            // A denial that goes takes nothing from anybody.
            if new.is_empty() && !gone.iter().any(gone_allows) {
                continue;
            }
            differing.extend(gone.into_iter().chain(new.iter().cloned()));
            coming.extend(new.iter().cloned());
            accounts.insert(account.id.clone(), new);
        }
        let parsed = |organization: &Organization, names: &BTreeSet<String>| -> Vec<Policy> {
            let documents = names.iter().filter_map(|name| organization.policy(name));
            documents
                .filter_map(|policy| Policy::parse(&policy.document.to_string()).draft)
                .collect()
        };
        let (old, new) = (parsed(before, &differing), parsed(after, &differing));
        let statements = || old.iter().chain(&new).flat_map(|policy| &policy.statements);
        let mut actions: BTreeSet<String> = BTreeSet::new();
        for statement in statements() {
            let values = statement.actions.values.iter();
            actions.extend(values.map(|action| action.value.clone()));
            if statement.actions.negated {
                actions.insert("*".to_owned());
            }
        }
        let conditions = || statements().flat_map(|statement| &statement.conditions);
        let named = conditions()
            .filter(|one| one.key.value.eq_ignore_ascii_case("aws:PrincipalArn"))
            .flat_map(|condition| &condition.values)
            .map(|value| value.value.clone());
        let named: BTreeSet<String> = named.collect();
        let lines = accounts.keys().map(|id: &String| {
            let line = after.lineage(id).into_iter();
            let line = line.map(|entity| {
                let name = format!("{} ({})", entity.id, entity.path);
                (name, entity.policies.clone())
            });
            (id.clone(), line.collect())
        });
        let lines = lines.collect();
        let coming = parsed(after, &coming);
        let mut patterns: Vec<String> = coming
            .iter()
            .flat_map(Policy::exempt_principals)
            .map(str::to_owned)
            .collect();
        patterns.sort();
        patterns.dedup();
        let judged = after.judge_from(before, &judged_before);
        Shift {
            traits: Traits::of(conditions(), &judged_before, &judged),
            before: judged_before,
            after: judged,
            accounts,
            lines,
            actions: actions.into_iter().collect(),
            named: named.into_iter().collect(),
            guarded: guarded(&coming),
            spared: spared(&coming),
            patterns,
        }
    }

    /// Returns the accounts from which something may be taken.
    pub(crate) fn accounts(&self) -> BTreeSet<String> {
        self.accounts.keys().cloned().collect()
    }

    /// Returns whether something may be taken from an account.
    pub(crate) fn binds(&self, account: &str) -> bool {
        self.accounts.contains_key(account)
    }

    /// Returns the policies of all accounts from which something may be taken, each once; one that is not understood is left out.
    pub(crate) fn policies(&self) -> Vec<&Compiled> {
        let mut policies = BTreeMap::new();
        for account in self.accounts.keys() {
            let found = self.of_account(account).map(|shift| shift.policies());
            for policy in found.into_iter().flatten() {
                policies.insert(std::ptr::from_ref(policy).addr(), policy);
            }
        }
        policies.into_values().collect()
    }

    /// Returns what an account has before and after.
    ///
    /// # Errors
    /// A policy above it is not understood.
    pub(crate) fn of_account(&self, account: &str) -> anyhow::Result<AccountShift<'_>> {
        Ok(AccountShift {
            before: self.before.levels(account)?.unwrap_or_default(),
            after: self.after.levels(account)?.unwrap_or_default(),
            resource_control: self.after.resource_policies(account)?,
            new: self.accounts.get(account),
            line: self.lines.get(account).map_or(&[], Vec::as_slice),
        })
    }
}

/// Returns whether a policy allows anything, so that somebody loses something when it goes. What is not understood may.
pub(crate) fn may_allow(document: &Value) -> bool {
    let policy = Policy::parse(&document.to_string()).draft;
    policy.is_none_or(|policy| {
        let mut statements = policy.statements.iter();
        statements.any(|statement| statement.effect == Effect::Allow)
    })
}

/// Returns what statements with a Resource deny there, by the first action and resource of each.
fn guarded(policies: &[Policy]) -> Vec<(String, String)> {
    let statements = policies.iter().flat_map(|policy| &policy.statements);
    let mut guarded = Vec::new();
    for statement in statements.filter(|one| one.effect == Effect::Deny) {
        let Some(resources) = statement.resources.as_ref().filter(|one| !one.negated) else {
            continue;
        };
        if statement.actions.negated || resources.values.iter().any(|one| one.value == "*") {
            continue;
        }
        for action in &statement.actions.values {
            for resource in &resources.values {
                guarded.push((action.value.clone(), resource.value.clone()));
            }
        }
    }
    guarded
}

/// Returns what denials leave to everybody, resource by resource.
fn spared(policies: &[Policy]) -> Vec<String> {
    let statements = policies.iter().flat_map(|policy| &policy.statements);
    let denials = statements.filter(|one| one.effect == Effect::Deny);
    let resources = denials.filter_map(|one| one.resources.as_ref());
    let spared = resources.filter(|resources| resources.negated);
    let values = spared.flat_map(|resources| &resources.values);
    values.map(|value| value.value.clone()).collect()
}

/// The policies of one account, from the root down.
pub(crate) struct AccountShift<'s> {
    before: Vec<Vec<&'s Compiled>>,
    after: Vec<Vec<&'s Compiled>>,
    /// Resource control policies, which no plan changes.
    pub(crate) resource_control: Vec<&'s Compiled>,
    new: Option<&'s BTreeSet<String>>,
    line: &'s [(String, Vec<String>)],
}

impl<'s> AccountShift<'s> {
    /// Returns what somebody loses of an action, by service control policies alone.
    pub(crate) fn lost(&self, who: &Who, action: &str) -> Option<Loss<'_>> {
        let request = Request::on_unknown_resource(action, who.context.clone());
        self.lost_of(&request)
    }

    /// Returns the same of an action on one resource.
    pub(crate) fn lost_on(&self, who: &Who, action: &str, resource: &str) -> Option<Loss<'_>> {
        self.lost_of(&Request::new(action, resource, who.context.clone()))
    }

    /// Returns what the policies as they are say to somebody.
    pub(crate) fn verdict_before(&self, who: &Who, action: &str) -> Verdict {
        let request = Request::on_unknown_resource(action, who.context.clone());
        decision(&self.before, &request).verdict
    }

    /// Returns what the policies as they will be say to somebody.
    pub(crate) fn verdict_after(&self, who: &Who, action: &str) -> Verdict {
        let request = Request::on_unknown_resource(action, who.context.clone());
        decision(&self.after, &request).verdict
    }

    fn lost_of(&self, request: &Request) -> Option<Loss<'_>> {
        let before = decision(&self.before, request);
        if before.verdict == Verdict::Denied {
            return None;
        }
        let after = decision(&self.after, request);
        if after.verdict == Verdict::Denied {
            return Some(Loss {
                lost: Lost::Surely,
                decision: after,
            });
        }
        // What was doubtful before may be doubtful for one more reason now.
        let new = self.after.iter().flatten().filter(|policy| {
            let new = self.new;
            new.is_some_and(|new| new.contains(&policy.name))
        });
        let mut said = new.filter_map(|policy| denies(policy, request));
        let doubt = said.next().or_else(|| {
            (before.verdict != after.verdict && after.verdict == Verdict::Unknown).then_some(after)
        })?;
        Some(Loss {
            lost: match doubt.unknown_key {
                Some("resource") => Lost::OnSome,
                _ => Lost::Perhaps,
            },
            decision: doubt,
        })
    }

    /// Returns the policies as they are.
    pub(crate) fn before(&self) -> &[Vec<&'s Compiled>] {
        &self.before
    }

    /// Returns the policies as they will be.
    pub(crate) fn after(&self) -> &[Vec<&'s Compiled>] {
        &self.after
    }

    /// Returns all policies, those before and those after.
    pub(crate) fn policies(&self) -> Vec<&'s Compiled> {
        let levels = self.before.iter().chain(&self.after);
        levels.flatten().copied().collect()
    }

    /// Returns why something is lost, in words.
    pub(crate) fn cause(&self, loss: &Loss<'_>) -> Cause {
        let decision = &loss.decision;
        let Some(statement) = &decision.statement else {
            let level = match decision.layer {
                Some(Layer::ServiceControl(level)) => self.line.get(level),
                _ => None,
            };
            let level = level.map_or("its account", |(name, _)| name);
            return Cause {
                message: format!("no policy of {level} allows it"),
                fix: format!("keep a policy that allows it at {level}"),
            };
        };
        let here = self
            .line
            .iter()
            .filter(|(_, policies)| policies.iter().any(|policy| policy == statement.policy));
        let here: Vec<&str> = here.map(|(name, _)| name.as_str()).collect();
        let sid = match statement.sid {
            "" => &statement.position.path,
            sid => sid,
        };
        let place = format!("statement {sid} of {}", statement.policy);
        let depends = match decision.unknown_key {
            Some(key) => format!(", depending on {key}"),
            None => String::new(),
        };
        let attached = match here.is_empty() {
            true => String::new(),
            false => format!(" at {}", here.join(" and ")),
        };
        Cause {
            message: format!("denied by {place}{attached}{depends}"),
            fix: format!(
                "leave it out of {place}, or spare them there with ArnNotLike aws:PrincipalArn"
            ),
        }
    }
}

/// Returns what service control policies say by themselves; the management account has no level, and nothing binds it.
fn decision<'s>(levels: &'s [Vec<&'s Compiled>], request: &Request) -> Decision<'s> {
    let policies = Policies {
        service_control: Some(levels).filter(|levels| !levels.is_empty()),
        ..Policies::default()
    };
    decide(&policies, request)
}
