//! What a scan for patches has found.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ssm::types::InstancePatchState;
use awsconf::describe;

use super::place::Place;
use crate::reason;
use records::{PatchState, PatchStateKind};

/// As many IDs as one call takes.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStates.html>
pub(crate) const MAX_IDS: usize = 50;
/// How often and after which pause to look for results that are not there yet.
const MAX_TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// A node, and when the scan began there.
type Scan = (String, Option<String>);

/// Returns what the scan found on each of up to `MAX_IDS` nodes, in their order, or why that is not known.
pub(crate) async fn of(place: &Place, scans: &[Scan]) -> Vec<PatchState> {
    let (mut found, trouble) = read(place, scans).await;
    let unknown = |id: &String| PatchState {
        target: Some(place.target.clone()),
        instance_id: id.clone(),
        reason: Some(match &trouble {
            Some(error) => reason::no_patch_state(error),
            None => reason::without_patch_state(),
        }),
        ..PatchState::default()
    };
    scans
        .iter()
        .map(|(id, _)| found.remove(id).unwrap_or_else(|| unknown(id)))
        .collect()
}

async fn read(place: &Place, scans: &[Scan]) -> (BTreeMap<String, PatchState>, Option<String>) {
    let started: BTreeMap<&str, Option<&str>> = scans
        .iter()
        .map(|(id, started)| (id.as_str(), started.as_deref()))
        .collect();
    let mut found = BTreeMap::new();
    for number in 1..=MAX_TRIES {
        let missing = started.keys().filter(|id| !found.contains_key(**id));
        let missing = missing.map(|id| (*id).to_owned());
        let call = place
            .client
            .describe_instance_patch_states()
            .set_instance_ids(Some(missing.collect()))
            .into_paginator()
            .items();
        let mut states = call.send();
        while let Some(state) = states.next().await {
            match state {
                Ok(state) => {
                    let record = from_sdk(place, state);
                    let began = started.get(record.instance_id.as_str());
                    // What an earlier scan left is not the result of this one.
                    if !record.is_before(began.copied().flatten()) {
                        found.insert(record.instance_id.clone(), record);
                    }
                }
                Err(error) => {
                    let call = format!("DescribeInstancePatchStates {}", place.target);
                    return (found, Some(format!("{:#}", describe(call, error))));
                }
            }
        }
        if found.len() >= started.len() {
            break;
        }
        awsconf::sleep(PAUSE * number).await;
    }
    (found, None)
}

fn from_sdk(place: &Place, state: InstancePatchState) -> PatchState {
    let time =
        |time: Option<DateTime>| time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
    let text = |text: String| (!text.is_empty()).then_some(text);
    PatchState {
        kind: PatchStateKind::PatchState,
        target: Some(place.target.clone()),
        instance_id: state.instance_id,
        patch_group: text(state.patch_group),
        baseline_id: text(state.baseline_id),
        snapshot_id: state.snapshot_id,
        install_override_list: state.install_override_list,
        owner_information: state.owner_information,
        installed_count: Some(state.installed_count),
        installed_other_count: Some(state.installed_other_count),
        installed_pending_reboot_count: state.installed_pending_reboot_count,
        installed_rejected_count: state.installed_rejected_count,
        missing_count: Some(state.missing_count),
        failed_count: Some(state.failed_count),
        unreported_not_applicable_count: state.unreported_not_applicable_count,
        not_applicable_count: Some(state.not_applicable_count),
        available_security_update_count: state.available_security_update_count,
        operation_start_time: time(Some(state.operation_start_time)),
        operation_end_time: time(Some(state.operation_end_time)),
        operation: Some(state.operation.as_str().to_owned()),
        last_no_reboot_install_operation_time: time(state.last_no_reboot_install_operation_time),
        reboot_option: state.reboot_option.map(|option| option.as_str().to_owned()),
        critical_non_compliant_count: state.critical_non_compliant_count,
        security_non_compliant_count: state.security_non_compliant_count,
        other_non_compliant_count: state.other_non_compliant_count,
        reason: None,
    }
}
