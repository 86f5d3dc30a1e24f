//! What is desired and what is there, to changes. Pure.

use cli::{Change, CountOrPercent, Plan, Target};
use diagnosis::Version;
use records::Node;
use serde_json::{Value, json};

use crate::TOOL;
use crate::model::Desired;
use crate::model::{
    Action, AgentState, AssociationState, DesiredAssociation, LATEST, Update, UpdateState,
};

/// Why no plan can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("{path}: {message}")]
    Desired { path: String, message: String },
    #[error(
        "association {name} has settings that {TOOL} would remove ({settings}): change it by hand"
    )]
    MoreSettings { name: String, settings: String },
    #[error(
        "association {name} is for all nodes of the region, excluded ones too: {excluded}; leave it out of the desired state, or \
         take the risk with --accept excluded-nodes"
    )]
    Excluded { name: String, excluded: String },
}

/// What a plan is made from, besides the desired state.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Observed {
    pub(crate) nodes: Vec<Node>,
    pub(crate) associations: Vec<Association>,
    /// The excluded nodes of the region, such as `i-0abc (Role=dc)`, where an association is desired.
    pub(crate) excluded: Vec<String>,
}

/// An association with the document that updates agents, as it is.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Association {
    /// What State Manager calls it.
    pub(crate) association_id: String,
    pub(crate) state: AssociationState,
    /// Whether it is for all nodes of the region.
    pub(crate) is_for_all_nodes: bool,
    /// What else is set of it.
    pub(crate) other_settings: Vec<String>,
}

/// A plan, and what it leaves out.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan<Action>,
    /// Ids of outdated nodes that no command reaches.
    pub(crate) offline: Vec<String>,
    /// Outdated nodes that are excluded, with their tags.
    pub(crate) excluded: Vec<String>,
    /// What else a person should know.
    pub(crate) notes: Vec<String>,
}

/// Returns the changes that lead from what is there to what is desired; where it `accepts_excluded`, the association may be
/// for excluded nodes, too.
///
/// # Errors
/// The desired state contradicts itself, or only a person can solve it.
pub(crate) fn plan(
    desired: &Desired,
    target: &Target,
    observed: &Observed,
    accepts_excluded: bool,
) -> Result<Planned, PlanError> {
    let mut planned = Planned {
        plan: Plan::new(TOOL, target.clone(), Vec::new()),
        offline: Vec::new(),
        excluded: Vec::new(),
        notes: Vec::new(),
    };
    if let Some((path, message)) = desired.mistake() {
        return Err(PlanError::Desired { path, message });
    }
    if let Some(update) = &desired.update {
        updates(desired, update, &observed.nodes, &mut planned);
    }
    if let Some(required) = &desired.association {
        let mut change = association(required, &observed.associations)?;
        if required.enabled && !desired.exclude.is_empty() {
            let note = excluded(required, observed, accepts_excluded, change.as_mut())?;
            planned.notes.push(note);
        }
        planned.plan.changes.extend(change);
    }
    Ok(planned)
}

/// Targets of associations can name nodes, groups and tags, but none that are left out.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-manager-targets-and-rate-controls.html>
fn excluded(
    required: &DesiredAssociation,
    observed: &Observed,
    is_accepted: bool,
    change: Option<&mut Change<Action>>,
) -> Result<String, PlanError> {
    let excluded = observed.excluded.join(", ");
    if let Some(change) = change
        && !observed.excluded.is_empty()
    {
        if !is_accepted {
            let name = required.association_name.clone();
            return Err(PlanError::Excluded { name, excluded });
        }
        change.why = format!("{}; it updates excluded nodes: {excluded}", change.why);
    }
    Ok(format!(
        "the association that updates agents is for all nodes of the region, those to come included; excluded ones are updated, too: {}",
        match excluded.is_empty() {
            true => "none now",
            false => &excluded,
        }
    ))
}

