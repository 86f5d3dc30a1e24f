//! What EC2 and SSM report about one node, to one record. Pure.

use std::collections::BTreeMap;

use awsdata::Instance;
use records::Target;
use records::{Agent, Imds, ManagedBy, Network, Node, NodeKind, Platform};

/// What SSM knows of a node.
#[derive(Clone, Debug)]
pub struct Information {
    pub instance_id: String,
    pub agent: Agent,
    pub platform: Platform,
    /// The role that SSM gives the node.
    pub role: Option<String>,
    /// What SSM calls the type of its source, such as `AWS::EC2::Instance`.
    pub source: Option<String>,
}

/// Returns the record of an EC2 instance; without information SSM has never seen it.
pub fn ec2_node(target: &Target, instance: Instance, information: Option<Information>) -> Node {
    let (agent, platform, role) = match information {
        Some(information) => (
            Some(information.agent),
            Some(information.platform),
            information.role,
        ),
        None => (None, None, None),
    };
    let options = instance.metadata_options;
    Node {
        kind: NodeKind::Node,
        target: target.clone(),
        managed_by: ManagedBy::derive(
            &instance.instance_id,
            agent.is_some(),
            role.as_deref(),
            instance.iam_instance_profile_arn.as_deref(),
        ),
        source: None,
        instance_id: instance.instance_id,
        state: Some(instance.state),
        launched: instance.launch_time.and_then(|time| time.parse().ok()),
        platform: platform.unwrap_or_else(|| ec2_platform(instance.platform_details)),
        agent,
        imds: Some(Imds {
            endpoint: options.http_endpoint,
            tokens: options.http_tokens,
            hop_limit: options.http_put_response_hop_limit,
        }),
        profile: instance.iam_instance_profile_arn,
        role,
        tags: instance.tags,
        network: Some(Network {
            vpc_id: instance.vpc_id,
            subnet_id: instance.subnet_id,
            public_ip: instance.public_ip,
            private_ip: instance.private_ip,
            security_groups: match instance.n_interfaces {
                0 | 1 => instance.security_groups,
                _ => Vec::new(),
            },
        }),
        evidence: None,
    }
}

/// Returns the record of a node that only SSM knows.
pub fn ssm_node(target: &Target, information: Information) -> Node {
    Node {
        kind: NodeKind::Node,
        target: target.clone(),
        managed_by: ManagedBy::of_source(
            &information.instance_id,
            information.source.as_deref(),
            information.role.as_deref(),
        ),
        source: information.source,
        instance_id: information.instance_id,
        state: None,
        launched: None,
        platform: information.platform,
        agent: Some(information.agent),
        imds: None,
        profile: None,
        role: information.role,
        tags: BTreeMap::new(),
        network: None,
        evidence: None,
    }
}

/// Returns the record of a node of which neither EC2 nor SSM has reported anything.
#[must_use]
pub fn unknown_node(target: &Target, instance_id: &str) -> Node {
    Node {
        kind: NodeKind::Node,
        target: target.clone(),
        managed_by: ManagedBy::derive(instance_id, false, None, None),
        source: None,
        instance_id: instance_id.to_owned(),
        state: None,
        launched: None,
        platform: Platform::default(),
        agent: None,
        imds: None,
        profile: None,
        role: None,
        tags: BTreeMap::new(),
        network: None,
        evidence: None,
    }
}

/// EC2 names only Windows for certain: a Mac is `Linux/UNIX` to its billing.
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
