//! Makes and changes the key of sessions. Making it takes three calls, so a run that was killed in between must not lead to a
//! second key.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use aws_sdk_kms::types::KeyState;
use awsconf::{CallError, call_error, describe};
use serde_json::Value;

use crate::model::Action;
use crate::observe::Clients;
use crate::policies::key_description;

/// The shortest time that KMS waits before it deletes a key.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>
const PENDING_DAYS: i32 = 7;

/// Makes the key behind an alias, with the policy in `to` and rotation; goes on with the one that an earlier run left.
pub(super) async fn create(clients: &Clients, alias: &str, to: &Value) -> anyhow::Result<()> {
    let description = key_description(alias);
    let key = match left_behind(clients, &description).await? {
        Some(key) => {
            awsconf::retried(async || change(clients, &key, Action::PutKeyPolicy, to).await)
                .await?;
            key
        }
        None => {
            let create = clients.kms.create_key().policy(to["policy"].to_string());
            let created = create.description(description).send().await;
            let created =
                created.map_err(|error| describe(format!("CreateKey for {alias}"), error))?;
            let metadata = created.key_metadata();
            let id = metadata.map(|key| key.key_id().to_owned());
            id.context("CreateKey: empty answer")?
        }
    };
    awsconf::retried(async || change(clients, &key, Action::EnableKeyRotation, to).await).await?;
    // The alias comes last: with it the key counts as made.
    let aliased = awsconf::retried(async || {
        let call = clients.kms.create_alias().alias_name(alias);
        let sent = call.target_key_id(&key).send().await;
        let call = || format!("CreateAlias {alias} for the new key {key}");
        sent.map(drop).map_err(|error| describe(call(), error))
    });
    match aliased.await {
        Err(error)
            if call_error(&error).and_then(CallError::code) == Some("AlreadyExistsException") =>
        {
            // A call whose answer got lost is sent again: then it is this key that the alias is for.
            if target(clients, alias).await? == key {
                return Ok(());
            }
            // Without an alias nobody has used this key: nothing is encrypted under it.
            let request = clients.kms.schedule_key_deletion().key_id(&key);
            let request = request.pending_window_in_days(PENDING_DAYS).send().await;
            request
                .map_err(|error| describe(format!("ScheduleKeyDeletion {key}"), error))
                .with_context(|| {
                    format!("{error:#}; somebody else was faster, and that key is left over")
                })?;
            bail!("{error:#}; somebody else was faster, so that key is deleted again")
        }
        aliased => aliased,
    }
}

/// Returns the ID of the key behind an alias.
async fn target(clients: &Clients, alias: &str) -> anyhow::Result<String> {
    let answer = clients.kms.describe_key().key_id(alias).send().await;
    let answer = answer.map_err(|error| describe(format!("DescribeKey {alias}"), error))?;
    let metadata = answer.key_metadata();
    let id = metadata.map(|key| key.key_id().to_owned());
    id.with_context(|| format!("DescribeKey {alias}: empty answer"))
}

/// Returns the key of this description that has no alias yet.
async fn left_behind(clients: &Clients, description: &str) -> anyhow::Result<Option<String>> {
    let look = "look for a key that an earlier run left";
    let mut aliased = BTreeSet::new();
    let mut aliases = clients.kms.list_aliases().into_paginator().send();
    while let Some(page) = aliases.next().await {
        let page = page
            .map_err(|error| describe("ListAliases", error))
            .context(look)?;
        let keys = page
            .aliases()
            .iter()
            .filter_map(|alias| alias.target_key_id());
        aliased.extend(keys.map(str::to_owned));
    }
    let mut keys = clients.kms.list_keys().into_paginator().send();
    while let Some(page) = keys.next().await {
        let page = page
            .map_err(|error| describe("ListKeys", error))
            .context(look)?;
        let ids = page.keys().iter().filter_map(|key| key.key_id());
        for id in ids.filter(|id| !aliased.contains(*id)) {
            let answer = clients.kms.describe_key().key_id(id).send().await;
            // A key that may not be looked at is none that these credentials made.
            let Ok(answer) = answer else { continue };
            let metadata = answer.key_metadata();
            if metadata.is_some_and(|key| {
                key.description() == Some(description)
                    && key.key_state() == Some(&KeyState::Enabled)
            }) {
                return Ok(Some(id.to_owned()));
            }
        }
    }
    Ok(None)
}

/// Changes rotation or policy of a key.
pub(super) async fn change(
    clients: &Clients,
    key: &str,
    action: Action,
    to: &Value,
) -> anyhow::Result<()> {
    match action {
        Action::EnableKeyRotation => {
            let sent = clients.kms.enable_key_rotation().key_id(key).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("EnableKeyRotation {key}"), error))
        }
        Action::DisableKeyRotation => {
            let sent = clients.kms.disable_key_rotation().key_id(key).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DisableKeyRotation {key}"), error))
        }
        _ => {
            let sent = clients
                .kms
                .put_key_policy()
                .key_id(key)
                .policy_name("default")
                .policy(to["policy"].to_string())
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutKeyPolicy {key}"), error))
        }
    }
}
