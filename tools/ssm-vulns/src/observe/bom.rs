//! Reads SBOMs in CycloneDX: those of this tool, of syft and of trivy.

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
        let mut texts = Vec::new();
        add_texts(&self.components, &mut texts);
        let system = self.system();
        if texts.is_empty() && system.id != "windows" {
            let message = "the SBOM names no package of dpkg, rpm or apk";
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

    fn system(&self) -> System {
        let system = self
            .components
            .iter()
            .find(|one| one.kind == "operating-system");
        if let Some(system) = system {
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
        // Else every package URL says it.
        let distro = self.components.iter().find_map(|one| {
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
}

/// Returns whether an SBOM is called by a name that a machine may have, rather than by the directory that it was made of.
fn names_machine(name: &str) -> bool {
    !matches!(name, "" | "-" | ".") && !name.contains('/')
}

/// Adds the packages among components, and among what those are assembled of.
fn add_texts(components: &[Component], texts: &mut Vec<String>) {
    for component in components {
        texts.extend(text(component));
        add_texts(&component.components, texts);
    }
}

/// Returns a package as a text, which is the same for the same package.
fn text(component: &Component) -> Option<String> {
    let purl = component.purl.as_deref()?;
    if !["pkg:deb/", "pkg:rpm/", "pkg:apk/"]
        .iter()
        .any(|kind| purl.starts_with(kind))
    {
        return None;
    }
    let of_trivy = |name: &str| {
        component
            .property(&format!("aquasecurity:trivy:{name}"))
            .unwrap_or_default()
    };
    let has_source = !purl.contains("upstream=") && !of_trivy("SrcName").is_empty();
    let publisher = component.publisher.as_str();
    if !has_source {
        return Some(match publisher {
            "" => purl.to_owned(),
            publisher => format!("{purl}{SEPARATOR}{publisher}"),
        });
    }
    let mut version = of_trivy("SrcVersion").to_owned();
    if !of_trivy("SrcEpoch").is_empty() {
        version = format!("{}:{version}", of_trivy("SrcEpoch"));
    }
    if !of_trivy("SrcRelease").is_empty() {
        version = format!("{version}-{}", of_trivy("SrcRelease"));
    }
    Some(
        [
            purl,
            publisher,
            of_trivy("SrcName"),
            &version,
            of_trivy("Modularitylabel"),
        ]
        .join(&SEPARATOR.to_string()),
    )
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
                {"type": "operating-system", "name": name, "version": "1"}]}));
            assert_eq!(bom.system().id, expected, "{name}");
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
    fn an_sbom_without_packages_is_a_gap() {
        let npm = read(
            serde_json::json!({"components": [{"type": "library", "name": "a", "purl": "pkg:npm/a@1"}]}),
        );
        assert_eq!(npm.node().unwrap_err().reason.id, "vulns.sbom.empty");
    }
}
