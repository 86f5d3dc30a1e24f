//! Random trees, plans and principals: whatever the judgement lets through, an evaluator of its own, which asks every
//! principal for every action, finds nobody newly denied who should have been named.

use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS};
use organization::Organization;
use serde_json::Value;

use super::agreement;
use super::evaluator::{passes, says};
use super::random::{DEEPEST, OTHERS, Random};
use super::scene::Scene;
use crate::impact::{Class, Impact};
use crate::lockout::carry_out;
use crate::model::PrincipalPolicies;

fn may_itself(principal: &PrincipalPolicies, action: &str) -> bool {
    let documents: Vec<&Value> = principal.policies.iter().collect();
    says(&documents, "Allow", principal, action)
}

/// Returns whether somebody may become a principal, by the three kinds of trust that the cases have.
fn gets_in(principal: &PrincipalPolicies) -> bool {
    let trusted = &principal.trust.as_ref().unwrap()["Statement"][0]["Principal"];
    trusted["AWS"]
        .as_str()
        .is_some_and(|name| !name.ends_with("/gone"))
}

/// One account before and after, asked for everybody and everything.
struct Asked<'a> {
    before: &'a Organization,
    after: &'a Organization,
    account: &'a str,
    principals: &'a [PrincipalPolicies],
    risks: &'a [String],
}

impl Asked<'_> {
    fn loses(&self, who: &PrincipalPolicies, action: &str) -> bool {
        passes(self.before, self.account, who, action)
            && !passes(self.after, self.account, who, action)
    }

    /// Returns whether a risk is named, be it of the end or of the way there.
    fn is_named(&self, kind: &str) -> bool {
        let name = format!("{kind}:{}", self.account);
        self.risks.contains(&name) || self.risks.contains(&format!("midway:{name}"))
    }

    /// Returns whether somebody who gets in keeps an action.
    fn is_kept(&self, action: &str) -> bool {
        let keeps = |one: &&PrincipalPolicies| {
            gets_in(one) && may_itself(one, action) && passes(self.after, self.account, one, action)
        };
        self.principals.iter().any(|one| keeps(&one))
    }

    /// Returns whether somebody who gets in loses nothing of what operators do, and may do some of what others lose.
    fn has_way_in(&self) -> bool {
        let lost: Vec<&&str> = OPERATOR_ACTIONS
            .iter()
            .filter(|action| self.principals.iter().any(|one| self.loses(one, action)))
            .collect();
        self.principals.iter().any(|one| {
            let may = |action: &&&str| {
                may_itself(one, action) && passes(self.after, self.account, one, action)
            };
            gets_in(one)
                && lost.iter().all(|action| !self.loses(one, action))
                && lost.iter().any(may)
        })
    }

    /// Looks for access that is open here, and neither before nor in the end.
    fn check_open(&self, end: &Organization, case: &str) {
        for action in ["ssm:StartSession", "ssm:SendCommand"] {
            for who in self.principals {
                let is_off = passes(self.after, self.account, who, action)
                    && !passes(self.before, self.account, who, action)
                    && !passes(end, self.account, who, action);
                assert!(
                    !is_off || self.is_named("guard_off"),
                    "{case}: {} may call {action} in between: {:?}",
                    who.arn,
                    self.risks
                );
            }
        }
    }

    /// Returns how many losses were looked at.
    fn check(&self, case: &str) -> usize {
        let mut n_losses = 0;
        let agents = AGENT_ACTIONS.iter().chain(OPERATOR_ACTIONS).chain(&OTHERS);
        for action in agents {
            for principal in self.principals.iter().filter(|one| may_itself(one, action)) {
                if !self.loses(principal, action) {
                    continue;
                }
                n_losses += 1;
                let is_named = match *action {
                    action if AGENT_ACTIONS.contains(&action) => self.is_named("nodes_offline"),
                    action if OPERATOR_ACTIONS.contains(&action) => {
                        self.is_named("break_glass") || self.has_way_in()
                    }
                    "sts:AssumeRole" => self.is_named("assume_role"),
                    "s3:PutObject" => self.is_named("logging"),
                    "organizations:DetachPolicy" => self.is_named("repair") || self.is_kept(action),
                    action => self.is_named("other") || self.is_kept(action),
                };
                assert!(
                    is_named,
                    "{case}: {} loses {action}: {:?}",
                    principal.arn, self.risks
                );
            }
        }
        n_losses
    }
}

