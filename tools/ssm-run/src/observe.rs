//! Reads: scripts, nodes, and what became of commands. Never writes.

pub(crate) mod commands;
pub(crate) mod invocations;
pub(crate) mod nodes;
pub(crate) mod output;
mod output_destinations;
pub(crate) mod patches;
pub(crate) mod place;
pub(crate) mod places;
pub(crate) mod resume;
pub(crate) mod targets;

use std::path::Path;

use anyhow::Context;

/// Returns the text of the file of a script.
pub(crate) fn script(path: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("read script {}", path.display()))?;
    anyhow::ensure!(
        !text.trim().is_empty(),
        "read script {}: it is empty",
        path.display()
    );
    Ok(text)
}
