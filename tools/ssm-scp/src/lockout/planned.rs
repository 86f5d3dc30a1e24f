//! The organization as the changes of a plan will leave it. Pure.

use organization::{Organization, compile};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Action, AttachmentState, PolicyState};

/// Makes a change of a plan in an organization.
///
/// # Errors
/// A state is of another shape, or its policy is not understood.
pub(crate) fn carry_out(
    organization: &mut Organization,
    action: Action,
    from: &Value,
    to: &Value,
) -> anyhow::Result<()> {
    match action {
        // Policies that are attached, and not in force while their type is off, count from the start.
        Action::EnablePolicyType => {}
        Action::CreatePolicy | Action::UpdatePolicy => {
            let state: PolicyState = parsed(to)?;
            organization.put(&state.name, &state.document);
            compile(&state.name, &state.document.to_string())?;
        }
        Action::AttachPolicy | Action::DetachPolicy => {
            let state: AttachmentState = parsed(to)?;
            organization.attach(&state.policy_name, &state.target_id.0, state.attached);
            let policy = organization.policy(&state.policy_name);
            if let Some(policy) = policy.filter(|_| state.attached) {
                compile(&policy.name, &policy.document.to_string())?;
            }
        }
        Action::DeletePolicy => {
            let state: PolicyState = parsed(from)?;
            organization.remove(&state.name);
        }
    }
    Ok(())
}

/// Reads a state of a change.
///
/// # Errors
/// It is of another shape.
pub(crate) fn parsed<T: DeserializeOwned>(state: &Value) -> anyhow::Result<T> {
    Ok(T::deserialize(state)?)
}
