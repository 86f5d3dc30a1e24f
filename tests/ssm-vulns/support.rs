//! Products beside the distribution, and fixes that only longer support has.

use serde_json::{Value, json};

use crate::{judged, listed, node, osv};

/// Returns the rows with what each needs to be paid for.
fn rows(advisories: &[Value], input: &str) -> Vec<String> {
    let records = judged(advisories, input).records();
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
        (one["kind"] == "match")
            .then(|| format!("{} {} {}", text("package"), text("fixed"), text("paid")))
    };
    records.iter().filter_map(row).collect()
}

/// Returns an advisory about everything before versions of several ecosystems.
fn both(fixes: &[(&str, &str)]) -> Value {
    let mut advisory = osv("CVE-2024-0001", "-", "curl", "-", json!({}));
    let affected = |(ecosystem, fixed): &(&str, &str)| {
        let mut events = vec![json!({"introduced": "0"})];
        events.extend((!fixed.is_empty()).then(|| json!({"fixed": fixed})));
        json!({"package": {"ecosystem": ecosystem, "name": "curl"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]})
    };
    advisory["affected"] = fixes.iter().map(affected).collect();
    advisory
}

#[test]
fn who_has_the_fix_of_longer_support_needs_no_other() {
    let ubuntu = both(&[
        ("Ubuntu:22.04:LTS", "8"),
        ("Ubuntu:Pro:22.04:LTS", "7.81.0-1+esm1"),
    ]);
    let ubuntu = [ubuntu];
    let rhsa = |id: &str, ecosystem: &str, fixed: &str| {
        let more = json!({"related": ["CVE-2024-0001"]});
        osv(id, ecosystem, "curl", fixed, more)
    };
    let red_hat = [
        rhsa(
            "RHSA-2024:2",
            "Red Hat:rhel_eus:9.2::baseos",
            "7.76.1-23.el9_2.6",
        ),
        rhsa(
            "RHSA-2024:1",
            "Red Hat:enterprise_linux:9::baseos",
            "7.76.1-29.el9_4.1",
        ),
    ];
    // The same, in the order of their numbers.
    let in_order = [red_hat[1].clone(), red_hat[0].clone()];
    let deb = |version: &str| node("ubuntu", "22.04", &[&format!("deb\tcurl\t{version}")]);
    let rpm = |minor: &str, release: &str| {
        node("rhel", minor, &[&format!("rpm\tcurl\t\t7.76.1\t{release}")])
    };
    let free = "curl 7.76.1-29.el9_4.1 -";
    let of_support = "curl 7.76.1-23.el9_2.6 Red Hat EUS";
    for (advisories, input, expected) in [
        (&ubuntu[..], deb("7.81.0-1"), &["curl 8 -"][..]),
        (&ubuntu, deb("7.81.0-1+esm1"), &[]),
        (&ubuntu, deb("7.81.0-1+esm2"), &[]),
        // A higher number, and not of those that Pro builds.
        (&ubuntu, deb("7.82.0-1"), &["curl 8 -"]),
        (&red_hat, rpm("9.2", "23.el9_2.4"), &[free, of_support]),
        (&in_order, rpm("9.2", "23.el9_2.6"), &[]),
        (&red_hat, rpm("9.2", "23.el9_2.6"), &[]),
        (&red_hat, rpm("9.2", "23.el9_2.7"), &[]),
        (
            &red_hat,
            rpm("9.2", "29.el9"),
            &["curl 7.76.1-29.el9_4.1 -"],
        ),
        // The node has left what EUS builds for.
        (
            &red_hat,
            rpm("9.4", "23.el9_2.6"),
            &["curl 7.76.1-29.el9_4.1 -"],
        ),
    ] {
        assert_eq!(rows(advisories, &input), expected, "{input}");
    }
}

