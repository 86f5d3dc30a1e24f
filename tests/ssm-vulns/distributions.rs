//! From the os-release file of each distribution to what OSV calls it, and to an advisory. What is called otherwise would have no
//! advisories, and that is a gap on every node of it.

use std::process::Command;

use serde_json::json;
use testbed::repository;

use crate::releases::ROWS;
use crate::{Directory, invocation, judged, listed, osv};

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
