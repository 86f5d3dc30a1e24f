//! Reads the calls of a file of CloudTrail records that a guard would have denied.

use std::collections::BTreeSet;
use std::path::Path;

use iam_policy::Compiled;

use crate::replay::cloudtrail_record::Record;
use crate::replay::{DeniedCall, Replay};

/// Replays a file of records.
pub(crate) fn history(
    path: &Path,
    guard: &[Compiled],
    governed: &BTreeSet<String>,
) -> anyhow::Result<Vec<DeniedCall>> {
    let mut replay = Replay::default();
    cli::for_each_record_of(path, "CloudTrail records", |record: Record| {
        record.unwrap(&mut |record| {
            replay.record(&record, guard, &|account| governed.contains(account));
            Ok(())
        })
    })?;
    Ok(replay.into_denied().collect())
}
