//! What EC2 and SSM report about a node, as the record of one. Never touches the world.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reading::Reading;
use crate::target::Target;
use crate::timestamp::Timestamp;

/// The `kind` of a node.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// The only value.
    Node,
}

/// One EC2 instance or hybrid node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Always `node`.
    pub kind: NodeKind,
    /// Where it is.
    pub target: Target,
    /// `i-..` of EC2 or `mi-..` of a hybrid activation.
    pub instance_id: String,
    /// EC2's state such as `running`; null for hybrid nodes.
    pub state: Option<String>,
    /// When EC2 last started it.
    #[serde(default)]
    pub launched: Option<Timestamp>,
    /// The operating system; what the agent says, else what EC2 knows.
    pub platform: Platform,
    /// What SSM knows of the agent; null when it never registered.
    pub agent: Option<Agent>,
    /// EC2's metadata options; null for hybrid nodes.
    pub imds: Option<Imds>,
    /// ARN of the instance profile.
    pub profile: Option<String>,
    /// The role that SSM gives the node: Default Host Management or a hybrid activation.
    pub role: Option<String>,
    /// Where the agent's credentials come from.
    pub managed_by: ManagedBy,
    /// What a node is that is not EC2's, in SSM's words: `AWS::SSM::ManagedInstance`, `AWS::IoT::Thing`,
    /// `Microsoft.Compute/virtualMachines`, `compute.googleapis.com/Instance`; null for EC2 instances.
    #[serde(default)]
    pub source: Option<String>,
    /// EC2 tags; empty for hybrid nodes.
    pub tags: BTreeMap<String, String>,
    /// Where in the network it is; null for hybrid nodes.
    #[serde(default)]
    pub network: Option<Network>,
    /// What explains why it does not answer; null when it was not asked for.
    #[serde(default)]
    pub evidence: Option<Evidence>,
}

impl Node {
    /// Returns whether SSM may know it: it runs, or is none of EC2's.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_deref(), None | Some("running"))
    }

    /// Returns whether SSM hears from its agent.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.agent
            .as_ref()
            .is_some_and(|agent| agent.ping.as_deref() == Some("Online"))
    }

    /// Returns the command that changes how an instance reaches its metadata service, without its options.
    #[must_use]
    pub fn options_command(&self) -> String {
        format!(
            "aws ec2 modify-instance-metadata-options --region {} --instance-id {}",
            self.target.region, self.instance_id
        )
    }
}

/// Where in the network an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Its subnet.
    pub subnet_id: Option<String>,
    /// Its public IPv4 address.
    pub public_ip: Option<String>,
    /// Its private IPv4 address.
    #[serde(default)]
    pub private_ip: Option<String>,
    /// Its security groups; empty when it has several network interfaces, of which it may use any.
    #[serde(default)]
    pub security_groups: Vec<String>,
}

/// What explains why a node does not answer. What could not be read says why.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// `connected` or `notconnected`, as SSM says of the channel for sessions; absent when it was not asked.
    pub connection: Reading<String>,
    /// Default Host Management of the region; absent when it is off.
    pub host_management: Reading<RegionHostManagement>,
    /// The ways out of the instance's subnet.
    pub ways: Reading<EgressPaths>,
    /// What security groups let through; absent for a node that has registered.
    #[serde(default)]
    pub firewall: Reading<Firewall>,
}

impl Evidence {
    /// Returns why parts of it could not be read, each reason once.
    #[must_use]
    pub fn unread(&self) -> Vec<&str> {
        let reasons = [
            self.connection.known().err(),
            self.host_management.known().err(),
            self.ways.known().err(),
            self.firewall.known().err(),
        ];
        let mut reasons: Vec<&str> = reasons.into_iter().flatten().collect();
        reasons.dedup();
        reasons
    }
}

/// What security groups let through of what an agent sends to the services, which is HTTPS on TCP port 443.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    /// Where the instance's groups let it out to on this port: blocks, prefix lists `pl-..` and groups `sg-..`.
    pub lets_out_to: Vec<String>,
    /// Whether they let it out on another port of TCP, such as that of a proxy.
    pub lets_out_on_other_ports: bool,
    /// The services whose endpoint under their ordinary names has groups that do not let the instance in.
    pub refusing_endpoints: Vec<String>,
    /// The same, where a prefix list, IPv6 or a group that is not known may let it in.
    pub unsure_endpoints: Vec<String>,
}

/// Default Host Management Configuration of a region, when it is on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionHostManagement {
    /// The role with its path.
    pub role: String,
    /// When it was last changed.
    pub since: Option<Timestamp>,
}

