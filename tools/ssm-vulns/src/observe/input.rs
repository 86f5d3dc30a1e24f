//! The input of both verbs: records of `ssm-run`, SBOMs, gaps of an earlier step.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::bail;
use cli::IoArgs;
use records::{Invocation, PatchState, Target, Unreachable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::bom::Bom;
use super::collector::Inventory;
use crate::model::fleet::{Fleet, Node};
use crate::model::package::Package;
use crate::model::patches::is_scan;
use crate::model::record::{Gap, GapKind, GapOf};

/// A node whose inventory is whole.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) target: Target,
    pub(crate) instance_id: String,
    pub(crate) name: Option<String>,
    pub(crate) command_id: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) inventory: Inventory,
}

/// One value of the input.
#[derive(Debug)]
pub(crate) enum Item {
    Scanned(Box<Scanned>),
    Bom(Box<Bom>),
    Gap(Gap),
    /// Why the output of a command is not an inventory.
    NoInventory(Gap),
    /// How a scan for patches ended.
    PatchScan(Box<Invocation>),
    PatchState(Box<PatchState>),
}

/// A node that a record is about.
#[derive(Deserialize)]
struct About {
    kind: Option<String>,
    target: Option<Target>,
    instance_id: Option<String>,
}

/// Returns the nodes with several records in the input, and how many each has; none where the input can be read once only, or is
/// damaged, which whoever reads it next says.
pub(crate) fn asked_again(io: &IoArgs) -> Option<HashMap<(Target, String), usize>> {
    let is_file = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.is_file());
    if !io.file.as_ref().is_some_and(is_file) {
        return None;
    }
    let mut counts: HashMap<(Target, String), usize> = HashMap::new();
    let read = cli::for_each_record(io, "records of ssm-run or SBOMs", |raw: Box<RawValue>| {
        if let Ok(About {
            kind: Some(kind),
            target: Some(target),
            instance_id: Some(id),
        }) = serde_json::from_str(raw.get())
            && kind == "invocation"
        {
            *counts.entry((target, id)).or_default() += 1;
        }
        Ok(())
    });
    counts.retain(|_, n| *n > 1);
    read.is_ok().then_some(counts)
}

/// What distinguishes values.
#[derive(Deserialize)]
struct Peek {
    kind: Option<String>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
}

/// Calls `each` with every value of the input, as it is read. Returns how many there were.
///
/// # Errors
/// What cannot be read, is not JSON or neither a record nor an SBOM, or an error of `each`.
pub(crate) fn for_each(
    io: &IoArgs,
    mut each: impl FnMut(Item) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let mut n_read = 0;
    cli::for_each_record(io, "records of ssm-run or SBOMs", |raw: Box<RawValue>| {
        n_read += 1;
        match item(raw.get())? {
            Some(item) => each(item),
            None => Ok(()),
        }
    })?;
    Ok(n_read)
}

fn item(text: &str) -> anyhow::Result<Option<Item>> {
    let Ok(peek) = serde_json::from_str::<Peek>(text) else {
        bail!("$: expected a record of ssm-run or an SBOM in CycloneDX");
    };
    let gap = |error: anyhow::Error| {
        let message = format!("a record that cannot be read: {error:#}");
        let fix = "pipe in the output of ssm-run, or SBOMs in CycloneDX";
        Gap::general("vulns.input.unknown", message, fix)
    };
    // Those of one node must not end the scan of the others.
    Ok(Some(
        match (peek.kind.as_deref(), peek.bom_format.as_deref()) {
            (Some("invocation"), _) => match parse(text) {
                Ok(invocation) if is_scan(&invocation) => Item::PatchScan(Box::new(invocation)),
                Ok(invocation) => scanned(invocation),
                Err(error) => Item::Gap(gap(error)),
            },
            (Some("gap"), _) => Item::Gap(parse(text).unwrap_or_else(gap)),
            (Some("unreachable"), _) => match parse::<Unreachable>(text) {
                Ok(unreachable) => Item::Gap(Gap {
                    target: Some(unreachable.target),
                    ..Gap::general(
                        "vulns.target.unreachable",
                        unreachable.error,
                        "ask again once it answers",
                    )
                }),
                Err(error) => Item::Gap(gap(error)),
            },
            (Some("patch_state"), _) => match parse(text) {
                Ok(state) => Item::PatchState(Box::new(state)),
                Err(error) => Item::Gap(gap(error)),
            },
            // That a command was sent, and where an SBOM was written to, says nothing of packages.
            (Some("command" | "sbom"), _) => return Ok(None),
            (Some(kind), _) => Item::Gap(gap(anyhow::anyhow!("its kind is '{kind}'"))),
            (None, Some("CycloneDX")) => match parse(text) {
                Ok(bom) => Item::Bom(Box::new(bom)),
                Err(error) => Item::Gap(gap(error)),
            },
            (None, Some(format)) => bail!("$.bomFormat: '{format}' is not read, CycloneDX is"),
            (None, None) => {
                let fields: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(text)?;
                let unknown = fields.keys().next();
                let unknown = unknown.map(|field| format!(".{field}: unknown field `{field}`"));
                bail!(
                    "${}: expected a record of ssm-run or an SBOM in CycloneDX",
                    unknown.unwrap_or_default()
                );
            }
        },
    ))
}

