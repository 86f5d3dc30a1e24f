//! One AWS write per action.

use anyhow::{Context, bail};
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types as events;
use aws_sdk_sqs::types::QueueAttributeName;
use awsconf::{Session, describe};
use cli::Change;

use super::{function, trail};
use crate::alerts::model::{Action, Connection, Observed, Rule, RuleTarget, Webhook};
use crate::alerts::observe::{Clients, OWN};
use crate::alerts::rule::{MESSAGES_PER_SECOND, ROLE_DESCRIPTION, UNUSED_KEY};
use crate::alerts::webhook::Url;

/// Makes one change.
pub(super) async fn write(
    clients: &Clients,
    session: &Session,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let name = change.resource.as_str();
    let client = &clients.events;
    match change.action {
        Action::CreateBucket
        | Action::PutPublicAccessBlock
        | Action::PutBucketPolicy
        | Action::CreateTrail
        | Action::UpdateTrail
        | Action::StartLogging
        | Action::StopLogging
        | Action::DeleteTrail => trail::write(clients, session, change).await,
        Action::CreateFunction
        | Action::UpdateFunctionCode
        | Action::UpdateFunctionConfiguration
        | Action::PutFunctionEventInvokeConfig
        | Action::AddPermission
        | Action::DeleteFunction => function::write(clients, change, before).await,
        Action::CreateRole | Action::PutRolePolicy | Action::DeleteRole => {
            write_role(clients, change, before).await
        }
        Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => {
            write_queue(clients, change).await
        }
        Action::CreateConnection => {
            let (name_of_key, value) = UNUSED_KEY;
            let key = events::CreateConnectionApiKeyAuthRequestParameters::builder();
            let key = key.api_key_name(name_of_key).api_key_value(value).build()?;
            let auth = events::CreateConnectionAuthRequestParameters::builder()
                .api_key_auth_parameters(key)
                .build();
            let sent = client.create_connection().name(name);
            let sent = sent
                .authorization_type(events::ConnectionAuthorizationType::ApiKey)
                .auth_parameters(auth);
            sent.send()
                .await
                .map(drop)
                .map_err(|error| describe(format!("CreateConnection {name}"), error))
        }
        Action::CreateApiDestination | Action::UpdateApiDestination => {
            write_destination(clients, session, change, before).await
        }
        Action::PutRule => {
            let rule: Rule =
                serde_json::from_value(change.to.clone()).context("`to` of the rule")?;
            let sent = client
                .put_rule()
                .name(name)
                .event_pattern(rule.pattern.to_string())
                .state(events::RuleState::from(rule.state()))
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutRule {name}"), error))
        }
        Action::PutTargets => put_targets(clients, session, change, before).await,
        Action::RemoveTargets => {
            let sent = client.remove_targets().rule(name).ids(OWN).send().await;
            let answer = sent.map_err(|error| describe(format!("RemoveTargets {name}"), error))?;
            match answer.failed_entries().first() {
                Some(entry) => bail!(
                    "RemoveTargets {name}: {}",
                    entry.error_message().unwrap_or("an entry failed")
                ),
                None => Ok(()),
            }
        }
        Action::DeleteRule => {
            let sent = client.delete_rule().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteRule {name}"), error))
        }
        Action::DeleteApiDestination => {
            let sent = client.delete_api_destination().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteApiDestination {name}"), error))
        }
        Action::DeleteConnection => {
            // The same call again would be refused.
            let is_deleting = |connection: &Connection| connection.state == "DELETING";
            if before.connection.present().is_some_and(is_deleting) {
                return Ok(());
            }
            let sent = client.delete_connection().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteConnection {name}"), error))
        }
    }
}

/// Goes on with a role that was made, or is to be deleted, and has no policy.
async fn write_role(
    clients: &Clients,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let (client, name) = (&clients.iam, change.resource.as_str());
    if change.action == Action::CreateRole && before.role.present().is_none() {
        let sent = client
            .create_role()
            .role_name(name)
            .description(ROLE_DESCRIPTION);
        let sent = sent
            .assume_role_policy_document(change.to["trust"].to_string())
            .send()
            .await;
        sent.map_err(|error| describe(format!("CreateRole {name}"), error))?;
    }
    if change.action == Action::DeleteRole || change.to["policy"].is_null() {
        let sent = client
            .delete_role_policy()
            .role_name(name)
            .policy_name(OWN)
            .send()
            .await;
        match sent {
            // A role that was made only half has none.
            Err(error) if error.code() == Some("NoSuchEntity") => {}
            sent => {
                drop(sent.map_err(|error| describe(format!("DeleteRolePolicy {name}"), error))?)
            }
        }
        if change.action != Action::DeleteRole {
            return Ok(());
        }
        let sent = client.delete_role().role_name(name).send().await;
        return sent
            .map(drop)
            .map_err(|error| describe(format!("DeleteRole {name}"), error));
    }
    let put = async || {
        let call = client.put_role_policy().role_name(name).policy_name(OWN);
        let call = call.policy_document(change.to["policy"].to_string());
        let sent = call.send().await;
        sent.map(drop)
            .map_err(|error| describe(format!("PutRolePolicy {name}"), error))
    };
    awsconf::retried(put).await
}

