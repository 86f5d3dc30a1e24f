//! `patches`: what a scan for patches found on each node.

use anyhow::bail;
use cli::{Outcome, Output};

use super::GlobalArgs;
use crate::model::patches::{Age, Scans};
use crate::observe::input::{self, Item};

/// Print the patch state of each node that ssm-run --patch-scan has scanned; exit with 1 when one lacks patches
///
/// A node lacks patches when some are missing, failed, or wait for a reboot. A node whose scan failed or left no state is a gap, and
/// makes the exit status 2.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-vulns patches -f patches.jsonl")]
pub(crate) struct PatchesArgs {
    /// Count a patch state of which the scan is not in the input as a gap when it is older than this many days; 0 for any age
    #[arg(long, value_name = "DAYS", default_value = "30")]
    max_age: u32,
}

pub(crate) async fn run(
    args: &PatchesArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let age = Age {
        today: cli::today(),
        most: args.max_age,
    };
    let (mut scans, mut gaps) = (Scans::default(), Vec::new());
    let _reading = out.reading("the patch states");
    let n_read = input::for_each(&global.io, |item| {
        match item {
            Item::PatchScan(invocation) => scans.ended(*invocation),
            Item::PatchState(state) => scans.found(*state),
            // Inventories are judged by `match`, what is missing of them as well.
            Item::Scanned(_) | Item::Bom(_) | Item::NoInventory(_) => {}
            Item::Gap(gap) if gap.reason.id.starts_with("vulns.inventory.") => {}
            Item::Gap(gap) if gap.instance_id.is_some() => scans.missed(&gap),
            Item::Gap(gap) => gaps.push(gap),
        }
        Ok(())
    })?;
    if n_read == 0 {
        bail!("read records of ssm-run: the input is empty: there is no node");
    }
    let (states, of_nodes) = scans.judged(age);
    gaps.extend(of_nodes);
    if states.is_empty() && gaps.is_empty() {
        bail!(
            "there is no scan for patches in the input: pipe in the output of `ssm-run --patch-scan`"
        );
    }
    states.iter().try_for_each(|state| out.write(state))?;
    gaps.iter().try_for_each(|gap| out.write(gap))?;
    let patched = states.iter().filter(|one| one.is_patched == Some(true));
    let n_patched = patched.count();
    let n_lacking = states.len() - n_patched;
    out.sum_up(format!(
        "{}: {n_patched} patched, {n_lacking} lacking patches, {}",
        cli::count(states.len(), "node"),
        cli::count(gaps.len(), "gap")
    ));
    Ok(match (gaps.is_empty(), n_lacking) {
        (false, _) => Outcome::Trouble,
        (true, 0) => Outcome::Fine,
        (true, _) => Outcome::Found,
    })
}