/// One advisory about two CVEs of which longer support has fixed one is still to be installed.
#[test]
fn a_fix_of_longer_support_is_of_its_own_cves() {
    let rhsa = |id: &str, ecosystem: &str, fixed: &str, cves: &[&str]| {
        osv(id, ecosystem, "curl", fixed, json!({"related": cves}))
    };
    let both = ["CVE-2024-0001", "CVE-2024-0002"];
    let advisories = [
        rhsa(
            "RHSA-2024:1",
            "Red Hat:enterprise_linux:9::baseos",
            "7.76.1-29.el9_4.1",
            &both,
        ),
        rhsa(
            "RHSA-2024:2",
            "Red Hat:rhel_eus:9.2::baseos",
            "7.76.1-23.el9_2.6",
            &both[..1],
        ),
        rhsa(
            "RHSA-2024:3",
            "Red Hat:rhel_eus:9.2::baseos",
            "7.76.1-23.el9_2.7",
            &both[1..],
        ),
    ];
    let found = |release: &str| {
        let line = format!("rpm\tcurl\t\t7.76.1\t{release}");
        rows(&advisories, &node("rhel", "9.2", &[&line]))
    };
    assert_eq!(found("23.el9_2.7"), [""; 0]);
    assert_eq!(
        found("23.el9_2.6"),
        [
            "curl 7.76.1-29.el9_4.1 -",
            "curl 7.76.1-23.el9_2.7 Red Hat EUS"
        ]
    );
}

/// What an advisory is about after the general support of a service pack. <https://www.suse.com/lifecycle>
#[test]
fn a_fix_for_sles_for_sap_has_to_be_paid_for_on_sles() {
    let advisory = both(&[
        (
            "SUSE:Linux Enterprise Server for SAP Applications 15 SP4",
            "8-150400.5.1",
        ),
        ("SUSE:Linux Enterprise Server 15 SP4-LTSS", "8-150400.5.1"),
    ]);
    let advisories = [advisory];
    let sles = node("sles", "15.4", &["rpm\tcurl\t\t7\t150400.1"]);
    let of_cpe = sles.replace(r"\t\t\tp\n", r"\t\t\tp\tcpe:/o:suse:sles_sap:15:sp4\n");
    assert_ne!(of_cpe, sles);
    let sap = node("sles_sap", "15.4", &["rpm\tcurl\t\t7\t150400.1"]);
    for (input, expected) in [
        (&sles, "curl 8-150400.5.1 SUSE LTSS"),
        (&of_cpe, "curl 8-150400.5.1 -"),
        (&sap, "curl 8-150400.5.1 -"),
    ] {
        assert_eq!(rows(&advisories, input), [expected], "{input}");
        let sbom = crate::run(&["sbom"], input).run();
        let found = rows(&advisories, &sbom.stdout);
        assert_eq!(found, [expected], "{input} by its SBOM");
    }
    // With the fix there is no row.
    let fixed = sles.replace(r"7\t150400.1", r"8\t150400.5.1");
    assert_eq!(rows(&advisories, &fixed), [""; 0]);
}

/// Modules of SLES 12 name no service pack. They alone do not judge a node.
#[test]
fn modules_of_sles_12_are_judged_on_all_of_its_service_packs() {
    let ecosystem = "SUSE:Linux Enterprise Module for Web and Scripting 12";
    let module = osv("SUSE-SU-2020:59-1", ecosystem, "php74", "2-1", json!({}));
    let base = |pack: &str| {
        let ecosystem = format!("SUSE:Linux Enterprise Server 12{pack}");
        osv("SUSE-SU-2020:1-1", &ecosystem, "a", "1", json!({}))
    };
    for (version, pack) in [("12", ""), ("12.1", " SP1"), ("12.5", " SP5")] {
        let input = node("sles", version, &["rpm\tphp74\t\t1\t1"]);
        let output = judged(&[module.clone(), base(pack)], &input);
        let row = "SUSE-SU-2020:59-1 php74 2-1";
        assert_eq!(listed(output.assert_status(1)), [row], "{version}");
        assert_eq!(output.json()["ecosystem"], format!("SUSE:{version}"));
        let alone = judged(std::slice::from_ref(&module), &input);
        assert_eq!(
            listed(alone.assert_status(2)),
            [row, "vulns.advisories.none"]
        );
    }
    let other = node("sles", "15.5", &["rpm\tphp74\t\t1\t1"]);
    let output = judged(&[module], &other);
    assert_eq!(listed(&output), ["vulns.advisories.none"]);
}

