//! What `apply` needs to know of the association that keeps agents current: how it is read, written and taken back.

use anyhow::ensure;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Target;
use awsconf::{Service, describe};
use cli::Change;
use serde_json::{Value, json};

use crate::model::{Action, AssociationState, DOCUMENT};
use crate::observe::associations;
use crate::plan::Association;

/// The associations of one region.
pub(super) struct Associations {
    pub(super) client: Client,
}

impl apply::Resources for Associations {
    type Action = Action;
    type Seen = Option<Association>;

    async fn look(&self, changes: &[&Change<Action>]) -> Vec<anyhow::Result<Option<Association>>> {
        let mut seen = Vec::new();
        for change in changes {
            seen.push(named(&self.client, &change.resource).await);
        }
        seen
    }

    fn state(&self, _: &Change<Action>, seen: &Option<Association>) -> Result<Value, String> {
        Ok(json!(seen.as_ref().map(|found| &found.state)))
    }

    async fn write(
        &self,
        change: &Change<Action>,
        seen: &Option<Association>,
    ) -> anyhow::Result<()> {
        let to: Option<AssociationState> = serde_json::from_value(change.to.clone())?;
        match (seen, &to) {
            (None, Some(to)) => create(&self.client, to).await,
            (Some(found), Some(to)) => {
                ensure!(
                    found.other_settings.is_empty() && found.is_for_all_nodes,
                    "association {} has settings that would be removed; make a new plan",
                    change.resource
                );
                update(&self.client, &found.association_id, to).await
            }
            (Some(found), None) => delete(&self.client, &found.association_id).await,
            (None, None) => Ok(()),
        }
    }

    fn inverse(&self, change: &Change<Action>, left: Value) -> Option<Change<Action>> {
        let action = match change.action {
            Action::CreateAssociation => Action::DeleteAssociation,
            Action::DeleteAssociation => Action::CreateAssociation,
            other => other,
        };
        Some(Change {
            id: change.id.clone(),
            action,
            resource: change.resource.clone(),
            from: left,
            to: change.from.clone(),
            why: String::new(),
        })
    }

    fn service(&self, _: &Change<Action>) -> Service {
        Service::Ssm
    }
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
