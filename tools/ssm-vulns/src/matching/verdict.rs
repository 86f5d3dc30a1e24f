//! Whether a version is within the ranges of an advisory.

use std::cmp::Ordering;

use super::{Candidate, line};
use crate::model::advisory::{Affected, Event};
use crate::model::fleet::Installed;
use crate::model::package::Manager;
use crate::version::Version;

/// An event with its version; none is before all.
pub(super) type Ordered<'a> = (Option<Version>, &'a Event);

/// Returns the events of a range in the order of their versions, or the one that is not a version. At one version, what is
/// fixed comes first, then what begins, then what ends with it.
pub(super) fn ordered(range: &[Event], manager: Manager) -> Result<Vec<Ordered<'_>>, String> {
    let mut events = Vec::with_capacity(range.len());
    for event in range {
        let (Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text)) = event;
        let version = match event {
            Event::Introduced(text) if text == "0" => None,
            _ => Some(Version::parse(manager, text).ok_or_else(|| text.clone())?),
        };
        events.push((version, event));
    }
    let place = |event: &Event| match event {
        Event::Fixed(_) => 0,
        Event::Introduced(_) => 1,
        Event::LastAffected(_) => 2,
    };
    events.sort_by(|(one, first), (other, second)| {
        let by_version = match (one, other) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => one.compare(other).unwrap_or(Ordering::Equal),
        };
        by_version.then(place(first).cmp(&place(second)))
    });
    Ok(events)
}

/// Returns whether a backport has a higher number than a fix for its release, of an advisory that says nothing of backports.
pub(super) fn is_doubtful(
    affected: &Affected,
    candidate: &Candidate,
    ranges: &[Vec<Ordered<'_>>],
) -> bool {
    let Some(from) = candidate.built_from.as_ref() else {
        return false;
    };
    let is_below = |(at, event): &Ordered<'_>| match (at, event) {
        (Some(at), Event::Fixed(text)) if line::of_backport(text).is_none() => {
            from.compare(at) != Some(Ordering::Less)
        }
        _ => false,
    };
    line::is_silent_about_backports(affected) && ranges.iter().flatten().any(is_below)
}

/// Compares a version of a candidate with one of an advisory.
fn compare(version: &Version, at: &Version, candidate: &Candidate) -> Option<Ordering> {
    match candidate.has_no_epoch {
        true => version.compare(&at.clone().without_epoch()),
        false => version.compare(at),
    }
}

/// Returns the version that fixes an affected package and whether it is uncertain that it is the same line, or none where it
/// is not affected.
pub(super) fn verdict(
    affected: &Affected,
    installed: &Installed,
    (version, candidate): (&Version, &Candidate),
    ranges: &[Vec<Ordered<'_>>],
) -> Option<(Option<String>, bool)> {
    let mut best: Option<(Option<String>, bool)> = None;
    for range in ranges {
        let (mut inside, mut fixed) = (false, None);
        for (at, event) in range {
            let (Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text)) = event;
            let version = match &candidate.built_from {
                // An advisory about backports goes by their own numbers.
                Some(from) if line::of_backport(text).is_none() => from,
                _ => version,
            };
            let order = at.as_ref().map_or(Some(Ordering::Greater), |at| {
                compare(version, at, candidate)
            })?;
            match event {
                Event::Introduced(_) if order != Ordering::Less => (inside, fixed) = (true, None),
                Event::Fixed(_) if order != Ordering::Less => inside = false,
                Event::Fixed(by) if inside && fixed.is_none() => fixed = Some(by.clone()),
                Event::LastAffected(_) if order == Ordering::Greater => inside = false,
                _ => {}
            }
        }
        if !inside {
            continue;
        }
        let uncertain = match line::is_same(affected, installed, fixed.as_deref()) {
            Some(false) => continue,
            Some(true) => false,
            None => true,
        };
        if best
            .as_ref()
            .is_none_or(|(_, before)| *before && !uncertain)
        {
            best = Some((fixed, uncertain));
        }
    }
    // A version that is listed is affected beside the ranges: <https://ossf.github.io/osv-schema/#evaluation>. One module may have it
    // and another not.
    if best.is_none() && affected.versions.contains(&candidate.text) {
        let is_same = line::is_same(affected, installed, Some(&candidate.text));
        return (is_same != Some(false)).then_some((None, is_same.is_none()));
    }
    best
}

/// Returns whether a package that is not affected has a fix of longer support.
pub(super) fn has_paid_fix(
    affected: &Affected,
    installed: &Installed,
    (version, candidate): (&Version, &Candidate),
    ranges: &[Vec<Ordered<'_>>],
) -> bool {
    let has = |(at, event): &Ordered<'_>| match (at, event) {
        (Some(at), Event::Fixed(fixed)) => {
            matches!(
                compare(version, at, candidate),
                Some(Ordering::Equal | Ordering::Greater)
            ) && line::is_of_support(&candidate.text, fixed)
                && line::is_same(affected, installed, Some(fixed)) == Some(true)
        }
        _ => false,
    };
    affected.ecosystem.paid.is_some() && ranges.iter().flatten().any(has)
}
