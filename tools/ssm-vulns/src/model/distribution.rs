//! Which release of which distribution a node runs, and an advisory is about, in OSV's words.
//! <https://ossf.github.io/osv-schema/#defined-ecosystems>

use super::system::System;

/// What an advisory names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ecosystem {
    /// As [`of_system`] returns it: `Red Hat:enterprise_linux:9`.
    pub(crate) name: String,
    /// Set where the fix is for those who pay for longer support.
    pub(crate) paid: Option<Paid>,
}

/// Longer support.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Paid {
    /// What it is called: `Ubuntu Pro`.
    pub(crate) name: String,
    /// The minor release that it is about, where versions of others do not compare: `9.2`.
    pub(crate) minor: Option<String>,
}

impl Ecosystem {
    /// Returns one whose fixes everybody gets.
    pub(crate) fn free(name: impl Into<String>) -> Ecosystem {
        Ecosystem {
            name: name.into(),
            paid: None,
        }
    }

    fn paid(name: String, support: &str, minor: Option<&str>) -> Ecosystem {
        let paid = Paid {
            name: support.to_owned(),
            minor: minor.map(str::to_owned),
        };
        Ecosystem {
            name,
            paid: Some(paid),
        }
    }
}

/// Returns what OSV calls a system, or none for distributions that no advisories are read of.
pub(crate) fn of_system(system: &System) -> Option<String> {
    let version = system.version.as_str();
    let major = || version.split('.').next().unwrap_or_default();
    let minor = || version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    Some(match system.id.as_str() {
        // Trivy writes the point release.
        "debian" => format!("Debian:{}", major()),
        "ubuntu" => format!("Ubuntu:{version}"),
        "alpine" => format!("Alpine:v{}", minor()),
        "almalinux" => format!("AlmaLinux:{}", major()),
        "rocky" => format!("Rocky Linux:{}", major()),
        "rhel" => format!("Red Hat:enterprise_linux:{}", major()),
        "ol" => format!("Oracle Linux:{}", major()),
        "sles" | "sles_sap" | "sled" | "sle_hpc" | "sle_rt" => format!("SUSE:{version}"),
        "sle-micro" | "sl-micro" => format!("SUSE:Micro {version}"),
        "opensuse-leap" => format!("openSUSE:Leap {version}"),
        "opensuse-tumbleweed" => "openSUSE:Tumbleweed".to_owned(),
        // Trivy writes `2 (Karoo)`.
        "amzn" => format!(
            "Amazon Linux:{}",
            major().split(' ').next().unwrap_or_default()
        ),
        "mageia" => format!("Mageia:{version}"),
        "openEuler" => format!("openEuler:{}", of_open_euler(system)),
        "photon" => format!("Photon OS:{version}"),
        // Its name until 2.0: <https://learn.microsoft.com/en-us/azure/azure-linux/intro-azure-linux>
        "azurelinux" | "mariner" => format!("Azure Linux:{}", major()),
        "alpaquita" => format!("Alpaquita:{version}"),
        "bellsoft-hardened-containers" => format!("BellSoft Hardened Containers:{version}"),
        "wolfi" => "Wolfi".to_owned(),
        "chainguard" => "Chainguard".to_owned(),
        "minimos" => "MinimOS".to_owned(),
        "echo" => "Echo".to_owned(),
        _ => return None,
    })
}

/// Returns `24.03-LTS-SP1` of `openEuler 24.03 (LTS-SP1)`: the version alone names no service pack, and each has advisories of its own.
fn of_open_euler(system: &System) -> String {
    let release = system.pretty.strip_prefix("openEuler ");
    let release = release.unwrap_or(&system.version).replace(['(', ')'], "");
    release.split_whitespace().collect::<Vec<_>>().join("-")
}

/// Returns what an ecosystem of OSV is here, or none where it is of another product than a release of a distribution.
pub(crate) fn of_osv(text: &str) -> Option<Ecosystem> {
    let (family, rest) = text.split_once(':').unwrap_or((text, ""));
    match family {
        "Ubuntu" => {
            let rest = rest.replace(":LTS", "");
            // `Pro:FIPS:22.04` and the like have packages of their own.
            let mut parts = rest.rsplitn(2, ':');
            let release = parts.next().filter(|release| !release.is_empty())?;
            let name = format!("Ubuntu:{release}");
            Some(match parts.next() {
                None => Ecosystem::free(name),
                Some("Pro") => Ecosystem::paid(name, "Ubuntu Pro", None),
                Some(_) => return None,
            })
        }
        "Red Hat" => of_red_hat(rest),
        "SUSE" => of_suse(rest),
        "TuxCare" => of_tuxcare(rest),
        // The newest form names Leap as a distribution of its own.
        "openSUSE" => Some(Ecosystem::free(format!("openSUSE:{rest}"))),
        "AlmaLinux" | "Rocky Linux" | "Oracle Linux" | "Azure Linux" => {
            let major = rest.split('.').next().filter(|major| !major.is_empty())?;
            Some(Ecosystem::free(format!("{family}:{major}")))
        }
        "Wolfi" | "Chainguard" | "MinimOS" | "Echo" if rest.is_empty() => {
            Some(Ecosystem::free(family))
        }
        "Debian"
        | "Alpine"
        | "Amazon Linux"
        | "Mageia"
        | "openEuler"
        | "Photon OS"
        | "Alpaquita"
        | "BellSoft Hardened Containers"
            if !rest.is_empty() =>
        {
            Some(Ecosystem::free(text))
        }
        _ => None,
    }
}

