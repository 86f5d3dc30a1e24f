//! Findings of the policy linter as records, with the file and the place. Pure.

use iam_policy::PolicyType;
use records::Finding;

/// Returns the findings in one identity policy; `source` names the file.
pub(crate) fn lint(source: &str, text: &str) -> Vec<Finding> {
    let problems = iam_policy::lint(text, PolicyType::Identity).into_iter();
    problems
        .map(|problem| Finding::in_policy("role", source, problem))
        .collect()
}
