//! The change that takes another one back. Pure.

use cli::Change;
use serde_json::Value;

use crate::model::Action;

/// Returns the change that leads from the state that was left back to the one that was found.
pub(crate) fn inverse(change: &Change<Action>, left: Value) -> Change<Action> {
    let action = match change.action {
        Action::CreateRole => Action::DeleteRole,
        Action::DeleteRole => Action::CreateRole,
        Action::AttachPolicy => Action::DetachPolicy,
        Action::DetachPolicy => Action::AttachPolicy,
        Action::CreateInstanceProfile => Action::DeleteInstanceProfile,
        Action::DeleteInstanceProfile => Action::CreateInstanceProfile,
        Action::PutRolePolicy | Action::DeleteRolePolicy if change.from.is_null() => {
            Action::DeleteRolePolicy
        }
        Action::PutRolePolicy | Action::DeleteRolePolicy => Action::PutRolePolicy,
        Action::AssociateInstanceProfile | Action::DisassociateInstanceProfile
            if change.from.is_null() =>
        {
            Action::DisassociateInstanceProfile
        }
        Action::AssociateInstanceProfile | Action::DisassociateInstanceProfile => {
            Action::AssociateInstanceProfile
        }
        Action::UpdateServiceSetting | Action::ResetServiceSetting if change.from.is_null() => {
            Action::ResetServiceSetting
        }
        Action::UpdateServiceSetting | Action::ResetServiceSetting => Action::UpdateServiceSetting,
    };
    // What `apply` puts before it says that it is an undo.
    let why = match action {
        Action::DeleteRole => "first undo all later results, as other regions may use the role",
        _ => "",
    };
    Change {
        id: change.id.clone(),
        action,
        resource: change.resource.clone(),
        from: left,
        to: change.from.clone(),
        why: why.to_owned(),
    }
}
