//! What could not be read while the rest could.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Target;

/// The `kind` of an unreachable record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnreachableKind {
    /// The only value.
    Unreachable,
}

/// A target that could not be read while others could. The exit status is 2 when there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreachable {
    /// Always `unreachable`.
    pub kind: UnreachableKind,
    /// The tool that tried.
    pub tool: String,
    /// Where.
    pub target: Target,
    /// Why, in one line.
    pub error: String,
}

impl Unreachable {
    /// Returns the record of a target that failed with `error`, its causes in the same line.
    pub fn new(tool: &str, target: &Target, error: &impl std::fmt::Display) -> Unreachable {
        Unreachable {
            kind: UnreachableKind::Unreachable,
            tool: tool.to_owned(),
            target: target.clone(),
            error: format!("{error:#}"),
        }
    }
}
