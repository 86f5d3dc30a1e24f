//! Reads the desired state of every verb that takes one.

use anyhow::bail;
use cli::{IoArgs, Layers, Severity};

use crate::lint;
use crate::model::Desired;

/// Reads the desired state and refuses one with errors, before anything is called.
pub(super) fn read(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers: Layers<Desired> = Layers::read(io, "desired preferences")?;
    let findings = layers.all()?;
    let findings = findings.iter().flat_map(lint::lint_desired);
    let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
    match errors.next() {
        Some(finding) => {
            bail!(
                "desired preferences: {}: {}; {}",
                finding.resource,
                finding.message,
                finding.fix
            )
        }
        None => Ok(layers),
    }
}
