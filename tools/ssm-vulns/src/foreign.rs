//! Packages of other vendors than the distribution, which its advisories are not about. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::distribution;
use crate::model::fleet::Fleet;
use crate::model::record::{Foreign, ForeignKind};
use crate::model::vendor;

/// Packages that are named where there are more.
const N_NAMED: usize = 3;

/// Returns what is installed of each other vendor on each release.
pub(crate) fn packages(fleet: &Fleet) -> Vec<Foreign<'_>> {
    let mut found: BTreeMap<_, (BTreeSet<&str>, BTreeSet<u32>)> = BTreeMap::new();
    for installed in fleet.installed.iter().filter(|one| !one.nodes.is_empty()) {
        let system = &fleet.systems[installed.system];
        let Some(vendor) = vendor::other(&installed.package, system) else {
            continue;
        };
        // Of a system that no advisory could be about, nothing is judged: its nodes are gaps.
        let Some(ecosystem) = distribution::of_system(system) else {
            continue;
        };
        let (names, nodes) = found.entry((ecosystem, vendor)).or_default();
        names.insert(&installed.package.name);
        nodes.extend(&installed.nodes);
    }
    let record = |((ecosystem, vendor), (names, nodes)): (
        (String, _),
        (BTreeSet<_>, BTreeSet<_>),
    )| {
        Foreign {
            kind: ForeignKind::ForeignPackages,
            message: format!(
                "advisories of {vendor} are not read, and those of {ecosystem} are matched by name only"
            ),
            ecosystem,
            vendor,
            packages: names.into_iter().collect(),
            n_nodes: nodes.len(),
        }
    };
    found.into_iter().map(record).collect()
}

/// Returns a line about the packages of a vendor, which must not be overlooked: nobody's advisories here are about them.
pub(crate) fn line(foreign: &Foreign<'_>) -> String {
    let names = &foreign.packages;
    let named = names.iter().take(N_NAMED).copied().collect::<Vec<_>>();
    let more = if names.len() > N_NAMED { " .." } else { "" };
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!(
        "{} of {} on {} {verb} not judged ({}{more}): {}",
        cli::count(names.len(), "package"),
        foreign.vendor,
        cli::count(foreign.n_nodes, "node"),
        named.join(" "),
        foreign.message,
    )
}
