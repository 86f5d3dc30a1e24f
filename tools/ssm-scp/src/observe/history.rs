//! Reads the calls of a file of CloudTrail records that a guard would have denied.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use iam_policy::Compiled;

use crate::replay::{Replay, Replaying};

/// Replays a file of records.
pub(crate) fn history(
    path: &Path,
    guard: &[Compiled],
    governed: &BTreeSet<String>,
) -> anyhow::Result<Replay> {
    let mut replaying = Replaying::by(guard, |account: &str| governed.contains(account));
    replaying
        .file(Some(path))
        .with_context(|| format!("read CloudTrail records from {}", path.display()))?;
    Ok(replaying.end())
}
