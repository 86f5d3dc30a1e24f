//! Reads the calls of a file of CloudTrail records that policies would have denied.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use iam_policy::Compiled;

use crate::replay::{Replay, Replaying};

/// Replays a file of records by policies, each with the accounts that they bind. It is read once, as it may be a pipe.
pub(crate) fn history(
    path: &Path,
    policies: &[(Vec<Compiled>, BTreeSet<String>)],
) -> anyhow::Result<Vec<Replay>> {
    let none = (Vec::new(), BTreeSet::new());
    let policies = match policies {
        // Whether the records can be read is a question all the same.
        [] => std::slice::from_ref(&none),
        some => some,
    };
    let each = policies.iter().map(|(policies, accounts)| {
        Replaying::by(policies, move |account: &str| accounts.contains(account))
    });
    let mut each: Vec<_> = each.collect();
    Replaying::file_of_all(&mut each, Some(path))
        .with_context(|| format!("read CloudTrail records from {}", path.display()))?;
    Ok(each.into_iter().map(Replaying::end).collect())
}