/// Holds what `impact` says of a principal to the evaluator as well.
fn check_impact(asked: &Asked<'_>, who: &PrincipalPolicies, impact: &Impact, case: &str) {
    let known = AGENT_ACTIONS.iter().chain(OPERATOR_ACTIONS).chain(&OTHERS);
    let lost = known.filter(|action| may_itself(who, action) && asked.loses(who, action));
    let lost: Vec<&&str> = lost.collect();
    assert_eq!(
        impact.class == Class::NewlyDenied,
        !impact.losses.is_empty(),
        "{case}: {impact:?}"
    );
    assert_ne!(impact.class, Class::Unknown, "{case}: {impact:?}");
    let is_named = |action: &str| {
        let mut losses = impact.losses.iter();
        losses.any(|loss| {
            let mut actions = loss.actions.iter();
            loss.n_actions > loss.actions.len() || actions.any(|one| one == action)
        })
    };
    let unnamed = lost.iter().find(|action| !is_named(action));
    assert_eq!(unnamed, None, "{case}: {impact:?}");
    for action in impact.losses.iter().flat_map(|loss| &loss.actions) {
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
    fn add(&mut self, seed: u64, scene: &mut Scene, changes: &[Value]) {
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
        for account in &scene.ids() {
            // The root and the account itself are no levels of units.
            let depth = before.lineage(account).len() - 2;
            let principals = scene.principals(account);
            for (number, after) in states.iter().enumerate() {
                let asked = Asked {
                    before: &before,
                    after,
                    account,
                    principals,
                    risks: &risks,
                };
                let case = format!("seed {seed}, after change {number}: {changes:?}");
                let n_losses = asked.check(&case);
                self.n_losses += n_losses;
                self.by_depth[depth] += n_losses;
                asked.check_open(end, &case);
                if number + 1 < states.len() {
                    continue;
                }
                let impacts = impacts.get(account).map_or(&[][..], Vec::as_slice);
                assert!(impacts.len() == principals.len() || n_losses == 0, "{case}");
                for (who, impact) in principals.iter().zip(impacts) {
                    check_impact(&asked, who, impact, &case);
                }
            }
        }
    }
}

fn n_cases(few: u64) -> u64 {
    match std::env::var_os("LONG") {
        Some(_) => 2000,
        None => few,
    }
}

#[test]
fn nobody_is_newly_denied_without_a_name() {
    let n_cases = n_cases(60);
    let mut found = Found::default();
    for seed in 1..=n_cases {
        let mut random = Random::of_case(seed);
        let mut scene = Scene::new();
        random.principals(&mut scene);
        let changes = random.plan(&mut scene);
        found.add(seed, &mut scene, &changes);
    }
    // Cases in which nothing is lost, or everything is named, would show little.
    assert!(
        found.n_losses > n_cases as usize && found.n_clean > n_cases as usize / 20,
        "{found:?}"
    );
}

#[test]
fn nobody_is_newly_denied_without_a_name_wherever_the_account_is_in_the_tree() {
    let n_cases = n_cases(30);
    let mut found = Found::default();
    for seed in 1..=n_cases {
        let mut random = Random::of_case(seed);
        let mut scene = random.tree();
        random.principals(&mut scene);
        let changes = random.changes(&scene);
        found.add(seed, &mut scene, &changes);
        // A long run that is ended early says how far it came.
        if seed % 100 == 0 {
            eprintln!("{seed} trees: {found:?}");
        }
    }
    let enough = n_cases as usize / 20;
    assert!(
        found.n_clean > enough && found.n_refused > enough,
        "{found:?}"
    );
    assert!(
        found.by_depth.iter().all(|n_losses| *n_losses > enough),
        "{found:?}"
    );
}
