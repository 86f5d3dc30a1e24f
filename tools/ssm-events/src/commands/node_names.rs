//! The names of nodes, from records of other tools in a file.

use std::collections::BTreeMap;
use std::path::Path;

use records::Node;

/// Returns the names of nodes by ID, of node records in a file. Where no nodes could be read, they go without names.
///
/// # Errors
/// The file cannot be read or holds something else.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let (nodes, _) = cli::read_listed::<Node>(path, "nodes", ("node", "ssm-agentcheck"))?;
    let named = nodes
        .into_iter()
        .filter_map(|mut node| Some((node.instance_id, node.tags.remove("Name")?)));
    Ok(named.collect())
}