async fn write_queue(clients: &Clients, change: &Change<Action>) -> anyhow::Result<()> {
    let (client, name) = (&clients.sqs, change.resource.as_str());
    let attributes = std::collections::HashMap::from([
        (QueueAttributeName::Policy, change.to["policy"].to_string()),
        (
            QueueAttributeName::MessageRetentionPeriod,
            change.to["retention_seconds"].to_string(),
        ),
        (
            QueueAttributeName::SqsManagedSseEnabled,
            change.to["encrypted"].to_string(),
        ),
    ]);
    if change.action == Action::CreateQueue {
        let sent = client
            .create_queue()
            .queue_name(name)
            .set_attributes(Some(attributes))
            .send()
            .await;
        return sent
            .map(drop)
            .map_err(|error| describe(format!("CreateQueue {name}"), error));
    }
    let found = client.get_queue_url().queue_name(name).send().await;
    let url = found
        .map_err(|error| describe(format!("GetQueueUrl {name}"), error))?
        .queue_url;
    if change.action == Action::DeleteQueue {
        let sent = client.delete_queue().set_queue_url(url).send().await;
        return sent
            .map(drop)
            .map_err(|error| describe(format!("DeleteQueue {name}"), error));
    }
    let sent = client
        .set_queue_attributes()
        .set_queue_url(url)
        .set_attributes(Some(attributes))
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| describe(format!("SetQueueAttributes {name}"), error))
}

async fn write_destination(
    clients: &Clients,
    session: &Session,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let name = change.resource.as_str();
    let source: Webhook =
        serde_json::from_value(change.to["webhook"].clone()).context("`to.webhook` of the plan")?;
    let url = Url::read(&source, Some(&session.config)).await?;
    if change.to["endpoint_sha256"].as_str() != Some(url.sha256().as_str()) {
        bail!("the webhook is not the one that the plan was made with: make a new plan");
    }
    if change.action == Action::UpdateApiDestination {
        let sent = clients
            .events
            .update_api_destination()
            .name(name)
            .invocation_endpoint(url.expose())
            .send()
            .await;
        return sent
            .map(drop)
            .map_err(|error| describe(format!("UpdateApiDestination {name}"), error))
            .map_err(|error| url.hide(error));
    }
    let connection = before
        .connection
        .present()
        .context("the connection is gone")?;
    let sent = clients
        .events
        .create_api_destination()
        .name(name)
        .connection_arn(&connection.arn)
        .http_method(events::ApiDestinationHttpMethod::Post)
        .invocation_endpoint(url.expose())
        .invocation_rate_limit_per_second(MESSAGES_PER_SECOND)
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| describe(format!("CreateApiDestination {name}"), error))
        .map_err(|error| url.hide(error))
}

async fn put_targets(
    clients: &Clients,
    session: &Session,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let name = change.resource.as_str();
    let wanted: RuleTarget =
        serde_json::from_value(change.to.clone()).context("`to` of the target")?;
    let target = if wanted.destination.starts_with("arn:") {
        // The function gets the whole event, and its own policy lets the rule in.
        events::Target::builder().id(OWN).arn(&wanted.destination)
    } else {
        of_destination(session, &wanted, before)?
    };
    let retry = events::RetryPolicy::builder()
        .maximum_retry_attempts(wanted.max_retry_attempts)
        .maximum_event_age_in_seconds(wanted.max_event_age_seconds)
        .build();
    let dead_letter = wanted
        .dead_letter_queue
        .as_ref()
        .map(|arn| events::DeadLetterConfig::builder().arn(arn).build());
    let target = target
        .retry_policy(retry)
        .set_dead_letter_config(dead_letter)
        .build()?;
    let call = clients.events.put_targets().rule(name).targets(target);
    let answer = call.send().await;
    let answer = answer.map_err(|error| describe(format!("PutTargets {name}"), error))?;
    match answer.failed_entries().first() {
        Some(entry) => bail!(
            "PutTargets {name}: {}: {}",
            entry.error_code().unwrap_or("an entry failed"),
            entry.error_message().unwrap_or_default()
        ),
        None => Ok(()),
    }
}

/// Returns the target with the API destination, the role for it, and the text.
fn of_destination(
    session: &Session,
    wanted: &RuleTarget,
    before: &Observed,
) -> anyhow::Result<events::builders::TargetBuilder> {
    let destination = before
        .destination
        .present()
        .context("the API destination is gone")?;
    if !wanted
        .role
        .contains(&format!(":{}:role/", session.target.account))
    {
        bail!("the role of the target belongs to another account");
    }
    let paths: std::collections::HashMap<String, String> =
        serde_json::from_value(wanted.paths.clone()).context("`to.paths` of the target")?;
    let transformer = events::InputTransformer::builder().input_template(&wanted.template);
    let transformer = transformer.set_input_paths_map(Some(paths)).build()?;
    let target = events::Target::builder()
        .id(OWN)
        .arn(&destination.arn)
        .role_arn(&wanted.role);
    Ok(target.input_transformer(transformer))
}
