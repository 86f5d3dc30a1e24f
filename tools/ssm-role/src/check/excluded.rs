//! Nodes that Systems Manager must not manage, and does. Pure.

use cli::{Reading, Severity};

use super::Findings;

pub(super) fn excluded(findings: &mut Findings<'_>) {
    let observed = findings.observed;
    match &observed.enrolled {
        Reading::Unknown(reason) => {
            findings.unknown("excluded", &observed.target.to_string(), reason)
        }
        enrolled => {
            for (id, tag) in enrolled.present().into_iter().flatten() {
                let message = format!(
                    "tag {tag} excludes it, but Systems Manager manages it: whoever may send it commands has its root or SYSTEM"
                );
                let fix = "stop and disable its agent, or take it off the exclusion; a profile that denies it does not help as \
                           long as Default Host Management is on";
                findings.push("excluded.enrolled", Severity::Error, id, &message, fix);
            }
        }
    }
}
