//! SBOMs of what the collector printed, and advisories matched with them.

use serde_json::{Value, json};

use crate::{Directory, inventory, invocation, listed, matched, node, osv, run};

#[test]
fn a_node_has_an_sbom_with_canonical_package_urls_and_its_kernels() {
    let mut record = invocation(
        "i-0123456789abcdef0",
        &inventory(
            "debian",
            "12",
            &[
                "deb\tlibstdc++6\t1:12.2-14+b1\t\tgcc-12\t1:12.2-14",
                "deb\tlinux-image-6.1.0-18-amd64\t6.1.76-1\t\t\t",
            ],
        )
        .replace("kernel\t1\t", "kernel\t6.1.0-9-amd64\t"),
    );
    record["name"] = json!("Büro \"7\"");
    let output = run(&["sbom"], &record.to_string()).run();
    let sbom = output.assert_status(0).json();
    let purls: Vec<&Value> = sbom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["purl"])
        .collect();
    assert_eq!(
        purls[1],
        "pkg:deb/debian/libstdc%2B%2B6@1:12.2-14%2Bb1?arch=x86_64&distro=debian-12&upstream=gcc-12%401:12.2-14"
    );
    let properties: Vec<String> = sbom["metadata"]["component"]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{}={}",
                one["name"].as_str().unwrap(),
                one["value"].as_str().unwrap()
            )
        })
        .collect();
    for expected in [
        "ssm:name=Büro \"7\"",
        "ssm:kernel:running=6.1.0-9-amd64",
        "ssm:kernel:newest=6.1.0-18-amd64",
        "ssm:reboot-pending=true",
    ] {
        assert!(
            properties.iter().any(|one| one == expected),
            "{expected}: {properties:?}"
        );
    }
    assert_eq!(
        output.stdout,
        run(&["sbom"], &record.to_string()).run().stdout,
        "the same record makes the same bytes"
    );
}

#[test]
fn an_sbom_says_all_that_matching_needs() {
    let cases = [
        node("debian", "12", &["deb\tlibc6\t2.36-9\t\tglibc\t"]),
        node(
            "almalinux",
            "8.10",
            &["rpm\tnodejs\t1\t16.20\t3.module_el8.8.0+1+a\t\t\tA\tnodejs:16:80:ad"],
        ),
        node(
            "alpine",
            "3.20.3",
            &["apk\tlibcrypto3\t3.3.1-r0\t\topenssl"],
        ),
        node("amzn", "2", &["rpm\tkernel\t\t4.14.336\t253.amzn2"]),
    ];
    let advisories = [
        osv("DSA-1", "Debian:12", "glibc", "2.36-10", json!({})),
        osv(
            "ALSA-1",
            "AlmaLinux:8",
            "nodejs",
            "1:16.21-1.module_el8.8.0+1+b",
            json!({"summary": "Important: nodejs:16 security update"}),
        ),
        osv(
            "CVE-2024-1234",
            "Alpine:v3.20",
            "openssl",
            "3.3.2-r0",
            json!({}),
        ),
        osv(
            "ALAS2-1",
            "Amazon Linux:2",
            "kernel",
            "4.14.355-1.amzn2",
            json!({}),
        ),
    ];
    let directory = Directory::new();
    let path = directory.write("a", json!(advisories).to_string());
    for input in cases {
        let direct = matched(&path, &input, &[]);
        let sbom = run(&["sbom"], &input).run();
        let by_sbom = matched(&path, &sbom.assert_status(0).stdout, &[]);
        assert_eq!(direct.assert_status(1).stdout, by_sbom.stdout);
        assert_eq!(listed(&direct).len(), 1, "{}", direct.stdout);
    }
}

#[test]
fn files_are_written_and_gaps_are_reported() {
    let directory = Directory::new();
    let out = directory.path().join("a b/sbom");
    let good = node(
        "windows",
        "10.0",
        &[
            "hotfix\tKB1\t2026-01-01",
            "win\tAgent\t1\tA",
            "win\tAgent\t1\tB",
        ],
    );
    let mut bad = invocation("i-2", "");
    bad["status"] = json!("Failed");
    let output = run(
        &["sbom", "--out", out.to_str().unwrap()],
        &format!("{good}\n{bad}"),
    )
    .run();
    output
        .assert_status(2)
        .assert_stderr("ssm-vulns: 1 SBOM, 1 gap\n");
    let records = output.records();
    assert_eq!(
        (&records[0]["kind"], &records[0]["n_packages"]),
        (&json!("sbom"), &json!(1))
    );
    assert_eq!(records[1]["reason"]["id"], "vulns.inventory.failed");
    let file = out.join("111111111111_us-east-1_i-0123456789abcdef0.cdx.json");
    let sbom: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let properties = sbom["components"][0]["properties"].as_array().unwrap();
    assert!(
        properties.contains(&json!({"name": "ssm:hotfix", "value": "KB1"})),
        "{properties:?}"
    );
    // What an earlier step could not do stays known to the next.
    let path = directory.write(
        "a",
        osv("DSA-1", "Debian:12", "a", "1", json!({})).to_string(),
    );
    let piped = matched(
        &path,
        &format!("{}\n{}", records[1], node("debian", "12", &["deb\ta\t2"])),
        &[],
    );
    assert_eq!(listed(piped.assert_status(2)), ["vulns.inventory.failed"]);
    run(&["sbom"], "")
        .run()
        .assert_status(2)
        .assert_complains("the input is empty");
    let unwritable = run(&["sbom", "--out", "/proc/nope"], &good).run();
    unwritable
        .assert_status(2)
        .assert_complains("make the directory /proc/nope");
}

