//! What a tool brings to `apply`: how the things that its plans change are read, written and taken back.

use awsconf::Service;
use cli::Change;
use serde_json::Value;

/// The things that the plans of one tool change, in one account and region.
#[allow(async_fn_in_trait)] // Only tools implement it, on one thread; no caller needs `Send`.
pub trait Resources {
    /// The tool's list of actions.
    type Action: Clone;
    /// What was read of the thing that a change is about.
    type Seen;

    /// Reads what changes are about, one after another; what several have in common may be read once.
    async fn look(&self, changes: &[&Change<Self::Action>]) -> Vec<anyhow::Result<Self::Seen>>;

    /// Returns the state as plans write it; null when the thing is not there.
    ///
    /// # Errors
    /// Part of it could not be read; the text says why.
    fn state(&self, change: &Change<Self::Action>, seen: &Self::Seen) -> Result<Value, String>;

    /// Returns whether the state that a change leads to is there.
    fn is_satisfied(&self, change: &Change<Self::Action>, seen: &Self::Seen) -> bool {
        self.state(change, seen)
            .is_ok_and(|state| state == change.to)
    }

    /// Returns whether a state is where a change starts from.
    fn is_start(&self, change: &Change<Self::Action>, state: &Value) -> bool {
        *state == change.from
    }

    /// Returns whether a state is one that a change of several calls passes through. [`write`](Resources::write) goes on from
    /// there, and so does that of its inverse.
    fn is_between(&self, _change: &Change<Self::Action>, _state: &Value) -> bool {
        false
    }

    /// Returns whether a state is what AWS gives to a new thing by itself, beside nothing at all.
    fn is_default(&self, _change: &Change<Self::Action>, _state: &Value) -> bool {
        false
    }

    /// Writes; `seen` is where the change starts from, or a state between.
    async fn write(&self, change: &Change<Self::Action>, seen: &Self::Seen) -> anyhow::Result<()>;

    /// Returns the change that leads from the state that was `left` back to `from`; its `why` is empty unless there is
    /// something to say about it. `None` where records would be destroyed, or where there is no way back.
    fn inverse(&self, change: &Change<Self::Action>, left: Value) -> Option<Change<Self::Action>>;

    /// Returns the service that carries a change out.
    fn service(&self, change: &Change<Self::Action>) -> Service;

    /// Returns why the thing that an undo would remove is kept.
    fn keeps(&self, _change: &Change<Self::Action>, _seen: &Self::Seen) -> Option<String> {
        None
    }

    /// Returns whether a change of an undo, about another resource, has to wait for an earlier one that failed.
    fn needs(&self, _change: &Change<Self::Action>, _failed: &Change<Self::Action>) -> bool {
        false
    }
}
