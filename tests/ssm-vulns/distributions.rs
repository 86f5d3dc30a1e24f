//! From the os-release file of each distribution to what OSV calls it, and to an advisory. What is called otherwise would have no
//! advisories, and that is a gap on every node of it.

use std::process::Command;

use serde_json::json;
use testbed::repository;

use crate::releases::{ROWS, Row};
use crate::{Directory, invocation, judged, listed, matched, osv};

/// More of [`ROWS`]: what trivy calls `slem`, as both of its names are in os-release.
const MICRO: [Row; 2] = [
    (
        "SLE Micro",
        &[
            r#"NAME="SLE Micro""#,
            r#"VERSION="5.5""#,
            r#"VERSION_ID="5.5""#,
            r#"ID="sle-micro""#,
            r#"CPE_NAME="cpe:/o:suse:sle-micro:5.5""#,
        ],
        "rpm",
        "SUSE:Linux Enterprise Micro 5.5",
        "SUSE:Linux Enterprise Micro 5.4",
    ),
    (
        "SL Micro",
        &[
            r#"NAME="SL-Micro""#,
            r#"VERSION="6.0""#,
            r#"VERSION_ID="6.0""#,
            r#"ID="sl-micro""#,
            r#"CPE_NAME="cpe:/o:suse:sl-micro:6.0""#,
        ],
        "rpm",
        "SUSE:Linux Micro 6.0",
        "SUSE:Linux Micro 6.1",
    ),
];

/// Returns what the collector prints on a system with this os-release and one package.
fn collected(os_release: &[&str], manager: &str) -> String {
    collected_in(&Directory::new(), os_release, manager)
}

/// As [`collected`], of a system that has something besides.
fn collected_in(root: &Directory, os_release: &[&str], manager: &str) -> String {
    root.write("etc/os-release", os_release.join("\n"));
    root.write("lib/apk/db/installed", "P:a\nV:1-r0\nA:noarch\no:a\n\n");
    let output = Command::new("/bin/sh")
        .arg(repository().join("scripts/vulnscan.d/collector.sh"))
        // Without rpm, which would list the packages of this machine.
        .env_clear()
        .env("PATH", programs(root))
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
    for name in ["awk", "cat", "cksum", "readlink", "tr", "uname", "wc"] {
        let found =
            ["/usr/bin", "/bin"].map(|directory| std::path::Path::new(directory).join(name));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(found, bin.join(name)).unwrap();
    }
    bin
}

#[test]
fn each_distribution_is_judged_by_its_own_advisories() {
    for (name, os_release, manager, ecosystem, neighbor) in ROWS.into_iter().chain(MICRO) {
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

/// From 15 on, os-release of SLES for SAP is that of SLES: <https://www.suse.com/support/kb/doc/?id=000019341>.
#[test]
fn sles_for_sap_15_is_known_by_its_base_product() {
    let os_release = [
        r#"NAME="SLES""#,
        r#"VERSION="15-SP4""#,
        r#"VERSION_ID="15.4""#,
        r#"ID="sles""#,
        r#"CPE_NAME="cpe:/o:suse:sles:15:sp4""#,
    ];
    let sap = "SUSE:Linux Enterprise Server for SAP Applications 15 SP4";
    let advisory = osv("SUSE-SU-1", sap, "a", "2-1", json!({}));
    for (product, paid) in [
        ("SLES.prod", json!("SUSE SAP")),
        ("SLES_SAP.prod", json!(null)),
    ] {
        let root = Directory::new();
        let products = root.path().join("etc/products.d");
        std::fs::create_dir_all(&products).unwrap();
        std::os::unix::fs::symlink(product, products.join("baseproduct")).unwrap();
        let input = invocation("i-1", &collected_in(&root, &os_release, "rpm")).to_string();
        let output = judged(std::slice::from_ref(&advisory), &input);
        assert_eq!(output.records()[0]["paid"], paid, "{product}");
    }
}

/// <https://secdb.alpinelinux.org/edge/main.json>
#[test]
fn edge_of_alpine_is_judged_by_its_own_secdb() {
    let next = ["ID=alpine", "VERSION_ID=3.22.0_alpha20250108"];
    let input = invocation("i-1", &collected(&next, "apk")).to_string();
    for (release, expected) in [
        ("edge", &["CVE-2024-0001 a 2-r0"][..]),
        ("v3.22", &["vulns.advisories.none"]),
    ] {
        let directory = Directory::new();
        for repository in ["main", "community"] {
            let db = json!({"distroversion": release, "reponame": repository, "packages": [
                {"pkg": {"name": "a", "secfixes": {"2-r0": ["CVE-2024-0001"]}}}]});
            directory.write(&format!("{repository}.json"), db.to_string());
        }
        let output = matched(directory.path(), &input, &[]);
        assert_eq!(listed(&output), expected, "{release}");
    }
}
