//! Where Patch Manager and the advisories say different things of a node. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::matching::Found;
use crate::model::fleet::Fleet;
use crate::model::record::{Difference, DifferenceKind, Patched};

/// Returns the nodes of which patch compliance and advisories say different things.
pub(crate) fn between<'f>(
    fleet: &'f Fleet,
    found: &[Found],
    states: &[Patched],
) -> Vec<Difference<'f>> {
    if states.is_empty() {
        return Vec::new();
    }
    let states = states.iter().map(|one| &one.state);
    let states: HashMap<_, _> = states
        .map(|one| ((one.target.as_ref(), one.instance_id.as_str()), one))
        .collect();
    let mut fixable: HashMap<u32, HashSet<&str>> = HashMap::new();
    for one in found
        .iter()
        .filter(|one| one.issue.fixed.is_some() && one.issue.paid.is_none() && !one.issue.uncertain)
    {
        for node in &one.nodes {
            fixable.entry(*node).or_default().insert(&one.issue.package);
        }
    }
    let mut differences = Vec::new();
    for (at, node) in (0_u32..).zip(&fleet.nodes) {
        let Some(state) = states.get(&(node.target.as_ref(), node.instance_id.as_str())) else {
            continue;
        };
        let Some(n_missing) = state.missing_count else {
            continue;
        };
        let n_missing_patches = n_missing.saturating_add(state.failed_count.unwrap_or_default());
        let n_pending = state.installed_pending_reboot_count.unwrap_or_default();
        let n_fixable_packages = fixable.get(&at).map_or(0, HashSet::len);
        // What waits for a reboot is installed: advisories do not ask for it, and Patch Manager does not call the node patched.
        let message = match (n_missing_patches, n_pending, n_fixable_packages) {
            (0, 0, n) if n > 0 => {
                "Patch Manager reports no missing patch: the baseline does not approve these fixes, or the scan is older than they are"
            }
            (n, _, 0) if n > 0 => {
                "no advisory given covers the missing patches: they fix no vulnerability, or the advisories given lack theirs"
            }
            _ => continue,
        };
        differences.push(Difference {
            kind: DifferenceKind::PatchDifference,
            target: node.target.as_ref(),
            instance_id: &node.instance_id,
            n_missing_patches,
            n_fixable_packages,
            message: message.to_owned(),
        });
    }
    differences
}

/// Nodes that are named where more differ alike.
const N_NAMED: usize = 3;

/// Returns a line for each way of differing, with the nodes.
pub(crate) fn lines(differences: &[Difference<'_>]) -> Vec<String> {
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in differences {
        nodes.entry(&one.message).or_default().push(one.instance_id);
    }
    let line = |(message, nodes): (&str, Vec<&str>)| {
        let named = nodes.iter().take(N_NAMED).copied().collect::<Vec<_>>();
        let more = if nodes.len() > N_NAMED { " .." } else { "" };
        let n_nodes = cli::count(nodes.len(), "node");
        format!("patches of {n_nodes}: {message}: {}{more}", named.join(" "))
    };
    nodes.into_iter().map(line).collect()
}
