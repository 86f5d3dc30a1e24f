//! What systems and ecosystems are called.

use super::{of_osv, of_system};
use crate::model::system::System;

#[test]
fn a_system_is_called_as_osv_calls_it() {
    for (id, version, expected) in [
        ("debian", "12", "Debian:12"),
        ("alpine", "3.22.0_alpha20250108", "Alpine:edge"),
        ("alpine", "3.22.0", "Alpine:v3.22"),
        ("sles_sap", "12.1.0.1", "SUSE:12.1"),
        ("sles", "12", "SUSE:12"),
        ("suse-microos", "5.1", "SUSE:Micro 5.1"),
        ("sle-micro-rancher", "5.4", "SUSE:Micro 5.4"),
        ("opensuse-leap-micro", "5.5", "openSUSE:Leap Micro 5.5"),
        ("opensuse", "42.3", "openSUSE:Leap 42.3"),
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
        (
            "Red Hat:enterprise_linux_eus:10.0",
            "Red Hat:enterprise_linux:10 for Red Hat EUS 10.0",
        ),
        (
            "SUSE:Linux Enterprise Module for Web and Scripting 12",
            "SUSE:12.*",
        ),
        ("SUSE:Linux Enterprise Server 12", "SUSE:12"),
        ("SUSE:Package Hub 15 SP6", "SUSE:15.6"),
        (
            "SUSE:Linux Enterprise Module for Live Patching 15 SP5",
            "SUSE:15.5",
        ),
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
            "SUSE:15.4 for SUSE SAP",
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
                let paid = one
                    .paid
                    .map(|paid| format!(" for {} {}", paid.name, paid.minor.unwrap_or_default()));
                format!("{}{}", one.name, paid.unwrap_or_default())
                    .trim_end()
                    .to_owned()
            },
        );
        assert_eq!(shown, expected, "{text}");
    }
}
