//! What was found, for people, spreadsheets and code scanning: an advisory and a package of one version a line.

pub(crate) mod sarif;
pub(crate) mod table;

use crate::model::fleet::{Fleet, Node};

/// Returns `ACCOUNT/REGION/INSTANCE`, or what an SBOM calls the node.
pub(crate) fn name_of(node: &Node) -> String {
    match &node.target {
        Some(target) => format!("{target}/{}", node.instance_id),
        None => node.instance_id.clone(),
    }
}

/// Returns the names of nodes by their places, in order.
pub(crate) fn names(fleet: &Fleet, places: &[u32]) -> Vec<String> {
    let mut names: Vec<String> = places
        .iter()
        .map(|at| name_of(&fleet.nodes[*at as usize]))
        .collect();
    names.sort_unstable();
    names
}
