//! What `impact` says of people, against what `apply` says of their accounts: both are one judgement.

use std::collections::{BTreeMap, BTreeSet};

use organization::Organization;
use serde_json::Value;

use super::scene::{ACCESS, Scene};
use crate::commands::guard::bound_by;
use crate::impact::{Candidate, Class, Impact};
use crate::lockout::{Known, Risk, Shift, action_classes, carry_out};
use crate::model::AccountPrincipals;

/// Returns what becomes of the principals of each account from which something may be taken, by the policies that changes attach.
pub(super) fn impacts(
    scene: &Scene,
    changes: &[Value],
    after: &Organization,
) -> BTreeMap<String, Vec<Impact>> {
    let shift = Shift::of(&scene.organization, after);
    let classes = action_classes(&shift.actions, &shift.policies());
    let names = changes.iter().flat_map(|change| {
        let state = &change["to"];
        state["policy_name"].as_str().or(state["name"].as_str())
    });
    let governed = bound_by(after, &names.collect::<BTreeSet<&str>>());
    let candidate = Candidate {
        shift: &shift,
        guard: &[],
        classes: &classes,
        governed: &governed,
    };
    let bound = scene
        .accounts
        .iter()
        .filter(|one| shift.binds(&one.account));
    let bound: Vec<AccountPrincipals> = bound.cloned().collect();
    let known = Known::of(&bound);
    let read = bound
        .iter()
        .filter(|one| one.principals.present().is_some());
    let impacts = read.map(|one| (one.account.clone(), candidate.impacts(one, &known)));
    impacts.collect()
}

/// Returns which kinds of access are lost by somebody who was found.
fn lost_access(impacts: &[Impact]) -> Vec<&'static str> {
    let losses = || impacts.iter().filter(|one| one.class == Class::NewlyDenied);
    let is_lost = |action: &&str| losses().any(|one| one.actions.iter().any(|lost| lost == action));
    ACCESS.into_iter().filter(is_lost).collect()
}

fn is_in(impact: &Impact) -> bool {
    impact.class == Class::StillIn && impact.losses.is_empty()
}

fn is_out(impact: &Impact) -> bool {
    matches!(impact.class, Class::NewlyDenied | Class::Unknown)
}

/// Returns the statements by which somebody loses something, with where they are.
fn statements(impact: &Impact) -> impl Iterator<Item = &str> {
    let whys = impact.losses.iter().map(|loss| &loss.why);
    let whys = whys.chain([&impact.why]);
    let ends = [", depending on", " only depending on"];
    whys.map(move |why| {
        let end = ends.iter().find_map(|end| why.find(end));
        &why[..end.unwrap_or(why.len())]
    })
}

/// Holds one to the other: where `apply` says that nobody keeps access `impact` has those who lose it, by the same statement, and
/// nobody who is still in with all of it; whom `apply` singles out has no more than before; and where `impact` shows nobody who is still
/// in, `apply` refuses.
#[track_caller]
pub(super) fn check(name: &str, scene: &Scene, changes: &[Value], risks: &[Risk]) {
    let mut after = scene.organization.clone();
    for change in changes {
        let action = serde_json::from_value(change["action"].clone()).unwrap();
        carry_out(&mut after, action, &change["from"], &change["to"]).unwrap();
    }
    for (account, impacts) in impacts(scene, changes, &after) {
        let of_account = |risk: &Risk| risk.id.contains(&account);
        let break_glass = risks
            .iter()
            .find(|risk| risk.id == format!("break_glass:{account}"));
        if let Some(risk) = break_glass {
            // Where nobody who was found loses anything it is about somebody who may come.
            let losers = impacts.iter().filter(|impact| is_out(impact));
            let mut found = losers.clone().flat_map(statements);
            assert!(
                losers.count() == 0 || found.any(|statement| risk.message.contains(statement)),
                "{name}: {} of {impacts:?}",
                risk.message
            );
            let access = lost_access(&impacts);
            let keeps = |impact: &&Impact| {
                let has = |action: &&str| impact.actions.iter().any(|one| one == action);
                impact.class == Class::StillIn && access.iter().all(has)
            };
            let kept = impacts.iter().find(keeps).filter(|_| !access.is_empty());
            assert!(kept.is_none(), "{name}: {} but {kept:?}", risk.message);
        }
        for impact in &impacts {
            let singled_out = format!("singled_out:{}", impact.principal);
            let is_singled_out = risks.iter().any(|risk| risk.id == singled_out);
            assert!(!is_singled_out || !is_in(impact), "{name}: {impact:?}");
        }
        let mut losers = impacts.iter();
        let is_lost = losers.any(|one| one.class == Class::NewlyDenied);
        let mut rest = impacts.iter();
        // What is lost on some resources is left to those who know them.
        let is_kept = rest.any(|one| {
            let mut losses = one.losses.iter();
            one.class == Class::StillIn
                || one.class == Class::NewlyDenied
                    && losses.all(|loss| loss.why.ends_with("depending on resource"))
        });
        assert!(
            !is_lost || is_kept || risks.iter().any(of_account),
            "{name}: {impacts:?}"
        );
    }
}
