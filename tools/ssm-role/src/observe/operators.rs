//! Reads the roles of an account that people may assume, whoever they are. Never writes.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{EntityType, RoleDetail};
use awsconf::{Session, describe};
use cli::Reading;
use records::Boundary;
use serde_json::Value;

use super::iam::{decode, managed_document};
use super::{AccountCache, reading};
use crate::model::Role;

/// The largest page that IAM gives; its default is 100.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>
const MAX_ITEMS: i32 = 1000;

/// Returns these roles with their policies, by name. One list has all roles of an account with what they hold; reading them one
/// by one would be several calls for each.
pub(crate) async fn operators(
    session: &Session,
    known: &AccountCache,
) -> Reading<BTreeMap<String, Role>> {
    let mut known = known.0.lock().await;
    if let Some(operators) = &known.operators {
        return operators.clone();
    }
    let client = Client::new(&session.config);
    let read = roles(&client, &mut known.documents).await;
    let operators = reading(read.map(Some));
    known.operators = Some(operators.clone());
    operators
}

async fn roles(
    client: &Client,
    documents: &mut BTreeMap<String, Value>,
) -> anyhow::Result<BTreeMap<String, Role>> {
    const CALL: &str = "GetAccountAuthorizationDetails";
    let call = client
        .get_account_authorization_details()
        .filter(EntityType::Role)
        .filter(EntityType::LocalManagedPolicy);
    let mut pages = call.into_paginator().page_size(MAX_ITEMS).send();
    let mut details = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe(CALL, error))?;
        for policy in page.policies.unwrap_or_default() {
            let version = policy
                .policy_version_list()
                .iter()
                .find(|version| version.is_default_version());
            let document = version.and_then(|version| version.document());
            if let (Some(arn), Some(document)) = (policy.arn(), document) {
                let document = decode(document).with_context(|| format!("policy {arn}"))?;
                documents.insert(arn.to_owned(), document);
            }
        }
        details.extend(page.role_detail_list.unwrap_or_default());
    }
    let mut roles = BTreeMap::new();
    for detail in details {
        let name = detail.role_name().unwrap_or_default().to_owned();
        let trust = detail.assume_role_policy_document().unwrap_or_default();
        let trust = decode(trust).with_context(|| format!("trust policy of {name}"))?;
        if iam_policy::is_for_people(&trust, |_| true) {
            let role = role(client, &detail, trust, documents).await?;
            roles.insert(name, role);
        }
    }
    Ok(roles)
}

async fn role(
    client: &Client,
    detail: &RoleDetail,
    trust: Value,
    documents: &mut BTreeMap<String, Value>,
) -> anyhow::Result<Role> {
    let name = detail.role_name().unwrap_or_default();
    let mut attached_policies = BTreeMap::new();
    for policy in detail.attached_managed_policies() {
        let arn = policy.policy_arn().unwrap_or_default();
        let document = managed_document(client, arn, documents).await?;
        attached_policies.insert(arn.to_owned(), document);
    }
    let mut inline_policies = BTreeMap::new();
    for policy in detail.role_policy_list() {
        let policy_name = policy.policy_name().unwrap_or_default();
        let document = decode(policy.policy_document().unwrap_or_default())
            .with_context(|| format!("inline policy {policy_name} of {name}"))?;
        inline_policies.insert(policy_name.to_owned(), document);
    }
    let boundary = detail.permissions_boundary();
    let boundary = boundary.and_then(|boundary| boundary.permissions_boundary_arn());
    Ok(Role {
        arn: detail.arn().unwrap_or_default().to_owned(),
        path: detail.path().unwrap_or_default().to_owned(),
        description: String::new(),
        trust,
        attached_policies,
        inline_policies,
        boundary: match boundary {
            Some(arn) => Some(Boundary {
                arn: arn.to_owned(),
                document: managed_document(client, arn, documents).await?,
            }),
            None => None,
        },
    })
}
