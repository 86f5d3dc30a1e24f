//! From the os-release file of each distribution to what OSV calls it, and to an advisory. What is called otherwise would have no
//! advisories, and that is a gap on every node of it.

use std::process::Command;

use serde_json::json;
use testbed::repository;

use crate::{Directory, invocation, judged, listed, osv};

/// A distribution, its os-release as its images have it, its package manager, its name in OSV, and the name of a neighbor.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
);

/// <https://ossf.github.io/osv-schema/#defined-ecosystems>. Oracle Linux and Amazon Linux are not among them: whoever converts their
/// advisories calls them so. Images of Echo are not public, so that its ID is what its name suggests.
const ROWS: [Row; 22] = [
    (
        "Debian",
        &[
            r#"PRETTY_NAME="Debian GNU/Linux 12 (bookworm)""#,
            r#"NAME="Debian GNU/Linux""#,
            r#"VERSION_ID="12""#,
            r#"VERSION="12 (bookworm)""#,
            "VERSION_CODENAME=bookworm",
            "ID=debian",
        ],
        "deb",
        "Debian:12",
        "Debian:13",
    ),
    (
        "Ubuntu",
        &[
            r#"PRETTY_NAME="Ubuntu 24.04.3 LTS""#,
            r#"NAME="Ubuntu""#,
            r#"VERSION_ID="24.04""#,
            r#"VERSION="24.04.3 LTS (Noble Numbat)""#,
            "VERSION_CODENAME=noble",
            "ID=ubuntu",
            "ID_LIKE=debian",
        ],
        "deb",
        "Ubuntu:24.04:LTS",
        "Ubuntu:22.04:LTS",
    ),
    (
        "Alpine",
        &[
            r#"NAME="Alpine Linux""#,
            "ID=alpine",
            "VERSION_ID=3.20.3",
            r#"PRETTY_NAME="Alpine Linux v3.20""#,
        ],
        "apk",
        "Alpine:v3.20",
        "Alpine:v3.2",
    ),
    (
        "AlmaLinux",
        &[
            r#"NAME="AlmaLinux""#,
            r#"VERSION="9.4 (Seafoam Ocelot)""#,
            r#"ID="almalinux""#,
            r#"ID_LIKE="rhel centos fedora""#,
            r#"VERSION_ID="9.4""#,
            r#"PRETTY_NAME="AlmaLinux 9.4 (Seafoam Ocelot)""#,
        ],
        "rpm",
        "AlmaLinux:9",
        "AlmaLinux:8",
    ),
    (
        "Rocky Linux",
        &[
            r#"NAME="Rocky Linux""#,
            r#"VERSION="9.3 (Blue Onyx)""#,
            r#"ID="rocky""#,
            r#"ID_LIKE="rhel centos fedora""#,
            r#"VERSION_ID="9.3""#,
            r#"PRETTY_NAME="Rocky Linux 9.3 (Blue Onyx)""#,
        ],
        "rpm",
        "Rocky Linux:9",
        "Rocky Linux:8",
    ),
    (
        "Oracle Linux",
        &[
            r#"NAME="Oracle Linux Server""#,
            r#"VERSION="9.3""#,
            r#"ID="ol""#,
            r#"ID_LIKE="fedora""#,
            r#"VERSION_ID="9.3""#,
            r#"PRETTY_NAME="Oracle Linux Server 9.3""#,
        ],
        "rpm",
        "Oracle Linux:9",
        "Oracle Linux:8",
    ),
    (
        "Red Hat",
        &[
            r#"NAME="Red Hat Enterprise Linux""#,
            r#"VERSION="9.4 (Plow)""#,
            r#"ID="rhel""#,
            r#"ID_LIKE="fedora""#,
            r#"VERSION_ID="9.4""#,
            r#"PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)""#,
        ],
        "rpm",
        "Red Hat:enterprise_linux:9::baseos",
        "Red Hat:enterprise_linux:8::baseos",
    ),
    (
        "SUSE",
        &[
            r#"NAME="SLES""#,
            r#"VERSION="15-SP5""#,
            r#"VERSION_ID="15.5""#,
            r#"PRETTY_NAME="SUSE Linux Enterprise Server 15 SP5""#,
            r#"ID="sles""#,
            r#"ID_LIKE="suse""#,
        ],
        "rpm",
        "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        "SUSE:Linux Enterprise Module for Basesystem 15 SP4",
    ),
    (
        "openSUSE",
        &[
            r#"NAME="openSUSE Leap""#,
            r#"VERSION="15.6""#,
            r#"ID="opensuse-leap""#,
            r#"ID_LIKE="suse opensuse""#,
            r#"VERSION_ID="15.6""#,
            r#"PRETTY_NAME="openSUSE Leap 15.6""#,
        ],
        "rpm",
        "openSUSE:Leap 15.6",
        "openSUSE:Leap 15.5",
    ),
    (
        "Amazon Linux",
        &[
            r#"NAME="Amazon Linux""#,
            r#"VERSION="2023""#,
            r#"ID="amzn""#,
            r#"ID_LIKE="fedora""#,
            r#"VERSION_ID="2023""#,
            r#"PRETTY_NAME="Amazon Linux 2023.6.20241121""#,
        ],
        "rpm",
        "Amazon Linux:2023",
        "Amazon Linux:2",
    ),
    (
        "Azure Linux",
        &[
            r#"NAME="Microsoft Azure Linux""#,
            r#"VERSION="3.0.20240824""#,
            "ID=azurelinux",
            r#"VERSION_ID="3.0""#,
            r#"PRETTY_NAME="Microsoft Azure Linux 3.0""#,
        ],
        "rpm",
        "Azure Linux:3",
        "Azure Linux:2",
    ),
    (
        "Azure Linux, as it was called",
        &[
            r#"NAME="Common Base Linux Mariner""#,
            r#"VERSION="2.0.20250701""#,
            "ID=mariner",
            r#"VERSION_ID="2.0""#,
            r#"PRETTY_NAME="CBL-Mariner/Linux""#,
        ],
        "rpm",
        "Azure Linux:2",
        "Azure Linux:3",
    ),
    (
        "Photon OS",
        &[
            r#"NAME="VMware Photon OS""#,
            r#"VERSION="5.0""#,
            "ID=photon",
            "VERSION_ID=5.0",
            r#"PRETTY_NAME="VMware Photon OS/Linux""#,
        ],
        "rpm",
        "Photon OS:5.0",
        "Photon OS:4.0",
    ),
    (
        "Mageia",
        &[
            r#"NAME="Mageia""#,
            r#"VERSION="9""#,
            "ID=mageia",
            "VERSION_ID=9",
            r#"ID_LIKE="mandriva fedora""#,
            r#"PRETTY_NAME="Mageia 9""#,
        ],
        "rpm",
        "Mageia:9",
        "Mageia:8",
    ),
    (
        "openEuler",
        &[
            r#"NAME="openEuler""#,
            r#"VERSION="24.03 (LTS-SP1)""#,
            r#"ID="openEuler""#,
            r#"VERSION_ID="24.03""#,
            r#"PRETTY_NAME="openEuler 24.03 (LTS-SP1)""#,
        ],
        "rpm",
        "openEuler:24.03-LTS-SP1",
        "openEuler:24.03-LTS",
    ),
    (
        "openEuler, before its service packs",
        &[
            r#"NAME="openEuler""#,
            r#"VERSION="20.03 (LTS)""#,
            r#"ID="openEuler""#,
            r#"VERSION_ID="20.03""#,
            r#"PRETTY_NAME="openEuler 20.03 (LTS)""#,
        ],
        "rpm",
        "openEuler:20.03-LTS",
        "openEuler:20.03-LTS-SP1",
    ),
    (
        "openEuler, between long-term ones",
        &[
            r#"NAME="openEuler""#,
            r#"VERSION="23.09""#,
            r#"ID="openEuler""#,
            r#"VERSION_ID="23.09""#,
            r#"PRETTY_NAME="openEuler 23.09""#,
        ],
        "rpm",
        "openEuler:23.09",
        "openEuler:22.03-LTS",
    ),
    (
        "Alpaquita",
        &[
            r#"NAME="BellSoft Alpaquita Linux""#,
            "ID=alpaquita",
            "ID_LIKE=alpine",
            "VERSION_ID=stream",
            r#"PRETTY_NAME="BellSoft Alpaquita Linux Stream (musl)""#,
        ],
        "apk",
        "Alpaquita:stream",
        "Alpaquita:23",
    ),
    (
        "Wolfi",
        &[
            "ID=wolfi",
            r#"NAME="Wolfi""#,
            r#"PRETTY_NAME="Wolfi""#,
            r#"VERSION_ID="20230201""#,
        ],
        "apk",
        "Wolfi",
        "Chainguard",
    ),
    (
        "Chainguard",
        &[
            "ID=chainguard",
            r#"NAME="Chainguard""#,
            r#"PRETTY_NAME="Chainguard""#,
            r#"VERSION_ID="20230214""#,
        ],
        "apk",
        "Chainguard",
        "Wolfi",
    ),
    (
        "MinimOS",
        &[
            "ID=minimos",
            r#"NAME="MinimOS""#,
            r#"PRETTY_NAME="MinimOS""#,
            r#"VERSION_ID="20241031""#,
        ],
        "apk",
        "MinimOS",
        "Wolfi",
    ),
    (
        "Echo",
        &[
            r#"NAME="Echo Linux""#,
            "ID=echo",
            "ID_LIKE=debian",
            r#"VERSION_ID="1""#,
            r#"PRETTY_NAME="Echo Linux""#,
        ],
        "deb",
        "Echo",
        "Debian:12",
    ),
];

