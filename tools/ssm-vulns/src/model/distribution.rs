//! Which release of which distribution a node runs, and an advisory is about, in OSV's words.
//! <https://ossf.github.io/osv-schema/#defined-ecosystems>

mod suse;

pub(crate) use self::suse::of_cpe as of_suse_cpe;

use super::system::System;

/// What an advisory names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ecosystem {
    /// As [`of_system`] returns it: `Red Hat:enterprise_linux:9`.
    pub(crate) name: String,
    /// Set where the fix is for those who pay for longer support.
    pub(crate) paid: Option<Paid>,
}

/// Longer support.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Paid {
    /// What it is called: `Ubuntu Pro`.
    pub(crate) name: String,
    /// The minor release that it is about, where versions of others do not compare: `9.2`.
    pub(crate) minor: Option<String>,
}

impl Paid {
    /// Returns whether a system that lacks it is offered another one before.
    pub(crate) fn is_second(&self) -> bool {
        suse::is_sap(self)
    }
}

impl Ecosystem {
    /// Returns one whose fixes everybody gets.
    pub(crate) fn free(name: impl Into<String>) -> Ecosystem {
        Ecosystem {
            name: name.into(),
            paid: None,
        }
    }

    /// Returns what has to be paid for the fixes on a system.
    pub(crate) fn paid_on(&self, system: &System) -> Option<&Paid> {
        let paid = self.paid.as_ref();
        paid.filter(|paid| !suse::comes_with(paid, system))
    }

    /// Returns whether some systems have the fixes without paying for them.
    pub(crate) fn is_of_release(&self) -> bool {
        self.paid.as_ref().is_none_or(suse::is_sap)
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
        // `3.22.0_alpha20250108`: a snapshot of what is to be the next release.
        "alpine" if version.contains("_alpha") => "Alpine:edge".to_owned(),
        "alpine" => format!("Alpine:v{}", minor()),
        "almalinux" => format!("AlmaLinux:{}", major()),
        "rocky" => format!("Rocky Linux:{}", major()),
        "rhel" => format!("Red Hat:enterprise_linux:{}", major()),
        "ol" => format!("Oracle Linux:{}", major()),
        // SLES for SAP 12 SP1 writes `12.1.0.1`.
        "sles" | "sles_sap" | "sled" | "sle_hpc" | "sle_rt" => format!("SUSE:{}", minor()),
        // Micro was called MicroOS at first: <https://www.suse.com/releasenotes/>
        "sle-micro" | "sl-micro" | "sle-micro-rancher" | "suse-microos" => {
            format!("SUSE:Micro {version}")
        }
        "opensuse-leap-micro" => format!("openSUSE:Leap Micro {version}"),
        // Leap 42.
        "opensuse-leap" | "opensuse" => format!("openSUSE:Leap {version}"),
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

/// Returns everything whose packages a system may have: its own release, as [`of_system`] returns it, and what is for several.
pub(crate) fn all_of_system(system: &System) -> Vec<String> {
    let own = of_system(system);
    let beside = own.as_deref().and_then(suse::beside).map(str::to_owned);
    own.into_iter().chain(beside).collect()
}

/// Returns whether advisories of a distribution of apk name packages as well as their sources: `libcrypto3` beside `openssl`.
/// <https://github.com/chainguard-dev/vulnerability-scanner-support/blob/main/docs/osv_v3_feed.md>
pub(crate) fn names_packages(system: &System) -> bool {
    matches!(system.id.as_str(), "wolfi" | "chainguard")
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
        "SUSE" => suse::of_product(rest),
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

/// Reads `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos` and, from release 10 on, `enterprise_linux_eus:10.2`, the ends of Red
/// Hat's CPEs. <https://security.access.redhat.com/data/csaf/v2/vex/2025/>
pub(crate) fn of_red_hat(cpe: &str) -> Option<Ecosystem> {
    let mut parts = cpe.split(':');
    let (product, version) = (parts.next()?, parts.next()?);
    let major = version
        .split('.')
        .next()
        .filter(|major| !major.is_empty())?;
    let name = format!("Red Hat:enterprise_linux:{major}");
    if product == "enterprise_linux" {
        return Some(Ecosystem::free(name));
    }
    let of_support = ["rhel_", "enterprise_linux_"];
    let support = match of_support
        .iter()
        .find_map(|one| product.strip_prefix(one))?
    {
        "eus" | "eus_long_life" => "Red Hat EUS",
        "aus" => "Red Hat AUS",
        "e4s" => "Red Hat E4S",
        "tus" => "Red Hat TUS",
        "els" => "Red Hat ELS",
        _ => return None,
    };
    // A fix for one minor release may have a higher number than the later release that has had it all along.
    let minor = version.contains('.').then_some(version);
    Some(Ecosystem::paid(name, support, minor))
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
#[path = "distribution_tests.rs"]
mod distribution_tests;
