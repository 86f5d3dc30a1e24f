//! What is wished for and what a node is. Never touches the world.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use toolio::{Finding, Target, Unreachable};

use crate::timestamp::Timestamp;
use crate::version::Version;

/// What every node's agent must be like.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Desired {
    /// The oldest agent version that will do.
    pub(crate) min_version: Version,
    /// What the metadata service of EC2 instances must be like.
    pub(crate) imds: DesiredImds,
    /// How long ago the last ping may be; null for no limit besides SSM's own.
    pub(crate) max_ping_age_minutes: Option<u64>,
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
            imds: DesiredImds::default(),
            max_ping_age_minutes: None,
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
