//! What scans for patches found: the state of each node, or why there is none. Of a node that was scanned twice, the last scan counts.

use std::collections::BTreeMap;

use records::{Invocation, PatchState, Reason, Target};

use super::record::{Gap, GapKind, Patched};

/// The document that scans, and those of AWS that do the same with hooks or for an association:
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-ssm-documents.html>
const DOCUMENTS: &str = "AWS-RunPatchBaseline";

/// Returns whether a command looked for patches.
pub(crate) fn is_scan(invocation: &Invocation) -> bool {
    let document = invocation.document.as_deref();
    document.is_some_and(|document| document.starts_with(DOCUMENTS))
}

/// Returns whether a gap is about a scan, and not about an inventory.
pub(crate) fn is_of_scan(gap: &Gap) -> bool {
    let of_scans = ["vulns.patch_scan.", "run.patch_state."];
    of_scans.iter().any(|one| gap.reason.id.starts_with(one))
}

/// How each scan ended, and what it left.
#[derive(Debug, Default)]
pub(crate) struct Scans(BTreeMap<(Option<Target>, String), Scan>);

#[derive(Debug, Default)]
struct Scan {
    name: Option<String>,
    /// Why it failed; none where it did not, or where only its state is known.
    failed: Option<Reason>,
    state: Option<PatchState>,
}

impl Scans {
    /// Takes how a scan ended on one node.
    pub(crate) fn ended(&mut self, invocation: Invocation) {
        let key = (Some(invocation.target), invocation.instance_id);
        let scan = self.0.entry(key).or_default();
        scan.name = invocation.name;
        scan.failed = match (invocation.status.as_str(), invocation.reason) {
            (_, Some(reason)) => Some(reason),
            ("Success", None) => None,
            (_, None) => {
                let status = invocation.status_details.unwrap_or(invocation.status);
                Some(failed(format!("the scan for patches ended with {status}")))
            }
        };
    }

    /// Takes why a node has no result; a scan that reached it counts instead.
    pub(crate) fn missed(&mut self, gap: &Gap) {
        let Some(instance_id) = &gap.instance_id else {
            return;
        };
        let scan = self.0.entry((gap.target.clone(), instance_id.clone()));
        scan.or_insert_with(|| Scan {
            name: gap.name.clone(),
            failed: Some(gap.reason.clone()),
            state: None,
        });
    }

    /// Takes what Patch Manager knows of one node.
    pub(crate) fn found(&mut self, state: PatchState) {
        let key = (state.target.clone(), state.instance_id.clone());
        self.0.entry(key).or_default().state = Some(state);
    }

    /// Returns the state of each node, and a gap for each without one. An old state says nothing of a scan that failed.
    pub(crate) fn judged(self) -> (Vec<Patched>, Vec<Gap>) {
        let (mut states, mut gaps) = (Vec::new(), Vec::new());
        for ((target, instance_id), scan) in self.0 {
            match scan.judged() {
                Ok(state) => states.push(state),
                Err((name, reason)) => gaps.push(Gap {
                    kind: GapKind::Gap,
                    target,
                    instance_id: Some(instance_id),
                    name,
                    reason,
                }),
            }
        }
        (states, gaps)
    }
}

impl Scan {
    fn judged(self) -> Result<Patched, (Option<String>, Reason)> {
        let missing = self.state.as_ref().and_then(|state| state.missing_count);
        match (self.failed, self.state, missing) {
            (Some(reason), _, _) => Err((self.name, reason)),
            (None, Some(state), Some(missing)) if state.reason.is_none() => {
                let other = [state.failed_count, state.installed_pending_reboot_count];
                // What failed, and what waits for a reboot, is not in force:
                // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html
                let n_lacking = missing + other.into_iter().flatten().sum::<i32>();
                Ok(Patched {
                    state,
                    is_patched: Some(n_lacking == 0),
                })
            }
            (None, state, _) => {
                let none = || failed("the scan for patches left no patch state".to_owned());
                Err((
                    self.name,
                    state.and_then(|one| one.reason).unwrap_or_else(none),
                ))
            }
        }
    }
}

fn failed(message: String) -> Reason {
    let fix =
        "look at the output of AWS-RunPatchBaseline in the record of the node, and scan again";
    Reason::new("vulns.patch_scan.failed", message, fix)
}
