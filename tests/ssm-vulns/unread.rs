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

/// Holds a run to what it judges, and to the gap that says why the rest is not read.
#[track_caller]
fn check_gap(output: &testbed::Output, expected: &[&str], why: &str, what: &str) {
    output.assert_status(2);
    assert_eq!(listed(output), expected, "{what}");
    let reason = reason(output);
    assert!(reason.contains(why), "{what}: {reason}");
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
        check_gap(
            &output,
            &["a a 2", "b b 2", UNREAD],
            "3 of 5 values in it cannot be read, the first of them: ranges",
            what,
        );
    }
}

/// Values one behind the other end with their lines where they are not JSON.
#[test]
fn a_line_that_is_not_json_ends_nothing() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    let of = |name: &str| osv(name, "Debian:12", name, "2", json!({})).to_string();
    let (a, b) = (of("a"), of("b"));
    // More than is read at once.
    let long = format!("{{{}", "x".repeat(3 << 20));
    for (what, line) in [
        ("half a value", &a[..a.len() / 2]),
        ("no value", "soon"),
        ("a bracket", "]"),
        ("no UTF-8 within", "{\"id\": \"\u{1}\"}"),
        ("a long line", &long),
        ("several lines", "{\n  \"id\" 1,\n  {\n  }\n}"),
    ] {
        let content = [a.as_str(), line, &b].join("\n");
        let output = matched(&directory.write("x.json", content), &input, &[]);
        check_gap(
            &output,
            &["a a 2", "b b 2", UNREAD],
            "it is not JSON, or the end is missing",
            what,
        );
    }
    // What has no value in it is given up, and what was read of it before counts.
    let content = format!("{a}\n{}{b}", "{]\n".repeat(200));
    let output = matched(&directory.write("x.json", content), &input, &[]);
    assert_eq!(listed(&output), ["a a 2", UNREAD]);
}

/// A thread has some megabytes for what calls itself.
#[test]
fn arrays_in_arrays_are_a_gap() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1"]);
    let of = osv("a", "Debian:12", "a", "2", json!({}));
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let content = format!("{of}\n{deep}\n{}", json!([[of]]));
    let output = matched(&directory.write("x.json", content), &input, &[]);
    check_gap(
        &output,
        &["a a 2", UNREAD],
        "2 of 3 values in it cannot be read, the first of them: it is an array in an array",
        "",
    );
}

#[test]
fn an_update_that_cannot_be_read_ends_nothing() {
    let directory = Directory::new();
    let input = node(
        "almalinux",
        "9.4",
        &["rpm\ta\t\t1\t1.el9", "rpm\tb\t\t1\t1.el9"],
    );
    let update = |name: &str, more: &str| {
        format!(
            r#"<update type="security"><id>ALSA-{name}</id><title>t{more}</title><references/><pkglist><collection>
            <package name="{name}" version="2" release="1.el9" epoch="0" arch="x86_64"/></collection></pkglist></update>"#
        )
    };
    let (a, b) = (update("a", ""), update("b", ""));
    for damaged in [
        update("a", "&#xffffffff;"),
        a.replace("\"2\"", "2"),
        a.replace("\"2\"", "\"&soon;\""),
        a.replace("type=\"security\"", "type"),
    ] {
        let text = format!("<updates>{damaged}{b}</updates>");
        let output = matched(&directory.write("x.xml", text), &input, &[]);
        check_gap(
            &output,
            &["ALSA-b b 2-1.el9", UNREAD],
            "1 update in it cannot be read, the first of them: ",
            &damaged,
        );
    }
}

#[test]
fn a_package_of_a_secdb_that_cannot_be_read_ends_nothing() {
    let directory = Directory::new();
    let input = node("alpine", "3.20.3", &["apk\ta\t1-r0", "apk\tb\t1-r0"]);
    let of = |name: &str| json!({"pkg": {"name": name, "secfixes": {"2-r0": [format!("CVE-2024-000{name}")]}}});
    for damaged in [
        json!({"pkg": {"secfixes": {}}}),
        json!({}),
        Value::Null,
        json!({"pkg": {"name": 1}}),
    ] {
        let db = |repository: &str, packages: Value| {
            json!({"distroversion": "v3.20", "reponame": repository, "packages": packages})
                .to_string()
        };
        directory.write("main.json", db("main", json!([of("a"), damaged, of("b")])));
        directory.write("community.json", db("community", json!([of("c")])));
        let output = matched(directory.path(), &input, &[]);
        check_gap(
            &output,
            &["CVE-2024-000a a 2-r0", "CVE-2024-000b b 2-r0", UNREAD],
            "1 of 3 packages in it cannot be read, the first of them: ",
            &damaged.to_string(),
        );
    }
}

/// CSAF 2.0, section 3.2.3.9: nobody who publishes of a distribution names the first or the last version that is affected.
#[test]
fn versions_between_which_csaf_says_that_all_are_affected_are_a_gap() {
    let product = |id: &str, helper: Value| json!({"product": {"name": id, "product_id": id, "product_identification_helper": helper}});
    let input = node("rhel", "9.4", &["rpm\ta\t\t1\t1.el9", "rpm\tb\t\t1\t1.el9"]);
    let part = |id: &str| {
        json!({"product_reference": id, "relates_to_product_reference": "r",
            "full_product_name": {"name": id, "product_id": format!("r:{id}")}})
    };
    let document = |status: &str, name: &str| {
        let package = product(
            "p",
            json!({"purl": format!("pkg:rpm/redhat/{name}@2-1.el9")}),
        );
        json!({
            "document": {"title": "t", "tracking": {"id": "CVE-2024-0001", "current_release_date": "2026-01-01T00:00:00Z"}},
            "product_tree": {
                "branches": [product("r", json!({"cpe": "cpe:/o:redhat:enterprise_linux:9::baseos"})), package,
                    product("f", json!({"purl": "pkg:rpm/redhat/b@2-1.el9"}))],
                "relationships": [part("p"), part("f")]},
            "vulnerabilities": [{"cve": "CVE-2024-0001", "product_status": {"fixed": ["r:f"], status: ["r:p"]}}]})
    };
    let row = "CVE-2024-0001 b 2-1.el9";
    for status in ["first_affected", "last_affected"] {
        let output = crate::judged(&[document(status, "a")], &input);
        assert_eq!(listed(output.assert_status(2)), [row, UNREAD]);
        let expected =
            "CVE-2024-0001 names a first or last affected version of a, which is not read";
        assert!(reason(&output).ends_with(expected), "{}", reason(&output));
    }
    // What is not installed is not missed, and what is looked into or not affected is not a row.
    for (status, name) in [
        ("last_affected", "c"),
        ("under_investigation", "a"),
        ("known_not_affected", "a"),
    ] {
        let output = crate::judged(&[document(status, name)], &input);
        assert_eq!(listed(output.assert_status(1)), [row], "{status}");
    }
    let output = crate::judged(&[document("known_affected", "a")], &input);
    assert_eq!(listed(&output), ["CVE-2024-0001 a -", row]);
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