fn updates(desired: &Desired, update: &Update, nodes: &[Node], planned: &mut Planned) {
    let (floor, _) = desired.floor();
    let mut outdated = Vec::new();
    for node in nodes {
        let version = node.agent.as_ref().and_then(|agent| agent.version.as_ref());
        let Some(version) = version.and_then(|version| version.parse::<Version>().ok()) else {
            continue;
        };
        if version >= floor || !node.is_running() {
            continue;
        }
        match desired.exclude.tag_of(&node.tags) {
            Some(tag) => planned
                .excluded
                .push(format!("{} ({tag})", node.instance_id)),
            None if node.is_online() => outdated.push((node, version)),
            None => planned.offline.push(node.instance_id.clone()),
        }
    }
    let ends = wave_ends(&update.waves, outdated.len());
    for (index, (node, version)) in outdated.into_iter().enumerate() {
        let wave = 1 + ends.iter().filter(|end| **end <= index).count();
        let to = UpdateState {
            version: update
                .version
                .map_or_else(|| LATEST.to_owned(), |version| version.to_string()),
            at_least: update.version.unwrap_or(floor),
            wave: u32::try_from(wave).unwrap_or(u32::MAX),
            max_concurrency: update.max_concurrency,
            max_errors: update.max_errors,
            timeout_seconds: update.timeout_seconds,
        };
        planned.plan.changes.push(Change {
            id: format!("update_agent/{}", node.instance_id),
            action: Action::UpdateAgent,
            resource: node.instance_id.clone(),
            from: json!(AgentState { version }),
            to: json!(to),
            why: format!("the agent is {version}, older than {floor}"),
        });
    }
}

/// Returns how many nodes are done after each wave; a wave that adds none is left out, as 10% of few nodes does after the first.
fn wave_ends(waves: &[CountOrPercent], n_nodes: usize) -> Vec<usize> {
    let mut ends: Vec<usize> = waves.iter().map(|share| share.of(n_nodes)).collect();
    let mut done = 0;
    ends.retain(|end| {
        let adds = *end > done;
        done = done.max(*end);
        adds
    });
    ends
}

fn association(
    required: &DesiredAssociation,
    associations: &[Association],
) -> Result<Option<Change<Action>>, PlanError> {
    let named = associations
        .iter()
        .find(|association| association.state.association_name == required.association_name);
    let required_state = AssociationState {
        association_name: required.association_name.clone(),
        schedule_expression: Some(required.schedule_expression.clone()),
        max_concurrency: Some(required.max_concurrency.clone()),
        max_errors: Some(required.max_errors.clone()),
    };
    let change = |action, from: Value, to: Value, why: &str| Change {
        id: "association".to_owned(),
        action,
        resource: required.association_name.clone(),
        from,
        to,
        why: why.to_owned(),
    };
    Ok(match named {
        Some(found) if !required.enabled => Some(change(
            Action::DeleteAssociation,
            json!(found.state),
            Value::Null,
            "the association is to be off; agents are no longer kept current by it",
        )),
        _ if !required.enabled => None,
        Some(found) if found.state == required_state && found.is_for_all_nodes => None,
        // An update leaves out, and so removes, everything that this tool does not know.
        Some(found) if !found.other_settings.is_empty() || !found.is_for_all_nodes => {
            let mut settings = found.other_settings.clone();
            if !found.is_for_all_nodes {
                settings.push("Targets".to_owned());
            }
            return Err(PlanError::MoreSettings {
                name: required.association_name.clone(),
                settings: settings.join(", "),
            });
        }
        Some(found) => Some(change(
            Action::UpdateAssociation,
            json!(found.state),
            json!(required_state),
            "the association must run as required",
        )),
        // The console's and Quick Setup's do the same; two would update agents twice.
        None if associations
            .iter()
            .any(|other| other.is_for_all_nodes && other.state.schedule_expression.is_some()) =>
        {
            None
        }
        None => Some(change(
            Action::CreateAssociation,
            Value::Null,
            json!(required_state),
            "agents are kept current, those of new nodes included",
        )),
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
