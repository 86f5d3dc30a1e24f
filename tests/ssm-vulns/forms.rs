//! The forms that distributions publish advisories in.

use serde_json::{Value, json};
use testbed::repository;

use crate::{Directory, judged, listed, matched, node};

const EXTRAS: &str = r#"<updates>
<update type="security"><id>ALAS2PHP8.0-2023-001</id><title>php</title><severity>important</severity><references>
<reference href="https://x" id="CVE-2023-0001" type="cve"/></references><pkglist><collection short="amazon-linux-2---php8.0">
<package name="php-cli" version="8.0.20" release="1.amzn2" epoch="0" arch="x86_64"/></collection></pkglist></update>
<update type="security"><id>ALAS2POSTGRESQL14-2023-001</id><title>postgresql</title><severity>medium</severity><references/><pkglist>
<collection short="amazon-linux-2---postgresql14"><package name="postgresql" version="14.9" release="1.amzn2" epoch="0" arch="x86_64"/>
</collection></pkglist></update></updates>"#;

/// 6, and 5 for the URL: one name has several lines of versions in the repositories of one release.
#[test]
fn extras_of_amazon_linux_2_are_compared_within_their_topic() {
    let directory = Directory::new();
    let path = directory.write("updateinfo.xml", EXTRAS);
    for (packages, expected) in [
        (
            &[
                "rpm\tphp-cli\t\t5.4.16\t46.amzn2.0.6",
                "rpm\tpostgresql\t\t9.2.24\t8.amzn2",
            ][..],
            &["vulns.advisories.none"][..],
        ),
        (
            &["rpm\tphp-cli\t\t7.4.33\t1.amzn2"],
            &["vulns.advisories.none"],
        ),
        (
            &[
                "rpm\tphp-cli\t\t8.0.13\t1.amzn2",
                "rpm\tpostgresql\t\t14.3\t1.amzn2",
            ],
            &[
                "ALAS2PHP8.0-2023-001 php-cli 8.0.20-1.amzn2",
                "ALAS2POSTGRESQL14-2023-001 postgresql 14.9-1.amzn2",
                "vulns.advisories.none",
            ],
        ),
    ] {
        assert_eq!(
            listed(&matched(&path, &node("amzn", "2", packages), &[])),
            expected,
            "{packages:?}"
        );
    }
    let record = &matched(
        &path,
        &node("amzn", "2", &["rpm\tphp-cli\t\t8.0.13\t1.amzn2"]),
        &[],
    )
    .records()[0];
    assert_eq!(
        record["url"],
        "https://alas.aws.amazon.com/AL2/ALAS2PHP8.0-2023-001.html"
    );
    assert_eq!(record["cves"], json!(["CVE-2023-0001"]));
}

#[test]
fn amazon_linux_has_names_severities_and_kernels_of_its_own() {
    let path = repository().join("tests/fixtures/vulnscan/updateinfo.xml");
    let packages = [
        "rpm\tkernel\t\t4.14.336\t253.554.amzn2",
        "rpm\tkernel\t\t5.10.230\t1.amzn2",
        "rpm\tbash\t\t4.2.46\t34.amzn2",
    ];
    let input = [
        crate::invocation(
            "i-1",
            &crate::inventory(
                "amzn",
                "2023",
                &[
                    "rpm\topenssl-libs\t1\t3.0.8\t1.amzn2023.0.9\t\topenssl-3.0.8-1.amzn2023.0.9.src.rpm",
                ],
            ),
        ),
        crate::invocation("i-2", &crate::inventory("amzn", "2", &packages)),
    ];
    let output = matched(&path, &format!("{}\n{}", input[0], input[1]), &[]);
    let mut lines: Vec<String> = output
        .assert_status(1)
        .records()
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {} {}",
                one["advisory"],
                one["instance_id"],
                one["severity"]["word"],
                one["fixed"],
                one["cves"]
            )
            .replace('"', "")
        })
        .collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "ALAS2-2024-1 i-2 medium 4.14.355-275.570.amzn2 []",
            "ALAS2-2024-1 i-2 medium 4.2.46-35.amzn2 []",
            "ALAS2023-2024-001 i-1 high 1:3.0.8-1.amzn2023.0.10 [CVE-2024-1111,CVE-2024-2222]",
        ]
    );
}

