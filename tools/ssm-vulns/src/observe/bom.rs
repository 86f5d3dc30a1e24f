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
        let named = first_system(&self.components);
        let mut components = Vec::new();
        add_of_machine(&self.components, named, &mut components);
        let texts: Vec<String> = components.iter().filter_map(|one| text(one)).collect();
        let system = system(named, &components);
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
}

/// Returns the first system among components, else among what those are assembled of.
fn first_system(components: &[Component]) -> Option<&Component> {
    let own = components.iter().find(|one| one.kind == "operating-system");
    own.or_else(|| {
        let mut parts = components.iter().filter(|one| one.kind != "container");
        parts.find_map(|one| first_system(&one.components))
    })
}

/// Adds the components of the machine itself: not those of containers, nor those beside which another system is.
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

/// Returns the system that a component names, else what the package URLs of the machine itself say.
fn system(named: Option<&Component>, of_machine: &[&Component]) -> System {
    if let Some(system) = named {
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
fn of_distribution(purl: &str) -> Option<String> {
    let (scheme, rest) = purl.split_once(':')?;
    let rest = rest.trim_start_matches('/');
    let kind = rest.split('/').next()?;
    let kinds = ["deb", "rpm", "apk"];
    let known = kinds.iter().find(|one| kind.eq_ignore_ascii_case(one))?;
    if !scheme.eq_ignore_ascii_case("pkg") {
        return None;
    }
    Some(format!("pkg:{known}{}", &rest[known.len()..]))
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
#[path = "bom_tests.rs"]
mod bom_tests;
