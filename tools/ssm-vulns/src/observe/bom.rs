//! Reads SBOMs in CycloneDX: those of this tool, of syft and of trivy.

use std::borrow::Cow;

use records::{Reason, Target};
use serde::Deserialize;

use crate::model::package::{Package, source_of_rpm};
use crate::model::record::{Gap, GapKind};
use crate::model::system::{System, from_trivy};

/// What parts the package URL of a component from the publisher and the source that trivy names beside it.
const SEPARATOR: char = '\u{1f}';

/// What is read of an SBOM; the rest of the document is its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Bom {
    #[serde(rename = "serialNumber")]
    serial_number: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Debug, Deserialize)]
struct Component {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    description: String,
    /// The vendor of an rpm, as syft and this tool write it.
    #[serde(default)]
    publisher: String,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    /// What it is assembled of.
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Debug, Deserialize)]
struct Property {
    name: String,
    #[serde(default)]
    value: String,
}

impl Component {
    fn property(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|one| one.name == name)?;
        Some(found.value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Where a node is, its ID and its name.
type Identity = (Option<Target>, String, Option<String>);

impl Bom {
    /// Returns the node of an SBOM, its system, and its packages as texts for [`package`]; or why it is not to be judged.
    pub(crate) fn node(&self) -> Result<(Identity, System, Vec<String>), Box<Gap>> {
        let about = self.metadata.component.as_ref();
        let property = |name: &str| about.and_then(|one| one.property(name));
        let target =
            property("ssm:account")
                .zip(property("ssm:region"))
                .map(|(account, region)| Target {
                    account: account.to_owned(),
                    region: region.to_owned(),
                });
        let called = about.map_or("-", |one| one.name.as_str());
        let (id, name) = match self.serial_number() {
            // `syft dir:/` is called `/` on every machine.
            Some(serial) if target.is_none() && !names_machine(called) => {
                (serial.to_owned(), Some(called.to_owned()))
            }
            _ => (called.to_owned(), property("ssm:name").map(str::to_owned)),
        };
        let components = self.of_machine();
        let texts: Vec<String> = components.iter().filter_map(|one| text(one)).collect();
        let system = system(&self.components, &components);
        if texts.is_empty() && system.id != "windows" {
            let message =
                "the SBOM names no package of dpkg, rpm or apk that is not of a container";
            let reason = Reason::new("vulns.sbom.empty", message, "make it of the whole system");
            return Err(Box::new(Gap {
                kind: GapKind::Gap,
                target,
                instance_id: Some(id),
                name,
                reason,
                of: None,
            }));
        }
        Ok(((target, id, name), system, texts))
    }

    pub(crate) fn serial_number(&self) -> Option<&str> {
        self.serial_number.as_deref()
    }

    /// Returns the components of the machine itself: not those of containers, nor those beside which another system is.
    fn of_machine(&self) -> Vec<&Component> {
        let mut found = Vec::new();
        let system = first_system(&self.components);
        add_of_machine(&self.components, system, &mut found);
        found
    }
}

/// Returns the first system among components, else among what those are assembled of.
fn first_system(components: &[Component]) -> Option<&Component> {
    let own = components.iter().find(|one| one.kind == "operating-system");
    own.or_else(|| {
        let parts = components.iter().filter(|one| one.kind != "container");
        parts
            .into_iter()
            .find_map(|one| first_system(&one.components))
    })
}

fn add_of_machine<'c>(
    components: &'c [Component],
    system: Option<&Component>,
    found: &mut Vec<&'c Component>,
) {
    for component in components.iter().filter(|one| one.kind != "container") {
        found.push(component);
        let inner = first_system(&component.components);
        let is_other = |inner: &Component| system.is_none_or(|system| !std::ptr::eq(system, inner));
        if !inner.is_some_and(is_other) {
            add_of_machine(&component.components, system, found);
        }
    }
}

/// Returns the system among all components, else what the package URLs of the machine itself say.
fn system(all: &[Component], of_machine: &[&Component]) -> System {
    if let Some(system) = first_system(all) {
        let id = system.property("syft:distro:id");
        let version = system
            .property("syft:distro:versionID")
            .unwrap_or(&system.version);
        return System {
            id: id.map_or_else(|| from_trivy(&system.name), |id| id.replace('.', "-")),
            version: version.to_owned(),
            pretty: system.description.clone(),
            cpe: system
                .property("syft:distro:cpeName")
                .unwrap_or_default()
                .to_owned(),
            ..System::default()
        };
    }
    let distro = of_machine.iter().find_map(|one| {
        let (_, qualifiers) = one.purl.as_deref()?.split_once('?')?;
        qualifiers
            .split('&')
            .find_map(|one| one.strip_prefix("distro="))
    });
    let (id, version) = distro
        .and_then(|distro| distro.rsplit_once('-'))
        .unwrap_or_default();
    System {
        id: id.to_owned(),
        version: version.to_owned(),
        ..System::default()
    }
}

/// Returns whether an SBOM is called by a name that a machine may have, rather than by the directory that it was made of.
fn names_machine(name: &str) -> bool {
    !matches!(name, "" | "-" | ".") && !name.contains('/')
}

/// Returns a package URL in its canonical form where it is of a package manager of a distribution: the case of scheme and type does not
/// matter, and slashes before the type are left out. <https://github.com/package-url/purl-spec>
fn of_distribution(purl: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = purl.split_once(':')?;
    let rest = rest.trim_start_matches('/');
    let kind = rest.split('/').next()?;
    let kinds = ["deb", "rpm", "apk"];
    let known = kinds.iter().find(|one| kind.eq_ignore_ascii_case(one))?;
    if !scheme.eq_ignore_ascii_case("pkg") {
        return None;
    }
    let canonical = format!("pkg:{known}{}", &rest[known.len()..]);
    Some(if purl == canonical {
        purl.into()
    } else {
        canonical.into()
    })
}

/// Returns a package as a text, which is the same for the same package.
fn text(component: &Component) -> Option<String> {
    let purl = of_distribution(component.purl.as_deref()?)?;
    let of_trivy = |name: &str| {
        component
            .property(&format!("aquasecurity:trivy:{name}"))
            .unwrap_or_default()
    };
    let has_source = !purl.contains("upstream=") && !of_trivy("SrcName").is_empty();
    let publisher = component.publisher.as_str();
    if !has_source {
        return Some(match publisher {
            "" => joined(&[&purl]),
            publisher => joined(&[&purl, publisher]),
        });
    }
    let mut version = of_trivy("SrcVersion").to_owned();
    if !of_trivy("SrcEpoch").is_empty() {
        version = format!("{}:{version}", of_trivy("SrcEpoch"));
    }
    if !of_trivy("SrcRelease").is_empty() {
        version = format!("{version}-{}", of_trivy("SrcRelease"));
    }
    let module = of_trivy("Modularitylabel");
    Some(joined(&[
        &purl,
        publisher,
        of_trivy("SrcName"),
        &version,
        module,
    ]))
}

/// Joins parts that must not be taken for several, whatever is in them.
fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            text.push(SEPARATOR);
        }
        part.split(SEPARATOR).for_each(|piece| text.push_str(piece));
    }
    text
}

/// Returns the package URL in a text.
pub(crate) fn purl(text: &str) -> &str {
    text.split(SEPARATOR).next().unwrap_or(text)
}

/// Returns the package that a text names.
pub(crate) fn package(text: &str) -> Option<Package> {
    let mut parts = text.split(SEPARATOR);
    let mut package = Package::of_purl(parts.next()?)?;
    parts
        .next()
        .unwrap_or_default()
        .clone_into(&mut package.vendor);
    if let (Some(name), Some(version), Some(module)) = (parts.next(), parts.next(), parts.next()) {
        let (name, version) = source_of_rpm(name).unwrap_or((name, version));
        package.source = (name.to_owned(), version.to_owned()).into();
        module.clone_into(&mut package.module);
    }
    Some(package)
}

#[cfg(test)]
mod tests {
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
}
