//! What is there, against what a plan was made for: before the first write, and again before each.

use cli::{Change, Plan};
use serde_json::Value;

use crate::Resources;

/// What is there of a thing that a change is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The state that the change leads to.
    Satisfied,
    /// The state that it starts from, or one on its way.
    Pending,
    /// Another one; the text says so.
    Differs(String),
    /// It could not be read; the text says why.
    Unread(String),
}

impl Comparison {
    /// Returns why the change may not be made.
    pub(crate) fn refusal(self) -> Option<String> {
        match self {
            Comparison::Differs(reason) | Comparison::Unread(reason) => Some(reason),
            Comparison::Satisfied | Comparison::Pending => None,
        }
    }
}

/// Compares all changes of a plan with what is there; returns for each why it is refused, if it is.
pub async fn refusals<R: Resources>(resources: &R, plan: &Plan<R::Action>) -> Vec<Option<String>> {
    let changes: Vec<&Change<R::Action>> = plan.changes.iter().collect();
    let seen = resources.look(&changes).await;
    let compared = plan.changes.iter().zip(&seen);
    compared
        .map(|(change, seen)| compare(resources, plan, change, seen).refusal())
        .collect()
}

/// Compares one change with what is there.
pub(crate) fn compare<R: Resources>(
    resources: &R,
    plan: &Plan<R::Action>,
    change: &Change<R::Action>,
    seen: &anyhow::Result<R::Seen>,
) -> Comparison {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return Comparison::Unread(format!("could not be read: {error:#}")),
    };
    let state = match resources.state(change, seen) {
        Ok(state) => state,
        Err(reason) => return Comparison::Unread(format!("could not be read: {reason}")),
    };
    if resources.is_satisfied(change, seen) {
        return Comparison::Satisfied;
    }
    // An earlier run may have got as far as making the thing: then AWS's defaults are there, which no plan could know.
    let is_new =
        || plan.is_of_new(change) && (is_blank(&state) || resources.is_default(change, &state));
    if resources.is_start(change, &state) || resources.is_between(change, &state) || is_new() {
        return Comparison::Pending;
    }
    Comparison::Differs(format!(
        "the plan expects {}, but there is {state}: make a new plan",
        change.from
    ))
}

/// Returns whether nothing is set in a state.
fn is_blank(state: &Value) -> bool {
    match state {
        Value::Null | Value::Bool(false) => true,
        Value::Object(fields) => fields.values().all(is_blank),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}
