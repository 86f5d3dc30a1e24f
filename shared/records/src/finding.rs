//! What is wrong: the record of `check`, `lint` and whatever else judges.

use iam_policy::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Target;

/// How grave a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Access, encryption or the audit trail is broken or open.
    Error,
    /// It works, but not as it should, or it could not be found out whether it does.
    Warning,
    /// Worth knowing.
    Info,
}

/// The `kind` of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The only value.
    Finding,
}

/// One thing that is wrong, what it causes and what cures it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Always `finding`.
    pub kind: FindingKind,
    /// `tool.subject.problem`; never renamed.
    pub id: String,
    /// How grave it is.
    pub severity: Severity,
    /// Where; absent for a file.
    pub target: Option<Target>,
    /// ARN, ID, name or file position of what is wrong.
    pub resource: String,
    /// What is wrong and what that causes.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// Whether it says that something could not be read. Whoever finds that exits with 2: nothing read is not nothing found.
    #[serde(skip)]
    pub is_unread: bool,
}

impl Finding {
    /// Returns a finding of the policy linter; `source` names the text.
    #[must_use]
    pub fn in_policy(tool: &str, source: &str, problem: Problem) -> Finding {
        let severity = match problem.severity {
            iam_policy::Severity::Error => Severity::Error,
            iam_policy::Severity::Warning => Severity::Warning,
            iam_policy::Severity::Info => Severity::Info,
        };
        let position = &problem.position;
        let place = (source, position.line, position.column, &*position.path);
        let id = format!("{tool}.{}", problem.rule.id());
        Finding::in_text(id, severity, place, problem.message, problem.fix)
    }

    /// Returns a finding about a place in a text: `place` is its name, line, column and JSON path. The resource is
    /// written as compilers do it, so that editors jump there.
    #[must_use]
    pub fn in_text(
        id: String,
        severity: Severity,
        place: (&str, usize, usize, &str),
        message: String,
        fix: String,
    ) -> Finding {
        let (source, line, column, path) = place;
        Finding {
            kind: FindingKind::Finding,
            id,
            severity,
            target: None,
            resource: format!("{source}:{line}:{column} {path}"),
            message,
            fix,
            is_unread: false,
        }
    }
}