fn parse<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    if let Ok(parsed) = serde_json::from_str(text) {
        return Ok(parsed);
    }
    // Once more, for an error that names the field.
    let value: serde_json::Value = serde_json::from_str(text)?;
    cli::from_value(&value)
}

fn scanned(mut invocation: Invocation) -> Item {
    let target = invocation.target.clone();
    let instance_id = invocation.instance_id.clone();
    let name = invocation.name.take();
    let command_id = invocation.command_id.take();
    let ended = invocation.ended.take();
    match Inventory::of(invocation) {
        Ok(inventory) => Item::Scanned(Box::new(Scanned {
            target,
            instance_id,
            name,
            command_id,
            ended,
            inventory,
        })),
        Err(reason) => Item::NoInventory(Gap {
            kind: GapKind::Gap,
            target: Some(target),
            instance_id: Some(instance_id),
            name,
            reason,
            of: None,
        }),
    }
}

/// Two machines may be called alike: nothing else says whether one SBOM is a later one of the other.
fn ambiguous(name: &str) -> Gap {
    let message = format!("several SBOMs are called '{name}': only the last one is judged");
    let fix = "give each machine a name of its own when its SBOM is made, or leave out what is old";
    Gap::general("vulns.sbom.ambiguous", message, fix)
}

/// Returns a gap where something that is installed on a node cannot be read.
fn unread(node: &Node) -> Option<Gap> {
    let (n_unread, first) = node.unread.as_ref()?;
    let first = super::bom::purl(first);
    let n_unread = cli::count(*n_unread, "package");
    let message = format!("{n_unread} of it cannot be read, such as {first}");
    let fix = "make its SBOM again, or correct what is in it";
    Some(Gap {
        target: node.target.clone(),
        instance_id: Some(node.instance_id.clone()),
        name: node.name.clone(),
        ..Gap::general("vulns.sbom.unread", message, fix)
    })
}

/// Returns the whole fleet, and what is missing of it.
///
/// # Errors
/// As [`for_each`], and an input without any value.
pub(crate) fn fleet(io: &IoArgs) -> anyhow::Result<(Fleet, Vec<Gap>)> {
    let (mut fleet, mut gaps) = (Fleet::default(), Vec::new());
    // Of SBOMs that name no account and no region, which are not this tool's.
    let mut serials: HashMap<String, Option<String>> = HashMap::new();
    let n_read = for_each(io, |item| {
        match item {
            Item::Scanned(node) => {
                let Scanned {
                    target,
                    instance_id,
                    name,
                    inventory,
                    ..
                } = *node;
                let (system, arch) = (inventory.system.clone(), inventory.arch.as_str());
                let package = |line: &str| Package::of_line(line, arch);
                fleet.add(
                    (Some(target), instance_id, name),
                    (system, arch),
                    inventory.packages(),
                    package,
                );
            }
            Item::Bom(bom) => match bom.node() {
                Ok((node, system, texts)) => {
                    if node.0.is_none() {
                        let serial = bom.serial_number().map(str::to_owned);
                        let before = serials.insert(node.1.clone(), serial.clone());
                        if before.is_some_and(|before| before.is_none() || before != serial) {
                            gaps.push(ambiguous(&node.1));
                        }
                    }
                    let texts = texts.iter().map(String::as_str);
                    fleet.add(node, (system, ""), texts, super::bom::package);
                }
                Err(gap) => gaps.push(*gap),
            },
            Item::Gap(gap) if gap.of == Some(GapOf::PatchScan) && gap.instance_id.is_some() => {
                fleet.scans.missed(&gap);
            }
            Item::Gap(gap) | Item::NoInventory(gap) => gaps.push(gap),
            Item::PatchScan(invocation) => fleet.scans.ended(*invocation),
            Item::PatchState(state) => fleet.scans.found(*state),
        }
        Ok(())
    })?;
    if n_read == 0 {
        bail!("read records of ssm-run or SBOMs: the input is empty: there is nothing to judge");
    }
    fleet.complete();
    // A node that was asked again may have answered at last.
    gaps.retain(|gap| {
        let is_answered = |id| fleet.has(gap.target.as_ref(), id);
        !gap.instance_id.as_deref().is_some_and(is_answered)
    });
    gaps.extend(fleet.nodes.iter().filter_map(unread));
    Ok((fleet, gaps))
}
