//! What a change of the organization's policies takes from whom: the whole tree as it is against the whole tree as it will be.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iam_policy::{Compiled, Effect, Policy, one_or_many};
use organization::{CompiledOrganization, Organization};
use records::Entity;
use serde_json::Value;

use super::account_shift::AccountShift;
use super::who::Traits;

/// The organization before and after.
pub(crate) struct Shift {
    /// The same for all states on the way.
    before: Arc<CompiledOrganization>,
    after: CompiledOrganization,
    /// The accounts from which something may be taken, each with the names of those that are new to it or have another document.
    accounts: BTreeMap<String, BTreeSet<String>>,
    /// From the root to each account that policies bind: what each entity is called, and the names of its policies after.
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
    /// Resources that policies which come or change leave to somebody: denials by `NotResource`, and what allows by `Resource`.
    pub(crate) spared: Vec<String>,
    /// Resources that any policy names.
    pub(super) resources: Vec<String>,
    /// Values of `aws:PrincipalArn` that any policy spares.
    pub(super) spared_principals: BTreeSet<String>,
    /// Values of `aws:PrincipalArn` that policies which come or change spare.
    pub(crate) patterns: Vec<String>,
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
        let attached = |line: &[&Entity]| -> BTreeSet<(String, String)> {
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
        let (mut accounts, mut lines) = (BTreeMap::new(), BTreeMap::new());
        let (mut differing, mut coming) = (BTreeSet::new(), BTreeSet::new());
        for account in after.accounts().filter(|account| !account.management) {
            let line = after.lineage(&account.id);
            let (was, is) = (attached(&before.lineage(&account.id)), attached(&line));
            let line = line.iter().map(|entity| {
                let name = format!("{} ({})", entity.id, entity.path);
                (name, entity.policies.clone())
            });
            lines.insert(account.id.clone(), line.collect());
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
        let coming = parsed(after, &coming);
        let all = after.policies.iter().chain(&before.policies);
        let (mut resources, mut spared_principals) = (BTreeSet::new(), BTreeSet::new());
        for policy in all {
            name_resources(&policy.document, &mut resources);
            let policy = Policy::parse(&policy.document.to_string()).draft;
            let spared = policy.iter().flat_map(Policy::exempt_principals);
            spared_principals.extend(spared.map(str::to_owned));
        }
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
            resources: resources.into_iter().collect(),
            spared_principals,
            patterns,
        }
    }

    /// Returns the accounts from which something may be taken.
    pub(crate) fn accounts(&self) -> BTreeSet<String> {
        self.accounts.keys().cloned().collect()
    }

    /// Returns the policies that will bind accounts and do not today, or with another document; accounts that get the same ones are
    /// together. Those above which a policy is not understood are left out.
    pub(crate) fn coming(&self) -> Vec<(Vec<Compiled>, BTreeSet<String>)> {
        let mut alike: BTreeMap<&BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
        for (account, new) in self.accounts.iter().filter(|(_, new)| !new.is_empty()) {
            alike.entry(new).or_default().insert(account.clone());
        }
        let coming = alike.into_iter().filter_map(|(new, accounts)| {
            // Any of them, as all have the new ones alike.
            let mut each = accounts.iter();
            let any = each.find_map(|account| self.of_account(account).ok())?;
            let policies = any.after().iter().flatten();
            let policies = policies.filter(|policy| new.contains(&policy.name));
            Some((policies.map(|policy| (*policy).clone()).collect(), accounts))
        });
        coming.collect()
    }

    /// Returns an account beside one, if only by a made-up ID.
    pub(super) fn another_account<'s>(&'s self, account: &str) -> &'s str {
        let mut others = self.lines.keys().filter(|other| *other != account);
        others.next().map_or("000000000000", String::as_str)
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

/// Adds the resources that a policy names.
fn name_resources(document: &Value, resources: &mut BTreeSet<String>) {
    for statement in one_or_many(&document["Statement"]) {
        for element in ["Resource", "NotResource"] {
            let values = one_or_many(&statement[element]).iter();
            let values = values.filter_map(Value::as_str);
            resources.extend(values.filter(|value| *value != "*").map(str::to_owned));
        }
    }
}

/// Returns what policies leave to somebody, resource by resource.
fn spared(policies: &[Policy]) -> Vec<String> {
    let statements = policies.iter().flat_map(|policy| &policy.statements);
    let spared = statements.filter_map(|one| {
        let resources = one.resources.as_ref()?;
        (resources.negated == (one.effect == Effect::Deny)).then_some(resources)
    });
    let values = spared.flat_map(|resources| &resources.values);
    let values = values.map(|value| value.value.clone());
    values.filter(|value| value != "*").collect()
}
