//! Prints the findings of `lint` and `check`.

use cli::{Finding, Outcome, Output, Severity};

/// Prints findings; only errors and warnings count as found.
pub(super) fn print(out: &Output, findings: &[Finding]) -> anyhow::Result<Outcome> {
    findings.iter().try_for_each(|finding| out.write(finding))?;
    let found = findings
        .iter()
        .any(|finding| finding.severity != Severity::Info);
    Ok(if found { Outcome::Found } else { Outcome::Fine })
}