/// Reads `enterprise_linux:9::appstream` and `rhel_eus:9.2::baseos`, the ends of Red Hat's CPEs.
pub(crate) fn of_red_hat(cpe: &str) -> Option<Ecosystem> {
    let mut parts = cpe.split(':');
    let (product, version) = (parts.next()?, parts.next()?);
    let major = version
        .split('.')
        .next()
        .filter(|major| !major.is_empty())?;
    let name = format!("Red Hat:enterprise_linux:{major}");
    let support = match product {
        "enterprise_linux" => return Some(Ecosystem::free(name)),
        "rhel_eus" | "rhel_eus_long_life" => "Red Hat EUS",
        "rhel_aus" => "Red Hat AUS",
        "rhel_e4s" => "Red Hat E4S",
        "rhel_tus" => "Red Hat TUS",
        "rhel_els" => "Red Hat ELS",
        _ => return None,
    };
    // A fix for one minor release may have a higher number than the later release that has had it all along.
    let minor = version.contains('.').then_some(version);
    Some(Ecosystem::paid(name, support, minor))
}

/// Products of SUSE whose packages are on its hosts, as OSV and CSAF begin their names. Real Time and Micro are hosts of their own, and
/// Micro has releases of its own.
const OF_SUSE_HOSTS: [&str; 12] = [
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
];

/// What longer support is called in the names of products, before their release or behind it.
/// <https://www.suse.com/products/long-term-service-pack-support/>
const OF_SUSE_SUPPORT: [(&str, &str); 4] = [
    ("ESPOS", "SUSE ESPOS"),
    ("LTSS", "SUSE LTSS"),
    ("BCL", "SUSE BCL"),
    ("TERADATA", "SUSE TERADATA"),
];

