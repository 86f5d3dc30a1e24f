//! Findings of the policy linter as records, with the file and the place. Pure.

use policy::{PolicyType, Severity};
use toolio::{Finding, FindingKind};

/// Returns the findings in one identity policy; `source` names the file.
pub(crate) fn lint(source: &str, text: &str) -> Vec<Finding> {
    let problems = policy::lint(text, PolicyType::Identity).into_iter();
    let findings = problems.map(|problem| {
        let position = &problem.position;
        Finding {
            kind: FindingKind::Finding,
            id: format!("role.{}", problem.rule.id()),
            severity: match problem.severity {
                Severity::Error => toolio::Severity::Error,
                Severity::Warning => toolio::Severity::Warning,
                Severity::Info => toolio::Severity::Info,
            },
            target: None,
            // As compilers write it, so that editors jump there.
            resource: format!(
                "{source}:{}:{} {}",
                position.line, position.column, position.path
            ),
            message: problem.message,
            fix: problem.fix,
        }
    });
    findings.collect()
}
