//! What an agent can do from which version on. Versions are those of the agent's release notes, unless a page is named.
//! <https://github.com/aws/amazon-ssm-agent/blob/mainline/RELEASENOTES.md>

use schemars::JsonSchema;
use serde::Deserialize;

use crate::version::Version;

/// Something that only newer agents can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Sessions at all.
    SessionManager,
    /// Sessions encrypted with a KMS key.
    Kms,
    /// Documents of the type InteractiveCommands.
    InteractiveCommands,
    /// Sessions as another user than ssm-user, on Linux.
    RunAs,
    /// Shell profiles.
    ShellProfile,
    /// Logs streamed to CloudWatch Logs while a session runs.
    Streaming,
    /// Preferences whose switches are text instead of booleans.
    TextBooleans,
    /// Documents of the type NonInteractiveCommands.
    NonInteractiveCommands,
    /// `ssm-cli get-diagnostics`.
    Diagnostics,
    /// Forwarding a port to another host.
    RemotePortForwarding,
    /// Credentials by Default Host Management Configuration.
    Dhmc,
    /// No use of IMDSv1 by any part.
    Imdsv2Only,
    /// Commands over the ssmmessages endpoint, without ec2messages.
    CommandsOverSsmmessages,
    /// Endpoints of IPv4 and IPv6, once `UseDualStackEndpoint` is set.
    DualStack,
}

impl Capability {
    /// Returns the first version that can do it.
    pub fn since(self) -> Version {
        match self {
            Capability::SessionManager => Version::new(2, 3, 68, 0),
            Capability::Kms => Version::new(2, 3, 539, 0),
            Capability::InteractiveCommands => Version::new(2, 3, 668, 0),
            Capability::RunAs => Version::new(2, 3, 672, 0),
            Capability::ShellProfile => Version::new(3, 0, 196, 0),
            Capability::Streaming => Version::new(3, 0, 356, 0),
            Capability::TextBooleans => Version::new(3, 0, 655, 0),
            Capability::NonInteractiveCommands => Version::new(3, 0, 1124, 0),
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/troubleshooting-managed-nodes-using-ssm-cli.html
            Capability::Diagnostics => Version::new(3, 1, 501, 0),
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
            Capability::RemotePortForwarding => Version::new(3, 1, 1374, 0),
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html
            Capability::Dhmc => Version::DEFAULT_MINIMUM,
            Capability::Imdsv2Only => Version::new(3, 2, 1041, 0),
            Capability::CommandsOverSsmmessages => Version::new(3, 3, 40, 0),
            // https://github.com/aws/amazon-ssm-agent/releases/tag/3.3.3270.0
            Capability::DualStack => Version::new(3, 3, 3270, 0),
        }
    }

    /// Returns what it is for people.
    pub fn name(self) -> &'static str {
        match self {
            Capability::SessionManager => "Session Manager",
            Capability::Kms => "KMS encryption of sessions",
            Capability::InteractiveCommands => "InteractiveCommands documents",
            Capability::RunAs => "Run As",
            Capability::ShellProfile => "shell profiles",
            Capability::Streaming => "streaming to CloudWatch Logs",
            Capability::TextBooleans => "preferences with booleans as text",
            Capability::NonInteractiveCommands => "NonInteractiveCommands documents",
            Capability::Diagnostics => "ssm-cli get-diagnostics",
            Capability::RemotePortForwarding => "port forwarding to remote hosts",
            Capability::Dhmc => "Default Host Management",
            Capability::Imdsv2Only => "never using IMDSv1",
            Capability::CommandsOverSsmmessages => "commands over ssmmessages",
            Capability::DualStack => "dual-stack endpoints (IPv6)",
        }
    }
}
