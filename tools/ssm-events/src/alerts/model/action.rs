//! The writes that a plan may hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

impl Action {
    /// Returns whether it is about the trail.
    pub(crate) fn is_of_trail(self) -> bool {
        use Action::{CreateTrail, DeleteTrail, StartLogging, StopLogging, UpdateTrail};
        matches!(
            self,
            CreateTrail | UpdateTrail | StartLogging | StopLogging | DeleteTrail
        )
    }

    /// Returns whether it is about the function.
    pub(crate) fn is_of_function(self) -> bool {
        matches!(
            self,
            Action::CreateFunction
                | Action::UpdateFunctionCode
                | Action::UpdateFunctionConfiguration
                | Action::PutFunctionEventInvokeConfig
                | Action::AddPermission
                | Action::DeleteFunction
        )
    }

    /// Returns whether it is about the trail's bucket.
    pub(crate) fn is_of_bucket(self) -> bool {
        matches!(
            self,
            Action::CreateBucket | Action::PutPublicAccessBlock | Action::PutBucketPolicy
        )
    }
}

/// Every write this tool can make; from `remove_targets` on they only undo. Buckets are never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    CreateBucket,
    PutPublicAccessBlock,
    PutBucketPolicy,
    CreateTrail,
    UpdateTrail,
    StartLogging,
    CreateRole,
    PutRolePolicy,
    CreateQueue,
    SetQueueAttributes,
    CreateFunction,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
    PutFunctionEventInvokeConfig,
    CreateConnection,
    CreateApiDestination,
    UpdateApiDestination,
    PutRule,
    AddPermission,
    PutTargets,
    RemoveTargets,
    DeleteRule,
    DeleteApiDestination,
    DeleteConnection,
    DeleteFunction,
    DeleteQueue,
    DeleteRole,
    StopLogging,
    DeleteTrail,
}
