//! What the last scan for patches found on a node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Reason, Target, Timestamp};

/// What the last scan for patches found on one node, each field as SSM has it under its name; null where
/// it has none.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html>
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PatchState {
    /// Always `patch_state`.
    pub kind: PatchStateKind,
    /// Where the node is; null only in a record that is being made.
    pub target: Option<Target>,
    pub instance_id: String,
    pub patch_group: Option<String>,
    pub baseline_id: Option<String>,
    pub snapshot_id: Option<String>,
    pub install_override_list: Option<String>,
    pub owner_information: Option<String>,
    pub installed_count: Option<i32>,
    pub installed_other_count: Option<i32>,
    pub installed_pending_reboot_count: Option<i32>,
    pub installed_rejected_count: Option<i32>,
    pub missing_count: Option<i32>,
    pub failed_count: Option<i32>,
    pub unreported_not_applicable_count: Option<i32>,
    pub not_applicable_count: Option<i32>,
    pub available_security_update_count: Option<i32>,
    pub operation_start_time: Option<String>,
    pub operation_end_time: Option<String>,
    pub operation: Option<String>,
    pub last_no_reboot_install_operation_time: Option<String>,
    pub reboot_option: Option<String>,
    pub critical_non_compliant_count: Option<i32>,
    pub security_non_compliant_count: Option<i32>,
    pub other_non_compliant_count: Option<i32>,
    /// Why nothing is known; null when something is.
    pub reason: Option<Reason>,
}

impl PatchState {
    /// Returns when the operation that it is of ended on the node.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.operation_end_time.as_deref()?.parse().ok()
    }

    /// Returns whether it is known to be of an earlier operation than one that began then: SSM may still give the state
    /// that the one before it left.
    #[must_use]
    pub fn is_before(&self, started: Option<&str>) -> bool {
        let started = started.and_then(|text| text.parse::<Timestamp>().ok());
        matches!((self.ended(), started), (Some(ended), Some(started)) if ended < started)
    }
}

/// The `kind` of what a scan found.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatchStateKind {
    /// The only value.
    #[default]
    PatchState,
}
