//! What a guard leaves open, in one line each for `render`, `plan` and `check`: counts, as the list is what `gaps` is for. Pure.

use std::collections::BTreeSet;

use organization::{FULL_ACCESS, compile};

use super::{Openness, Place, gaps};
use crate::guard::{ACCESS_TOKEN_ROLE, Part};
use crate::model::{Area, Desired, Way};

/// What a reader of a guard has to know that its statements do not say.
pub(crate) struct LeftOpen {
    /// The ways that it leaves open, counted; none when it closes all of them.
    pub(crate) ways: Option<String>,
    /// That sessions of just-in-time node access are denied, or what keeps requests for them from being approved.
    pub(crate) just_in_time: Option<String>,
}

impl LeftOpen {
    /// Judges a guard by itself: other policies of an organization may close more.
    ///
    /// # Errors
    /// A part of it is not a valid policy.
    pub(crate) fn of(desired: &Desired, parts: &[Part]) -> anyhow::Result<LeftOpen> {
        let full = compile("FullAWSAccess", FULL_ACCESS)?;
        let compiled = parts
            .iter()
            .map(|part| compile(&part.name, &part.document.to_string()));
        let compiled = compiled.collect::<anyhow::Result<Vec<_>>>()?;
        let policies = std::iter::once(&full).chain(&compiled).collect();
        let place = Place::of_desired(desired, policies);
        let gaps = gaps(std::slice::from_ref(&place), None);
        let open: BTreeSet<&str> = gaps
            .iter()
            .filter(|gap| gap.answer == Openness::Open)
            .map(|gap| gap.gap.as_str())
            .collect();
        let denies_automations = !open.contains(Way::Automations.name());
        let just_in_time = if place.breaks_just_in_time() {
            Some(format!(
                "just-in-time node access does not work under this guard: its sessions run as {ACCESS_TOKEN_ROLE}, which is not \
                 exempt; set exempt_just_in_time where it is used"
            ))
        } else if desired.exempt_just_in_time && denies_automations {
            Some(
                "requests of just-in-time node access that somebody has to approve do not work under this guard: the way automations \
                 denies ssm:StartAutomationExecution to who asks and ssm:SendAutomationSignal to who approves"
                    .to_owned(),
            )
        } else {
            None
        };
        Ok(LeftOpen {
            ways: in_words(&open),
            just_in_time,
        })
    }

    /// Returns all of it.
    pub(crate) fn lines(self) -> impl Iterator<Item = String> {
        self.ways.into_iter().chain(self.just_in_time)
    }
}

/// Returns the ways counted by area, and what else is open.
fn in_words(open: &BTreeSet<&str>) -> Option<String> {
    let mut words = Vec::new();
    for area in [
        Area::SystemsManager,
        Area::Ec2,
        Area::Containers,
        Area::Others,
    ] {
        let ways = Way::all();
        let of_area: Vec<&Way> = ways.iter().filter(|way| way.area() == area).collect();
        let n_open = of_area
            .iter()
            .filter(|way| open.contains(way.name()))
            .count();
        if n_open > 0 {
            let ways = if words.is_empty() { " ways" } else { "" };
            let n_all = of_area.len();
            words.push(format!("{n_open} of {n_all}{ways} by {}", area.name()));
        }
    }
    let others = [
        (
            "session_documents",
            "every session document to exempt principals",
        ),
        ("session_records", "the records of sessions"),
        ("preferences", "the preferences"),
        ("exempt_principals", "the exempt principals"),
    ];
    let others = others.iter().filter(|(gap, _)| open.contains(gap));
    words.extend(others.map(|(_, what)| (*what).to_owned()));
    (!words.is_empty()).then(|| {
        format!(
            "this guard leaves open {}; ssm-scp gaps lists each with its fix",
            words.join(", ")
        )
    })
}
