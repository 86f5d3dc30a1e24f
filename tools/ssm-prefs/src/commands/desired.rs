//! Reads the desired state of every verb that takes one.

use cli::{IoArgs, Layers, Severity};

use crate::lint;
use crate::model::Desired;

/// Reads the desired state and refuses one with errors, before anything is called.
pub(super) fn read(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    Layers::read(io, "desired preferences")?.checked(|desired| {
        let mut found = lint::lint_desired(desired).into_iter();
        let error = found.find(|finding| finding.severity == Severity::Error)?;
        let message = format!("{}; {}", error.message, error.fix);
        Some((error.resource, message))
    })
}
