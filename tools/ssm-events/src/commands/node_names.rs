//! The names of nodes, from records of other tools in a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// As much of a node record as names need.
#[derive(Deserialize)]
struct Node {
    instance_id: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Returns the names of nodes by id, of node records in a file.
///
/// # Errors
/// The file cannot be read or holds something else.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let nodes: Vec<Node> = cli::read_records_from(path, "nodes")?;
    let named = nodes
        .into_iter()
        .filter_map(|mut node| Some((node.instance_id, node.tags.remove("Name")?)));
    Ok(named.collect())
}
