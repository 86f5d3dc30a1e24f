//! Which advisories are about what is installed.

use serde_json::{Value, json};
use testbed::repository;

use crate::{judged, listed, node, osv};

/// One rule for each file: packages of a system, advisories, and what must come of them.
#[test]
fn each_rule_of_the_fixtures_holds() {
    let directory = repository().join("tests/fixtures/vulnscan/advisories");
    let mut n_rules = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let packages: Vec<String> = case["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fields| {
                fields
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(text)
                    .collect::<Vec<_>>()
                    .join("\t")
            })
            .collect();
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let input = node(
            &text(&case["system"]["id"]),
            &text(&case["system"]["version"]),
            &packages,
        );
        let output = judged(case["advisories"].as_array().unwrap(), &input);
        let records = output.records();
        let of = |kind: &str| {
            records
                .iter()
                .filter(move |one| one["kind"] == kind)
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut matches: Vec<String> = of("match")
            .iter()
            .map(|one| {
                json!([
                    one["advisory"],
                    one["package"],
                    one["installed"],
                    one["fixed"],
                    one["uncertain"]
                ])
                .to_string()
            })
            .collect();
        let mut expected: Vec<String> = case["matches"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        matches.sort_unstable();
        expected.sort_unstable();
        assert_eq!(matches, expected, "{}: {}", path.display(), case["rule"]);
        let unjudged: Vec<String> = of("gap")
            .iter()
            .filter(|one| one["reason"]["id"] == "vulns.advisory.unjudged")
            .map(|one| {
                one["reason"]["message"]
                    .as_str()
                    .unwrap()
                    .split(" cannot be compared")
                    .next()
                    .unwrap()
                    .replace(" and ", " ")
            })
            .collect();
        let expected: Vec<String> = case["unjudged"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        assert_eq!(unjudged, expected, "{}: {}", path.display(), case["rule"]);
        n_rules += 1;
    }
    assert!(n_rules >= 20, "there are only {n_rules} rules");
}

/// 3: 47 records of AlmaLinux 8 name two modules in one title.
#[test]
fn packages_of_a_second_module_are_reported() {
    let advisory = osv(
        "RHSA-2023:3781",
        "Red Hat:enterprise_linux:8::appstream",
        "python38-pytest",
        "0:4.6.6-3.module+el8.8.0+9999+aaaa",
        json!({"summary": "Red Hat Security Advisory: python38:3.8 and python38-devel:3.8 security update"}),
    );
    let package = "rpm\tpython38-pytest\t\t4.6.6\t3.module+el8.1.0+1+bbbb\t\t\tRed Hat\tpython38-devel:3.8:8070020220101:1234";
    let output = judged(&[advisory], &node("rhel", "8.8", &[package]));
    output.assert_status(1);
    assert_eq!(
        listed(&output),
        ["RHSA-2023:3781 python38-pytest 0:4.6.6-3.module+el8.8.0+9999+aaaa"]
    );
}

/// A source rpm is known by its file, which has no epoch, and perl's packages have several: ALSA-2025:7500.
#[test]
fn a_package_with_another_epoch_than_its_source_is_fixed() {
    let advisory = |name: &str, fixed: &str| {
        let ecosystem = "AlmaLinux:10";
        osv("ALSA-2025:7500", ecosystem, name, fixed, json!({}))
    };
    let advisories = [
        advisory("perl", "4:5.40.2-512.1.el10_0"),
        advisory("perl-Errno", "1.38-512.1.el10_0"),
    ];
    let found = |release: &str, file: &str| {
        let errno =
            format!("rpm\tperl-Errno\t0\t1.38\t{release}\t\tperl-{file}.src.rpm\tAlmaLinux");
        let libs =
            format!("rpm\tperl-libs\t4\t5.40.2\t{release}\t\tperl-{file}.src.rpm\tAlmaLinux");
        let perl = format!("rpm\tperl\t4\t5.40.2\t{release}\t\tperl-{file}.src.rpm\tAlmaLinux");
        let input = node("almalinux", "10.0", &[&errno, &libs, &perl]);
        listed(&judged(&advisories, &input))
    };
    assert_eq!(found("512.1.el10_0", "5.40.2-512.1.el10_0"), [""; 0]);
    assert_eq!(
        found("511.el10", "5.40.1-511.el10"),
        [
            "ALSA-2025:7500 perl 4:5.40.2-512.1.el10_0",
            "ALSA-2025:7500 perl-Errno 1.38-512.1.el10_0",
            "ALSA-2025:7500 perl-Errno 4:5.40.2-512.1.el10_0",
            "ALSA-2025:7500 perl-libs 4:5.40.2-512.1.el10_0",
        ]
    );
}

/// 4: a tenth of AlmaLinux 8's records.
#[test]
fn bug_fixes_and_enhancements_are_no_vulnerabilities() {
    for id in [
        "ALBA-2021:1",
        "ALEA-2021:4282",
        "SUSE-RU-2024:1000-1",
        "openSUSE-RU-2024:1",
        "RHBA-2024:1",
        "RHEA-2024:1",
    ] {
        let of = |id: &str| osv(id, "AlmaLinux:8", "zlib", "2-1.el8", json!({}));
        let input = node("almalinux", "8.10", &["rpm\tzlib\t\t1\t1.el8"]);
        let output = judged(&[of(id), of("ALSA-2024:1")], &input);
        output.assert_status(1);
        assert_eq!(listed(&output), ["ALSA-2024:1 zlib 2-1.el8"], "{id}");
    }
}

/// 5: AlmaLinux, SUSE and older Ubuntu records have them in `related` only.
#[test]
fn cves_come_from_aliases_upstream_and_related() {
    let more = json!({"related": ["CVE-2024-6387", "GHSA-x"], "aliases": ["CVE-2024-0002"], "upstream": ["UBUNTU-CVE-2024-0001", "DEBIAN-CVE-2024-0001"]});
    let advisory = osv(
        "ALSA-2024:4312",
        "AlmaLinux:9",
        "openssh",
        "8.7p1-38.el9_4.1",
        more,
    );
    let output = judged(
        &[advisory],
        &node("almalinux", "9.4", &["rpm\topenssh\t0\t8.7p1\t38.el9"]),
    );
    let record = output.assert_status(1).json();
    assert_eq!(
        record["cves"],
        json!(["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-6387"])
    );
    assert_eq!(record["aliases"], json!([]));
}

#[test]
fn a_fix_that_is_paid_for_says_so_and_is_for_its_release() {
    let paid = |ecosystem: &str, system: (&str, &str), package: &str, name: &str| {
        let output = judged(
            &[osv("A-1", ecosystem, name, "2-1", json!({}))],
            &node(system.0, system.1, &[package]),
        );
        let paid = output
            .records()
            .iter()
            .map(|one| one["paid"].as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>();
        paid.join(",")
    };
    // Its distribution is not judged by what others pay for: that is the gap beside it.
    assert_eq!(
        paid(
            "Ubuntu:Pro:18.04:LTS",
            ("ubuntu", "18.04"),
            "deb\tcurl\t1-1",
            "curl"
        ),
        "Ubuntu Pro,-"
    );
    assert_eq!(
        paid(
            "Red Hat:rhel_eus:9.2::baseos",
            ("rhel", "9.2"),
            "rpm\tcurl\t\t1\t1",
            "curl"
        ),
        "Red Hat EUS,-"
    );
    assert_eq!(
        paid(
            "Red Hat:rhel_eus:9.2::baseos",
            ("rhel", "9.4"),
            "rpm\tcurl\t\t1\t1",
            "curl"
        ),
        "-"
    );
}

/// 5: the priority of older Ubuntu records is one.
#[test]
fn severities_are_words_of_the_distribution_or_computed() {
    let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    let vectors = |all: &[(&str, &str)]| {
        json!(
            all.iter()
                .map(|(kind, score)| json!({"type": kind, "score": score}))
                .collect::<Vec<_>>()
        )
    };
    for (more, specific, expected) in [
        (
            json!({"summary": "Important: kernel security update"}),
            json!({}),
            json!(["high", "distribution", null]),
        ),
        (
            json!({"summary": "A title: of words", "database_specific": {"severity": "MODERATE"}}),
            json!({}),
            json!(["medium", "distribution", null]),
        ),
        (
            json!({}),
            json!({"urgency": "unimportant"}),
            json!(["none", "distribution", null]),
        ),
        (
            json!({}),
            json!({"ubuntu_priority": "low"}),
            json!(["low", "distribution", null]),
        ),
        (
            json!({"severity": vectors(&[("CVSS_V3", v3), ("Ubuntu", "low")])}),
            json!({}),
            json!(["low", "distribution", 9.8]),
        ),
        (
            json!({"severity": vectors(&[("CVSS_V3", v3)])}),
            json!({}),
            json!(["critical", "cvss_v3", 9.8]),
        ),
        (
            json!({"severity": vectors(&[("CVSS_V3", v3), ("CVSS_V4", v4)])}),
            json!({}),
            json!(["critical", "cvss_v4", 9.3]),
        ),
        (
            json!({"severity": vectors(&[("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P")])}),
            json!({}),
            json!(["high", "cvss_v2", 7.5]),
        ),
        (
            json!({"severity": vectors(&[("CVSS_V4", "CVSS:4.0/AV:N")])}),
            json!({"urgency": "not yet assigned"}),
            json!(["unknown", null, null]),
        ),
    ] {
        let mut advisory = osv("A-1", "Debian:12", "a", "2", more);
        advisory["affected"][0]["ecosystem_specific"] = specific;
        let record = judged(&[advisory.clone()], &node("debian", "12", &["deb\ta\t1"])).json();
        let severity = &record["severity"];
        assert_eq!(
            json!([severity["word"], severity["source"], severity["score"]]),
            expected,
            "{advisory}"
        );
    }
}

/// A vulnerable agent is a row though it is above the floor of ssm-agentcheck, which is one of features.
#[test]
fn the_agent_is_a_package_like_any_other() {
    let advisory = osv(
        "ALAS2023-2025-1",
        "Amazon Linux:2023",
        "amazon-ssm-agent",
        "3.3.1802.0-1.amzn2023",
        json!({}),
    );
    let output = judged(
        &[advisory],
        &node(
            "amzn",
            "2023",
            &["rpm\tamazon-ssm-agent\t\t3.3.987.0\t1.amzn2023"],
        ),
    );
    output.assert_status(1);
    assert_eq!(
        listed(&output),
        ["ALAS2023-2025-1 amazon-ssm-agent 3.3.1802.0-1.amzn2023"]
    );
}

/// <https://ossf.github.io/osv-schema/#evaluation>: a version is affected that is listed or within a range.
#[test]
fn a_version_that_is_listed_is_affected_beside_the_ranges() {
    let mut advisory = osv("DSA-1", "Debian:12", "a", "2", json!({}));
    advisory["affected"][0]["versions"] = json!(["3"]);
    for (installed, expected) in [
        ("1", &["DSA-1 a 2"][..]),
        ("2", &[]),
        ("3", &["DSA-1 a -"]),
        ("4", &[]),
    ] {
        let input = node("debian", "12", &[&format!("deb\ta\t{installed}")]);
        let output = judged(std::slice::from_ref(&advisory), &input);
        assert_eq!(listed(&output), expected, "{installed}");
    }
}

/// A module may have the version that is listed where another has not.
#[test]
fn a_version_that_is_listed_is_of_its_module() {
    let version = "18.2-1.module_el8.8.0+1+a";
    let advisory = |title: &str| {
        let summary = json!({"summary": format!("Important: {title} security update")});
        let mut advisory = osv(
            "ALSA-1",
            "AlmaLinux:8",
            "nodejs",
            "1:18.1-1.module_el8",
            summary,
        );
        advisory["affected"][0]["versions"] = json!([version]);
        advisory
    };
    let line = format!("rpm\tnodejs\t\t{}", version.replace('-', "\t"));
    let of_module = format!("{line}\t\t\tA\tnodejs:16:80:ad");
    for (title, line, expected) in [
        ("nodejs:16", &of_module, &["ALSA-1 nodejs -"][..]),
        ("nodejs:18", &of_module, &[]),
        ("nodejs", &of_module, &["ALSA-1 nodejs -?"]),
        ("nodejs:18", &line, &["ALSA-1 nodejs -?"]),
    ] {
        let mut advisory = advisory(title);
        // The range is about another epoch.
        advisory["affected"][0]["ranges"][0]["events"] = json!([{"introduced": "2:0"}]);
        let output = judged(&[advisory], &node("almalinux", "8.10", &[line]));
        assert_eq!(listed(&output), expected, "{title} {line}");
    }
}
