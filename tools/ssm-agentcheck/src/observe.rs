//! Reads nodes: EC2 and SSM at the same time, or a file of saved records. Never writes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use aws_sdk_ssm::types::InstanceInformation;
use awsconf::{AwsArgs, Session, describe};
use awsec2::Instance;
use serde_json::Value;
use toolio::{IoArgs, Target, Unreachable};

use crate::model::{Agent, Imds, ManagedBy, Node, NodeKind, Platform};
use crate::timestamp::Timestamp;

/// The largest page that SSM gives; its default is 10.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const MAX_RESULTS: i32 = 50;

/// Returns the nodes of all regions asked for, and the regions that could not be read while others could.
///
/// # Errors
/// No session; the only region cannot be read.
pub(crate) async fn everywhere(aws: &AwsArgs) -> anyhow::Result<(Vec<Node>, Vec<Unreachable>)> {
    let sessions = aws.sessions().await?;
    let (mut nodes, mut unreachable) = (Vec::new(), Vec::new());
    for session in &sessions {
        match observe(session).await {
            Ok(found) => nodes.extend(found),
            Err(error) if sessions.len() == 1 => return Err(error),
            Err(error) => unreachable.push(crate::unreachable(session.target.clone(), &error)),
        }
    }
    Ok((nodes, unreachable))
}

/// Returns the nodes in a file that `show` has printed.
///
/// # Errors
/// The file cannot be read, or a record in it is neither a node nor an unreachable region.
pub(crate) fn saved(path: &Path, io: &IoArgs) -> anyhow::Result<(Vec<Node>, Vec<Unreachable>)> {
    let io = IoArgs {
        file: Some(path.to_owned()),
        ..io.clone()
    };
    let records: Vec<Value> = toolio::read_records(&io, "nodes")?;
    let (mut nodes, mut unreachable) = (Vec::new(), Vec::new());
    for (number, record) in (1..).zip(records) {
        let read = match record["kind"].as_str() {
            Some("unreachable") => {
                serde_json::from_value(record).map(|record| unreachable.push(record))
            }
            _ => serde_json::from_value(record).map(|node| nodes.push(node)),
        };
        read.with_context(|| format!("read nodes from {}: record {number}", path.display()))?;
    }
    Ok((nodes, unreachable))
}

async fn observe(session: &Session) -> anyhow::Result<Vec<Node>> {
    let (instances, mut agents) = tokio::try_join!(instances(session), agents(session))?;
    let mut nodes: Vec<Node> = instances
        .into_iter()
        .map(|instance| {
            let agent = agents.remove(&instance.instance_id);
            ec2_node(&session.target, instance, agent)
        })
        .collect();
    // SSM goes on listing an instance as ConnectionLost for a while after EC2 has forgotten it; of what is left, only
    // hybrid nodes exist.
    let hybrid = agents.into_iter().filter(|(id, _)| id.starts_with("mi-"));
    nodes.extend(hybrid.map(|(id, agent)| hybrid_node(&session.target, id, &agent)));
    nodes.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    Ok(nodes)
}

async fn instances(session: &Session) -> anyhow::Result<Vec<Instance>> {
    awsec2::Client::new(&session.config)
        .describe_instances(&[("instance-state-name", &awsec2::EXISTING)])
        .await
        .map_err(|error| describe(format!("DescribeInstances {}", session.target), error))
}

async fn agents(session: &Session) -> anyhow::Result<BTreeMap<String, InstanceInformation>> {
    let client = aws_sdk_ssm::Client::new(&session.config);
    let call = client
        .describe_instance_information()
        .max_results(MAX_RESULTS);
    let mut pages = call.into_paginator().items().send();
    let mut agents = BTreeMap::new();
    while let Some(agent) = pages.next().await {
        let agent = agent.map_err(|error| {
            describe(
                format!("DescribeInstanceInformation {}", session.target),
                error,
            )
        })?;
        agents.insert(agent.instance_id().unwrap_or_default().to_owned(), agent);
    }
    Ok(agents)
}

fn ec2_node(target: &Target, instance: Instance, information: Option<InstanceInformation>) -> Node {
    let role = information.as_ref().and_then(role);
    let options = instance.metadata_options;
    Node {
        kind: NodeKind::Node,
        target: target.clone(),
        managed_by: ManagedBy::derive(
            &instance.instance_id,
            information.is_some(),
            role.as_deref(),
        ),
        instance_id: instance.instance_id,
        state: Some(instance.state),
        platform: information
            .as_ref()
            .map_or_else(|| ec2_platform(instance.platform_details), platform),
        agent: information.as_ref().map(agent),
        imds: Some(Imds {
            endpoint: options.http_endpoint,
            tokens: options.http_tokens,
            hop_limit: options.http_put_response_hop_limit,
        }),
        profile: instance.iam_instance_profile_arn,
        role,
        tags: instance.tags,
    }
}

fn hybrid_node(target: &Target, instance_id: String, information: &InstanceInformation) -> Node {
    let role = role(information);
    Node {
        kind: NodeKind::Node,
        target: target.clone(),
        managed_by: ManagedBy::derive(&instance_id, true, role.as_deref()),
        instance_id,
        state: None,
        platform: platform(information),
        agent: Some(agent(information)),
        imds: None,
        profile: None,
        role,
        tags: BTreeMap::new(),
    }
}

fn role(information: &InstanceInformation) -> Option<String> {
    information
        .iam_role()
        .filter(|role| !role.is_empty())
        .map(str::to_owned)
}

fn agent(information: &InstanceInformation) -> Agent {
    Agent {
        version: information.agent_version().map(str::to_owned),
        latest: information.is_latest_version(),
        ping: information
            .ping_status()
            .map(|status| status.as_str().to_owned()),
        last_ping: information
            .last_ping_date_time()
            .map(|time| Timestamp::from_seconds(time.secs())),
    }
}

fn platform(information: &InstanceInformation) -> Platform {
    Platform {
        r#type: information
            .platform_type()
            .map(|platform| platform.as_str().to_owned()),
        name: information.platform_name().map(str::to_owned),
        version: information.platform_version().map(str::to_owned),
    }
}

/// EC2 tells only Windows apart for certain: a Mac is `Linux/UNIX` to its billing.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html>
fn ec2_platform(details: Option<String>) -> Platform {
    let windows = details
        .as_deref()
        .is_some_and(|details| details.starts_with("Windows"));
    Platform {
        r#type: windows.then(|| "Windows".to_owned()),
        name: details,
        version: None,
    }
}