/// Repositories of all distributions that publish an updateinfo.xml.
#[test]
fn an_updateinfo_is_of_the_distribution_that_its_ids_and_releases_name() {
    for (id, version, advisory, release, installed) in [
        ("almalinux", "9.4", "ALSA-2024:1", "2.el9_4", "1.el9"),
        ("rocky", "8.9", "RLSA-2024:1", "2.el8", "1.el8"),
        ("ol", "9.3", "ELSA-2024-1", "2.0.1.el9", "1.el9"),
        ("rhel", "9.4", "RHSA-2024:1", "2.el9", "1.el9"),
        (
            "sles",
            "15.5",
            "SUSE-SLE-Module-Basesystem-15-SP5-2024-1",
            "150500.2",
            "150500.1",
        ),
        (
            "opensuse-leap",
            "15.5",
            "openSUSE-SLE-15.5-2024-1",
            "150500.2",
            "150500.1",
        ),
    ] {
        let directory = Directory::new();
        let path = directory.write("x", format!(
            r#"<?xml version="1.0"?><updates><update type="security"><id>{advisory}</id><title>t</title><severity>Moderate</severity>
            <references/><pkglist><collection><package name="a" version="1" release="{release}" epoch="0" arch="x86_64"/></collection></pkglist></update></updates>"#
        ));
        let output = matched(
            &path,
            &node(id, version, &[&format!("rpm\ta\t\t1\t{installed}")]),
            &[],
        );
        assert_eq!(
            listed(&output),
            [format!("{advisory} a 1-{release}")],
            "{id}"
        );
    }
}

/// A document of Red Hat's VEX, cut down: one module package, one for longer support, and one without a fix.
#[test]
fn csaf_of_red_hat_is_read_with_its_products() {
    let product = |id: &str, cpe: &str| {
        json!({"category": "product_name", "name": id, "product": {"name": id, "product_id": id,
        "product_identification_helper": {"cpe": cpe}}})
    };
    let package = |id: &str, purl: &str| {
        json!({"category": "product_version", "name": id, "product": {"name": id, "product_id": id,
        "product_identification_helper": {"purl": purl}}})
    };
    let part = |component: &str, of: &str| {
        json!({"category": "default_component_of", "product_reference": component,
        "relates_to_product_reference": of, "full_product_name": {"name": "n", "product_id": format!("{of}:{component}")}})
    };
    let document = json!({
        "document": {"category": "csaf_vex", "title": "openssh: race", "aggregate_severity": {"text": "Important"},
            "references": [{"category": "self", "url": "https://example.org/vex"}],
            "tracking": {"id": "CVE-2024-6387", "current_release_date": "2026-01-01T00:00:00Z"}},
        "product_tree": {
            "branches": [{"category": "vendor", "name": "Red Hat", "branches": [
                product("BaseOS-9.4.0.Z.MAIN", "cpe:/o:redhat:enterprise_linux:9::baseos"),
                product("BaseOS-9.2.0.Z.EUS", "cpe:/o:redhat:rhel_eus:9.2::baseos"),
                product("ocp", "cpe:/a:redhat:openshift:4.15::el9"),
                package("openssh.x86_64", "pkg:rpm/redhat/openssh@8.7p1-38.el9_4.1?arch=x86_64"),
                package("openssh-eus.x86_64", "pkg:rpm/redhat/openssh@8.7p1-30.el9_2.4?arch=x86_64"),
                package("nodejs", "pkg:rpm/redhat/nodejs"),
            ]}],
            "relationships": [part("openssh.x86_64", "BaseOS-9.4.0.Z.MAIN"), part("openssh-eus.x86_64", "BaseOS-9.2.0.Z.EUS"),
                part("nodejs", "BaseOS-9.4.0.Z.MAIN"), part("openssh.x86_64", "ocp")]},
        "vulnerabilities": [{"cve": "CVE-2024-6387", "product_status": {
                "fixed": ["BaseOS-9.4.0.Z.MAIN:openssh.x86_64", "BaseOS-9.2.0.Z.EUS:openssh-eus.x86_64", "ocp:openssh.x86_64"],
                "known_affected": ["BaseOS-9.4.0.Z.MAIN:nodejs"]},
            "scores": [{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}, "products": []}],
            "threats": [{"category": "impact", "details": "Important"}]}]});
    let packages = [
        "rpm\topenssh\t0\t8.7p1\t30.el9_2.1",
        "rpm\tnodejs\t1\t16\t1.el9",
    ];
    let output = judged(
        std::slice::from_ref(&document),
        &node("rhel", "9.4", &packages),
    );
    assert_eq!(
        listed(&output),
        [
            "CVE-2024-6387 nodejs -",
            "CVE-2024-6387 openssh 8.7p1-38.el9_4.1"
        ]
    );
    let severity = &output.records()[0]["severity"];
    assert_eq!(
        (&severity["word"], &severity["source"], &severity["score"]),
        (&json!("high"), &json!("distribution"), &json!(8.1))
    );
    // The worst of several vulnerabilities of an advisory counts, whichever comes first.
    let mut several = document.clone();
    several["document"]["aggregate_severity"] = json!(null);
    let mut low = document["vulnerabilities"][0].clone();
    low["cve"] = json!("CVE-2024-0001");
    low["scores"] = json!([]);
    low["threats"][0]["details"] = json!("Low");
    let high = document["vulnerabilities"][0].clone();
    several["vulnerabilities"] = json!([low, high]);
    let output = judged(&[several], &node("rhel", "9.4", &packages[..1]));
    assert_eq!(output.records()[0]["severity"]["word"], "high");
    // What everybody gets goes before what is paid for, which is enough for who has it.
    for (release, expected) in [
        (
            "30.el9_2.1",
            &["CVE-2024-6387 openssh 8.7p1-38.el9_4.1"][..],
        ),
        ("30.el9_2.4", &[]),
    ] {
        let line = format!("rpm\topenssh\t0\t8.7p1\t{release}");
        let output = judged(
            std::slice::from_ref(&document),
            &node("rhel", "9.2", &[&line]),
        );
        assert_eq!(listed(&output), expected, "{release}");
    }
    // Of a release without support, only who pays gets a fix.
    let text = document.to_string().replace("rhel_eus:9.2", "rhel_els:9");
    let mut ended: Value = serde_json::from_str(&text).unwrap();
    ended["vulnerabilities"][0]["product_status"] = json!({
        "fixed": ["BaseOS-9.2.0.Z.EUS:openssh-eus.x86_64"], "known_affected": ["BaseOS-9.4.0.Z.MAIN:openssh.x86_64"]});
    let output = judged(&[ended], &node("rhel", "9.2", &packages[..1]));
    assert_eq!(listed(&output), ["CVE-2024-6387 openssh 8.7p1-30.el9_2.4"]);
    assert_eq!(output.records()[0]["paid"], "Red Hat ELS");
}

