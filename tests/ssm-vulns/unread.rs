//! What cannot be read of a database or an SBOM ends nothing, and is never passed over: its packages would look judged.

use serde_json::{Value, json};

use crate::{Directory, listed, matched, node, osv, run};

const UNREAD: &str = "vulns.advisories.unread";

/// Returns why something was not read, of the first gap.
fn reason(output: &testbed::Output) -> String {
    let records = output.records();
    let gap = records.iter().find(|one| one["kind"] == "gap").unwrap();
    gap["reason"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn one_bad_value_ends_nothing() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    let of = |name: &str| osv(name, "Debian:12", name, "2", json!({}));
    let mut bad = of("a");
    bad["affected"][0]["ranges"][0]["events"][0] = json!({"introduced": 0});
    let values = [bad.clone(), of("a"), json!({"not": "ours"}), of("b"), bad];
    let lines = values.clone().map(|one| one.to_string()).join("\n");
    for (what, content) in [("lines", lines), ("an array", json!(values).to_string())] {
        let output = matched(&directory.write("x.json", content), &input, &[]);
        output.assert_status(2);
        assert_eq!(listed(&output), ["a a 2", "b b 2", UNREAD], "{what}");
        let reason = reason(&output);
        assert!(
            reason.contains("3 of 5 values in it cannot be read, the first of them: ranges"),
            "{what}: {reason}"
        );
    }
}

#[test]
fn fixes_of_another_form_are_a_gap_where_their_package_is_installed() {
    let directory = Directory::new();
    let input = node("alpine", "3.20.3", &["apk\ta\t1-r0", "apk\tb\t1-r0"]);
    let write = |name: &str, secfixes: Value| {
        let db = json!({"distroversion": "v3.20", "reponame": "main", "packages": [
            {"pkg": {"name": name, "secfixes": secfixes}}, {"pkg": {"name": "b", "secfixes": {"2-r0": ["CVE-2024-0001"]}}}]});
        directory.write("main.json", db.to_string());
        let community = json!({"distroversion": "v3.20", "reponame": "community", "packages": [
            {"pkg": {"name": "c", "secfixes": {"2-r0": ["CVE-2024-0002"]}}}]});
        directory.write("community.json", community.to_string());
        matched(directory.path(), &input, &[])
    };
    let text = json!({"2-r0": "CVE-2024-0003"});
    let output = write("a", text.clone());
    output.assert_status(2);
    assert_eq!(listed(&output), ["CVE-2024-0001 b 2-r0", UNREAD]);
    assert!(
        reason(&output).ends_with("what is fixed in a is not a list by version"),
        "{}",
        reason(&output)
    );
    for (name, secfixes) in [("not-here", text), ("a", json!([])), ("a", Value::Null)] {
        assert_eq!(
            listed(write(name, secfixes).assert_status(1)),
            ["CVE-2024-0001 b 2-r0"]
        );
    }
}

#[test]
fn a_package_url_that_cannot_be_read_is_a_gap() {
    let sbom = |purls: &[&str]| {
        let system = json!({"type": "operating-system", "name": "debian", "version": "12"});
        let library = |purl: &&str| json!({"type": "library", "name": "a", "purl": purl});
        let components: Vec<Value> = [system]
            .into_iter()
            .chain(purls.iter().map(library))
            .collect();
        json!({"bomFormat": "CycloneDX", "metadata": {"component": {"name": "host"}}, "components": components}).to_string()
    };
    let directory = Directory::new();
    let advisory = osv("DSA-1", "Debian:12", "a", "2", json!({}));
    let path = directory.write("x.json", advisory.to_string());
    let good = "pkg:deb/debian/a@1?arch=amd64";
    let output = matched(&path, &sbom(&[good, "pkg:npm/a@1"]), &[]);
    assert_eq!(listed(output.assert_status(1)), ["DSA-1 a 2"]);
    let bad = "pkg:deb/debian/@1";
    let output = matched(&path, &sbom(&[good, bad, "pkg:deb/"]), &[]);
    output.assert_status(2);
    assert_eq!(listed(&output), ["DSA-1 a 2", "vulns.sbom.unread"]);
    assert_eq!(
        reason(&output),
        format!("2 packages of it cannot be read, such as {bad}")
    );
    let gap = output.records().pop().unwrap();
    assert_eq!(
        (&gap["kind"], &gap["instance_id"]),
        (&json!("gap"), &json!("host"))
    );
}

/// What cannot be read of an SBOM is of its node, and gone with the SBOM when the node is asked again.
#[test]
fn what_cannot_be_read_of_an_sbom_is_of_its_node() {
    let directory = Directory::new();
    let advisory = osv("DSA-1", "Debian:12", "a", "2", json!({}));
    let path = directory.write("x.json", advisory.to_string());
    let good = node("debian", "12", &["deb\ta\t2"]);
    let sbom = run(&["sbom"], &good).run().stdout;
    let bad = sbom.replace("pkg:deb/debian/a@2", "pkg:deb/debian/@2");
    assert_ne!(bad, sbom);
    let output = matched(&path, &[sbom.as_str(), &bad].concat(), &[]);
    output.assert_status(2);
    assert_eq!(listed(&output), ["vulns.sbom.unread"]);
    let gap = output.json();
    let node = (&gap["target"]["account"], &gap["instance_id"]);
    assert_eq!(
        node,
        (&json!("111111111111"), &json!("i-0123456789abcdef0"))
    );
    for again in [&sbom, &good] {
        matched(&path, &[bad.as_str(), again].concat(), &[]).assert_status(0);
    }
}

/// <https://github.com/chainguard-dev/vulnerability-scanner-support/blob/main/docs/osv_v3_feed.md>
#[test]
fn wolfi_and_chainguard_name_packages_and_sources() {
    for (id, ecosystem) in [("wolfi", "Wolfi"), ("chainguard", "Chainguard")] {
        let input = node(id, "20230201", &["apk\tlibcrypto3\t3.1-r0\t\topenssl"]);
        for name in ["libcrypto3", "openssl"] {
            let advisory = osv("CGA-1", ecosystem, name, "3.2-r0", json!({}));
            let output = crate::judged(&[advisory], &input);
            assert_eq!(
                listed(output.assert_status(1)),
                ["CGA-1 libcrypto3 3.2-r0"],
                "{id}: {name}"
            );
        }
    }
}
