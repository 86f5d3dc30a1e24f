//! Reads the organization: its management account, its root, the guard's policies by name, the targets. The whole tree and
//! the principals of accounts have files of their own.
//! Never writes; what could not be read is `Unknown` with the reason, never `Absent`.

mod account_principals;
mod history;
mod principals;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::ProvideErrorMetadata;
use aws_sdk_organizations::types::{PolicySummary, PolicyType, PolicyTypeStatus};
use awsconf::{Session, describe};
use cli::Reading;
use serde_json::Value;

use crate::guard::Part;
use crate::guard::left_over::{is_beyond, is_part};
use crate::model::Desired;
use crate::model::{Observed, Policy, PolicyState, Root, TargetId};

pub(crate) use account_principals::Through;
pub(crate) use history::history;
pub(crate) use principals::{caller_among, caller_arn, principals};
pub(crate) use tree::{live_organization, organization};

const SCP: PolicyType = PolicyType::ServiceControlPolicy;
const RCP: PolicyType = PolicyType::ResourceControlPolicy;

/// Reads everything that `plan` looks at.
pub(crate) async fn observe(
    client: &Client,
    session: &Session,
    desired: &Desired,
    parts: &[Part],
) -> Observed {
    let mut targets = BTreeMap::new();
    for target in &desired.targets.0 {
        targets.insert(target.clone(), target_policies(client, target).await);
    }
    let listed = summaries(client, None).await;
    let mut policies = BTreeMap::new();
    for part in parts {
        let policy = match &listed {
            Ok(listed) => of_name(client, listed, &part.name).await,
            Err(error) => Reading::Unknown(format!("{error:#}")),
        };
        policies.insert(part.name.clone(), policy);
    }
    let left_over = match &listed {
        Ok(listed) => left_over(client, listed, &desired.policy_name.0, parts).await,
        Err(error) => Reading::Unknown(format!("{error:#}")),
    };
    Observed {
        account: session.target.account.clone(),
        partition: session.partition.clone(),
        management_account: match described(client).await {
            Ok(Some((account, _))) => Reading::Present(account),
            Ok(None) => Reading::Absent,
            Err(error) => Reading::Unknown(format!("{error:#}")),
        },
        root: root(client).await,
        policies,
        left_over,
        targets,
    }
}

/// Reads the policy of this name with its attachments.
pub(crate) async fn policy(client: &Client, name: &str) -> Reading<Policy> {
    match summaries(client, Some(name)).await {
        Ok(listed) => of_name(client, &listed, name).await,
        Err(error) => Reading::Unknown(format!("{error:#}")),
    }
}

/// Lists the service control policies, as far as that of a name, if one is given.
async fn summaries(client: &Client, name: Option<&str>) -> anyhow::Result<Vec<PolicySummary>> {
    let mut pages = client.list_policies().filter(SCP).into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListPolicies", error))?;
        let is_found = page
            .policies()
            .iter()
            .any(|summary| name.is_some() && summary.name() == name);
        listed.extend_from_slice(page.policies());
        if is_found {
            break;
        }
    }
    Ok(listed)
}

async fn of_name(client: &Client, listed: &[PolicySummary], name: &str) -> Reading<Policy> {
    let mut listed = listed.iter();
    let Some(summary) = listed.find(|summary| summary.name() == Some(name)) else {
        return Reading::Absent;
    };
    match whole(client, summary, name).await {
        Ok(policy) => Reading::Present(policy),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    }
}

/// Reads the parts that a guard had and no longer has.
async fn left_over(
    client: &Client,
    listed: &[PolicySummary],
    policy_name: &str,
    parts: &[Part],
) -> Reading<Vec<Policy>> {
    let names = listed.iter().filter_map(|summary| summary.name());
    let mut found = Vec::new();
    for name in names.filter(|name| is_beyond(policy_name, parts.len(), name)) {
        match of_name(client, listed, name).await {
            Reading::Present(policy) if is_part(&policy.state.document, parts) => {
                found.push(policy)
            }
            Reading::Present(_) | Reading::Absent => {}
            Reading::Unknown(why) => return Reading::Unknown(why),
        }
    }
    found.sort_by(|left: &Policy, right| left.state.name.cmp(&right.state.name));
    Reading::Present(found)
}