/// A document of SUSE, cut down: most have no package URLs, and name products by what they are called.
#[test]
fn csaf_of_suse_is_read_by_the_names_of_products_and_packages() {
    let (base, ltss) = (
        "SUSE Linux Enterprise Module for Basesystem 15 SP5",
        "SUSE Linux Enterprise Server 15 SP4-LTSS",
    );
    let openssl = "libopenssl1_1-1.1.1l-150500.17.31.1.x86_64";
    let of_ltss = "libopenssl1_1-1.1.1l-150400.7.72.1.x86_64";
    let product = |name: &str, cpe: &str| {
        json!({"category": "product_name", "name": name, "product": {"name": name, "product_id": name,
        "product_identification_helper": {"cpe": cpe}}})
    };
    let package = |name: &str| json!({"category": "product_version", "name": name, "product": {"name": name, "product_id": name}});
    let part = |component: &str, of: &str| {
        let id = format!("{of}:{component}");
        json!({"category": "default_component_of", "product_reference": component,
        "relates_to_product_reference": of, "full_product_name": {"name": format!("{component} as component of {of}"), "product_id": id}})
    };
    let document = |products: Value| {
        json!({
        "document": {"category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Security update for openssl-1_1",
            "aggregate_severity": {"namespace": "https://www.suse.com/support/security/rating/", "text": "important"},
            "publisher": {"category": "vendor", "name": "SUSE Product Security Team", "namespace": "https://www.suse.com/"},
            "references": [{"category": "self", "summary": "URL for SUSE-SU-2024:2066-1", "url": "https://www.suse.com/support/update/announcement/2024/suse-su-20242066-1/"}],
            "tracking": {"id": "SUSE-SU-2024:2066-1", "current_release_date": "2999-01-01T00:00:00Z", "status": "final"}},
        "product_tree": {
            "branches": [{"category": "vendor", "name": "SUSE", "branches": [
                {"category": "architecture", "name": "x86_64", "branches": [package(openssl), package(of_ltss)]},
                {"category": "product_family", "name": "SUSE Linux Enterprise", "branches": [
                    product(base, "cpe:/o:suse:sle-module-basesystem:15:sp5"), product(ltss, "cpe:/o:suse:sles-ltss:15:sp4")]}]}],
            "relationships": [part(openssl, base), part(of_ltss, ltss), part("openssl-1_1", base)]},
        "vulnerabilities": [{"cve": "CVE-2024-4741", "product_status": products,
            "scores": [{"cvss_v3": {"baseScore": 8.1, "vectorString": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}, "products": [base]}],
            "threats": [{"category": "impact", "details": "important"}]}]})
    };
    let line = "rpm\tlibopenssl1_1\t\t1.1.1l\t150400.7.1\tx86_64\topenssl-1_1-1.1.1l-150400.7.1.src.rpm\tSUSE\t";
    let fixed = document(
        json!({"recommended": [format!("{base}:{openssl}"), format!("{ltss}:{of_ltss}")]}),
    );
    for (version, expected, paid) in [
        (
            "15.5",
            "SUSE-SU-2024:2066-1 libopenssl1_1 1.1.1l-150500.17.31.1",
            Value::Null,
        ),
        (
            "15.4",
            "SUSE-SU-2024:2066-1 libopenssl1_1 1.1.1l-150400.7.72.1",
            json!("SUSE LTSS"),
        ),
    ] {
        let output = judged(
            std::slice::from_ref(&fixed),
            &node("sles", version, &[line]),
        );
        let records = output.records();
        let first = records.iter().find(|one| one["kind"] == "match").unwrap();
        assert_eq!(listed(&output)[0], expected);
        assert_eq!(
            (&first["paid"], &first["cves"]),
            (&paid, &json!(["CVE-2024-4741"]))
        );
        assert_eq!(first["severity"]["word"], "high");
    }
    // By the source, while there is no fix.
    let unfixed = document(json!({"known_affected": [format!("{base}:openssl-1_1")]}));
    let output = judged(&[unfixed], &node("sles", "15.5", &[line]));
    assert_eq!(listed(&output), ["SUSE-SU-2024:2066-1 libopenssl1_1 -"]);
}

