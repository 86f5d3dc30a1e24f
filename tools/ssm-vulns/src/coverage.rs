//! What the advisories given say nothing about, or too little: nodes, repositories, the last weeks. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use records::Reason;

use crate::model::distribution;
use crate::model::fleet::{Fleet, Node};
use crate::model::record::{Gap, GapKind};

/// What was given about a release of a distribution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    /// The day on which the newest advisory was changed last; that of its file where the form has no days.
    newest: Option<String>,
    /// Whether something was given that has all repositories in one.
    is_whole: bool,
    repositories: BTreeSet<String>,
}

/// Alpine publishes its secdb by repository. <https://secdb.alpinelinux.org>
const REPOSITORIES: [&str; 2] = ["main", "community"];

/// What was given, by the name of the release.
pub(crate) type Covered = HashMap<String, Coverage>;

impl Coverage {
    /// Takes an advisory: its day in any form that begins with year, month and day, and its repository, where there is a file for each.
    pub(crate) fn add(&mut self, day: Option<&str>, repository: Option<&str>) {
        match repository {
            Some(name) if !self.repositories.contains(name) => {
                self.repositories.insert(name.to_owned());
            }
            Some(_) => {}
            None => self.is_whole = true,
        }
        // There are a million: what is in the order of days is parsed at the end.
        let day = day.and_then(|day| day.get(..10)).filter(|day| is_day(day));
        if day > self.newest.as_deref() {
            self.newest = day.map(str::to_owned);
        }
    }

    fn newest(&self) -> Option<Date> {
        self.newest.as_ref()?.parse().ok()
    }

    fn missing(&self) -> Vec<&'static str> {
        let is_missing = |name: &&str| !self.is_whole && !self.repositories.contains(*name);
        REPOSITORIES.into_iter().filter(is_missing).collect()
    }
}

/// Returns whether a text has the form of `2026-01-31`.
fn is_day(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.bytes().enumerate().all(is_right)
}

/// Returns a gap for each node that no advisory could be about.
pub(crate) fn unjudged_nodes(fleet: &Fleet, covered: &Covered) -> Vec<Gap> {
    let ecosystems: Vec<_> = fleet.systems.iter().map(distribution::of_system).collect();
    let gap = |node: &Node| {
        let (message, fix) = match &ecosystems[node.system] {
            Some(name) if covered.contains_key(name) => return None,
            Some(name) => (
                format!("the advisories given say nothing about {name}"),
                format!("add the advisories of {name}"),
            ),
            None => (
                "no form of advisories that is read here is about this distribution".to_owned(),
                "scan its SBOM with another scanner".to_owned(),
            ),
        };
        Some(Gap {
            kind: GapKind::Gap,
            target: node.target.clone(),
            instance_id: Some(node.instance_id.clone()),
            name: node.name.clone(),
            reason: Reason::new("vulns.advisories.none", message, fix),
            of: None,
        })
    };
    fleet.nodes.iter().filter_map(gap).collect()
}

/// Returns the releases that nodes run and something was given about, with what that is.
fn of_fleet<'c>(fleet: &Fleet, covered: &'c Covered) -> BTreeMap<String, &'c Coverage> {
    // A release has a system for each architecture.
    let systems: BTreeSet<usize> = fleet.nodes.iter().map(|node| node.system).collect();
    let names = systems
        .into_iter()
        .filter_map(|system| distribution::of_system(&fleet.systems[system]));
    names
        .filter_map(|name| {
            let coverage = covered.get(&name)?;
            Some((name, coverage))
        })
        .collect()
}

/// Returns a gap for each release of which the advisories of a repository are missing.
pub(crate) fn partial(fleet: &Fleet, covered: &Covered) -> Vec<Gap> {
    let gap = |(name, coverage): (String, &Coverage)| {
        let missing = coverage.missing().join(" and ");
        let message = format!("the advisories given about {name} are not those of {missing}");
        let fix = "add the secdb of each repository: main.json and community.json";
        (!missing.is_empty()).then(|| Gap::general("vulns.advisories.partial", message, fix))
    };
    of_fleet(fleet, covered)
        .into_iter()
        .filter_map(gap)
        .collect()
}

/// Returns a gap for each release whose newest advisory is old; 0 is for any age.
pub(crate) fn stale(fleet: &Fleet, covered: &Covered, max_age: u32, today: Date) -> Vec<Gap> {
    let gap = |(name, coverage): (String, &Coverage)| {
        let day = coverage.newest()?;
        let age = (today - day).get_days();
        let message = format!(
            "the newest advisory about {name} is of {day}, {} ago",
            cli::count(age.unsigned_abs() as usize, "day")
        );
        let fix = "download its advisories again, or pass --max-age";
        (max_age > 0 && i64::from(age) > i64::from(max_age))
            .then(|| Gap::general("vulns.advisories.stale", message, fix))
    };
    of_fleet(fleet, covered)
        .into_iter()
        .filter_map(gap)
        .collect()
}

/// Returns a gap for each release whose advisories have no day.
pub(crate) fn undated(fleet: &Fleet, covered: &Covered) -> Vec<Gap> {
    let gap = |(name, coverage): (String, &Coverage)| {
        let message = format!(
            "the advisories about {name} have no date, or one in the future: how old they are is not known"
        );
        let fix =
            "download them with their dates, as `curl --remote-time` does, or pass --max-age 0";
        let is_undated = coverage.newest().is_none();
        is_undated.then(|| Gap::general("vulns.advisories.undated", message, fix))
    };
    of_fleet(fleet, covered)
        .into_iter()
        .filter_map(gap)
        .collect()
}