/// Reads a policy of a list with its document and attachments.
async fn whole(client: &Client, summary: &PolicySummary, name: &str) -> anyhow::Result<Policy> {
    let id = summary.id().unwrap_or_default().to_owned();
    let call = format!("DescribePolicy {id}");
    let answer = client.describe_policy().policy_id(&id).send().await;
    let answer = answer.map_err(|error| describe(&call, error))?;
    let content = answer
        .policy()
        .and_then(|policy| policy.content())
        .unwrap_or_default();
    let document: Value = serde_json::from_str(content)
        .map_err(|error| anyhow::anyhow!("{call}: the document is not JSON: {error}"))?;
    let attached_to = attached_to(client, &id).await?;
    let attached_to = attached_to.into_iter().map(TargetId::try_from);
    let attached_to: Result<BTreeSet<TargetId>, String> = attached_to.collect();
    Ok(Policy {
        aws_managed: summary.aws_managed(),
        state: PolicyState {
            name: name.to_owned(),
            description: summary.description().unwrap_or_default().to_owned(),
            document,
        },
        id,
        attached_to: attached_to.map_err(anyhow::Error::msg)?,
    })
}

/// Reads the IDs of everything that a policy is attached to.
async fn attached_to(client: &Client, id: &str) -> anyhow::Result<Vec<String>> {
    let mut attached_to = Vec::new();
    let mut pages = client
        .list_targets_for_policy()
        .policy_id(id)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe(format!("ListTargetsForPolicy {id}"), error))?;
        let ids = page
            .targets()
            .iter()
            .filter_map(|target| target.target_id());
        attached_to.extend(ids.map(str::to_owned));
    }
    Ok(attached_to)
}

/// Reads the management account and the organization's ID; `None` where the account is in no organization.
async fn described(client: &Client) -> anyhow::Result<Option<(String, Option<String>)>> {
    let answer = match client.describe_organization().send().await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("AWSOrganizationsNotInUseException") => return Ok(None),
        Err(error) => return Err(describe("DescribeOrganization", error)),
    };
    let organization = answer.organization();
    let management = organization.and_then(|one| one.master_account_id());
    let management = management.context("DescribeOrganization: no management account")?;
    let id = organization.and_then(|one| one.id()).map(str::to_owned);
    Ok(Some((management.to_owned(), id)))
}

/// Reads the root; an organization has one.
pub(crate) async fn root(client: &Client) -> Reading<Root> {
    let mut pages = client.list_roots().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => return Reading::Unknown(format!("{:#}", describe("ListRoots", error))),
        };
        let Some(root) = page.roots().first() else {
            continue;
        };
        let policy_type_enabled = root.policy_types().iter().any(|policy_type| {
            policy_type.r#type() == Some(&SCP)
                && policy_type.status() == Some(&PolicyTypeStatus::Enabled)
        });
        return match TargetId::try_from(root.id().unwrap_or_default().to_owned()) {
            Ok(root_id) => Reading::Present(Root {
                root_id,
                policy_type_enabled,
            }),
            Err(why) => Reading::Unknown(format!("ListRoots: {why}")),
        };
    }
    Reading::Absent
}

async fn target_policies(client: &Client, target: &TargetId) -> Reading<usize> {
    let request = client
        .list_policies_for_target()
        .target_id(&target.0)
        .filter(SCP);
    let mut pages = request.into_paginator().send();
    let mut n_policies = 0;
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => n_policies += page.policies().len(),
            Err(error) if error.code() == Some("TargetNotFoundException") => {
                return Reading::Absent;
            }
            Err(error) => {
                let call = format!("ListPoliciesForTarget {}", target.0);
                return Reading::Unknown(format!("{:#}", describe(call, error)));
            }
        }
    }
    Reading::Present(n_policies)
}
