//! Reads what Systems Manager says of nodes and of sessions.

use anyhow::{Context, bail};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{
    InstanceInformationStringFilter, SessionFilter, SessionFilterKey, SessionState,
};
use awsconf::{describe, reading};
use cli::Reading;

use crate::model::ManagedNode;

/// Reads a node; `None` for one that Systems Manager does not know here.
///
/// # Errors
/// The call is refused.
pub(crate) async fn node(
    client: &Client,
    instance_id: &str,
) -> anyhow::Result<Option<ManagedNode>> {
    let filter = InstanceInformationStringFilter::builder()
        .key("InstanceIds")
        .values(instance_id)
        .build()
        .context("filter by the ID of a node")?;
    let answer = client.describe_instance_information().filters(filter);
    let answer = answer.send().await;
    let call = format!("DescribeInstanceInformation {instance_id}");
    let answer = match reading(call, &["InvalidInstanceId"], answer) {
        Reading::Present(answer) => answer,
        Reading::Absent => return Ok(None),
        Reading::Unknown(reason) => bail!("{reason}"),
    };
    let node = answer.instance_information_list().first();
    Ok(node.map(|node| ManagedNode {
        iam_role: node
            .iam_role()
            .filter(|role| !role.is_empty())
            .map(str::to_owned),
        platform: node
            .platform_type()
            .map(|platform| platform.as_str().to_owned()),
    }))
}

/// Returns the IDs of open sessions with a node that were started for this reason.
///
/// # Errors
/// The call is refused.
pub(crate) async fn open_for(
    client: &Client,
    instance_id: &str,
    reason: &str,
) -> anyhow::Result<Vec<String>> {
    let mut sessions = client
        .describe_sessions()
        .state(SessionState::Active)
        .filters(filter(SessionFilterKey::TargetId, instance_id)?)
        .into_paginator()
        .items()
        .send();
    let mut found = Vec::new();
    while let Some(session) = sessions.next().await {
        let session = session.map_err(|error| describe("DescribeSessions", error))?;
        if session.reason() == Some(reason) {
            found.extend(session.session_id().map(str::to_owned));
        }
    }
    Ok(found)
}

/// Returns the document of a session; `None` when AWS does not say it.
pub(crate) async fn document_of(client: &Client, session_id: &str) -> Option<String> {
    // Which of the two it is in depends on how quickly it ends.
    for state in [SessionState::History, SessionState::Active] {
        let filter = filter(SessionFilterKey::SessionId, session_id).ok()?;
        let answer = client.describe_sessions().state(state).filters(filter);
        let answer = answer.send().await.ok()?;
        if let Some(session) = answer.sessions().first() {
            return session.document_name().map(str::to_owned);
        }
    }
    None
}

fn filter(key: SessionFilterKey, value: &str) -> anyhow::Result<SessionFilter> {
    let filter = SessionFilter::builder().key(key).value(value).build();
    filter.context("filter sessions")
}
