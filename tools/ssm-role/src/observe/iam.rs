//! Reads of IAM: roles, their policies, instance profiles. Never writes.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use awsconf::describe;
use records::Boundary;
use serde_json::Value;

use crate::model::{OwnProfile, Role};

/// What a role is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The names of its policies, which is all that comparing states needs.
    Names,
    /// Their documents too.
    Documents,
}

/// Returns a role with everything attached to it, `None` when it does not exist.
pub(crate) async fn role(
    client: &Client,
    name: &str,
    detail: Detail,
    documents: &mut BTreeMap<String, Value>,
) -> anyhow::Result<Option<Role>> {
    let answer = match client.get_role().role_name(name).send().await {
        Err(error) if is_missing(&error) => return Ok(None),
        answer => answer.map_err(|error| describe(format!("GetRole {name}"), error))?,
    };
    let role = answer
        .role()
        .with_context(|| format!("GetRole {name}: answer without role"))?;
    let trust = role.assume_role_policy_document().unwrap_or_default();
    let boundary = role
        .permissions_boundary()
        .and_then(|boundary| boundary.permissions_boundary_arn());
    let boundary = match (boundary, detail) {
        (Some(arn), Detail::Documents) => Some(Boundary {
            arn: arn.to_owned(),
            document: managed_document(client, arn, documents).await?,
        }),
        _ => None,
    };
    let mut attached_policies = BTreeMap::new();
    for arn in attached(client, name).await? {
        let document = match detail {
            Detail::Names => Value::Null,
            Detail::Documents => managed_document(client, &arn, documents).await?,
        };
        attached_policies.insert(arn, document);
    }
    let mut inline_policies = BTreeMap::new();
    let mut names = client
        .list_role_policies()
        .role_name(name)
        .into_paginator()
        .items()
        .send();
    while let Some(policy) = names.next().await {
        let policy = policy.map_err(|error| describe(format!("ListRolePolicies {name}"), error))?;
        let document = match detail {
            Detail::Names => Value::Null,
            Detail::Documents => inline_document(client, name, &policy).await?,
        };
        inline_policies.insert(policy, document);
    }
    Ok(Some(Role {
        arn: role.arn().to_owned(),
        path: role.path().to_owned(),
        description: role.description().unwrap_or_default().to_owned(),
        trust: decode(trust).with_context(|| format!("trust policy of {name}"))?,
        attached_policies,
        inline_policies,
        boundary,
    }))
}

/// Returns the ARNs of a role's managed policies.
pub(crate) async fn attached(client: &Client, name: &str) -> anyhow::Result<Vec<String>> {
    let mut arns = Vec::new();
    let mut policies = client
        .list_attached_role_policies()
        .role_name(name)
        .into_paginator()
        .items()
        .send();
    while let Some(policy) = policies.next().await {
        let policy =
            policy.map_err(|error| describe(format!("ListAttachedRolePolicies {name}"), error))?;
        arns.extend(policy.policy_arn().map(str::to_owned));
    }
    Ok(arns)
}

/// Returns the name of the role in an instance profile, `None` when there is none or the profile is gone.
pub(crate) async fn profile_role(client: &Client, name: &str) -> anyhow::Result<Option<String>> {
    match client
        .get_instance_profile()
        .instance_profile_name(name)
        .send()
        .await
    {
        Err(error) if is_missing(&error) => Ok(None),
        answer => {
            let answer =
                answer.map_err(|error| describe(format!("GetInstanceProfile {name}"), error))?;
            let role = answer
                .instance_profile()
                .and_then(|profile| profile.roles().first());
            Ok(role.map(|role| role.role_name().to_owned()))
        }
    }
}

/// Returns an instance profile by its name, `None` when there is none.
pub(crate) async fn own_profile(client: &Client, name: &str) -> anyhow::Result<Option<OwnProfile>> {
    let call = client.get_instance_profile().instance_profile_name(name);
    let answer = match call.send().await {
        Err(error) if is_missing(&error) => return Ok(None),
        answer => answer.map_err(|error| describe(format!("GetInstanceProfile {name}"), error))?,
    };
    Ok(answer.instance_profile().map(|profile| OwnProfile {
        arn: profile.arn().to_owned(),
        role: profile
            .roles()
            .first()
            .map(|role| role.role_name().to_owned()),
    }))
}

/// Returns an inline policy, `None` when there is none.
pub(crate) async fn inline_policy(
    client: &Client,
    role: &str,
    policy: &str,
) -> anyhow::Result<Option<Value>> {
    let call = client.get_role_policy().role_name(role).policy_name(policy);
    let answer = match call.send().await {
        Err(error) if is_missing(&error) => return Ok(None),
        answer => {
            answer.map_err(|error| describe(format!("GetRolePolicy {role} {policy}"), error))?
        }
    };
    let document = decode(answer.policy_document());
    document
        .map(Some)
        .with_context(|| format!("inline policy {policy} of {role}"))
}

/// Returns whether IAM said that the thing does not exist, which a refusal never is.
pub(crate) fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("NoSuchEntity")
}

/// Reads a managed policy once, however many roles have it.
pub(super) async fn managed_document(
    client: &Client,
    arn: &str,
    documents: &mut BTreeMap<String, Value>,
) -> anyhow::Result<Value> {
    if let Some(document) = documents.get(arn) {
        return Ok(document.clone());
    }
    let policy = client.get_policy().policy_arn(arn).send().await;
    let policy = policy.map_err(|error| describe(format!("GetPolicy {arn}"), error))?;
    let version = policy
        .policy()
        .and_then(|policy| policy.default_version_id());
    let version =
        version.with_context(|| format!("GetPolicy {arn}: answer without default version"))?;
    let answer = client
        .get_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await;
    let answer = answer.map_err(|error| describe(format!("GetPolicyVersion {arn}"), error))?;
    let text = answer
        .policy_version()
        .and_then(|version| version.document())
        .unwrap_or_default();
    let document = decode(text).with_context(|| format!("policy {arn}"))?;
    documents.insert(arn.to_owned(), document.clone());
    Ok(document)
}

async fn inline_document(client: &Client, role: &str, policy: &str) -> anyhow::Result<Value> {
    let document = inline_policy(client, role, policy).await?;
    document
        .with_context(|| format!("inline policy {policy} of {role} is gone since it was listed"))
}

/// IAM gives policy documents percent-encoded, as RFC 3986 has it: a plus sign is a plus sign.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>
pub(super) fn decode(text: &str) -> anyhow::Result<Value> {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::decode;

    #[test]
    fn documents_are_percent_decoded() {
        assert_eq!(
            decode("%7B%22a%22%3A%22%C3%A4+%25%22%7D").unwrap(),
            json!({"a": "ä+%"})
        );
        assert_eq!(decode("{\"a\":1}").unwrap(), json!({"a": 1}));
        for bad in ["", "%7", "%zz", "%FF", "{"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
