//! Packages of other vendors than the distribution: no advisory that is read is about them, and they must not look judged.

use serde_json::{Value, json};

use crate::{Directory, inventory, invocation, listed, matched, osv, run};

/// Two nodes with packages of Docker, EPEL, nobody and the distribution, and an advisory of the distribution.
fn scene() -> (Directory, String) {
    let directory = Directory::new();
    let advisory = osv("RLSA-1", "Rocky Linux:9", "bash", "5.1-9.el9", json!({}));
    directory.write("a.json", advisory.to_string());
    let node = |id: &str, more: &[&str]| {
        let own = "rpm\tbash\t\t5.1\t8.el9\t\t\tRocky Enterprise Software Foundation";
        let docker = "rpm\tdocker-ce\t3\t27.3\t1.el9\t\t\tDocker";
        let packages = [&[own, docker, "rpm\tours\t\t1\t1\t\t\t"], more].concat();
        invocation(id, &inventory("rocky", "9.4", &packages)).to_string()
    };
    let containerd = "rpm\tcontainerd.io\t\t1.7\t1.el9\t\t\tDocker";
    let htop = "rpm\thtop\t\t3.3\t1.el9\t\t\tFedora Project";
    let nodes = [node("i-1", &[]), node("i-2", &[containerd, htop])];
    (directory, nodes.join("\n"))
}

fn records(vendor: &str, packages: &[&str], n_nodes: usize) -> Value {
    json!({"kind": "foreign_packages", "ecosystem": "Rocky Linux:9", "vendor": vendor, "packages": packages, "n_nodes": n_nodes,
        "message": format!("advisories of {vendor} are not read, and those of Rocky Linux:9 are matched by name only")})
}

#[test]
fn packages_of_other_vendors_are_counted_and_named() {
    let (directory, input) = scene();
    let path = directory.path().join("a.json");
    let expected = [
        records("Docker", &["containerd.io", "docker-ce"], 2),
        records("Fedora Project", &["htop"], 1),
    ];
    let sboms = run(&["sbom"], &input).run();
    for (what, input) in [("records", &input), ("SBOMs", &sboms.stdout)] {
        let output = matched(&path, input, &[]);
        let found = output.assert_status(1).records();
        let foreign: Vec<Value> = found
            .into_iter()
            .filter(|one| one["kind"] == "foreign_packages")
            .collect();
        assert_eq!(foreign, expected, "{what}");
        assert_eq!(listed(&output).len(), 2, "{what}");
    }
    assert_eq!(sboms.stdout.lines().count(), 2);
    // They do not decide the exit status.
    let other = osv("RLSA-1", "Rocky Linux:9", "zsh", "2", json!({}));
    directory.write("a.json", other.to_string());
    assert_eq!(
        matched(&path, &input, &[]).assert_status(0).records(),
        expected
    );
}

#[test]
fn reports_name_them_too() {
    let (directory, input) = scene();
    let path = directory.path().join("a.json");
    let line = "2 packages of Docker on 2 nodes are not judged (containerd.io docker-ce): advisories of Docker are not read, and those of Rocky Linux:9 are matched by name only";
    let text = matched(&path, &input, &["-o", "text"]);
    let warning = format!("\nwarning: {line}\n");
    assert!(text.stdout.contains(&warning), "{}", text.stdout);
    let one = "warning: 1 package of Fedora Project on 1 node is not judged (htop): ";
    assert!(text.stdout.contains(one), "{}", text.stdout);
    let csv = matched(&path, &input, &["-o", "csv"]);
    let warning = format!("ssm-vulns: warning: {line}\n");
    assert!(csv.stderr.contains(&warning), "{}", csv.stderr);
    let sarif = matched(&path, &input, &["-o", "sarif"]);
    let document: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let invocation = &document["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    assert_eq!(
        invocation["toolExecutionNotifications"][0],
        json!({"level": "note", "descriptor": {"id": "foreign_packages"}, "message": {"text": line}})
    );
}

/// Nothing is judged on a node of a distribution that is not known: it is a gap, whoever its packages are of.
#[test]
fn packages_of_a_distribution_that_is_not_known_are_of_its_gap() {
    let directory = Directory::new();
    let advisory = osv("RLSA-1", "Rocky Linux:9", "bash", "5.1-9.el9", json!({}));
    let path = directory.write("a.json", advisory.to_string());
    let docker = "rpm\tdocker-ce\t3\t27.3\t1.el9\t\t\tDocker";
    let input = invocation(
        "i-1",
        &inventory("opensuse-slowroll", "20261101", &[docker]),
    )
    .to_string();
    let output = matched(&path, &input, &[]);
    assert_eq!(
        output.assert_status(2).records().len(),
        1,
        "{}",
        output.stdout
    );
    assert_eq!(listed(&output), ["vulns.advisories.none"]);
}