/// Reads `Linux Enterprise Server 15 SP5-LTSS`, `Linux Enterprise Server LTSS Extended Security 12 SP5` and `Linux Enterprise Module
/// for Basesystem 15 SP5`.
fn of_suse(product: &str) -> Option<Ecosystem> {
    if let Some(leap) = product.strip_prefix("openSUSE ") {
        return Some(Ecosystem::free(format!("openSUSE:{leap}")));
    }
    if !OF_SUSE_HOSTS.iter().any(|one| product.starts_with(one)) {
        return None;
    }
    let words: Vec<&str> = product.split([' ', '-']).collect();
    let of_words = |(word, _): &&(&str, &str)| words.contains(word);
    let support = OF_SUSE_SUPPORT.iter().find(of_words);
    let is_support = |word: &&str| {
        matches!(*word, "Extended" | "Security" | "Core")
            || OF_SUSE_SUPPORT.iter().any(|(one, _)| one == word)
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
    let name = match product.split(' ').any(|word| word == "Micro") {
        true => format!("SUSE:Micro {release}"),
        false => format!("SUSE:{release}"),
    };
    Some(match support {
        Some((_, support)) => Ecosystem::paid(name, support, None),
        None => Ecosystem::free(name),
    })
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Reads `AlmaLinux:9.6` and `Ubuntu:18.04` behind `TuxCare:`, who rebuild packages of releases that have no support any more.
fn of_tuxcare(base: &str) -> Option<Ecosystem> {
    let name = of_osv(base).filter(|one| one.paid.is_none())?.name;
    let minor = base
        .strip_prefix("AlmaLinux:")
        .filter(|version| version.contains('.'));
    Some(Ecosystem::paid(name, "TuxCare", minor))
}

#[cfg(test)]
mod tests {
    use super::{of_osv, of_system};
    use crate::model::system::System;

    #[test]
    fn a_system_is_called_as_osv_calls_it() {
        for (id, version, expected) in [
            ("debian", "12", "Debian:12"),
            ("ubuntu", "22.04", "Ubuntu:22.04"),
            ("alpine", "3.20.3", "Alpine:v3.20"),
            ("almalinux", "9.4", "AlmaLinux:9"),
            ("rhel", "8.8", "Red Hat:enterprise_linux:8"),
            ("sles", "15.5", "SUSE:15.5"),
            ("sle-micro", "5.5", "SUSE:Micro 5.5"),
            ("debian", "12.7", "Debian:12"),
            ("amzn", "2 (Karoo)", "Amazon Linux:2"),
            ("amzn", "2023 (Amazon Linux)", "Amazon Linux:2023"),
            (
                "bellsoft-hardened-containers",
                "stream",
                "BellSoft Hardened Containers:stream",
            ),
            ("opensuse-leap", "15.6", "openSUSE:Leap 15.6"),
            ("amzn", "2023", "Amazon Linux:2023"),
            ("wolfi", "20230201", "Wolfi"),
        ] {
            let system = System {
                id: id.to_owned(),
                version: version.to_owned(),
                ..System::default()
            };
            assert_eq!(of_system(&system).as_deref(), Some(expected), "{id}");
        }
        assert_eq!(of_system(&System::default()), None);
    }

    #[test]
    fn ecosystems_of_all_years_are_those_of_systems() {
        for (text, expected) in [
            ("Debian:12", "Debian:12"),
            ("Ubuntu:22.04:LTS", "Ubuntu:22.04"),
            ("Ubuntu:23.10", "Ubuntu:23.10"),
            ("Ubuntu:Pro:18.04:LTS", "Ubuntu:18.04 for Ubuntu Pro"),
            ("Ubuntu:Pro:FIPS:22.04:LTS", "-"),
            ("AlmaLinux:9", "AlmaLinux:9"),
            (
                "Red Hat:enterprise_linux:9::appstream",
                "Red Hat:enterprise_linux:9",
            ),
            (
                "Red Hat:rhel_eus:9.2::baseos",
                "Red Hat:enterprise_linux:9 for Red Hat EUS 9.2",
            ),
            ("Red Hat:openshift:4.15::el9", "-"),
            ("SUSE:Linux Enterprise Server 15 SP5", "SUSE:15.5"),
            (
                "SUSE:Linux Enterprise Server 12 SP5-LTSS",
                "SUSE:12.5 for SUSE LTSS",
            ),
            (
                "SUSE:Linux Enterprise Server 15 SP3-LTSS Extended Security",
                "SUSE:15.3 for SUSE LTSS",
            ),
            (
                "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
                "SUSE:15.5",
            ),
            (
                "SUSE:Linux Enterprise Server for SAP Applications 15 SP4",
                "SUSE:15.4",
            ),
            (
                "SUSE:Linux Enterprise Server LTSS Extended Security 12 SP5",
                "SUSE:12.5 for SUSE LTSS",
            ),
            (
                "SUSE:Linux Enterprise Server 12 SP2-BCL",
                "SUSE:12.2 for SUSE BCL",
            ),
            (
                "SUSE:Linux Enterprise High Performance Computing 15 SP4-ESPOS",
                "SUSE:15.4 for SUSE ESPOS",
            ),
            (
                "SUSE:Linux Enterprise High Availability Extension 15 SP5",
                "SUSE:15.5",
            ),
            (
                "SUSE:Linux Enterprise High Availability 12 SP5",
                "SUSE:12.5",
            ),
            (
                "SUSE:Linux Enterprise Workstation Extension 15 SP5",
                "SUSE:15.5",
            ),
            (
                "SUSE:Linux Enterprise Software Development Kit 12 SP5",
                "SUSE:12.5",
            ),
            ("SUSE:Linux Enterprise Real Time 15 SP4", "SUSE:15.4"),
            ("SUSE:Real Time Module 15 SP5", "SUSE:15.5"),
            ("SUSE:Linux Enterprise Micro 5.5", "SUSE:Micro 5.5"),
            ("SUSE:Linux Micro 6.0", "SUSE:Micro 6.0"),
            ("SUSE:Linux Enterprise Server 16.0", "SUSE:16.0"),
            ("SUSE:Linux Enterprise Server 12 SP5 Something", "-"),
            ("SUSE:Manager Server 4.3", "-"),
            ("TuxCare:Ubuntu:16.04", "Ubuntu:16.04 for TuxCare"),
            ("TuxCare:AlmaLinux:9.6", "AlmaLinux:9 for TuxCare 9.6"),
            ("TuxCare:npm", "-"),
            (
                "BellSoft Hardened Containers:stream",
                "BellSoft Hardened Containers:stream",
            ),
            ("CleanStart", "-"),
            ("openSUSE:Leap 15.6", "openSUSE:Leap 15.6"),
            ("SUSE:openSUSE Leap 15.6", "openSUSE:Leap 15.6"),
            ("openSUSE:Tumbleweed", "openSUSE:Tumbleweed"),
            ("Alpine:v3.20", "Alpine:v3.20"),
            ("Alpine", "-"),
            ("Wolfi", "Wolfi"),
            ("PyPI", "-"),
            ("", "-"),
        ] {
            let shown = of_osv(text).map_or_else(
                || "-".to_owned(),
                |one| {
                    let paid = one.paid.map(|paid| {
                        format!(" for {} {}", paid.name, paid.minor.unwrap_or_default())
                    });
                    format!("{}{}", one.name, paid.unwrap_or_default())
                        .trim_end()
                        .to_owned()
                },
            );
            assert_eq!(shown, expected, "{text}");
        }
    }
}
