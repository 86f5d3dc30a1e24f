//! What is wished for and what a node is. Never touches the world.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use toolio::{Finding, Plan, Reading, ResultRecord, Target, Unreachable};

use crate::capability::Capability;
use crate::timestamp::Timestamp;
use crate::update::{Action, DesiredAssociation, Update};
use crate::version::Version;

/// What every node's agent must be like, and how outdated ones are brought up to date.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Desired {
    /// The oldest agent version that will do.
    pub(crate) min_version: Version,
    /// What agents must be able to do; each raises the oldest version that will do.
    pub(crate) need: Vec<Capability>,
    /// What the metadata service of EC2 instances must be like.
    pub(crate) imds: DesiredImds,
    /// How long ago the last ping may be; null for no limit besides SSM's own.
    pub(crate) max_ping_age_minutes: Option<u64>,
    /// Of which online nodes SSM is asked whether sessions reach them, one call each.
    pub(crate) connections: Connections,
    /// How `plan` and `apply` bring outdated agents up to date; null leaves them alone.
    pub(crate) update: Option<Update>,
    /// The State Manager association that keeps agents current; null leaves it alone.
    pub(crate) association: Option<DesiredAssociation>,
}

impl Desired {
    /// Returns the oldest version that will do, and the capability that asks for it if it is not `min_version`.
    pub(crate) fn floor(&self) -> (Version, Option<Capability>) {
        let newest = self.need.iter().max_by_key(|capability| capability.since());
        match newest {
            Some(capability) if capability.since() > self.min_version => {
                (capability.since(), Some(*capability))
            }
            _ => (self.min_version, None),
        }
    }
}

/// Of which online nodes to ask whether sessions reach them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Connections {
    /// One node of each instance profile and subnet, and of its like all the others when this one is not connected;
    /// hybrid nodes one by one.
    #[default]
    Sample,
    /// Every online node.
    All,
    /// None.
    None,
}

/// What the instance metadata service must be like, beyond being enabled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DesiredImds {
    /// Whether IMDSv1 must be refused.
    pub(crate) require_v2: bool,
    /// The smallest hop limit that will do: 1 on a host, 2 when the agent runs in a container with its own network.
    pub(crate) min_hop_limit: u32,
}

impl Default for Desired {
    fn default() -> Desired {
        Desired {
            min_version: Version::DEFAULT_MINIMUM,
            need: Vec::new(),
            imds: DesiredImds::default(),
            max_ping_age_minutes: None,
            connections: Connections::default(),
            update: None,
            association: None,
        }
    }
}

impl Default for DesiredImds {
    fn default() -> DesiredImds {
        DesiredImds {
            require_v2: false,
            min_hop_limit: 1,
        }
    }
}

/// The `kind` of a node.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeKind {
    /// The only value.
    Node,
}

/// One EC2 instance or hybrid node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Always `node`.
    pub(crate) kind: NodeKind,
    /// Where it is.
    pub(crate) target: Target,
    /// `i-..` of EC2 or `mi-..` of a hybrid activation.
    pub(crate) instance_id: String,
    /// EC2's state such as `running`; null for hybrid nodes.
    pub(crate) state: Option<String>,
    /// When EC2 last started it.
    #[serde(default)]
    pub(crate) launched: Option<Timestamp>,
    /// The operating system; what the agent says, else what EC2 knows.
    pub(crate) platform: Platform,
    /// What SSM knows of the agent; null when it never registered.
    pub(crate) agent: Option<Agent>,
    /// EC2's metadata options; null for hybrid nodes.
    pub(crate) imds: Option<Imds>,
    /// ARN of the instance profile.
    pub(crate) profile: Option<String>,
    /// The role that SSM gives the node: Default Host Management or a hybrid activation.
    pub(crate) role: Option<String>,
    /// Where the agent's credentials come from.
    pub(crate) managed_by: ManagedBy,
    /// EC2 tags; empty for hybrid nodes.
    pub(crate) tags: BTreeMap<String, String>,
    /// Where in the network it is; null for hybrid nodes.
    #[serde(default)]
    pub(crate) network: Option<Network>,
    /// What tells why it does not answer; null when it was not asked for.
    #[serde(default)]
    pub(crate) evidence: Option<Evidence>,
}

impl Node {
    /// Returns whether SSM may know it: it runs, or is none of EC2's.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state.as_deref(), None | Some("running"))
    }

    /// Returns whether SSM hears from its agent.
    pub(crate) fn is_online(&self) -> bool {
        self.agent
            .as_ref()
            .is_some_and(|agent| agent.ping.as_deref() == Some("Online"))
    }
}

