//! The roles and users of an account with everything that IAM allows them, by the one call that gives all of it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, PolicyDetail, Tag};
use awsconf::{Session, describe};
use serde_json::Value;

use crate::model::{Document, Documents, PrincipalPolicies};
use crate::principal_arn::is_role_named;

/// What a user or role has, before its managed policies are looked up: they may come on a later page.
struct Draft {
    arn: String,
    unique_id: String,
    inline: Vec<Document>,
    attached: Vec<String>,
    groups: Vec<String>,
    boundary: Option<String>,
    trust: Option<Document>,
    tags: BTreeMap<String, String>,
}

/// Reads all roles and users of the session's account, with what they have in common with others that were read.
///
/// # Errors
/// The call fails, or a policy is not JSON.
pub(crate) async fn principals(
    session: &Session,
    documents: &Documents,
) -> anyhow::Result<Vec<PrincipalPolicies>> {
    let document = |text: &str| parsed(text).map(|value| documents.shared(value));
    let inline = |policies: &[PolicyDetail]| -> anyhow::Result<Vec<Document>> {
        let texts = policies
            .iter()
            .filter_map(|policy| policy.policy_document());
        texts.map(document).collect()
    };
    let client = Client::new(&session.config);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut managed: HashMap<String, Document> = HashMap::new();
    let mut groups: HashMap<String, (Vec<Document>, Vec<String>)> = HashMap::new();
    let mut pages = client
        .get_account_authorization_details()
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("GetAccountAuthorizationDetails", error))?;
        for role in page.role_detail_list() {
            drafts.push(Draft {
                arn: role.arn().unwrap_or_default().to_owned(),
                unique_id: role.role_id().unwrap_or_default().to_owned(),
                inline: inline(role.role_policy_list())?,
                attached: arns(role.attached_managed_policies()),
                groups: Vec::new(),
                boundary: boundary(role.permissions_boundary()),
                trust: role
                    .assume_role_policy_document()
                    .map(document)
                    .transpose()?,
                tags: tags(role.tags()),
            });
        }
        for user in page.user_detail_list() {
            drafts.push(Draft {
                arn: user.arn().unwrap_or_default().to_owned(),
                unique_id: user.user_id().unwrap_or_default().to_owned(),
                inline: inline(user.user_policy_list())?,
                attached: arns(user.attached_managed_policies()),
                groups: user.group_list().to_vec(),
                boundary: boundary(user.permissions_boundary()),
                trust: None,
                tags: tags(user.tags()),
            });
        }
        for group in page.group_detail_list() {
            let policies = (
                inline(group.group_policy_list())?,
                arns(group.attached_managed_policies()),
            );
            groups.insert(group.group_name().unwrap_or_default().to_owned(), policies);
        }
        for policy in page.policies() {
            let versions = policy.policy_version_list();
            let default = versions.iter().find(|version| version.is_default_version());
            let text = default.and_then(|version| version.document());
            if let (Some(arn), Some(text)) = (policy.arn(), text) {
                managed.insert(arn.to_owned(), document(text)?);
            }
        }
    }
    let find = |arn: &String| {
        let found = managed.get(arn).cloned();
        found.with_context(|| format!("GetAccountAuthorizationDetails: no document of {arn}"))
    };
    let mut principals = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let mut policies = draft.inline;
        let mut attached = draft.attached;
        for (inline, of_group) in draft.groups.iter().filter_map(|name| groups.get(name)) {
            policies.extend(inline.iter().cloned());
            attached.extend(of_group.iter().cloned());
        }
        for arn in &attached {
            policies.push(find(arn)?);
        }
        principals.push(PrincipalPolicies {
            arn: draft.arn,
            unique_id: Some(draft.unique_id).filter(|id| !id.is_empty()),
            policies,
            boundary: draft.boundary.as_ref().map(find).transpose()?,
            trust: draft.trust,
            tags: draft.tags,
        });
    }
    principals.sort_by(|left, right| left.arn.cmp(&right.arn));
    Ok(principals)
}

fn arns(policies: &[AttachedPolicy]) -> Vec<String> {
    let arns = policies.iter().filter_map(|policy| policy.policy_arn());
    arns.map(str::to_owned).collect()
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    let pairs = tags
        .iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
    pairs.collect()
}

fn boundary(boundary: Option<&AttachedPermissionsBoundary>) -> Option<String> {
    boundary?.permissions_boundary_arn().map(str::to_owned)
}

/// IAM percent-encodes the documents that it gives out.
fn parsed(text: &str) -> anyhow::Result<Value> {
    let text = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .context("a policy is not UTF-8")?;
    serde_json::from_str(&text).context("a policy is not JSON")
}

/// Returns what `aws:PrincipalArn` of the session is: of an assumed role the role's ARN with its path, which only IAM
/// knows. Where that may not be read the path is left out, which matches fewer exemptions and so never hides a risk; why it could
/// not is beside it.
pub(crate) async fn caller_arn(session: &Session) -> (String, Option<anyhow::Error>) {
    let Some(name) = assumed_role(session) else {
        return (session.caller.clone(), None);
    };
    let answer = Client::new(&session.config)
        .get_role()
        .role_name(name)
        .send()
        .await;
    let known = answer
        .map_err(|error| describe(format!("GetRole {name}"), error))
        .and_then(|answer| {
            let role = answer.role().context("GetRole: empty answer")?;
            Ok(role.arn().to_owned())
        });
    match known {
        Ok(arn) => (arn, None),
        Err(error) => (without_path(session, name), Some(error)),
    }
}

/// Returns the same where the principals of the session's account have been read.
pub(crate) fn caller_among(session: &Session, principals: &[PrincipalPolicies]) -> String {
    let Some(name) = assumed_role(session) else {
        return session.caller.clone();
    };
    let mut arns = principals.iter().map(|principal| principal.arn.as_str());
    let known = arns.find(|arn| is_role_named(arn, name)).map(str::to_owned);
    known.unwrap_or_else(|| without_path(session, name))
}

fn assumed_role(session: &Session) -> Option<&str> {
    let (_, rest) = session.caller.split_once(":assumed-role/")?;
    rest.split('/').next()
}

fn without_path(session: &Session, name: &str) -> String {
    let (partition, account) = (&session.partition, &session.target.account);
    format!("arn:{partition}:iam::{account}:role/{name}")
}
