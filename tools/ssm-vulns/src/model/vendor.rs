//! Whether an rpm is of its distribution, by its vendor. Pure.

use super::package::{Manager, Package};
use super::system::System;

/// How distributions begin the names that their packages have as the vendor; the first words are beginnings of IDs of os-release.
/// <https://github.com/aquasecurity/trivy/blob/main/pkg/fanal/analyzer/pkg/rpm/rpm.go>, osVendors
const OF_DISTRIBUTIONS: [(&[&str], &[&str]); 8] = [
    (&["amzn"], &["Amazon Linux", "Amazon.com"]),
    (&["rhel"], &["Red Hat"]),
    (&["almalinux"], &["AlmaLinux", "CloudLinux"]),
    (&["rocky"], &["Rocky"]),
    (&["ol"], &["Oracle America"]),
    (&["photon"], &["VMware"]),
    (
        &["sle", "sl-micro", "suse", "opensuse"],
        &["SUSE", "openSUSE"],
    ),
    (&["mariner", "azurelinux"], &["Microsoft Corporation"]),
];

/// Returns the vendor of a package where it is another than its distribution; none where one of them is not known.
pub(crate) fn other<'p>(package: &'p Package, system: &System) -> Option<&'p str> {
    let vendor = package.vendor.as_str();
    if package.manager != Manager::Rpm || vendor.is_empty() {
        return None;
    }
    let begins = |text: &str, words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let of_system = |(ids, _): &&(&[&str], &[&str])| begins(&system.id, ids);
    let (_, own) = OF_DISTRIBUTIONS.iter().find(of_system)?;
    (!begins(vendor, own)).then_some(vendor)
}

#[cfg(test)]
mod tests {
    use super::other;
    use crate::model::package::Package;
    use crate::model::system::System;

    #[test]
    fn an_rpm_is_of_its_distribution_or_of_somebody_else() {
        for (id, vendor, expected) in [
            ("amzn", "Amazon Linux", None),
            ("amzn", "Amazon.com", None),
            ("rhel", "Amazon.com", Some("Amazon.com")),
            ("rhel", "Red Hat, Inc.", None),
            ("rhel", "Fedora Project", Some("Fedora Project")),
            ("rocky", "Rocky Enterprise Software Foundation", None),
            ("rocky", "Docker", Some("Docker")),
            ("sles", "SUSE LLC <https://www.suse.com/>", None),
            ("opensuse-leap", "openSUSE", None),
            ("azurelinux", "Microsoft Corporation", None),
            ("rocky", "", None),
            ("mageia", "Mageia.Org", None),
        ] {
            let line = format!("rpm\ta\t\t1\t1\t\t\t{vendor}");
            let package = Package::of_line(&line, "x86_64").unwrap();
            let system = System {
                id: id.to_owned(),
                ..System::default()
            };
            assert_eq!(other(&package, &system), expected, "{id} {vendor}");
        }
        let package = Package::of_line("deb\ta\t1", "x86_64").unwrap();
        assert_eq!(other(&package, &System::default()), None);
    }
}