/// The ways from a subnet to the endpoints that agents use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressPaths {
    /// Where the default route of IPv4 leads to: `internet_gateway`, which needs a public address, or `other`, such as a NAT
    /// or transit gateway; null when there is none. Several routes that are all of IPv4 together are a default route.
    pub default_route: Option<DefaultRoute>,
    /// The same of IPv6, which newer agents use when they are configured to.
    #[serde(default)]
    pub ipv6_default_route: Option<DefaultRoute>,
    /// Where routes lead to that leave the VPC and are not the default: `10.0.0.0/8 tgw-0abc`. The endpoints may be there.
    #[serde(default)]
    pub other_routes: Vec<String>,
    /// The services that have an available endpoint in the VPC without private DNS, which a private hosted zone may name.
    #[serde(default)]
    pub unnamed_endpoints: Vec<String>,
    /// The services whose endpoint has a policy that allows nobody what an agent asks for first.
    #[serde(default)]
    pub refusing_endpoints: Vec<String>,
    /// The services that have an available endpoint in the VPC under their ordinary names, such as `ssmmessages`.
    pub endpoints: Vec<String>,
}

/// Where a default route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultRoute {
    /// An internet gateway.
    InternetGateway,
    /// Anything else.
    Other,
}

/// An operating system.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// `Linux`, `Windows` or `MacOS`.
    pub r#type: Option<String>,
    /// Such as `Amazon Linux`.
    pub name: Option<String>,
    /// Such as `2023`.
    pub version: Option<String>,
}

/// What SSM knows of an agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its version as SSM spells it.
    pub version: Option<String>,
    /// Whether it is the newest; says nothing on Windows.
    pub latest: Option<bool>,
    /// `Online`, `ConnectionLost` or `Inactive`.
    pub ping: Option<String>,
    /// When SSM last heard from it.
    pub last_ping: Option<Timestamp>,
}

/// An instance's metadata options, in EC2's words.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imds {
    /// `enabled` or `disabled`.
    pub endpoint: Option<String>,
    /// `optional` or `required`.
    pub tokens: Option<String>,
    /// 1 to 64.
    pub hop_limit: Option<u32>,
}

/// Where an agent's credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ManagedBy {
    /// The EC2 instance profile.
    InstanceProfile,
    /// Default Host Management Configuration.
    Dhmc,
    /// A hybrid activation.
    Hybrid,
    /// A cloud connector: a virtual machine of another cloud.
    CloudConnector,
    /// Nowhere: it never registered.
    None,
    /// Unknown: it has registered, and neither EC2 names a profile nor SSM a role. The profile may have been taken away,
    /// or the agent uses credentials of its own.
    Unknown,
}

impl ManagedBy {
    /// Derives it from what EC2 and SSM report; the agent prefers the profile whenever that works, and SSM names a role
    /// only for nodes that it gives credentials itself.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html> (IamRole)
    #[must_use]
    pub fn derive(
        instance_id: &str,
        registered: bool,
        role: Option<&str>,
        profile: Option<&str>,
    ) -> ManagedBy {
        match (registered, role, profile) {
            _ if instance_id.starts_with("mi-") => ManagedBy::Hybrid,
            (false, _, _) => ManagedBy::None,
            (true, Some(_), _) => ManagedBy::Dhmc,
            (true, None, Some(_)) => ManagedBy::InstanceProfile,
            (true, None, None) => ManagedBy::Unknown,
        }
    }

    /// Derives it for a node that only SSM knows, of which it reports the type of its source.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html> (SourceType)
    #[must_use]
    pub fn of_source(instance_id: &str, source: Option<&str>, role: Option<&str>) -> ManagedBy {
        let is_other_cloud = |source: &str| !source.starts_with("AWS::");
        match source {
            Some(source) if is_other_cloud(source) => ManagedBy::CloudConnector,
            _ => ManagedBy::derive(instance_id, true, role, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ManagedBy;

    #[test]
    fn a24_credentials_come_from_what_ssm_and_ec2_say() {
        let (hybrid, ec2) = ("mi-0123456789abcdef0", "i-0123456789abcdef0");
        let profile = Some("arn:aws:iam::111122223333:instance-profile/web");
        for (id, registered, role, profile, expected) in [
            (hybrid, true, Some("hybrid-role"), None, ManagedBy::Hybrid),
            (ec2, true, Some("dhmc-role"), None, ManagedBy::Dhmc),
            (ec2, true, Some("dhmc-role"), profile, ManagedBy::Dhmc),
            (ec2, true, None, profile, ManagedBy::InstanceProfile),
            (ec2, true, None, None, ManagedBy::Unknown),
            (ec2, false, None, profile, ManagedBy::None),
        ] {
            assert_eq!(ManagedBy::derive(id, registered, role, profile), expected);
        }
    }
}
