//! Reads the calls of a file of CloudTrail records that a guard would have denied.

use std::collections::BTreeSet;
use std::path::Path;

use iam_policy::Compiled;

use crate::replay::{Replay, Replaying};

/// Replays a file of records.
pub(crate) fn history(
    path: &Path,
    guard: &[Compiled],
    governed: &BTreeSet<String>,
) -> anyhow::Result<Replay> {
    let mut replaying = Replaying::by(guard, |account: &str| governed.contains(account));
    cli::for_each_object_of(path, "CloudTrail records", |object| {
        replaying.object(object);
        Ok(())
    })?;
    Ok(replaying.end())
}
