//! Which installed packages an advisory is about.

mod line;
mod verdict;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::advisory::{Advisory, Affected};
use crate::model::distribution::{self, Paid};
use crate::model::fleet::{Fleet, Installed};
use crate::model::package::Manager;
use crate::model::record::Issue;
use crate::model::severity::Word;
use crate::version::Version;

use self::verdict::{has_paid_fix, is_doubtful, ordered, verdict};

/// A package as an advisory may name it: by itself, or by its source.
struct Candidate {
    /// Its place in the fleet.
    installed: usize,
    /// The version that is compared, and how it is written.
    version: Option<Version>,
    text: String,
    /// The version that a backport is built from, whose fixes it has.
    built_from: Option<Version>,
    /// Whether the epoch is left out: that of a source rpm is not known, `perl-Errno 0:1.38` is of perl 4:5.40.2.
    has_no_epoch: bool,
}

/// The packages of a fleet by ecosystem and name, and what was found about them.
pub(crate) struct Judge<'f> {
    fleet: &'f Fleet,
    /// What OSV calls each system.
    ecosystems: Vec<Option<String>>,
    index: HashMap<String, HashMap<String, Vec<Candidate>>>,
    known_exploited: Option<HashSet<String>>,
    /// Issues and the packages that have them, by their places.
    found: BTreeMap<Key, (Issue, BTreeSet<usize>)>,
    /// What cannot be compared: advisory, package and why.
    pub(crate) unjudged: BTreeSet<(String, String, String)>,
    /// Backports with a higher number than a fix for their release, which they may lack all the same, by their places.
    doubtful: BTreeMap<usize, Doubt>,
    /// Ecosystems and sources of which some advisory says what backports have.
    judges_backports: HashSet<(String, String)>,
    /// Packages, by their places, and CVEs that longer support has fixed in them.
    has_fix: HashSet<(usize, String)>,
}

/// How many fixes a backport may lack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Doubt {
    pub(crate) n_fixes: usize,
    /// Those of which the tracker itself does not know.
    pub(crate) n_undetermined: usize,
}

/// What distinguishes issues: advisory, ecosystem, package, installed and fixed version, whether it is uncertain.
type Key = (String, String, String, String, Option<String>, bool);

/// An issue and the nodes that have it, by their places.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) issue: Issue,
    pub(crate) nodes: Vec<u32>,
}

