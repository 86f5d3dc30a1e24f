//! The writes that a plan may hold, and the states that lead from one to the other.

use cli::CountOrPercent;
use diagnosis::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::update::Timeout;

/// The document that updates agents, on Linux, Windows and macOS alike.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-tutorial-update-software.html>
pub(crate) const DOCUMENT: &str = "AWS-UpdateSSMAgent";

/// What the document calls the newest version that the region has.
pub(crate) const LATEST: &str = "latest";

/// The writes that a plan may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Bring one agent up to date by Run Command; there is no way back, agents are never downgraded.
    UpdateAgent,
    /// Make the association that keeps agents current.
    CreateAssociation,
    /// Change it.
    UpdateAssociation,
    /// Delete it.
    DeleteAssociation,
}

/// An agent in a plan, before its update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentState {
    pub(crate) version: Version,
}

/// An agent's update in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateState {
    /// A version, or `latest`.
    pub(crate) version: String,
    /// What the agent must be at least afterwards; one that is that new already is left alone.
    pub(crate) at_least: Version,
    /// 1 for the first.
    pub(crate) wave: u32,
    pub(crate) max_concurrency: CountOrPercent,
    pub(crate) max_errors: CountOrPercent,
    pub(crate) timeout_seconds: Timeout,
}

/// An association in a plan: everything that may be set of it here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssociationState {
    pub(crate) association_name: String,
    pub(crate) schedule_expression: Option<String>,
    pub(crate) max_concurrency: Option<String>,
    pub(crate) max_errors: Option<String>,
}
