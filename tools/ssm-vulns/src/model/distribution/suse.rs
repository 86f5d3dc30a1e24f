//! The products of SUSE, as OSV, CSAF and `updateinfo.xml` call them.

use super::{Ecosystem, Paid};
use crate::model::system::{System, is_number};

/// Products of SUSE whose packages are on its hosts, as OSV and CSAF begin their names. Real Time and Micro are hosts of their own, and
/// Micro has releases of its own.
const OF_HOSTS: [&str; 13] = [
    "Linux Enterprise Server",
    "Linux Enterprise Module for ",
    "Linux Enterprise Desktop",
    "Linux Enterprise High Performance Computing",
    "Linux Enterprise Live Patching",
    "Linux Enterprise High Availability",
    "Linux Enterprise Workstation Extension",
    "Linux Enterprise Software Development Kit",
    "Linux Enterprise Real Time",
    "Real Time Module",
    "Linux Enterprise Micro",
    "Linux Micro",
    "Package Hub ",
];

/// Products that name no service pack while their release is 12, as they are for all of its service packs; of 15, each service pack has
/// modules of its own. <https://www.suse.com/releasenotes/x86_64/SUSE-SLES/12-SP5/>
const OF_MAJOR: [&str; 3] = [
    "Linux Enterprise Module for ",
    "Linux Enterprise Live Patching",
    "Package Hub ",
];

/// The packages of those products.
const OF_12: &str = "SUSE:12.*";

/// Support of a service pack of SLES for SAP Applications, which ends after that of SLES: its fixes are for those only who pay for
/// longer support where SLES runs.
/// <https://www.suse.com/lifecycle>
const SAP: &str = "SUSE SAP";

/// What longer support is called in the names of products, before their release or behind it.
/// <https://www.suse.com/products/long-term-service-pack-support/>
const OF_SUPPORT: [(&str, &str); 4] = [
    ("ESPOS", "SUSE ESPOS"),
    ("LTSS", "SUSE LTSS"),
    ("BCL", "SUSE BCL"),
    ("TERADATA", "SUSE TERADATA"),
];

/// Returns the ecosystem beside that of a release whose packages are on its hosts as well.
pub(super) fn beside(name: &str) -> Option<&'static str> {
    (name == "SUSE:12" || name.starts_with("SUSE:12.")).then_some(OF_12)
}

/// Returns whether longer support comes with a system: its ID is `sles_sap` up to 12 SP2, and `sles` later on, where the CPE says it,
/// with the base product that the collector looks at. <https://www.suse.com/support/kb/doc/?id=000019341>
pub(super) fn comes_with(support: &Paid, system: &System) -> bool {
    let is_of_sap = system.id == "sles_sap" || system.cpe.contains(":sles_sap:");
    is_of_sap && is_sap(support)
}

pub(super) fn is_sap(support: &Paid) -> bool {
    support.name == SAP
}

/// Reads `Linux Enterprise Server 15 SP5-LTSS`, `Linux Enterprise Server LTSS Extended Security 12 SP5` and `Linux Enterprise Module
/// for Basesystem 15 SP5`.
pub(super) fn of_product(product: &str) -> Option<Ecosystem> {
    if let Some(leap) = product.strip_prefix("openSUSE ") {
        return Some(Ecosystem::free(format!("openSUSE:{leap}")));
    }
    if !OF_HOSTS.iter().any(|one| product.starts_with(one)) {
        return None;
    }
    let words: Vec<&str> = product.split([' ', '-']).collect();
    let of_words = |(word, _): &&(&str, &str)| words.contains(word);
    let support = OF_SUPPORT.iter().find(of_words);
    let is_support = |word: &&str| {
        matches!(*word, "Extended" | "Security" | "Core")
            || OF_SUPPORT.iter().any(|(one, _)| one == word)
    };
    let mut words = words.iter().rev().copied().skip_while(is_support);
    // What has another word behind the release is of something else.
    let release = match words.next()? {
        pack if pack.strip_prefix("SP").is_some_and(is_number) => {
            let major = words.next().filter(|word| is_number(word))?;
            format!("{major}.{}", &pack[2..])
        }
        major if is_number(major) => major.to_owned(),
        _ => return None,
    };
    let is_of_major = OF_MAJOR.iter().any(|one| product.starts_with(one));
    let name = match release.as_str() {
        _ if product.split(' ').any(|word| word == "Micro") => format!("SUSE:Micro {release}"),
        "12" if is_of_major => OF_12.to_owned(),
        _ => format!("SUSE:{release}"),
    };
    Some(match support {
        Some((_, support)) => Ecosystem::paid(name, support, None),
        None if product.starts_with("Linux Enterprise Server for SAP") => {
            Ecosystem::paid(name, SAP, None)
        }
        None => Ecosystem::free(name),
    })
}

/// Reads `sles:15:sp5` and `sles_sap:15:sp4`, the ends of SUSE's CPEs.
pub(crate) fn of_cpe(cpe: &str) -> Option<Ecosystem> {
    let mut parts = cpe.split(':');
    let (name, version, pack) = (parts.next()?, parts.next()?, parts.next());
    let pack = pack
        .and_then(|pack| pack.strip_prefix("sp"))
        .map(|pack| format!(".{pack}"));
    let release = format!("SUSE:{version}{}", pack.unwrap_or_default());
    match name {
        "sles_sap" => Some(Ecosystem::paid(release, SAP, None)),
        _ if name.starts_with("sle-module-") && version == "12" => Some(Ecosystem::free(OF_12)),
        "sles" | "sled" => Some(Ecosystem::free(release)),
        _ if name.starts_with("sle-module-") => Some(Ecosystem::free(release)),
        _ => None,
    }
}
