//! The whole tree: every organizational unit and account, every service and resource control policy and where it is attached. Policies
//! are asked for their targets, which takes far fewer calls than asking every account for its policies.

use anyhow::Context;
use aws_sdk_organizations::Client;
use awsconf::{Session, describe};
use records::{Entity, EntityKind, EntityType, PolicyDocument, PolicyKind, PolicyType};

use super::{RCP, SCP, attached_to, described};
use crate::model::{NO_ORGANIZATION, USE_MANAGEMENT};
use organization::Organization;

/// Reads the organization that a session is in, see [`organization`].
///
/// # Errors
/// As there.
pub(crate) async fn live_organization(session: &Session) -> anyhow::Result<Organization> {
    organization(&Client::new(&session.config)).await
}

/// Reads the tree, from the root down, and the policies. Nothing of it may be missing, else a guard might seem to be there.
///
/// # Errors
/// A call fails, or the account is in no organization.
pub(crate) async fn organization(client: &Client) -> anyhow::Result<Organization> {
    let described = described(client).await?;
    let (management, organization_id) =
        described.with_context(|| format!("the account {NO_ORGANIZATION}: {USE_MANAGEMENT}"))?;
    let mut organization = Organization {
        entities: Vec::new(),
        policies: policies(client, PolicyType::ServiceControlPolicy).await?,
        resource_control: policies(client, PolicyType::ResourceControlPolicy).await?,
    };
    let mut roots = client.list_roots().into_paginator().send();
    let mut parents = Vec::new();
    while let Some(page) = roots.next().await {
        let page = page.map_err(|error| describe("ListRoots", error))?;
        for root in page.roots() {
            let id = root.id().context("ListRoots: a root without ID")?;
            let mut entity = entity(EntityType::Root, id, root.name(), None);
            entity.organization_id.clone_from(&organization_id);
            parents.push(entity.clone());
            organization.entities.push(entity);
        }
    }
    // Depth first, so that what belongs together stands together.
    while let Some(parent) = parents.pop() {
        for account in accounts(client, &parent).await? {
            organization.entities.push(account);
        }
        let mut units = organizational_units(client, &parent).await?;
        organization.entities.extend(units.iter().cloned());
        units.reverse();
        parents.extend(units);
    }
    for entity in &mut organization.entities {
        entity.management = entity.id == management;
        let attached = |policies: &[PolicyDocument]| -> Vec<String> {
            let attached = policies
                .iter()
                .filter(|policy| policy.attached_to.contains(&entity.id));
            attached.map(|policy| policy.name.clone()).collect()
        };
        entity.policies = attached(&organization.policies);
        entity.resource_control_policies = attached(&organization.resource_control);
    }
    Ok(organization)
}

fn entity(r#type: EntityType, id: &str, name: Option<&str>, parent: Option<&Entity>) -> Entity {
    let name = name.unwrap_or(id).to_owned();
    Entity {
        kind: EntityKind::Entity,
        id: id.to_owned(),
        r#type,
        path: match parent {
            Some(parent) => format!("{}/{name}", parent.path),
            None => name.clone(),
        },
        name,
        parent: parent.map(|parent| parent.id.clone()),
        management: false,
        policies: Vec::new(),
        resource_control_policies: Vec::new(),
        organization_id: None,
    }
}

async fn accounts(client: &Client, parent: &Entity) -> anyhow::Result<Vec<Entity>> {
    let mut accounts = Vec::new();
    let mut pages = client
        .list_accounts_for_parent()
        .parent_id(&parent.id)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| describe(format!("ListAccountsForParent {}", parent.id), error))?;
        for account in page.accounts() {
            let id = account
                .id()
                .context("ListAccountsForParent: an account without ID")?;
            accounts.push(entity(
                EntityType::Account,
                id,
                account.name(),
                Some(parent),
            ));
        }
    }
    accounts.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(accounts)
}

async fn organizational_units(client: &Client, parent: &Entity) -> anyhow::Result<Vec<Entity>> {
    let mut units = Vec::new();
    let mut pages = client
        .list_organizational_units_for_parent()
        .parent_id(&parent.id)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let call = format!("ListOrganizationalUnitsForParent {}", parent.id);
        let page = page.map_err(|error| describe(call, error))?;
        for unit in page.organizational_units() {
            let id = unit
                .id()
                .context("ListOrganizationalUnitsForParent: a unit without ID")?;
            units.push(entity(
                EntityType::OrganizationalUnit,
                id,
                unit.name(),
                Some(parent),
            ));
        }
    }
    units.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(units)
}

async fn policies(client: &Client, policy_type: PolicyType) -> anyhow::Result<Vec<PolicyDocument>> {
    let mut policies = Vec::new();
    let filter = match policy_type {
        PolicyType::ServiceControlPolicy => SCP,
        PolicyType::ResourceControlPolicy => RCP,
    };
    let call = format!("ListPolicies {filter}");
    let mut pages = client
        .list_policies()
        .filter(filter)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe(&call, error))?;
        for summary in page.policies() {
            let id = summary
                .id()
                .context("ListPolicies: a policy without ID")?
                .to_owned();
            let call = format!("DescribePolicy {id}");
            let answer = client.describe_policy().policy_id(&id).send().await;
            let answer = answer.map_err(|error| describe(&call, error))?;
            let content = answer
                .policy()
                .and_then(|policy| policy.content())
                .unwrap_or_default();
            let mut attached_to = attached_to(client, &id).await?;
            attached_to.sort();
            policies.push(PolicyDocument {
                kind: PolicyKind::Policy,
                policy_type,
                name: summary.name().unwrap_or_default().to_owned(),
                aws_managed: summary.aws_managed(),
                n_characters: content.chars().count(),
                document: serde_json::from_str(content)
                    .with_context(|| format!("{call}: the document is not JSON"))?,
                attached_to,
                id,
            });
        }
    }
    policies.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(policies)
}