impl<'f> Judge<'f> {
    pub(crate) fn new(fleet: &'f Fleet, known_exploited: Option<HashSet<String>>) -> Judge<'f> {
        let ecosystems: Vec<_> = fleet.systems.iter().map(distribution::of_system).collect();
        let mut index: HashMap<String, HashMap<String, Vec<Candidate>>> = HashMap::new();
        for (place, installed) in fleet.installed.iter().enumerate() {
            let Installed { package, nodes, .. } = installed;
            if nodes.is_empty() || package.manager == Manager::Windows {
                continue;
            }
            let mut add = |name: &str, version: &str, has_no_epoch: bool| {
                for ecosystem in distribution::all_of_system(&fleet.systems[installed.system]) {
                    let names = index.entry(ecosystem).or_default();
                    let parsed = Version::parse(package.manager, version);
                    names.entry(name.to_owned()).or_default().push(Candidate {
                        installed: place,
                        version: match has_no_epoch {
                            true => parsed.map(Version::without_epoch),
                            false => parsed,
                        },
                        built_from: line::of_backport(version)
                            .and_then(|from| Version::parse(package.manager, from)),
                        text: version.to_owned(),
                        has_no_epoch,
                    });
                }
            };
            // Advisories of Debian, Ubuntu, Alpine and SUSE name sources, those of AlmaLinux and Amazon Linux what was built
            // of them, and those of Red Hat, Wolfi and Chainguard either.
            let has_no_epoch = package.is_epoch_of_source_unknown();
            add(&package.source.name, &package.source.version, has_no_epoch);
            let is_named = distribution::names_packages(&fleet.systems[installed.system])
                || package.manager == Manager::Rpm;
            if is_named && package.name != package.source.name {
                add(&package.name, &package.version, false);
            }
        }
        Judge {
            fleet,
            ecosystems,
            index,
            known_exploited,
            found: BTreeMap::new(),
            unjudged: BTreeSet::new(),
            doubtful: BTreeMap::new(),
            judges_backports: HashSet::new(),
            has_fix: HashSet::new(),
        }
    }

    /// Returns the names that advisories may be about.
    pub(crate) fn names(&self) -> HashMap<String, HashSet<String>> {
        let names = self
            .index
            .iter()
            .map(|(ecosystem, names)| (ecosystem.clone(), names.keys().cloned().collect()));
        names.collect()
    }

    /// Takes an advisory.
    pub(crate) fn judge(&mut self, advisory: &Advisory) {
        // A package may be named by itself and by its source, for everybody and for those who pay: the best counts.
        let mut best: BTreeMap<usize, (Rank, Issue)> = BTreeMap::new();
        let mut has_fix: HashSet<usize> = HashSet::new();
        for affected in &advisory.affected {
            let candidates = self
                .index
                .get(&affected.ecosystem.name)
                .and_then(|names| names.get(&affected.name));
            let Some(candidates) = candidates else {
                continue;
            };
            if line::judges_backports(affected) {
                let key = (affected.ecosystem.name.clone(), affected.name.clone());
                self.judges_backports.insert(key);
            }
            let manager = self.fleet.installed[candidates[0].installed]
                .package
                .manager;
            let ranges: Result<Vec<_>, String> = affected
                .ranges
                .iter()
                .map(|range| ordered(range, manager))
                .collect();
            let ranges = match ranges {
                Ok(ranges) => ranges,
                Err(version) => {
                    let why = format!("{version} is not a version to {}", name_of(manager));
                    for candidate in candidates {
                        let name = &self.fleet.installed[candidate.installed].package.name;
                        let entry = (advisory.id.clone(), name.clone(), why.clone());
                        self.unjudged.insert(entry);
                    }
                    continue;
                }
            };
            for candidate in candidates {
                let installed = &self.fleet.installed[candidate.installed];
                if !is_for(affected, installed, self.fleet) {
                    continue;
                }
                let Some(version) = &candidate.version else {
                    let why = format!(
                        "{} is not a version to {}",
                        candidate.text,
                        name_of(manager)
                    );
                    self.unjudged.insert((
                        advisory.id.clone(),
                        installed.package.name.clone(),
                        why,
                    ));
                    continue;
                };
                if is_doubtful(affected, candidate, &ranges) {
                    let doubt = self.doubtful.entry(candidate.installed).or_default();
                    doubt.n_fixes += 1;
                    doubt.n_undetermined += usize::from(line::is_undetermined(affected));
                }
                let at = (version, candidate);
                if let Some((fixed, uncertain)) = verdict(affected, installed, at, &ranges) {
                    let issue = self.issue(advisory, affected, installed, fixed, uncertain);
                    let rank = rank(&issue, affected.ecosystem.paid.as_ref());
                    let before = best.get(&candidate.installed);
                    if before.is_none_or(|(before, _)| rank < *before) {
                        best.insert(candidate.installed, (rank, issue));
                    }
                } else if has_paid_fix(affected, installed, at, &ranges) {
                    has_fix.insert(candidate.installed);
                }
            }
        }
        // Who has paid for a fix does not wait for that which everybody gets, in this advisory or in another about the same CVE: Red Hat
        // has one for 9 and one for 9.2 EUS.
        best.retain(|place, _| !has_fix.contains(place));
        for place in has_fix {
            let cves = advisory.cves.iter();
            self.has_fix.extend(cves.map(|cve| (place, cve.clone())));
        }
        for (place, (_, issue)) in best {
            let key = (
                issue.advisory.clone(),
                issue.ecosystem.clone(),
                issue.package.clone(),
                issue.installed.clone(),
                issue.fixed.clone(),
                issue.uncertain,
            );
            let found = self.found.entry(key);
            let (_, packages) = found.or_insert_with(|| (issue, BTreeSet::new()));
            packages.insert(place);
        }
    }

    /// Returns the backports that the advisories do not judge, each with how many fixes it may lack. What the tracker says of
    /// a source answers for the advisories in OSV about it, and not for what the tracker itself does not know.
    pub(crate) fn doubtful(&self) -> impl Iterator<Item = (&Installed, Doubt)> {
        self.doubtful.iter().filter_map(|(place, doubt)| {
            let installed = &self.fleet.installed[*place];
            let ecosystem = self.ecosystems[installed.system].clone()?;
            let key = (ecosystem, installed.package.source.name.clone());
            let n_fixes = match self.judges_backports.contains(&key) {
                true => doubt.n_undetermined,
                false => doubt.n_fixes,
            };
            (n_fixes > 0).then_some((installed, Doubt { n_fixes, ..*doubt }))
        })
    }

    fn issue(
        &self,
        advisory: &Advisory,
        affected: &Affected,
        installed: &Installed,
        fixed: Option<String>,
        uncertain: bool,
    ) -> Issue {
        let package = &installed.package;
        let is_exploited =
            |list: &HashSet<String>| advisory.cves.iter().any(|cve| list.contains(cve));
        Issue {
            advisory: advisory.id.clone(),
            cves: advisory.cves.clone(),
            aliases: advisory.aliases.clone(),
            severity: affected.severity.clone(),
            known_exploited: self.known_exploited.as_ref().map(is_exploited),
            // That of the node: a module may be for several.
            ecosystem: self.ecosystems[installed.system]
                .clone()
                .unwrap_or_default(),
            package: package.name.clone(),
            source: package.source.name.clone(),
            installed: package.version.clone(),
            paid: affected
                .ecosystem
                .paid_on(&self.fleet.systems[installed.system])
                .filter(|_| fixed.is_some())
                .map(|paid| paid.name.clone()),
            fixed,
            uncertain,
            summary: advisory.summary.clone(),
            url: advisory.url.clone(),
        }
    }

    /// Returns what was found, the worst first, each with its nodes in order.
    pub(crate) fn found(&mut self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (issue, packages) in std::mem::take(&mut self.found).into_values() {
            let is_fixed = |place: &usize| {
                let has = |cve: &String| self.has_fix.contains(&(*place, cve.clone()));
                !issue.cves.is_empty() && issue.cves.iter().all(has)
            };
            let affected = packages.iter().filter(|place| !is_fixed(place));
            let nodes = affected.flat_map(|place| &self.fleet.installed[*place].nodes);
            let mut nodes: Vec<u32> = nodes.copied().collect();
            nodes.sort_unstable();
            nodes.dedup();
            if !nodes.is_empty() {
                found.push(Found { issue, nodes });
            }
        }
        found.sort_by(|one, other| {
            let order = |found: &Found| {
                let issue = &found.issue;
                (issue.known_exploited != Some(true), issue.severity.word)
            };
            let score = |found: &Found| found.issue.severity.score.unwrap_or_default();
            order(one)
                .cmp(&order(other))
                .then(score(other).total_cmp(&score(one)))
        });
        found
    }
}

fn name_of(manager: Manager) -> &'static str {
    match manager {
        Manager::Deb => "dpkg",
        Manager::Rpm => "rpm",
        Manager::Apk => "apk",
        Manager::Windows => "Windows",
    }
}

/// The lower, the more is known for sure and the easier the cure; of equals the worst counts, as an advisory may rate each of its
/// vulnerabilities.
type Rank = (bool, bool, bool, bool, Word);

fn rank(issue: &Issue, paid: Option<&Paid>) -> Rank {
    (
        issue.uncertain,
        issue.fixed.is_none(),
        issue.paid.is_some(),
        issue.paid.is_some() && paid.is_some_and(Paid::is_second),
        issue.severity.word,
    )
}

/// Returns whether a node may have what is affected: longer support is for one minor release.
fn is_for(affected: &Affected, installed: &Installed, fleet: &Fleet) -> bool {
    let minor = affected
        .ecosystem
        .paid
        .as_ref()
        .and_then(|paid| paid.minor.as_ref());
    minor.is_none_or(|minor| fleet.systems[installed.system].version == *minor)
}
