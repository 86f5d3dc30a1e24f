//! What `apply` is to do: the record of `plan`, and of what leads back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Target, Unreachable};

/// The `kind` of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// The only value.
    Plan,
}

/// Everything `apply` will do in one account and region, in order. `A` is the tool's own list of actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan<A> {
    /// Always `plan`.
    pub kind: PlanKind,
    /// The tool that made it and alone can apply it.
    pub tool: String,
    /// The only account and region it may be applied to.
    pub target: Target,
    /// In order of execution; empty when nothing needs to change.
    pub changes: Vec<Change<A>>,
    /// What others have to allow for it, which no tool does; absent when that is nothing. `apply` passes over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_owners: Vec<ForOwner>,
}

/// Statements that the owner of a resource in another account must have in its policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForOwner {
    /// The account that the resource belongs to.
    pub account: String,
    /// ARN of the bucket or key.
    pub resource: String,
    /// As they go into the policy, beside what is there.
    pub statements: Vec<Value>,
}

impl<A> Plan<A> {
    /// Returns a plan of `tool` for `target`.
    pub fn new(tool: &str, target: Target, changes: Vec<Change<A>>) -> Plan<A> {
        Plan {
            kind: PlanKind::Plan,
            tool: tool.to_owned(),
            target,
            changes,
            for_owners: Vec::new(),
        }
    }
}

impl<A> Plan<A> {
    /// Returns whether an earlier change of this plan makes what a change is about: then what is found is what AWS has given
    /// to a new thing, which the plan could not know.
    #[must_use]
    pub fn is_of_new(&self, change: &Change<A>) -> bool {
        let earlier = self.changes.iter().take_while(|one| one.id != change.id);
        earlier
            .filter(|one| one.resource == change.resource)
            .any(|one| one.from.is_null())
    }
}

/// One write: what is there now, what will be there, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change<A> {
    /// Unique within the plan, stable between runs.
    pub id: String,
    /// What is done.
    pub action: A,
    /// ARN, ID or name of what is changed.
    pub resource: String,
    /// The state that `apply` must find, else it refuses; null when the resource must not exist.
    pub from: Value,
    /// The state that `apply` leaves; null when the resource is removed.
    pub to: Value,
    /// The reason, for the reader of the plan.
    pub why: String,
}

/// What `apply` reads: plans, and what was unreachable when they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans<A> {
    /// In the order of the input.
    pub plans: Vec<Plan<A>>,
    /// In the order of the input.
    pub unreachable: Vec<Unreachable>,
}