/// Where in the network an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    /// Its VPC.
    pub(crate) vpc_id: Option<String>,
    /// Its subnet.
    pub(crate) subnet_id: Option<String>,
    /// Its public IPv4 address.
    pub(crate) public_ip: Option<String>,
}

/// What tells why a node does not answer. What could not be read says why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// `connected` or `notconnected`, as SSM says of the channel for sessions; absent when it was not asked.
    pub(crate) connection: Reading<String>,
    /// Default Host Management of the region; absent when it is off.
    pub(crate) host_management: Reading<HostManagement>,
    /// The ways out of the instance's subnet.
    pub(crate) ways: Reading<Ways>,
}

/// Default Host Management Configuration of a region, when it is on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostManagement {
    /// The role with its path.
    pub(crate) role: String,
    /// When it was last changed.
    pub(crate) since: Option<Timestamp>,
}

/// The ways from a subnet to the endpoints that agents use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ways {
    /// Where the default route leads to: `internet_gateway`, which needs a public address, or `other`, such as a NAT or
    /// transit gateway; null when there is none.
    pub(crate) default_route: Option<DefaultRoute>,
    /// The services that have an available endpoint in the VPC under their ordinary names, such as `ssmmessages`.
    pub(crate) endpoints: Vec<String>,
}

/// Where a default route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DefaultRoute {
    /// An internet gateway.
    InternetGateway,
    /// Anything else.
    Other,
}

/// An operating system.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    /// `Linux`, `Windows` or `MacOS`.
    pub(crate) r#type: Option<String>,
    /// Such as `Amazon Linux`.
    pub(crate) name: Option<String>,
    /// Such as `2023`.
    pub(crate) version: Option<String>,
}

/// What SSM knows of an agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// Its version as SSM spells it.
    pub(crate) version: Option<String>,
    /// Whether it is the newest; says nothing on Windows.
    pub(crate) latest: Option<bool>,
    /// `Online`, `ConnectionLost` or `Inactive`.
    pub(crate) ping: Option<String>,
    /// When SSM last heard from it.
    pub(crate) last_ping: Option<Timestamp>,
}

/// An instance's metadata options, in EC2's words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Imds {
    /// `enabled` or `disabled`.
    pub(crate) endpoint: Option<String>,
    /// `optional` or `required`.
    pub(crate) tokens: Option<String>,
    /// 1 to 64.
    pub(crate) hop_limit: Option<u32>,
}

/// Where an agent's credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ManagedBy {
    /// The EC2 instance profile.
    InstanceProfile,
    /// Default Host Management Configuration.
    Dhmc,
    /// A hybrid activation.
    Hybrid,
    /// Nowhere: it never registered.
    None,
}

impl ManagedBy {
    /// Derives it from what EC2 and SSM tell; the agent prefers the profile whenever that works, and SSM names a role
    /// only for nodes that it gives credentials itself.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html> (IamRole)
    pub(crate) fn derive(instance_id: &str, registered: bool, role: Option<&str>) -> ManagedBy {
        match (registered, role) {
            _ if instance_id.starts_with("mi-") => ManagedBy::Hybrid,
            (false, _) => ManagedBy::None,
            (true, Some(_)) => ManagedBy::Dhmc,
            // A profile that was taken away a moment ago still counts: its credentials live for hours.
            (true, None) => ManagedBy::InstanceProfile,
        }
    }
}

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("node", generator.subschema_for::<Node>()),
        ("finding", generator.subschema_for::<Finding>()),
        ("plan", generator.subschema_for::<Plan<Action>>()),
        ("result", generator.subschema_for::<ResultRecord<Action>>()),
        ("unreachable", generator.subschema_for::<Unreachable>()),
    ]
}

#[cfg(test)]
mod tests {
    use super::ManagedBy;

    #[test]
    fn credentials_come_from_what_ssm_and_ec2_say() {
        for (id, registered, role, expected) in [
            (
                "mi-0123456789abcdef0",
                true,
                Some("hybrid-role"),
                ManagedBy::Hybrid,
            ),
            (
                "i-0123456789abcdef0",
                true,
                Some("dhmc-role"),
                ManagedBy::Dhmc,
            ),
            (
                "i-0123456789abcdef0",
                true,
                None,
                ManagedBy::InstanceProfile,
            ),
            ("i-0123456789abcdef0", false, None, ManagedBy::None),
        ] {
            assert_eq!(ManagedBy::derive(id, registered, role), expected);
        }
    }
}
