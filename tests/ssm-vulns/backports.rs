//! Backports of Debian, which go by numbers of their own.

use serde_json::{Value, json};

use crate::{judged, listed, node, osv};

/// A backport has a higher number than the fix for its release, and may lack it all the same.
#[test]
fn backports_of_debian_are_compared_with_unstable() {
    let release =
        |fixed: &str| json!({"status": "resolved", "fixed_version": fixed, "urgency": "low"});
    let mut releases = json!({"bookworm": release("1-1+deb12u1"), "sid": release("3-1")});
    let tracker = |releases: &Value| json!({"a": {"CVE-2026-0001": {"description": "d", "releases": releases}}, "linux": {"CVE-2026-1": {"releases": {"bookworm": release("0")}}}});
    let found = |releases: &Value, version: &str| {
        let line = format!("deb\ta\t{version}");
        listed(&judged(
            &[tracker(releases)],
            &node("debian", "12", &[&line]),
        ))
    };
    for (version, expected) in [
        ("1-1", Some("CVE-2026-0001 a 1-1+deb12u1")),
        ("1-1+deb12u1", None),
        ("2-1~bpo12+1", Some("CVE-2026-0001 a 3-1")),
        ("3-1~bpo12+1", None),
    ] {
        assert_eq!(
            found(&releases, version),
            Vec::from_iter(expected),
            "{version}"
        );
    }
    // Where nobody says what backports have, an answer about the release is a guess about them.
    releases.as_object_mut().unwrap().remove("sid");
    assert_eq!(
        found(&releases, "0-1~bpo12+1"),
        ["CVE-2026-0001 a 1-1+deb12u1?"]
    );
}

/// What the tracker says of one vulnerability, or of another package, says nothing of those that it does not know.
#[test]
fn a_backport_of_which_the_tracker_does_not_know_is_a_gap() {
    let resolved = |fixed: &str| json!({"status": "resolved", "fixed_version": fixed});
    let undetermined = json!({"status": "undetermined"});
    let tracker = |a: &Value, more: &Value| {
        let mut all = json!({"linux": {"CVE-2026-1": {"releases": {"bookworm": resolved("0")}}},
            "a": {"CVE-2026-0001": {"description": "d", "releases": a}}});
        for (name, releases) in more.as_object().unwrap() {
            all[name]["CVE-2026-0002"] = json!({"description": "d", "releases": releases});
        }
        all
    };
    let normal = json!({"bookworm": resolved("1-1"), "sid": resolved("2-1")});
    let gap = "vulns.backport.unjudged";
    for (a, more, expected) in [
        (
            json!({"bookworm": resolved("1-1+deb12u1")}),
            json!({}),
            Some(gap),
        ),
        (
            json!({"bookworm": resolved("1-1+deb12u1"), "sid": undetermined}),
            json!({}),
            Some(gap),
        ),
        (
            json!({"bookworm": resolved("1-1+deb12u1")}),
            json!({"a": normal}),
            Some(gap),
        ),
        (
            json!({"bookworm": resolved("1-1+deb12u1")}),
            json!({"b": normal}),
            Some(gap),
        ),
        (
            json!({"bookworm": resolved("1-1+deb12u1"), "sid": undetermined}),
            json!({"b": normal}),
            Some(gap),
        ),
        // It never was affected.
        (
            json!({"bookworm": resolved("1-1+deb12u1"), "sid": resolved("0")}),
            json!({}),
            None,
        ),
        (
            json!({"bookworm": resolved("1-1+deb12u1"), "sid": resolved("2-1")}),
            json!({}),
            None,
        ),
    ] {
        let installed = ["deb\ta\t2-1~bpo12+1", "deb\tb\t3-1"];
        let output = judged(&[tracker(&a, &more)], &node("debian", "12", &installed));
        assert_eq!(listed(&output), Vec::from_iter(expected), "{a} {more}");
        output.assert_status(if expected.is_some() { 2 } else { 0 });
        let is_said = output
            .stdout
            .contains("Debian's tracker has no version of unstable");
        assert_eq!(is_said, expected.is_some(), "{}", output.stdout);
    }
    // What the tracker says of another source is not an answer to OSV's.
    let advisories = [
        osv("DSA-1", "Debian:12", "a", "1-1+deb12u1", json!({})),
        json!({"b": {"CVE-2026-0002": {"description": "d", "releases": normal}},
            "linux": {"CVE-2026-1": {"releases": {"bookworm": resolved("0")}}}}),
    ];
    let installed = ["deb\ta\t2-1~bpo12+1", "deb\tb\t3-1"];
    let output = judged(&advisories, &node("debian", "12", &installed));
    assert_eq!(listed(output.assert_status(2)), [gap]);
    assert!(
        output
            .stdout
            .contains("it lists the versions of unstable, which backports are built from"),
        "{}",
        output.stdout
    );
}

/// By OSV alone, what has a higher number than the fix for its release is neither found nor fine.
#[test]
fn a_backport_that_osv_says_nothing_of_is_a_gap() {
    let fixed = |id: &str, fixed: &str| osv(id, "Debian:12", "a", fixed, json!({}));
    let of_tracker = |fixed: &str| {
        let release = json!({"status": "resolved", "fixed_version": fixed, "urgency": "low"});
        let releases = json!({"bookworm": release, "sid": release});
        json!({"a": {"CVE-2026-0009": {"description": "d", "releases": releases}},
            "linux": {"CVE-2026-1": {"releases": {"bookworm": release}}}})
    };
    let advisories = [
        fixed("DSA-1", "1-1+deb12u1"),
        fixed("DSA-2", "1-1+deb12u2"),
        fixed("DSA-3", "3-1"),
    ];
    let found = |advisories: &[Value], version: &str| {
        let input = node(
            "debian",
            "12",
            &[&format!("deb\ta\t{version}"), "deb\tb\t1"],
        );
        judged(advisories, &input)
    };
    let output = found(&advisories, "2-1~bpo12+1");
    assert_eq!(
        listed(output.assert_status(2)),
        ["DSA-3 a 3-1?", "vulns.backport.unjudged"]
    );
    let message = "a 2-1~bpo12+1 on 1 node is a backport, and may lack the fixes of 2 advisories in spite of its number";
    assert!(output.stdout.contains(message), "{}", output.stdout);
    // What is of the release, what is below every fix, and what the tracker judges are not gaps.
    assert_eq!(
        listed(found(&advisories, "2-1").assert_status(1)),
        ["DSA-3 a 3-1"]
    );
    let below = found(&advisories, "1-1~bpo12+1");
    assert_eq!(
        listed(below.assert_status(1)),
        [
            "DSA-1 a 1-1+deb12u1?",
            "DSA-2 a 1-1+deb12u2?",
            "DSA-3 a 3-1?"
        ]
    );
    let with_tracker = [&advisories[..], &[of_tracker("1-1")]].concat();
    assert_eq!(
        listed(found(&with_tracker, "2-1~bpo12+1").assert_status(1)),
        ["DSA-3 a 3-1?"]
    );
}
