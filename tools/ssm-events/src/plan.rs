//! From desired and observed state to the changes between them: role, connection, destination, rule, target.

use anyhow::bail;
use serde_json::{Value, json};
use toolio::{Change, Reading, Target};

use crate::model::{Action, Desired, Observed};
use crate::{rule, state, trail};

/// Returns the changes in order; `endpoint_sha256` is the hash of the webhook's URL.
///
/// # Errors
/// Something needed could not be read, or the role is trusted by something else.
pub(crate) fn plan(
    desired: &Desired,
    endpoint_sha256: &str,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> anyhow::Result<Vec<Change<Action>>> {
    let (name, role) = (desired.rule_name.0.as_str(), desired.role_name.0.as_str());
    let mut changes = Vec::new();
    let mut want = |action: Action, resource: &str, to: Value, why: &str| -> anyhow::Result<()> {
        let from = match state::now(action, observed) {
            Ok(from) => from,
            Err(reason) => bail!("{resource} could not be read: {reason}"),
        };
        if !state::reached(&from, &to) {
            let id = format!("{}:{resource}", json!(action).as_str().unwrap_or_default());
            let (resource, why) = (resource.to_owned(), why.to_owned());
            changes.push(Change {
                id,
                action,
                resource,
                from,
                to,
                why,
            });
        }
        Ok(())
    };
    if let Some(trail) = desired
        .trail
        .as_ref()
        .filter(|trail| trail.home_region == target.region)
    {
        for (action, resource, to, why) in trail::wanted(trail, observed, target, partition) {
            want(action, &resource, to, why)?;
        }
    }
    let (trust, policy) = (
        rule::trust(target),
        rule::role_policy(name, target, partition),
    );
    match &observed.role {
        Reading::Present(existing) if existing.trust != trust => bail!(
            "role {role} exists and trusts something else than EventBridge in this account: choose another role_name"
        ),
        Reading::Present(_) => {
            want(
                Action::PutRolePolicy,
                role,
                json!({ "policy": policy }),
                "EventBridge may not call the destination",
            )?;
        }
        _ => {
            let to = json!({ "trust": trust, "policy": policy });
            want(
                Action::CreateRole,
                role,
                to,
                "EventBridge needs a role to call the destination",
            )?;
        }
    }
    let queue = rule::queue_name(name);
    let (action, why) = match observed.queue.present() {
        None => (
            Action::CreateQueue,
            "what Slack does not take is lost after a day of retries",
        ),
        Some(_) => (
            Action::SetQueueAttributes,
            "EventBridge may not use the dead-letter queue, or it does not keep events for long",
        ),
    };
    let to = json!({
        "policy": rule::queue_policy(name, target, partition),
        "retention_seconds": rule::RETENTION_SECONDS,
        "encrypted": true,
    });
    want(action, &queue, to, why)?;
    let to = json!({ "authorization": "API_KEY" });
    want(
        Action::CreateConnection,
        name,
        to,
        "an API destination needs a connection, though Slack asks for no key",
    )?;
    let (action, why) = match observed.destination.present() {
        None => (
            Action::CreateApiDestination,
            "there is no API destination for the webhook",
        ),
        Some(_) => (
            Action::UpdateApiDestination,
            "the API destination has another URL than the webhook",
        ),
    };
    let to = json!({ "endpoint_sha256": endpoint_sha256, "webhook": desired.webhook });
    want(action, name, to, why)?;
    let why = match observed.rule.present() {
        None => "nobody is told of sessions and commands",
        Some(rule) if !rule.enabled => {
            "the rule is disabled: nobody is told of sessions and commands"
        }
        Some(_) => "the rule matches other events than the desired ones",
    };
    want(
        Action::PutRule,
        name,
        json!({ "pattern": rule::pattern(desired), "enabled": true }),
        why,
    )?;
    let to = json!(rule::target(desired, target, partition));
    want(
        Action::PutTargets,
        name,
        to,
        "the rule does not reach the destination as desired",
    )?;
    Ok(changes)
}
