//! What `apply` did: the record of one plan, change by change, with the plan that leads back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Change, Plan, Target};

/// The `kind` of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// The only value.
    Result,
}

/// What `apply` did with one plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultRecord<A> {
    /// Always `result`.
    pub kind: ResultKind,
    /// The tool that did it.
    pub tool: String,
    /// Where it was done.
    pub target: Target,
    /// One entry for every change of the plan, in its order.
    pub results: Vec<Applied<A>>,
    /// The plan that leads back; null when there is nothing to undo.
    pub undo: Option<Plan<A>>,
}

impl<A: Clone> ResultRecord<A> {
    /// Returns the result of a plan of which nothing was tried.
    #[must_use]
    pub fn skipped(plan: &Plan<A>, reason: &str) -> ResultRecord<A> {
        let skip = |change| Applied::of(change, ChangeStatus::Skipped, Some(reason.to_owned()));
        ResultRecord {
            kind: ResultKind::Result,
            tool: plan.tool.clone(),
            target: plan.target.clone(),
            results: plan.changes.iter().map(skip).collect(),
            undo: None,
        }
    }
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied<A> {
    /// The change's ID.
    pub id: String,
    /// The change's action.
    pub action: A,
    /// The change's resource; the ID that AWS gave, where it gives one.
    pub resource: String,
    /// What became of it.
    pub status: ChangeStatus,
    /// Why it failed, was skipped or kept; null otherwise.
    pub error: Option<String>,
}

impl<A: Clone> Applied<A> {
    /// Returns what became of a change.
    #[must_use]
    pub fn of(change: &Change<A>, status: ChangeStatus, error: Option<String>) -> Applied<A> {
        Applied {
            id: change.id.clone(),
            action: change.action.clone(),
            resource: change.resource.clone(),
            status,
            error,
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeStatus {
    /// Written and read back.
    Done,
    /// The required state was there already; nothing was written.
    Unchanged,
    /// Holds records, so that an undo leaves it on purpose, which is not a failure; `error` says what it holds.
    Kept,
    /// Not tried, because an earlier change failed or the run was interrupted.
    Skipped,
    /// Refused or failed; `error` says why.
    Failed,
    /// Whether it was done could not be found out, as when the call was given up; `error` says why.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::ChangeStatus;

    #[test]
    fn every_status_is_one_word_on_the_wire() {
        let words = ["done", "unchanged", "kept", "skipped", "failed", "unknown"];
        for word in words {
            let quoted = format!("\"{word}\"");
            let status: ChangeStatus = serde_json::from_str(&quoted).unwrap();
            assert_eq!(serde_json::to_string(&status).unwrap(), quoted);
        }
    }
}
