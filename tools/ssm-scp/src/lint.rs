//! Findings of the policy linter as records, with the file and the place.

use policy::{PolicyType, Problem, Severity};
use toolio::Finding;

/// What a linted policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Type {
    /// A service control policy
    Scp,
    /// A policy of a user, group or role
    Identity,
    /// A policy of a resource, or a trust policy
    Resource,
}

/// Returns the findings in one policy; `source` names the file.
pub(crate) fn lint(source: &str, text: &str, r#type: Type, max_characters: usize) -> Vec<Finding> {
    let policy_type = match r#type {
        Type::Scp => PolicyType::ServiceControl { max_characters },
        Type::Identity => PolicyType::Identity,
        Type::Resource => PolicyType::Resource,
    };
    let problems = policy::lint(text, policy_type);
    problems
        .iter()
        .map(|problem| finding(source, problem))
        .collect()
}

fn finding(source: &str, problem: &Problem) -> Finding {
    let severity = match problem.severity {
        Severity::Error => toolio::Severity::Error,
        Severity::Warning => toolio::Severity::Warning,
        Severity::Info => toolio::Severity::Info,
    };
    let position = &problem.position;
    Finding::in_text(
        format!("scp.{}", problem.rule.id()),
        severity,
        (source, position.line, position.column, &position.path),
        problem.message.clone(),
        problem.fix.clone(),
    )
}