#[test]
fn a_fix_that_is_paid_for_goes_before_none() {
    let ubuntu = both(&[
        ("Ubuntu:18.04:LTS", ""),
        ("Ubuntu:Pro:18.04:LTS", "7.58.0-2+esm1"),
    ]);
    let input = node("ubuntu", "18.04", &["deb\tcurl\t7.58.0-2"]);
    assert_eq!(rows(&[ubuntu], &input), ["curl 7.58.0-2+esm1 Ubuntu Pro"]);
}

/// Extensions of SUSE are installed on its servers, and have advisories under their own names.
#[test]
fn extensions_of_suse_are_judged_on_its_servers() {
    let base = osv(
        "SUSE-SU-2024:1-1",
        "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        "a",
        "1",
        json!({}),
    );
    for (product, package) in [
        (
            "Linux Enterprise High Availability Extension 15 SP5",
            "pacemaker",
        ),
        (
            "Linux Enterprise Software Development Kit 15 SP5",
            "zlib-devel",
        ),
        (
            "Linux Enterprise Workstation Extension 15 SP5",
            "libreoffice",
        ),
        ("Real Time Module 15 SP5", "kernel-rt"),
    ] {
        let ecosystem = format!("SUSE:{product}");
        let advisory = osv("SUSE-SU-2024:2-1", &ecosystem, package, "2-1", json!({}));
        let line = format!("rpm\t{package}\t\t1\t1");
        let output = judged(&[base.clone(), advisory], &node("sles", "15.5", &[&line]));
        let expected = format!("SUSE-SU-2024:2-1 {package} 2-1");
        assert_eq!(listed(output.assert_status(1)), [expected], "{product}");
    }
}

/// The sources of SUSE's live patches have the update of the kernel in their names, and versions of their own.
#[test]
fn live_patches_of_suse_are_compared_with_those_of_their_kernel() {
    let ecosystem = "SUSE:Linux Enterprise Live Patching 15 SP5";
    let of = |update: &str, fixed: &str| {
        let name = format!("kernel-livepatch-SLE15-SP5_Update_{update}");
        osv(
            &format!("SUSE-SU-2024:{update}-1"),
            ecosystem,
            &name,
            fixed,
            json!({}),
        )
    };
    let advisories = [of("4", "5-150500.2.1"), of("5", "9-150500.2.1")];
    let patch = |number: &str| {
        format!(
            "rpm\tkernel-livepatch-5_14_21-150500_55_28-default\t\t{number}\t150500.2.1\tx86_64\tkernel-livepatch-SLE15-SP5_Update_4-{number}-150500.2.1.src.rpm"
        )
    };
    let found = |number: &str| {
        let input = node("sles", "15.5", &[&patch(number)]);
        listed(&judged(&advisories, &input))
    };
    let row = "SUSE-SU-2024:4-1 kernel-livepatch-5_14_21-150500_55_28-default 5-150500.2.1";
    assert_eq!(found("4"), [row]);
    assert_eq!(found("5"), [""; 0]);
}

/// Oracle's kernels 5.4.17 and 5.15.0 have one name in one release.
#[test]
fn kernels_of_oracle_linux_are_compared_within_their_release() {
    let advisory = osv(
        "ELSA-2024-12815",
        "Oracle Linux:8",
        "kernel-uek",
        "5.15.0-209.161.7.2.el8uek",
        json!({}),
    );
    for (version, release, expected) in [
        ("5.4.17", "2136.330.7.el8uek", &[][..]),
        (
            "5.15.0",
            "200.el8uek",
            &["ELSA-2024-12815 kernel-uek 5.15.0-209.161.7.2.el8uek"],
        ),
    ] {
        let line = format!("rpm\tkernel-uek\t\t{version}\t{release}");
        let output = judged(
            std::slice::from_ref(&advisory),
            &node("ol", "8.10", &[&line]),
        );
        assert_eq!(listed(&output), expected, "{version}");
    }
}
