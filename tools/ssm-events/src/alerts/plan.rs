//! From desired and observed state to the changes between them: role, connection, destination, rule, target.

use anyhow::bail;
use cli::{Change, Reading, Target};
use serde_json::{Value, json};

use crate::alerts::model::{Action, Desired, Hashes, Observed};
use crate::alerts::{function, resource_state, rule, trail};

/// Returns the changes in order; what is secret or large is known by its hash.
///
/// # Errors
/// Something needed could not be read, or the role is trusted by something else.
pub(crate) fn plan(
    desired: &Desired,
    hashes: &Hashes,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> anyhow::Result<Vec<Change<Action>>> {
    let (name, role) = (desired.rule_name.0.as_str(), desired.role_name.0.as_str());
    let mut changes = Vec::new();
    let mut want = |action: Action, resource: &str, to: Value, why: &str| -> anyhow::Result<()> {
        let from = match resource_state::current(action, observed) {
            Ok(from) => from,
            Err(reason) => bail!("{resource} could not be read: {reason}"),
        };
        if !resource_state::is_satisfied(&from, &to) {
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
    let way = desired.function.as_ref();
    let (trust, policy) = match way {
        None => (
            rule::trust(target),
            rule::role_policy(name, target, partition),
        ),
        Some(way) => (
            function::trust(target),
            function::role_policy(desired, way, target, partition),
        ),
    };
    match &observed.role {
        Reading::Present(existing) if existing.trust != trust => bail!(
            "role {role} exists and trusts something else than the service that needs it, in this account: choose another role_name"
        ),
        Reading::Present(_) => {
            want(
                Action::PutRolePolicy,
                role,
                json!({ "policy": policy }),
                "the role does not grant what alerts need",
            )?;
        }
        _ => {
            let to = json!({ "trust": trust, "policy": policy });
            want(
                Action::CreateRole,
                role,
                to,
                "the way to Slack needs a role",
            )?;
        }
    }
    let queue = rule::queue_name(name);
    let (action, why) = match observed.queue.present() {
        None => (
            Action::CreateQueue,
            "alerts that Slack rejects are lost after a day of retries",
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
    if let Some(way) = way {
        for (action, to, why) in function::wanted(desired, way, hashes, observed, target, partition)
        {
            want(action, &way.name.0, to, why)?;
        }
    } else {
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
        let to =
            json!({ "endpoint_sha256": hashes.endpoint.present(), "webhook": desired.webhook });
        want(action, name, to, why)?;
    }
    let why = match observed.rule.present() {
        None => "no alerts are sent for sessions and commands",
        Some(rule) if !rule.enabled => {
            "the rule is disabled: no alerts are sent for sessions and commands"
        }
        Some(_) => "the rule matches other events than the desired ones",
    };
    want(Action::PutRule, name, rule::rule(desired), why)?;
    let to = match way {
        None => json!(rule::target(desired, target, partition)),
        Some(way) => {
            let to = json!({ "permission": rule::arn(name, target, partition) });
            want(
                Action::AddPermission,
                &way.name.0,
                to,
                "the rule may not invoke the function",
            )?;
            json!(function::target(desired, way, target, partition))
        }
    };
    want(
        Action::PutTargets,
        name,
        to,
        "the rule does not reach the destination as desired",
    )?;
    Ok(changes)
}
