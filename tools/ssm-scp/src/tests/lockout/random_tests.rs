//! Random trees, plans and principals: whatever the judgement lets through, an evaluator of its own, which asks every
//! principal for every action, finds nobody newly denied who should have been named.

use std::collections::BTreeSet;

use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS};
use serde_json::{Value, json};

use super::agreement;
use super::asked::{Answers, Asked, may_itself};
use super::random::{DEEPEST, OTHERS, REGIONS, Random};
use super::scene::Scene;
use crate::impact::{Class, Impact};
use crate::lockout::carry_out;
use crate::model::PrincipalPolicies;

/// Holds what `impact` says of a principal to the evaluator as well.
fn check_impact(
    asked: &Asked<'_>,
    others: &BTreeSet<String>,
    (who, impact): (&PrincipalPolicies, &Impact),
    case: &str,
) {
    let known = AGENT_ACTIONS.iter().chain(OPERATOR_ACTIONS).chain(&OTHERS);
    let is_lost = |action: &&&str| {
        may_itself(who, action) && asked.lost(who, action).iter().all(|lost| *lost)
    };
    let lost: Vec<&&str> = known.clone().filter(is_lost).collect();
    let is_plain = !asked.has_resources && asked.regions.len() == 1;
    if is_plain {
        assert_eq!(
            impact.class == Class::NewlyDenied,
            !impact.losses.is_empty(),
            "{case}: {impact:?}"
        );
        assert_ne!(impact.class, Class::Unknown, "{case}: {impact:?}");
    }
    if impact.class == Class::Unknown {
        // It says so of what is lost in some circumstances, and of nothing else; but a denial of before that spares resources which an
        // action never has leaves it in doubt whether that action was there.
        let losses = impact.losses.iter().flat_map(|loss| &loss.actions);
        let all = others.iter().chain(losses).map(String::as_str);
        let all = known.copied().chain(all);
        let mut own = all.filter(|action| may_itself(who, action));
        assert!(
            asked.has_resources || own.any(|action| asked.loses_somewhere(who, action)),
            "{case}: {impact:?}"
        );
        return;
    }
    let is_named = |action: &str| {
        let mut losses = impact.losses.iter();
        losses.any(|loss| {
            let mut actions = loss.actions.iter();
            loss.n_actions > loss.actions.len() || actions.any(|one| one == action)
        })
    };
    let unnamed = lost.iter().find(|action| !is_named(action));
    assert_eq!(unnamed, None, "{case}: {impact:?}");
    let losses = impact.losses.iter().filter(|_| is_plain);
    for action in losses.flat_map(|loss| &loss.actions) {
        assert!(
            may_itself(who, action) && asked.loses(who, action),
            "{case}: {action} of {impact:?}"
        );
    }
}

/// What many cases came to.
#[derive(Debug, Default)]
struct Found {
    n_losses: usize,
    n_clean: usize,
    n_refused: usize,
    /// Losses by the number of levels above the account.
    by_depth: [usize; DEEPEST + 1],
}

impl Found {
    /// Judges changes, and holds each state on their way to the evaluator.
    fn add(&mut self, (seed, random): (u64, &mut Random), scene: &mut Scene, changes: &[Value]) {
        let risks: Vec<String> = scene
            .judged(changes)
            .into_iter()
            .map(|risk| risk.id)
            .collect();
        let before = scene.organization.clone();
        let mut states = Vec::with_capacity(changes.len());
        for change in changes {
            let action = serde_json::from_value(change["action"].clone()).unwrap();
            let mut next = states.last().unwrap_or(&before).clone();
            carry_out(&mut next, action, &change["from"], &change["to"]).unwrap();
            states.push(next);
        }
        let Some(end) = states.last() else {
            return;
        };
        self.n_clean += usize::from(risks.is_empty());
        self.n_refused += usize::from(!risks.is_empty());
        let impacts = agreement::impacts(scene, changes, end);
        let policies = states.iter().chain([&before]).flat_map(|one| &one.policies);
        let documents: Vec<&Value> = policies.map(|policy| &policy.document).collect();
        let answers = Answers::default();
        let others = random.actions(documents.iter().copied());
        let text = json!(documents).to_string();
        let n_regions = match text.contains("aws:RequestedRegion") {
            true => REGIONS.len(),
            false => 1,
        };
        let has_resources = text.contains(r#"Resource":"arn:"#);
        for account in &scene.ids() {
            // The root and the account itself are not levels of units.
            let depth = before.lineage(account).len() - 2;
            let principals = scene.principals(account);
            for (number, after) in states.iter().enumerate() {
                let asked = Asked {
                    before: &before,
                    after,
                    account,
                    principals,
                    risks: &risks,
                    regions: &REGIONS[..n_regions],
                    has_resources,
                    answers: &answers,
                };
                let case = format!("seed {seed}, after change {number}: {changes:?}");
                let n_losses = asked.check(&others, &case);
                asked.check_access(&case);
                self.n_losses += n_losses;
                self.by_depth[depth] += n_losses;
                asked.check_open(end, &case);
                if number + 1 < states.len() {
                    continue;
                }
                let impacts = impacts.get(account).map_or(&[][..], Vec::as_slice);
                assert!(impacts.len() == principals.len() || n_losses == 0, "{case}");
                for (who, impact) in principals.iter().zip(impacts) {
                    check_impact(&asked, &others, (who, impact), &case);
                }
            }
        }
    }
}

/// Returns the cases: a few, or with `LONG` set as many as `N_SEEDS` says, from `FIRST_SEED` on. A failure names its seed, with
/// which `FIRST_SEED` begins at that case again.
fn seeds(few: u64) -> std::ops::RangeInclusive<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let first: u64 = number("FIRST_SEED").unwrap_or(1);
    let n_cases = match std::env::var_os("LONG") {
        Some(_) => number("N_SEEDS").unwrap_or(2000),
        None => few,
    };
    first..=first + n_cases - 1
}

#[test]
fn nobody_is_newly_denied_without_a_name() {
    let seeds = seeds(60);
    let n_cases = seeds.clone().count();
    let mut found = Found::default();
    for seed in seeds {
        let mut random = Random::of_case(seed);
        let mut scene = Scene::new();
        random.principals(&mut scene);
        let changes = random.plan(&mut scene);
        found.add((seed, &mut random), &mut scene, &changes);
    }
    // Cases in which nothing is lost, or everything is named, would show little.
    assert!(
        found.n_losses > n_cases && found.n_clean > n_cases / 20,
        "{found:?}"
    );
}

#[test]
fn nobody_is_newly_denied_without_a_name_wherever_the_account_is_in_the_tree() {
    let seeds = seeds(30);
    let n_cases = seeds.clone().count();
    let mut found = Found::default();
    for seed in seeds {
        let mut random = Random::of_case(seed);
        let mut scene = random.tree();
        random.principals(&mut scene);
        let changes = random.changes(&scene);
        found.add((seed, &mut random), &mut scene, &changes);
        // A long run that is ended early says how far it came.
        if seed % 100 == 0 {
            eprintln!("{seed} trees: {found:?}");
        }
    }
    let enough = n_cases / 20;
    assert!(
        found.n_clean > enough && found.n_refused > enough,
        "{found:?}"
    );
    assert!(
        found.by_depth.iter().all(|n_losses| *n_losses > enough),
        "{found:?}"
    );
}
