//! `sbom`: what the collector printed on each node, as one SBOM a node.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cli::{Next, Outcome, Output};
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
    out.suggest(Next::VerbOf(
        "match --advisories PATH",
        global.io.file.clone(),
    ));
    let advisories = "PATH is a file or a directory of advisories";
    out.suggest_before_next(advisories.to_owned());
    let _reading = out.reading("the inventories");
    let mut left = input::asked_again(&global.io).unwrap_or_default();
    let mut held: BTreeMap<(Target, String), Box<Scanned>> = BTreeMap::new();
    let mut sboms = Sboms {
        directory: args.out.as_deref(),
        out,
        components: Components::default(),
        text: String::new(),
        known: HashSet::new(),
        n_superseded: 0,
    };
    let mut gaps: Vec<Gap> = Vec::new();
    let n_read = input::for_each(&global.io, |item| {
        let place = match item {
            Item::Scanned(node) => {
                let place = (node.target.clone(), node.instance_id.clone());
                match left.contains_key(&place) {
                    true => held.insert(place.clone(), node),
                    false => return sboms.print(&node),
                };
                Some(place)
            }
            Item::Gap(gap) => {
                gaps.push(gap);
                None
            }
            Item::NoInventory(gap) => {
                let place = gap.target.clone().zip(gap.instance_id.clone());
                gaps.push(gap);
                place
            }
            Item::Bom(_) => bail!("this is an SBOM already: pipe it into `ssm-vulns match`"),
            Item::PatchScan(invocation) => Some((invocation.target, invocation.instance_id)),
            Item::PatchState(_) => None,
        };
        // Of a node that was asked again, the last whole inventory counts, as for `match`.
        if let Some(place) = place
            && let Some(n_left) = left.get_mut(&place)
        {
            *n_left -= 1;
            if *n_left == 0 {
                left.remove(&place);
                return held
                    .remove(&place)
                    .map_or(Ok(()), |node| sboms.print(&node));
            }
        }
        Ok(())
    })?;
    if n_read == 0 {
        bail!("read records of ssm-run: the input is empty: there is no node");
    }
    held.into_values().try_for_each(|node| sboms.print(&node))?;
    let known = sboms.known;
    if known.is_empty() && gaps.is_empty() {
        bail!(
            "there is no inventory in the input: pipe in the output of ssm-run with the collector"
        );
    }
    if sboms.n_superseded > 0 {
        let n = cli::count(sboms.n_superseded, "SBOM");
        out.note(&format!(
            "warning: {n} came before a later one of the same node, which counts; with the records in a file (-f), it is printed alone"
        ));
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

/// The SBOMs that are printed, each as soon as nothing later can take its place.
struct Sboms<'r> {
    directory: Option<&'r Path>,
    out: &'r Output,
    components: Components,
    text: String,
    known: HashSet<(Target, String)>,
    /// What was printed of nodes that then were there once more.
    n_superseded: usize,
}

impl Sboms<'_> {
    fn print(&mut self, node: &Scanned) -> anyhow::Result<()> {
        self.text.clear();
        let newest = node.inventory.newest_kernel();
        let n_packages = self
            .components
            .write(node, newest.as_deref(), &mut self.text)?;
        match self.directory {
            None => self.out.write_json_lines(&self.text)?,
            Some(directory) => {
                let record = write(directory, node, newest.as_deref(), n_packages, &self.text)?;
                self.out.write(&record)?;
            }
        }
        let place = (node.target.clone(), node.instance_id.clone());
        self.n_superseded += usize::from(!self.known.insert(place));
        Ok(())
    }
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
