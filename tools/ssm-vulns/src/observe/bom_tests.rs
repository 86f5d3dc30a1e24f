//! SBOMs of this tool, of syft and of trivy.

use super::{Bom, package};

fn read(json: serde_json::Value) -> Bom {
    serde_json::from_value(json).unwrap()
}

#[test]
fn the_sboms_of_syft_and_trivy_are_read() {
    let syft = read(
        serde_json::json!({"metadata": {"component": {"name": "host"}}, "components": [
        {"type": "library", "name": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl"}]}),
    );
    let ((target, id, _), system, texts) = syft.node().unwrap();
    assert_eq!(
        (
            target,
            id.as_str(),
            system.id.as_str(),
            system.version.as_str()
        ),
        (None, "host", "debian", "12")
    );
    assert_eq!(package(&texts[0]).unwrap().source.name, "openssl");

    let property = |name: &str, value: &str| serde_json::json!({"name": format!("aquasecurity:trivy:{name}"), "value": value});
    let trivy = read(serde_json::json!({"components": [
        {"type": "operating-system", "name": "alma", "version": "9.4"},
        {"type": "library", "name": "openssl-libs", "purl": "pkg:rpm/alma/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=alma-9.4&epoch=1",
         "properties": [property("SrcName", "openssl"), property("SrcVersion", "3.0.7"), property("SrcRelease", "24.el9"), property("SrcEpoch", "1")]}]}));
    let (_, system, texts) = trivy.node().unwrap();
    assert_eq!(system.id, "almalinux");
    let found = package(&texts[0]).unwrap();
    assert_eq!(
        (found.source.name.as_str(), found.source.version.as_str()),
        ("openssl", "1:3.0.7-24.el9")
    );
    assert_eq!(found.version, "1:3.0.7-24.el9");
}

/// As trivy has called them over the years: pkg/fanal/types/const.go.
#[test]
fn systems_are_known_by_the_names_of_trivy() {
    for (name, expected) in [
        ("amazon", "amzn"),
        ("amazon linux", "amzn"),
        ("debian gnu/linux", "debian"),
        ("redhat", "rhel"),
        ("oracle", "ol"),
        ("alma", "almalinux"),
        ("sles", "sles"),
        ("azurelinux", "azurelinux"),
        ("cbl-mariner", "mariner"),
        ("opensuse.leap", "opensuse-leap"),
        ("opensuse-tumbleweed", "opensuse-tumbleweed"),
        ("suse linux enterprise server", "sles"),
        ("slem", "sle-micro"),
        ("debian", "debian"),
    ] {
        let bom = read(serde_json::json!({"components": [
            {"type": "operating-system", "name": name, "version": "1"},
            {"type": "library", "name": "a", "purl": "pkg:deb/debian/a@1"}]}));
        assert_eq!(bom.node().unwrap().1.id, expected, "{name}");
    }
}

/// CycloneDX 1.6, components within components.
#[test]
fn packages_of_an_assembly_are_read() {
    let of = |name: &str, inner: serde_json::Value| {
        let purl = format!("pkg:deb/debian/{name}@1");
        serde_json::json!({"type": "library", "name": name, "purl": purl, "components": inner})
    };
    let inner = of(
        "b",
        serde_json::json!([of("c", serde_json::Value::Array(Vec::new()))]),
    );
    let bom = read(serde_json::json!({"components": [of("a", serde_json::json!([inner]))]}));
    let (_, _, texts) = bom.node().unwrap();
    let expected = ["a", "b", "c"].map(|name| format!("pkg:deb/debian/{name}@1"));
    assert_eq!(texts, expected);
}

#[test]
fn what_is_on_a_machine_with_a_system_of_its_own_is_not_of_the_machine() {
    let deb = |name: &str, distro: &str| {
        let purl = format!("pkg:deb/debian/{name}@1?distro={distro}");
        serde_json::json!({"type": "library", "name": name, "purl": purl})
    };
    let system = |version: &str| serde_json::json!({"type": "operating-system", "name": "debian", "version": version});
    let of = |kind: &str, components: serde_json::Value| serde_json::json!({"type": kind, "name": "x", "components": components});
    let (host, inner) = (deb("a", "debian-12"), deb("b", "debian-11"));
    for (what, components) in [
        (
            "a container",
            serde_json::json!([
                of("container", serde_json::json!([inner])),
                system("12"),
                host
            ]),
        ),
        (
            "a container without a system",
            serde_json::json!([of("container", serde_json::json!([inner])), host]),
        ),
        (
            "a system within",
            serde_json::json!([
                host,
                of("application", serde_json::json!([system("11"), inner])),
                system("12")
            ]),
        ),
        (
            "its own system within",
            serde_json::json!([of("application", serde_json::json!([system("12"), host]))]),
        ),
        (
            "both within",
            serde_json::json!([of(
                "platform",
                serde_json::json!([
                    of("application", serde_json::json!([system("11"), inner])),
                    system("12"),
                    host
                ])
            )]),
        ),
    ] {
        let bom = read(serde_json::json!({ "components": components }));
        let (_, system, texts) = bom.node().unwrap();
        assert_eq!(
            (system.id.as_str(), system.version.as_str()),
            ("debian", "12"),
            "{what}"
        );
        assert_eq!(texts, ["pkg:deb/debian/a@1?distro=debian-12"], "{what}");
    }
    // As a system may be written that its packages are parts of.
    let mut around = system("12");
    around["components"] = serde_json::json!([host]);
    let bom = read(serde_json::json!({ "components": [around] }));
    let (_, system, texts) = bom.node().unwrap();
    assert_eq!((system.version.as_str(), texts.len()), ("12", 1));
}

/// <https://github.com/package-url/purl-spec>
#[test]
fn scheme_and_type_of_a_package_url_are_read_in_any_case() {
    for purl in [
        "PKG:DEB/debian/a@1",
        "pkg:Deb/debian/a@1",
        "pkg://deb/debian/a@1",
        "pkg:/deb/debian/a@1",
    ] {
        let bom = read(
            serde_json::json!({"components": [{"type": "library", "name": "a", "purl": purl}]}),
        );
        assert_eq!(bom.node().unwrap().2, ["pkg:deb/debian/a@1"], "{purl}");
    }
    for purl in ["pkg:npm/deb/a@1", "npm:deb/debian/a@1", "pkg:debian/a@1"] {
        let bom = read(
            serde_json::json!({"components": [{"type": "library", "name": "a", "purl": purl}]}),
        );
        assert!(bom.node().is_err(), "{purl}");
    }
}

/// What stands before the source is not checked by anybody.
#[test]
fn a_publisher_does_not_change_the_source_that_is_judged() {
    for publisher in ["X\u{1f}b\u{1f}9\u{1f}", "\u{1f}", "\u{1f}b\u{1f}9\u{1f}m"] {
        for properties in [
            serde_json::json!([]),
            serde_json::json!([{"name": "aquasecurity:trivy:SrcName", "value": "a"},
                {"name": "aquasecurity:trivy:SrcVersion", "value": "1"}]),
        ] {
            let bom = read(
                serde_json::json!({"components": [{"type": "library", "name": "a",
                "purl": "pkg:rpm/redhat/a@1", "publisher": publisher, "properties": properties}]}),
            );
            let (_, _, texts) = bom.node().unwrap();
            let found = package(&texts[0]).unwrap();
            assert_eq!(
                (found.source.name.as_str(), found.source.version.as_str()),
                ("a", "1"),
                "{publisher:?}"
            );
            assert_eq!(found.module, "", "{publisher:?}");
        }
    }
}

#[test]
fn an_sbom_without_packages_is_a_gap() {
    let npm = read(
        serde_json::json!({"components": [{"type": "library", "name": "a", "purl": "pkg:npm/a@1"}]}),
    );
    assert_eq!(npm.node().unwrap_err().reason.id, "vulns.sbom.empty");
}
