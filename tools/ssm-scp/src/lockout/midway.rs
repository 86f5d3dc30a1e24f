//! The states through which an organization passes while plans are carried out, change after change: nobody may be locked out there
//! who is not in the end, and what is denied before and after should not be open in between. Pure.

use std::collections::{BTreeMap, BTreeSet};

use organization::Organization;
use serde_json::Value;

use super::account_shift::{AccountShift, Time};
use super::known::Known;
use super::principals::classes;
use super::shift::Shift;
use super::ways_in::ACCESS;
use super::{Actions, Evidence, Judged, Risk, carry_out, governed};
use crate::model::{AccountPrincipals, Action};

/// A change of a plan, as far as it matters here.
#[derive(Clone, Copy)]
pub(crate) struct Step<'p> {
    pub(crate) id: &'p str,
    pub(crate) action: Action,
    pub(crate) from: &'p Value,
    pub(crate) to: &'p Value,
}

/// A state on the way.
pub(crate) struct Midway {
    /// The change that leads there.
    change: String,
    /// From the beginning to there.
    shift: Shift,
    /// The accounts whose policies are neither those of the beginning nor those of the end, since that change.
    pub(crate) accounts: BTreeSet<String>,
}

/// The policies of an account from the root down, each by its level, its name and which of its documents it has.
type Line<'o> = Vec<(&'o str, &'o str, usize)>;

/// The documents of the policies that plans change, each once.
#[derive(Default)]
struct Documents(BTreeMap<String, Vec<Value>>);

impl Documents {
    fn number(&mut self, organization: &Organization, name: &str) {
        let Some(policy) = organization.policy(name) else {
            return;
        };
        let known = self.0.entry(name.to_owned()).or_default();
        if !known.contains(&policy.document) {
            known.push(policy.document.clone());
        }
    }

    /// Returns what binds an account, whose line is given by the places of its entities.
    fn line<'o>(&self, organization: &'o Organization, places: &[usize]) -> Line<'o> {
        let entities = places.iter().map(|place| &organization.entities[*place]);
        let policies = entities.flat_map(|entity| {
            let mut names: Vec<&str> = entity.policies.iter().map(String::as_str).collect();
            names.sort_unstable();
            names.into_iter().map(|name| (entity.id.as_str(), name))
        });
        let numbered = policies.map(|(entity, name)| {
            let number = self.0.get(name).and_then(|known| {
                let document = &organization.policy(name)?.document;
                known.iter().position(|one| one == document)
            });
            (entity, name, number.unwrap_or_default())
        });
        numbered.collect()
    }
}

/// Returns each account that policies bind, with the places of the entities of its line: no change moves anything.
fn lines(organization: &Organization) -> Vec<(String, Vec<usize>)> {
    let entities = organization.entities.iter().enumerate();
    let places: BTreeMap<&str, usize> = entities
        .map(|(place, entity)| (entity.id.as_str(), place))
        .collect();
    let accounts = organization
        .accounts()
        .filter(|account| !account.management);
    let lines = accounts.map(|account| {
        let line = organization.lineage(&account.id).into_iter();
        let line = line.filter_map(|entity| places.get(entity.id.as_str()).copied());
        (account.id.clone(), line.collect())
    });
    lines.collect()
}