/// What was asked again has one SBOM, of the last whole inventory, wherever in the input it is.
#[test]
fn a_node_that_was_asked_again_has_one_sbom() {
    let directory = Directory::new();
    let of = |id: &str, version: &str| {
        let line = format!("deb\ta\t{version}");
        invocation(id, &inventory("debian", "12", &[&line])).to_string()
    };
    let mut failed = invocation("i-1", "");
    failed["status"] = json!("TimedOut");
    let records = [
        of("i-1", "1"),
        of("i-2", "1"),
        of("i-1", "2"),
        failed.to_string(),
        of("i-3", "1"),
    ];
    let input = records.join("\n");
    let path = directory.write("invocations.jsonl", &input);
    let path = path.to_str().unwrap();
    let output = run(&["sbom", "-f", path], "").run();
    output
        .assert_status(0)
        .assert_stderr("ssm-vulns: 3 SBOMs, 0 gaps\n");
    let version = |one: &Value| {
        let name = &one["metadata"]["component"]["name"];
        format!("{} {}", name, one["components"][1]["version"]).replace('"', "")
    };
    let versions: Vec<String> = output.records().iter().map(version).collect();
    assert_eq!(versions, ["i-2 1", "i-1 2", "i-3 1"]);
    let out = directory.path().join("sbom");
    let output = run(&["sbom", "-f", path, "--out", out.to_str().unwrap()], "").run();
    assert_eq!(output.assert_status(0).records().len(), 3);
    // Out of a pipe they come one by one, and what a later one replaces is said.
    let output = run(&["sbom"], &input).run();
    output
        .assert_status(0)
        .assert_complains("warning: 1 SBOM came before a later one of the same node, which counts");
    assert_eq!(output.records().len(), 4);
}

/// `syft dir:/` calls every machine `/`.
/// A gap that an earlier step printed is of no command.
#[test]
fn a_gap_between_two_inventories_leaves_one_sbom() {
    let of = |version: &str| {
        let line = format!("deb\ta\t{version}");
        node("debian", "12", &[&line])
    };
    let gap = json!({"kind": "gap", "target": {"account": "111111111111", "region": "us-east-1"},
        "instance_id": "i-0123456789abcdef0", "name": null,
        "reason": {"id": "vulns.inventory.cut", "message": "m", "fix": "f"}});
    let directory = Directory::new();
    let path = directory.write(
        "records.jsonl",
        [of("1"), gap.to_string(), of("2")].join("\n"),
    );
    let output = run(&["sbom", "-f", path.to_str().unwrap()], "").run();
    let sbom = output.assert_status(0).json();
    assert_eq!(sbom["components"][1]["version"], "2", "{}", output.stdout);
}

#[test]
fn machines_whose_sboms_have_one_name_are_distinguished() {
    let sbom = |serial: Value, name: &str, version: &str| {
        let mut sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"type": "file", "name": name}}, "components": [
            {"type": "library", "name": "a", "purl": format!("pkg:deb/debian/a@{version}?arch=amd64&distro=debian-12")}]});
        sbom["serialNumber"] = serial;
        sbom.to_string()
    };
    let (one, other) = (json!("urn:uuid:1"), json!("urn:uuid:2"));
    let advisory = osv("DSA-1", "Debian:12", "a", "2", json!({}));
    let ambiguous = "vulns.sbom.ambiguous";
    for (first, second, expected) in [
        (
            sbom(one.clone(), "/", "1"),
            sbom(other.clone(), "/", "2"),
            &["DSA-1 a 2"][..],
        ),
        (
            sbom(one.clone(), "/", "1"),
            sbom(other.clone(), "/", "1"),
            &["DSA-1 a 2", "DSA-1 a 2"],
        ),
        (
            sbom(Value::Null, "/", "1"),
            sbom(Value::Null, "/", "2"),
            &[ambiguous],
        ),
        (
            sbom(one.clone(), "web", "1"),
            sbom(other.clone(), "web", "2"),
            &[ambiguous],
        ),
        (
            sbom(one.clone(), "web", "1"),
            sbom(other, "db", "2"),
            &["DSA-1 a 2"],
        ),
        // A later version of one document.
        (sbom(one.clone(), "web", "1"), sbom(one, "web", "2"), &[]),
    ] {
        let directory = Directory::new();
        let path = directory.write("a", advisory.to_string());
        let output = matched(&path, &format!("{first}\n{second}"), &[]);
        assert_eq!(listed(&output), expected, "{first} {second}");
    }
}
