//! One CycloneDX 1.6 SBOM of each inventory. The same record makes the same bytes.
//! <https://cyclonedx.org/docs/1.6/json/>
//!
//! What scanners need is written as they write it themselves: grype finds the distribution in `syft:distro:*` and the source
//! in the package URL, trivy both in the operating-system component and in `aquasecurity:trivy:*`. Not by the crate
//! `cyclonedx-bom`, which ends at version 1.5 and builds each document of a thousand objects anew.

use std::collections::HashMap;
use std::fmt::Write;

use records::Target;
use serde::Serialize;

use crate::model::package::{Manager, Package, epoch as epoch_of};
use crate::model::system::{System, to_trivy};
use crate::observe::input::Scanned;
use crate::purl;

/// Components as JSON, by the line of the inventory, for each system and architecture: most nodes have them in common.
#[derive(Debug, Default)]
pub(crate) struct Components {
    made: HashMap<(System, String), HashMap<Box<str>, Box<str>>>,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Component<'a> {
    r#type: &'a str,
    #[serde(rename = "bom-ref")]
    bom_ref: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    purl: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    publisher: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

impl Components {
    /// Writes the SBOM of a node at the end of `to`. Returns how many packages it has.
    pub(crate) fn write(
        &mut self,
        node: &Scanned,
        newest_kernel: Option<&str>,
        to: &mut String,
    ) -> anyhow::Result<usize> {
        let Scanned {
            target,
            instance_id,
            inventory,
            ..
        } = node;
        let (system, arch) = (&inventory.system, &inventory.arch);
        to.push_str(r#"{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":""#);
        to.push_str(&serial_number(instance_id, node.command_id.as_deref()));
        to.push_str(r#"","version":1,"metadata":{"#);
        if let Some(ended) = &node.ended {
            write!(to, r#""timestamp":{},"#, serde_json::to_string(ended)?)?;
        }
        to.push_str(
            r#""tools":{"components":[{"type":"application","name":"ssm-vulns"}]},"component":"#,
        );
        let of_node = format!("node:{target}/{instance_id}");
        json(to, &device(node, newest_kernel, &of_node))?;
        to.push_str(r#"},"components":["#);
        let of_system = format!("os:{}@{}", system.id, system.version);
        operating_system(node, &of_system, to)?;
        let made = self.made.entry((system.clone(), arch.clone())).or_default();
        let mut n_packages = 0;
        // Windows may list a program twice, and a reference, which stands before the name, must be the only one.
        let mut seen = std::collections::HashSet::new();
        let is_windows = system.id == "windows";
        for line in inventory.packages() {
            let component = match made.get(line) {
                Some(component) => component,
                None => {
                    let Some(package) = Package::of_line(line, arch) else {
                        continue;
                    };
                    made.entry(line.into())
                        .or_insert(component(&package, system)?.into_boxed_str())
                }
            };
            if is_windows {
                let reference = component.split("\",\"name\":").next().unwrap_or_default();
                if !seen.insert(reference.to_owned()) {
                    continue;
                }
            }
            to.push(',');
            to.push_str(component);
            n_packages += 1;
        }
        to.push_str(r#"],"dependencies":[{"ref":"#);
        json(to, &of_node)?;
        to.push_str(r#","dependsOn":["#);
        json(to, &of_system)?;
        to.push_str("]}]}\n");
        Ok(n_packages)
    }
}

fn json(to: &mut String, value: &impl Serialize) -> anyhow::Result<()> {
    to.push_str(&serde_json::to_string(value)?);
    Ok(())
}

/// Returns properties without those that are empty.
fn properties<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Property<'a>> {
    let filled = all.into_iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(name, value)| Property { name, value })
        .collect()
}

fn device<'a>(
    node: &'a Scanned,
    newest_kernel: Option<&'a str>,
    of_node: &'a str,
) -> Component<'a> {
    let Target { account, region } = &node.target;
    let inventory = &node.inventory;
    Component {
        r#type: "device",
        bom_ref: of_node,
        name: &node.instance_id,
        version: None,
        description: "",
        purl: "",
        publisher: "",
        properties: properties([
            ("ssm:account", account.as_str()),
            ("ssm:region", region),
            ("ssm:name", node.name.as_deref().unwrap_or_default()),
            (
                "ssm:command-id",
                node.command_id.as_deref().unwrap_or_default(),
            ),
            ("ssm:arch", &inventory.arch),
            ("ssm:kernel:running", &inventory.kernel),
            ("ssm:kernel:newest", newest_kernel.unwrap_or_default()),
            (
                "ssm:reboot-pending",
                if inventory.is_reboot_pending(newest_kernel) {
                    "true"
                } else {
                    ""
                },
            ),
        ]),
    }
}

fn operating_system(node: &Scanned, of_system: &str, to: &mut String) -> anyhow::Result<()> {
    let system = &node.inventory.system;
    let like: Vec<(String, &str)> = system
        .like
        .split_whitespace()
        .enumerate()
        .map(|(index, one)| (format!("syft:distro:idLike:{index}"), one))
        .collect();
    let hotfixes = node.inventory.hotfixes().map(|one| ("ssm:hotfix", one));
    let all = [("syft:distro:id", system.id.as_str())]
        .into_iter()
        .chain(like.iter().map(|(name, one)| (name.as_str(), *one)))
        .chain([
            ("syft:distro:cpeName", system.cpe.as_str()),
            ("syft:distro:prettyName", &system.pretty),
            ("syft:distro:versionCodename", &system.codename),
            ("syft:distro:versionID", &system.version),
            ("aquasecurity:trivy:Class", "os-pkgs"),
            ("aquasecurity:trivy:Type", to_trivy(&system.id)),
        ])
        .chain(hotfixes);
    let component = Component {
        r#type: "operating-system",
        bom_ref: of_system,
        name: to_trivy(&system.id),
        version: Some(system.version.as_str()).filter(|version| !version.is_empty()),
        description: &system.pretty,
        purl: "",
        publisher: "",
        properties: properties(all),
    };
    json(to, &component)
}

/// Returns the component of a package as JSON.
fn component(package: &Package, system: &System) -> anyhow::Result<String> {
    let purl = purl::of(package, system)?;
    let (epoch, _) = package.epoch();
    let source = &package.source;
    let (source_epoch, rest) = epoch_of(&source.version);
    let has_source = match package.manager {
        Manager::Rpm => true,
        Manager::Deb => source.name != package.name || source.version != package.version,
        Manager::Apk => source.name != package.name,
        Manager::Windows => false,
    };
    let (version, release) = match package.manager {
        Manager::Apk => (rest, ""),
        _ => rest.rsplit_once('-').unwrap_or((rest, "")),
    };
    let epoch = if package.manager == Manager::Rpm {
        epoch
    } else {
        source_epoch
    };
    let of_source = [
        ("aquasecurity:trivy:SrcName", source.name.as_str()),
        ("aquasecurity:trivy:SrcVersion", version),
        ("aquasecurity:trivy:SrcRelease", release),
        ("aquasecurity:trivy:SrcEpoch", epoch),
        ("aquasecurity:trivy:Modularitylabel", &package.module),
    ];
    let r#type = if package.manager == Manager::Windows {
        "application"
    } else {
        "library"
    };
    let component = Component {
        r#type,
        bom_ref: &purl,
        name: &package.name,
        version: Some(&package.version),
        description: "",
        purl: &purl,
        publisher: &package.vendor,
        properties: if has_source {
            properties(of_source)
        } else {
            Vec::new()
        },
    };
    Ok(serde_json::to_string(&component)?)
}

/// UUIDs of version 8 are free to say what they like, <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8>.
/// This one is the node's 17 digits and the first 13 of the command's UUID: no two commands on a node share it.
fn serial_number(instance_id: &str, command_id: Option<&str>) -> String {
    let hex = |text: &str| -> String {
        text.chars()
            .filter(|c| matches!(c, '0'..='9' | 'a'..='f'))
            .collect()
    };
    let node = instance_id.rsplit('-').next().map(hex).unwrap_or_default();
    let node = format!("{:0>17}", &node[node.len().saturating_sub(17)..]);
    let command = format!("{:0<13.13}", hex(command_id.unwrap_or_default()));
    let digits = format!("{node}{command}");
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..15],
        &digits[15..18],
        &digits[18..30]
    )
}

#[cfg(test)]
mod tests {
    use super::serial_number;

    #[test]
    fn the_serial_number_is_of_the_node_and_the_command() {
        assert_eq!(
            serial_number(
                "i-0123456789abcdef0",
                Some("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")
            ),
            "urn:uuid:01234567-89ab-8cde-8f00-a1b2c3d4e5f6"
        );
        assert_eq!(
            serial_number("i-1", None),
            "urn:uuid:00000000-0000-8000-8010-000000000000"
        );
    }
}
