//! The writes that a plan may hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The writes that a plan may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Make a role, with its managed policy attached.
    CreateRole,
    /// Attach a managed policy to a role.
    AttachPolicy,
    /// Write the inline policy for logs and encryption.
    PutRolePolicy,
    /// Make an instance profile that holds the role of its name.
    CreateInstanceProfile,
    /// Put an instance profile on an instance.
    AssociateInstanceProfile,
    /// Turn Default Host Management on, or to another role.
    UpdateServiceSetting,
    /// Turn Default Host Management off.
    ResetServiceSetting,
    /// Detach a managed policy; only to undo.
    DetachPolicy,
    /// Delete the inline policy; only to undo.
    DeleteRolePolicy,
    /// Delete an instance profile as it was made; only to undo.
    DeleteInstanceProfile,
    /// Take an instance profile off an instance; only to undo.
    DisassociateInstanceProfile,
    /// Delete a role as it was made; only to undo.
    DeleteRole,
}
