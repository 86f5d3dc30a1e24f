//! The dump of Debian's security tracker, <https://security-tracker.debian.org/tracker/data/json>: one object with all
//! packages, `{package: {CVE: {description, releases: {codename: {status, fixed_version, urgency}}}}}`.

use std::collections::HashMap;
use std::fmt;

use anyhow::Context;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::Reader;
use crate::model::advisory::{Advisory, Affected, Event, Line, Scope, names};
use crate::model::distribution::Ecosystem;
use crate::model::severity::Severity;

/// The tracker goes by codenames, os-release and OSV by numbers. <https://www.debian.org/releases/>
const RELEASES: [(&str, &str); 6] = [
    ("buster", "Debian:10"),
    ("bullseye", "Debian:11"),
    ("bookworm", "Debian:12"),
    ("trixie", "Debian:13"),
    ("forky", "Debian:14"),
    ("duke", "Debian:15"),
];

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    description: String,
    #[serde(default)]
    releases: HashMap<String, Release>,
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    status: String,
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: String,
}

/// Returns whether a text is the tracker's, by its first entry.
pub(super) fn is_tracker(text: &str) -> bool {
    let mut json = serde_json::Deserializer::from_str(text);
    serde::de::Deserializer::deserialize_map(&mut json, First).unwrap_or(false)
}

struct First;

impl<'de> Visitor<'de> for First {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the tracker's object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<bool, M::Error> {
        let Some(_) = map.next_key::<String>()? else {
            return Ok(false);
        };
        let issues: HashMap<String, Issue> = map.next_value()?;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(issues.values().any(|one| !one.releases.is_empty()))
    }
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    let all = Packages { reader, each };
    serde::de::Deserializer::deserialize_map(&mut json, all).context("it is not Debian's tracker")
}

/// Walks over packages one by one: most are not installed, and all of them parsed would take seven times their size.
struct Packages<'r, 'w, 'e> {
    reader: &'r mut Reader<'w>,
    each: &'e mut dyn FnMut(Advisory),
}

impl<'de> Visitor<'de> for Packages<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the tracker's object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let is_installed = RELEASES
                .iter()
                .any(|(_, release)| self.reader.wanted.has(release, &name));
            // Every release that is looked after has entries of the kernel.
            if !is_installed && name != "linux" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let issues: HashMap<String, Issue> = map.next_value()?;
            if name == "linux" {
                for (codename, release) in RELEASES {
                    let of_release =
                        |issue: &Issue| issue.releases.get(codename).is_some_and(is_determined);
                    if issues.values().any(of_release) {
                        self.reader.cover_by_file(&Ecosystem::free(release), None);
                    }
                }
            }
            let mut issues: Vec<_> = issues.into_iter().collect();
            issues.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            for (id, issue) in issues {
                if let Some(advisory) = advisory(self.reader, &name, id, issue) {
                    (self.each)(advisory);
                }
            }
        }
        Ok(())
    }
}

/// A fixed version of 0 says that the release never was affected, and the status `undetermined` that nobody knows yet.
fn part(name: &str, ecosystem: &str, release: &Release, scope: Scope) -> Option<Affected> {
    let fixed = release.fixed_version.clone().filter(|fixed| fixed != "0");
    let counts = release.status == "open" || (release.status == "resolved" && fixed.is_some());
    counts.then(|| Affected {
        ecosystem: Ecosystem::free(ecosystem),
        name: name.to_owned(),
        line: Line {
            modules: Vec::new(),
            scope,
        },
        ranges: vec![Event::until(fixed.filter(|_| release.status == "resolved"))],
        versions: Vec::new(),
        severity: Severity::of([release.urgency.as_str()], []),
    })
}

/// Returns whether somebody has found out which versions are affected, be it none.
fn is_determined(release: &Release) -> bool {
    release.status == "open" || (release.status == "resolved" && release.fixed_version.is_some())
}

/// Backports are built from what unstable has: from its fix on they have it as well.
fn advisory(reader: &mut Reader<'_>, name: &str, id: String, mut issue: Issue) -> Option<Advisory> {
    let unstable = issue.releases.remove("sid").filter(is_determined);
    let scope = match &unstable {
        Some(_) => Scope::Release,
        None => Scope::Undetermined,
    };
    let mut affected = Vec::new();
    for (codename, ecosystem) in RELEASES {
        let Some(release) = issue.releases.remove(codename) else {
            continue;
        };
        if !reader.wanted.has(ecosystem, name) {
            continue;
        }
        affected.extend(part(name, ecosystem, &release, scope.clone()));
        let backports = unstable.as_ref();
        affected.extend(backports.and_then(|one| part(name, ecosystem, one, Scope::Backports)));
    }
    let (cves, aliases) = names(&id, []);
    let url = format!("https://security-tracker.debian.org/tracker/{id}");
    (!affected.is_empty()).then_some(Advisory {
        id,
        cves,
        aliases,
        summary: issue.description,
        url,
        affected,
    })
}
