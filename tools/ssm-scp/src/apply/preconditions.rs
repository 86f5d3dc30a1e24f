//! Gathers what the lock-out guard looks at: the policies that a plan will leave, the accounts that they will bind, who is
//! in these, and what the history says. Reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use aws_sdk_organizations::Client;
use awsconf::Session;
use cli::{Plan, Reading};
use futures_util::StreamExt;
use iam_policy::{Compiled, Policy};

use crate::lockout::{Evidence, Risk, risks as judge};
use crate::model::{Action, AttachmentState, PolicyState};
use crate::observe::{self, Through};
use organization::{compile, governed};

/// Returns what speaks against the plan; nothing when it denies nobody anything that is not denied now.
pub(crate) async fn risks(
    history: Option<&Path>,
    through: &Through,
    session: &Session,
    client: &Client,
    plan: &Plan<Action>,
) -> anyhow::Result<Vec<Risk>> {
    let after = after(client, plan).await?;
    if after.is_empty() {
        return Ok(Vec::new());
    }
    let mut guard: Vec<Compiled> = Vec::new();
    let mut patterns: Vec<String> = Vec::new();
    let mut targets: BTreeSet<String> = BTreeSet::new();
    for (name, (text, attached_to)) in &after {
        guard.push(compile(name, text)?);
        if let Some(policy) = Policy::parse(text).draft {
            patterns.extend(policy.exempt_principals().map(str::to_owned));
        }
        targets.extend(attached_to.iter().cloned());
    }
    patterns.sort();
    patterns.dedup();
    let organization = observe::organization(client)
        .await
        .context("look for who would be locked out")?;
    let targets: Vec<String> = targets.into_iter().collect();
    let governed = governed(&organization, &targets);
    let accounts: Vec<_> = through.each(session, &governed).collect().await;
    let caller = match governed.contains(&session.target.account) {
        true => Some(observe::caller_arn(session).await),
        false => None,
    };
    let history = match history {
        Some(path) => observe::history(path, &guard, &governed)?,
        None => Vec::new(),
    };
    Ok(judge(&Evidence {
        guard: &guard,
        patterns: &patterns,
        accounts: &accounts,
        caller: caller.as_deref(),
        history: &history,
    }))
}

/// Returns the documents that the plan leaves behind and where they are attached, by policy name. Policies that it only
/// detaches or deletes deny nobody.
async fn after(
    client: &Client,
    plan: &Plan<Action>,
) -> anyhow::Result<BTreeMap<String, (String, BTreeSet<String>)>> {
    let mut after: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let parse = |id: &str| format!("`to` of {id}");
    for change in &plan.changes {
        match change.action {
            Action::CreatePolicy | Action::UpdatePolicy => {
                let state: PolicyState =
                    serde_json::from_value(change.to.clone()).with_context(|| parse(&change.id))?;
                let existing = existing(client, &state.name).await?;
                let attached = existing.map(|(_, attached)| attached).unwrap_or_default();
                after.insert(state.name, (state.document.to_string(), attached));
            }
            Action::AttachPolicy => {
                let state: AttachmentState =
                    serde_json::from_value(change.to.clone()).with_context(|| parse(&change.id))?;
                if !after.contains_key(&state.policy_name)
                    && let Some(found) = existing(client, &state.policy_name).await?
                {
                    after.insert(state.policy_name.clone(), found);
                }
                if let Some((_, attached)) = after.get_mut(&state.policy_name) {
                    attached.insert(state.target_id.0);
                }
            }
            Action::EnablePolicyType | Action::DetachPolicy | Action::DeletePolicy => {}
        }
    }
    // What is attached nowhere binds nobody.
    after.retain(|_, (_, attached)| !attached.is_empty());
    Ok(after)
}

async fn existing(
    client: &Client,
    name: &str,
) -> anyhow::Result<Option<(String, BTreeSet<String>)>> {
    match observe::policy(client, name).await {
        Reading::Present(policy) => {
            let attached = policy.attached_to.into_iter().map(|target| target.0);
            Ok(Some((
                policy.state.document.to_string(),
                attached.collect(),
            )))
        }
        Reading::Absent => Ok(None),
        Reading::Unknown(why) => anyhow::bail!("{why}"),
    }
}
