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

    /// Returns the path of what contradicts itself, and how to correct it: no plan can be made of it.
    pub(crate) fn mistake(&self) -> Option<(String, String)> {
        let update = self.update.as_ref()?;
        let (floor, _) = self.floor();
        let (field, message) = if let Some(version) = update.version.filter(|one| *one < floor) {
            let message =
                format!("{version} is older than {floor}, which the agents must be at least");
            ("version", message)
        } else if update.max_concurrency.of(100) == 0 {
            let message = "with 0 at the same time nothing would ever be updated".to_owned();
            ("max_concurrency", message)
        } else if !update.has_all_waves() {
            let message = "waves must grow and end with \"100%\", so that no node is left out";
            ("waves", message.to_owned())
        } else {
            return None;
        };
        Some((format!("$.update.{field}"), message))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Desired;

    #[test]
    fn what_contradicts_itself_has_its_path() {
        for (update, expected) in [
            (json!({}), None),
            (json!({"waves": ["100%"]}), None),
            (json!({"waves": [5, 10, "100%"]}), None),
            // Of few nodes, 10% may be no more than the one before.
            (json!({"waves": [1, "10%", "100%"]}), None),
            (json!({"waves": []}), Some("$.update.waves")),
            (json!({"waves": [1, "50%"]}), Some("$.update.waves")),
            (json!({"waves": [10, 5, "100%"]}), Some("$.update.waves")),
            (
                json!({"max_concurrency": 0}),
                Some("$.update.max_concurrency"),
            ),
            (
                json!({"max_concurrency": "0%"}),
                Some("$.update.max_concurrency"),
            ),
            (json!({"version": "3.0.0.0"}), Some("$.update.version")),
            (json!({"version": "3.3.987.0"}), None),
        ] {
            let desired = json!({"update": update, "need": []});
            let desired: Desired = serde_json::from_value(desired).unwrap();
            let path = desired.mistake().map(|(path, _)| path);
            assert_eq!(path.as_deref(), expected, "{update}");
        }
    }
}
