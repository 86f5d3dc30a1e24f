//! What scans for patches found: the state of each node, or why there is none. Of a node that was scanned twice, the last scan counts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use records::{Invocation, PatchState, Reason, Target, Timestamp};

use super::record::{Gap, GapKind, GapOf, Patched};

/// The document that scans, and those of AWS that do the same with hooks or for an association:
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-ssm-documents.html>
const DOCUMENTS: &str = "AWS-RunPatchBaseline";

/// Returns whether a command looked for patches.
pub(crate) fn is_scan(invocation: &Invocation) -> bool {
    let document = invocation.document.as_deref();
    document.is_some_and(|document| document.starts_with(DOCUMENTS))
}

/// How each scan ended, and what it left.
#[derive(Debug, Default)]
pub(crate) struct Scans(BTreeMap<(Option<Target>, String), Scan>);

#[derive(Debug, Default)]
struct Scan {
    name: Option<String>,
    /// Whether it ended on the node: then gaps say nothing of it.
    has_ended: bool,
    /// When it began on the node.
    started: Option<Timestamp>,
    /// Why it failed; none where it did not, or where only its state is known.
    failed: Option<Reason>,
    state: Option<PatchState>,
}

/// How old a state may be of which no scan is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    pub(crate) today: Date,
    /// In days; 0 for any.
    pub(crate) most: u32,
}

impl Scans {
    /// Takes how a scan ended on one node, or why none was sent to it.
    pub(crate) fn ended(&mut self, invocation: Invocation) {
        let key = (Some(invocation.target), invocation.instance_id);
        let scan = self.0.entry(key).or_default();
        if let (None, Some(reason)) = (&invocation.command_id, &invocation.reason) {
            return scan.missed(invocation.name.as_deref(), reason);
        }
        let started = invocation.started.and_then(|text| text.parse().ok());
        // Files may be read in any order.
        if started.is_some() && started < scan.started {
            return;
        }
        (scan.has_ended, scan.started) = (true, started);
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
        let key = (gap.target.clone(), instance_id.clone());
        let scan = self.0.entry(key).or_default();
        scan.missed(gap.name.as_deref(), &gap.reason);
    }

    /// Takes what Patch Manager knows of one node.
    pub(crate) fn found(&mut self, state: PatchState) {
        let key = (state.target.clone(), state.instance_id.clone());
        let scan = self.0.entry(key).or_default();
        let before = scan.state.as_ref().and_then(PatchState::ended);
        if state.ended().is_none_or(|ended| Some(ended) >= before) {
            scan.state = Some(state);
        }
    }

    /// Returns the state of each node, and a gap for each without one. An old state says nothing of a later scan.
    pub(crate) fn judged(self, age: Age) -> (Vec<Patched>, Vec<Gap>) {
        let (mut states, mut gaps) = (Vec::new(), Vec::new());
        for ((target, instance_id), scan) in self.0 {
            match scan.judged(age) {
                Ok(state) => states.push(state),
                Err((name, reason)) => gaps.push(Gap {
                    kind: GapKind::Gap,
                    target,
                    instance_id: Some(instance_id),
                    name,
                    reason,
                    of: Some(GapOf::PatchScan),
                }),
            }
        }
        (states, gaps)
    }
}

impl Scan {
    fn missed(&mut self, name: Option<&str>, reason: &Reason) {
        if !self.has_ended {
            self.name = name.map(str::to_owned);
            self.failed = Some(reason.clone());
        }
    }

    fn judged(self, age: Age) -> Result<Patched, (Option<String>, Reason)> {
        let stale = self.stale(age);
        let missing = self.state.as_ref().and_then(|state| state.missing_count);
        match (self.failed, self.state, missing) {
            (Some(reason), _, _) => Err((self.name, reason)),
            (None, Some(state), Some(missing)) if state.reason.is_none() => {
                if let Some(reason) = stale {
                    return Err((self.name, reason));
                }
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

    /// Returns why its state is not what it found: SSM may still give what an earlier scan left.
    fn stale(&self, age: Age) -> Option<Reason> {
        let message = match (self.state.as_ref()?.ended(), self.started) {
            (None, _) => "the patch state does not say when it was found".to_owned(),
            (Some(ended), Some(started)) if ended >= started => return None,
            (Some(ended), Some(started)) => {
                format!("the patch state is of {ended}, before the scan began at {started}")
            }
            (Some(ended), None) => {
                let moment = jiff::Timestamp::from_second(ended.seconds()).ok()?;
                let n_days =
                    (age.today - moment.to_zoned_datetime(TimeZone::UTC).date()).get_days();
                if age.most == 0 || i64::from(n_days) <= i64::from(age.most) {
                    return None;
                }
                let ago = cli::count(n_days.unsigned_abs() as usize, "day");
                format!("the patch state is of {ended}, {ago} ago")
            }
        };
        let fix = "scan again with ssm-run --patch-scan, or pass --max-age";
        Some(Reason::new("vulns.patch_scan.stale", message, fix))
    }
}

fn failed(message: String) -> Reason {
    let fix =
        "look at the output of AWS-RunPatchBaseline in the record of the node, and scan again";
    Reason::new("vulns.patch_scan.failed", message, fix)
}
