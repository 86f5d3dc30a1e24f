//! The desired state of the nodes. Never touches the world.

use diagnosis::{Capability, Version};
use records::NodeExclusion;
use schemars::JsonSchema;
use serde::Deserialize;

use super::update::{DesiredAssociation, Update};

/// What every node's agent must be like, and how outdated ones are brought up to date.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Desired {
    /// Minimum agent version.
    pub(crate) min_version: Version,
    /// What agents must be able to do; each may raise the minimum version.
    pub(crate) need: Vec<Capability>,
    /// What the metadata service of EC2 instances must be like.
    pub(crate) imds: DesiredImds,
    /// How long ago the last ping may be; null for no limit besides SSM's own.
    pub(crate) max_ping_age_minutes: Option<u64>,
    /// Which online nodes to test for session connectivity, one call each.
    pub(crate) connections: Connections,
    /// How `plan` and `apply` bring outdated agents up to date; null leaves them alone.
    pub(crate) update: Option<Update>,
    /// The State Manager association that keeps agents current; null leaves it alone.
    pub(crate) association: Option<DesiredAssociation>,
    /// Nodes that are left alone: their agents are neither judged nor updated.
    pub(crate) exclude: NodeExclusion,
}

impl Desired {
    /// Returns the minimum version, and the capability that asks for it if it is not `min_version`.
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

/// Which online nodes to test for session connectivity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Connections {
    /// One node of each instance profile and subnet, and the others like it when this one is not connected;
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
    /// Whether IMDSv1 must be refused, by instances and by what the account sets for those to come.
    pub(crate) require_v2: bool,
    /// Minimum hop limit: 1 on a host, 2 when the agent runs in a container with its own network.
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
            exclude: NodeExclusion::default(),
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
