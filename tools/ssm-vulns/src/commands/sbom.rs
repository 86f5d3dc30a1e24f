//! `sbom`: what the collector printed on each node, as one SBOM a node.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cli::{Outcome, Output};
use records::Target;

use super::GlobalArgs;
use crate::cyclonedx::Components;
use crate::model::fleet::file_name;
use crate::model::record::{Gap, SbomFile, SbomKind};
use crate::observe::input::{self, Item, Scanned};

/// Print an SBOM of each node in CycloneDX 1.6, from what the collector printed there through ssm-run
///
/// A node whose inventory is missing, cut or damaged is a gap, never an SBOM, and makes the exit status 2.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-vulns sbom -f invocations.jsonl --out sbom")]
pub(crate) struct SbomArgs {
    /// Write each SBOM into a file ACCOUNT_REGION_INSTANCE.cdx.json in DIR, and print where
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) async fn run(
    args: &SbomArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    if let Some(directory) = &args.out {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("make the directory {}", directory.display()))?;
    }
    let mut components = Components::default();
    let mut text = String::new();
    let mut known: HashSet<(Target, String)> = HashSet::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let n_read = input::for_each(&global.io, |item| {
        let node = match item {
            Item::Scanned(node) => node,
            Item::Gap(gap) => {
                gaps.push(gap);
                return Ok(());
            }
            Item::Bom(_) => bail!("this is an SBOM already; feed it to `ssm-vulns match`"),
            Item::PatchScan(_) | Item::PatchState(_) => return Ok(()),
        };
        text.clear();
        let newest = node.inventory.newest_kernel();
        let n_packages = components.write(&node, newest.as_deref(), &mut text)?;
        match &args.out {
            None => out.write_json_lines(&text)?,
            Some(directory) => {
                let record = write(directory, &node, newest.as_deref(), n_packages, &text)?;
                out.write(&record)?;
            }
        }
        known.insert((node.target, node.instance_id));
        Ok(())
    })?;
    if n_read == 0 {
        bail!("read records of ssm-run: the input is empty: there is no node");
    }
    if known.is_empty() && gaps.is_empty() {
        bail!(
            "there is no inventory in the input: feed what the collector printed through ssm-run"
        );
    }
    // A node that was asked again may have answered at last.
    gaps.retain(|gap| match (&gap.target, &gap.instance_id) {
        (Some(target), Some(id)) => !known.contains(&(target.clone(), id.clone())),
        _ => true,
    });
    gaps.iter().try_for_each(|gap| out.write(gap))?;
    out.sum_up(format!(
        "{}, {}",
        cli::count(known.len(), "SBOM"),
        cli::count(gaps.len(), "gap")
    ));
    Ok(match gaps.is_empty() {
        true => Outcome::Fine,
        false => Outcome::Trouble,
    })
}

/// Writes the SBOM of a node into a file, and returns its record.
fn write<'a>(
    directory: &Path,
    node: &'a Scanned,
    newest: Option<&'a str>,
    n_packages: usize,
    text: &str,
) -> anyhow::Result<SbomFile<'a>> {
    let path = directory.join(file_name(Some(&node.target), &node.instance_id));
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(SbomFile {
        kind: SbomKind::Sbom,
        target: &node.target,
        instance_id: &node.instance_id,
        name: node.name.as_deref(),
        file: path.display().to_string(),
        n_packages,
        kernel: &node.inventory.kernel,
        newest_kernel: newest,
        reboot_pending: node.inventory.is_reboot_pending(newest),
    })
}
