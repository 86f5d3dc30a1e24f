//! The association that keeps agents current: made, changed or deleted, against its `from`, and read back.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Target;
use awsconf::describe;
use serde_json::json;
use toolio::{ChangeStatus, Reading};

use super::Tried;
use crate::observe::associations;
use crate::plan::Association;
use crate::update::{AssociationState, DOCUMENT};

/// Leads the association from one state to the other.
pub(super) async fn associate(
    client: &Client,
    from: Option<&AssociationState>,
    to: Option<&AssociationState>,
) -> Tried {
    match change(client, from, to).await {
        Ok(status) => Tried::new(status, None),
        Err(error) => Tried::failed(format!("{error:#}")),
    }
}

/// Looks only: what is there tells what an earlier run did.
pub(super) async fn recovered(
    client: &Client,
    from: Option<&AssociationState>,
    to: Option<&AssociationState>,
) -> Tried {
    let Some(name) = from.or(to).map(|state| state.association_name.as_str()) else {
        return Tried::new(ChangeStatus::Unchanged, None);
    };
    let now = match named(client, name).await {
        Ok(found) => Reading::Present(json!(found.map(|found| found.state))),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    };
    let (status, error) = toolio::found(&json!(from), &json!(to), &now).told();
    Tried::new(status, error)
}

async fn change(
    client: &Client,
    from: Option<&AssociationState>,
    to: Option<&AssociationState>,
) -> anyhow::Result<ChangeStatus> {
    let Some(name) = from.or(to).map(|state| state.association_name.as_str()) else {
        return Ok(ChangeStatus::Unchanged);
    };
    let found = named(client, name).await?;
    let state = found.as_ref().map(|found| &found.state);
    if state == to {
        return Ok(ChangeStatus::Unchanged);
    }
    anyhow::ensure!(
        state == from,
        "changed since the plan was made: association {name} is {}; plan again",
        state.map_or_else(|| "not there".to_owned(), |state| json!(state).to_string())
    );
    match (&found, to) {
        (None, Some(to)) => create(client, to).await?,
        (Some(found), Some(to)) => {
            anyhow::ensure!(
                found.other_settings.is_empty() && found.is_for_all_nodes,
                "association {name} has settings that would be removed; plan again"
            );
            update(client, &found.association_id, to).await?;
        }
        (Some(found), None) => delete(client, &found.association_id).await?,
        (None, None) => {}
    }
    let left = named(client, name).await?;
    anyhow::ensure!(
        left.as_ref().map(|left| &left.state) == to,
        "association {name} was written, but reads back otherwise"
    );
    Ok(ChangeStatus::Done)
}

async fn named(client: &Client, name: &str) -> anyhow::Result<Option<Association>> {
    let all = associations(client).await?;
    Ok(all
        .into_iter()
        .find(|association| association.state.association_name == name))
}

/// Returns all nodes of the region, those to come included.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-associations-creating.html>
fn all_nodes() -> Target {
    Target::builder().key("InstanceIds").values("*").build()
}

async fn create(client: &Client, to: &AssociationState) -> anyhow::Result<()> {
    let answer = client
        .create_association()
        .name(DOCUMENT)
        .association_name(&to.association_name)
        .targets(all_nodes())
        .set_schedule_expression(to.schedule_expression.clone())
        .set_max_concurrency(to.max_concurrency.clone())
        .set_max_errors(to.max_errors.clone())
        .send()
        .await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("CreateAssociation {}", to.association_name), error))
}

/// What an update leaves out is removed, so everything is given.
async fn update(client: &Client, id: &str, to: &AssociationState) -> anyhow::Result<()> {
    let answer = client
        .update_association()
        .association_id(id)
        .association_name(&to.association_name)
        .targets(all_nodes())
        .set_schedule_expression(to.schedule_expression.clone())
        .set_max_concurrency(to.max_concurrency.clone())
        .set_max_errors(to.max_errors.clone())
        .send()
        .await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("UpdateAssociation {}", to.association_name), error))
}

async fn delete(client: &Client, id: &str) -> anyhow::Result<()> {
    let answer = client.delete_association().association_id(id).send().await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DeleteAssociation {id}"), error))
}