/// Packages of live patches have the kernel in their names, and versions of their own.
/// <https://docs.aws.amazon.com/linux/al2023/ug/live-patching.html>
#[test]
fn live_patches_are_compared_with_live_patches_of_their_kernel() {
    let update = |id: &str, name: &str, version: &str, release: &str| {
        format!(
            r#"<update type="security"><id>{id}</id><severity>important</severity><issued date="2999-01-01"/>
            <references><reference type="cve" id="CVE-2024-1086" href="x"/></references>
            <pkglist><collection short="kernel-livepatch"><package name="{name}" epoch="0" version="{version}" release="{release}" arch="x86_64"/>
            </collection></pkglist></update>"#
        )
    };
    let of_5_10 = "kernel-livepatch-5.10.165-143.735";
    let of_5_15 = "kernel-livepatch-5.15.100-60.100";
    let updates = [
        update("ALAS2LIVEPATCH-2024-001", of_5_10, "1.0", "2.amzn2"),
        update("ALAS2LIVEPATCH-2024-002", of_5_15, "1.0", "9.amzn2"),
        update(
            "ALAS2KERNEL-5.10-2024-050",
            "kernel",
            "5.10.209",
            "198.812.amzn2",
        ),
    ];
    let directory = Directory::new();
    let path = directory.write(
        "updateinfo.xml",
        format!("<updates>{}</updates>", updates.concat()),
    );
    let kernel = "rpm\tkernel\t\t5.10.165\t143.735.amzn2";
    let row = "ALAS2KERNEL-5.10-2024-050 kernel 5.10.209-198.812.amzn2".to_owned();
    let core = "vulns.advisories.none".to_owned();
    for (release, expected) in [
        (
            "1.amzn2",
            vec![
                row.clone(),
                format!("ALAS2LIVEPATCH-2024-001 {of_5_10} 1.0-2.amzn2"),
                core.clone(),
            ],
        ),
        // The kernel itself remains a row: it has to be replaced before the next boot without the patch.
        ("2.amzn2", vec![row.clone(), core]),
    ] {
        let patch =
            format!("rpm\t{of_5_10}\t\t1.0\t{release}\tx86_64\t{of_5_10}-1.0-{release}.src.rpm");
        let output = matched(&path, &node("amzn", "2", &[kernel, &patch]), &[]);
        assert_eq!(listed(output.assert_status(2)), expected, "{release}");
    }
}

/// 12, `high**`. Names of packages are names of fields in a tracker.
#[test]
fn the_tracker_of_debian_is_known_from_everything_else() {
    let entry = |fixed: Value| json!({"CVE-2024-0001": {"description": "d", "releases": {"bookworm": {"status": "resolved", "fixed_version": fixed, "urgency": "high**"}}}});
    for name in ["bash", "affected", "id", "document"] {
        let tracker =
            json!({"aaa": entry(json!("1")), name: entry(json!("2")), "linux": entry(json!("0"))});
        let output = judged(
            &[tracker],
            &node("debian", "12", &[&format!("deb\t{name}\t1")]),
        );
        let record = output.assert_status(1).json();
        assert_eq!(
            (&record["fixed"], &record["severity"]["word"]),
            (&json!("2"), &json!("high")),
            "{name}"
        );
    }
}
