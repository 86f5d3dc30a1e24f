//! Findings of the policy linter as records, with the file and the place. Pure.

use cli::Finding;
use iam_policy::{PolicyType, Problem, Severity};

/// Returns the findings in one identity policy; `source` names the file.
pub(crate) fn lint(source: &str, text: &str) -> Vec<Finding> {
    let problems = iam_policy::lint(text, PolicyType::Identity).into_iter();
    problems.map(|problem| finding(source, problem)).collect()
}

fn finding(source: &str, problem: Problem) -> Finding {
    let severity = match problem.severity {
        Severity::Error => cli::Severity::Error,
        Severity::Warning => cli::Severity::Warning,
        Severity::Info => cli::Severity::Info,
    };
    let position = &problem.position;
    let place = (source, position.line, position.column, &*position.path);
    let id = format!("role.{}", problem.rule.id());
    Finding::in_text(id, severity, place, problem.message, problem.fix)
}
