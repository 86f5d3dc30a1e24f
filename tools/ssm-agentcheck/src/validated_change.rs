//! A plan as steps that cannot be wrong, whoever has edited it.

use anyhow::{Context, bail, ensure};
use cli::{Change, Plan};
use diagnosis::Version;
use records::InstanceId;
use serde_json::Value;

use crate::model::{Action, AgentState, AssociationState, LATEST, UpdateState};

/// What a change does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Updates the agent of the node that the change names.
    Update { from: Version, to: UpdateState },
    /// Leads the association from one state to another.
    Associate,
}

/// Returns the steps of a plan, one for each change.
///
/// # Errors
/// A change that this tool would not have planned.
pub(crate) fn steps(plan: &Plan<Action>) -> anyhow::Result<Vec<Step>> {
    plan.changes
        .iter()
        .map(|change| step(change).with_context(|| format!("change {}", change.id)))
        .collect()
}

fn step(change: &Change<Action>) -> anyhow::Result<Step> {
    if change.action == Action::UpdateAgent {
        let id = change.resource.parse::<InstanceId>();
        id.map_err(anyhow::Error::msg)?;
        let from: AgentState = state(&change.from).context("from")?;
        let to: UpdateState = state(&change.to).context("to")?;
        let version = match to.version.as_str() {
            LATEST => to.at_least,
            version => version.parse().map_err(anyhow::Error::msg)?,
        };
        ensure!(
            version >= to.at_least && to.at_least > from.version,
            "to is not newer than from: agents are never downgraded"
        );
        ensure!(to.wave >= 1, "waves are counted from 1");
        ensure!(to.max_concurrency.of(100) > 0, "max_concurrency is 0");
        return Ok(Step::Update {
            from: from.version,
            to,
        });
    }
    let from: Option<AssociationState> = state(&change.from).context("from")?;
    let to: Option<AssociationState> = state(&change.to).context("to")?;
    let fits = match (change.action, &from, &to) {
        (Action::CreateAssociation, None, Some(to)) => to.association_name == change.resource,
        (Action::UpdateAssociation, Some(from), Some(to)) => {
            from.association_name == change.resource && to.association_name == change.resource
        }
        (Action::DeleteAssociation, Some(from), None) => from.association_name == change.resource,
        _ => false,
    };
    if !fits {
        bail!("from, to and resource do not fit the action");
    }
    Ok(Step::Associate)
}

fn state<T: serde::de::DeserializeOwned>(value: &Value) -> anyhow::Result<T> {
    Ok(T::deserialize(value)?)
}