/// Returns the states between two organizations, whose comparison as a whole is given, in which an account is bound as it is
/// neither before nor after.
///
/// # Errors
/// A change is of another shape, or its policy is not understood.
pub(crate) fn midway(
    whole: &Shift,
    before: &Organization,
    after: &Organization,
    steps: &[Step<'_>],
) -> anyhow::Result<Vec<Midway>> {
    let names: BTreeSet<&str> = steps.iter().filter_map(policy_name).collect();
    let mut documents = Documents::default();
    for name in &names {
        documents.number(before, name);
        documents.number(after, name);
    }
    let lines = lines(before);
    let mut found = Vec::new();
    let mut state = before.clone();
    // The last change leads to the end.
    for step in &steps[..steps.len().saturating_sub(1)] {
        carry_out(&mut state, step.action, step.from, step.to)?;
        let Some(name) = policy_name(step) else {
            continue;
        };
        documents.number(&state, name);
        let target = step.to["target_id"].as_str();
        let accounts = lines.iter().filter(|(_, line)| {
            let mut entities = line.iter().map(|place| &state.entities[*place]);
            // A policy that is changed matters where it is attached.
            let is_bound = entities.any(|entity| match target {
                Some(target) => entity.id == target,
                None => entity.policies.iter().any(|policy| policy == name),
            });
            let here = documents.line(&state, line);
            let differs = |other: &Organization| here != documents.line(other, line);
            is_bound && differs(before) && differs(after)
        });
        let accounts: BTreeSet<String> = accounts.map(|(account, _)| account.clone()).collect();
        if !accounts.is_empty() {
            found.push(Midway {
                change: step.id.to_owned(),
                shift: whole.to(before, &state),
                accounts,
            });
        }
    }
    Ok(found)
}

fn policy_name<'p>(step: &Step<'p>) -> Option<&'p str> {
    let states = [step.to, step.from];
    let mut names = states
        .into_iter()
        .flat_map(|state| [&state["policy_name"], &state["name"]]);
    names.find_map(Value::as_str)
}

impl Midway {
    /// Returns the actions to ask about, for all accounts.
    pub(super) fn actions(&self) -> Actions {
        Actions::of(&self.shift.actions)
    }

    /// Returns the risks of the state in an account, without those that are in the end, too.
    pub(super) fn risks(
        &self,
        partition: &str,
        account: &AccountPrincipals,
        evidence: &Evidence<'_>,
        (known, actions): (&Known<'_>, &Actions),
        in_the_end: &BTreeSet<String>,
    ) -> Vec<Risk> {
        let mut risks = Vec::new();
        let shift = &self.shift;
        // A policy that is not understood is a risk of the end, or of the beginning.
        if let Ok(of_account) = shift.of_account(&account.account)
            && shift.binds(&account.account)
        {
            let evidence = Evidence { shift, ..*evidence };
            Judged::new(partition, account, &of_account, &evidence, known, actions)
                .risks(&mut risks);
        }
        risks.retain(|risk| !in_the_end.contains(&risk.id));
        for risk in &mut risks {
            risk.id = format!("midway:{}", risk.id);
            risk.message = format!(
                "between {} and the end of the plan: {}",
                self.change, risk.message
            );
            "change the order, so that what exempts or allows somebody comes before what denies them"
                .clone_into(&mut risk.fix);
        }
        risks.extend(self.open(partition, account, evidence.shift));
        risks
    }

    /// Finds who may do in between what is denied to them before and after.
    fn open(&self, partition: &str, account: &AccountPrincipals, whole: &Shift) -> Option<Risk> {
        let id = &account.account;
        let (here, end) = (self.shift.of_account(id).ok()?, whole.of_account(id).ok()?);
        let mut policies = here.policies();
        policies.extend(end.policies());
        let people = classes(
            (partition, id),
            governed(account),
            &policies,
            &whole.named,
            &whole.traits,
        );
        let asked = people
            .iter()
            .flat_map(|class| ACCESS.iter().map(move |action| (class, *action)));
        let mut opened = asked.filter_map(|(class, action)| {
            let denial = |shift: &AccountShift<'_>, time| {
                let denial = shift.denied(time, (&class.example, action), id, &whole.resources);
                denial.map(|loss| shift.cause(&loss).message)
            };
            let before = denial(&here, Time::Before)?;
            let after = denial(&end, Time::After)?;
            let is_open = denial(&here, Time::After).is_none();
            is_open.then_some((class, action, before, after))
        });
        let (class, action, before, after) = opened.next()?;
        Some(Risk::new(
            format!("guard_off:{id}"),
            format!(
                "between {} and the end of the plan, nothing denies {action} to {} in account {id}, which is {before}, and in the end \
                 {after}",
                self.change,
                class.in_words()
            ),
            "change the order, so that a policy is attached before the one that it replaces is detached or changed",
        ))
    }
}