/// Returns what the collector prints on a system with this os-release and one package.
fn collected(os_release: &[&str], manager: &str) -> String {
    let root = Directory::new();
    root.write("etc/os-release", os_release.join("\n"));
    root.write("lib/apk/db/installed", "P:a\nV:1-r0\nA:noarch\no:a\n\n");
    let output = Command::new("/bin/sh")
        .arg(repository().join("scripts/vulnscan.d/collector.sh"))
        // Without rpm, which would list the packages of this machine.
        .env_clear()
        .env("PATH", programs(&root))
        .env("INVENTORY_ROOT", root.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let package = match manager {
        "deb" => "deb\ta\t1-1",
        "rpm" => "rpm\ta\t\t1\t1",
        _ => "apk\ta\t1-r0",
    };
    let lines = printed.lines().filter(|line| !line.starts_with("end\t"));
    let lines: Vec<&str> = lines
        .map(|line| {
            if line.starts_with("apk\t") {
                package
            } else {
                line
            }
        })
        .collect();
    format!("{}\nend\t{}\t-\n", lines.join("\n"), lines.len() - 1)
}

/// Returns a directory with the programs that the collector needs, and no package manager.
fn programs(root: &Directory) -> std::path::PathBuf {
    let bin = root.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["awk", "cat", "cksum", "tr", "uname", "wc"] {
        let found =
            ["/usr/bin", "/bin"].map(|directory| std::path::Path::new(directory).join(name));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(found, bin.join(name)).unwrap();
    }
    bin
}

#[test]
fn each_distribution_is_judged_by_its_own_advisories() {
    for (name, os_release, manager, ecosystem, neighbor) in ROWS {
        let input = invocation("i-1", &collected(os_release, manager)).to_string();
        let fixed = if manager == "apk" { "2-r0" } else { "2-1" };
        let output = judged(&[osv("A-1", ecosystem, "a", fixed, json!({}))], &input);
        assert_eq!(
            listed(output.assert_status(1)),
            [format!("A-1 a {fixed}")],
            "{name}"
        );
        let output = judged(&[osv("A-1", neighbor, "a", fixed, json!({}))], &input);
        assert_eq!(
            listed(output.assert_status(2)),
            ["vulns.advisories.none"],
            "{name}: {neighbor}"
        );
        // The SBOM says as much as the inventory.
        let sbom = crate::run(&["sbom"], &input).run();
        let output = judged(
            &[osv("A-1", ecosystem, "a", fixed, json!({}))],
            &sbom.stdout,
        );
        assert_eq!(
            listed(output.assert_status(1)),
            [format!("A-1 a {fixed}")],
            "{name} by its SBOM"
        );
    }
}
