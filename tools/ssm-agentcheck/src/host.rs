//! What the machine itself shows, to findings. Pure: everything was read before.

mod registration;

use cli::{Finding, FindingKind, Reading, Severity, Target};
use diagnosis::Version;
use serde::Deserialize;

use crate::model::Desired;

/// What a request may be off AWS's clock before it is refused, in seconds.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
const MAX_SKEW_SECONDS: i64 = 300;

/// Everything that was looked at on one machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    /// How the machine calls itself.
    pub(crate) name: String,
    /// Every agent that is installed.
    pub(crate) agents: Vec<Installed>,
    /// The service of the agent; absent when no service manager knows it.
    pub(crate) service: Reading<Service>,
    /// What the agent's log says last of its credentials; absent when it says nothing.
    pub(crate) registration: Reading<Registration>,
    /// What the metadata service says; absent when it is surely no EC2 instance, as a hybrid node.
    pub(crate) identity: Reading<Identity>,
    /// The endpoints that were tried.
    pub(crate) endpoints: Vec<Endpoint>,
    /// How many seconds the machine's clock is ahead of that of an endpoint.
    pub(crate) clock_skew_seconds: Reading<i64>,
}

/// An installed agent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Installed {
    pub(crate) package: Package,
    /// As the package manager or the agent itself says.
    pub(crate) version: Reading<String>,
}

/// How an agent was installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Package {
    Deb,
    Rpm,
    Snap,
    /// Files that no package manager knows.
    Tarball,
    Windows,
    Macos,
}

impl Package {
    /// Returns what people call it.
    fn name(self) -> &'static str {
        match self {
            Package::Deb => "deb package",
            Package::Rpm => "rpm package",
            Package::Snap => "snap",
            Package::Tarball => "installation without a package",
            Package::Windows => "Windows installation",
            Package::Macos => "macOS installation",
        }
    }
}

/// The agent's service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) is_running: bool,
    /// Whether it starts with the machine; unknown without a service manager.
    pub(crate) is_enabled: Option<bool>,
}

/// Whether the agent got in.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Registration {
    /// A hybrid activation has given it this ID.
    Hybrid { instance_id: String },
    /// It has connected with the credentials of its instance profile.
    InstanceProfile,
    /// It has connected by Default Host Management.
    HostManagement,
    /// It reports, with credentials of which the log says nothing.
    Reports,
    /// It was refused.
    Refused {
        /// The line of its log.
        line: String,
        /// What the log says of the instance profile before that.
        #[serde(default)]
        profile_line: Option<String>,
        /// The ID of its hybrid activation.
        #[serde(default)]
        instance_id: Option<String>,
    },
}

/// Who an EC2 instance is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub(crate) instance_id: String,
    pub(crate) target: Target,
    /// The role of its instance profile, absent without one.
    pub(crate) role: Reading<String>,
    /// Whether requests without a token are answered.
    pub(crate) is_v1_allowed: Reading<bool>,
}

/// An endpoint that was tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// `ssm`, `ssmmessages`, ..
    pub(crate) service: String,
    /// Why it could not be reached.
    pub(crate) error: Option<String>,
}

/// Returns everything that is wrong: agent, service, metadata service, network, clock, registration.
pub(crate) fn check(desired: &Desired, host: &Host) -> Vec<Finding> {
    let mut findings = Findings {
        host,
        found: Vec::new(),
    };
    agents(desired, host, &mut findings);
    if !host.agents.is_empty() {
        service(host, &mut findings);
    }
    identity(desired, host, &mut findings);
    network(host, &mut findings);
    if !host.agents.is_empty() {
        registration::check(host, &mut findings);
    }
    findings.found
}

fn agents(desired: &Desired, host: &Host, findings: &mut Findings<'_>) {
    let (floor, capability) = desired.floor();
    match host.agents.as_slice() {
        [] => findings.error(
            "host.agent_absent",
            "the agent is not installed",
            "install amazon-ssm-agent",
        ),
        [_] => {}
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/agent-install-ubuntu-64-snap.html
        several => {
            let names: Vec<&str> = several.iter().map(|agent| agent.package.name()).collect();
            findings.error(
                "host.two_agents",
                format!(
                    "the agent is installed more than once ({}): they fight over the same registration",
                    names.join(" and ")
                ),
                "keep the snap where the image came with it, else the package, and remove the other",
            );
        }
    }
    for agent in &host.agents {
        let version = match &agent.version {
            Reading::Present(text) => text.parse::<Version>().map_err(|_| text.clone()),
            Reading::Absent => Err("no answer".to_owned()),
            Reading::Unknown(reason) => Err(reason.clone()),
        };
        match version {
            Ok(version) if version >= floor => {}
            Ok(version) => {
                let needed_for = capability.map_or_else(String::new, |capability| {
                    format!(", which {} needs", capability.name())
                });
                findings.error(
                    "version.outdated",
                    format!("the agent is {version}, older than {floor}{needed_for}"),
                    format!("install {floor} or newer"),
                );
            }
            Err(reason) => findings.warning(
                "version.unknown",
                format!(
                    "the version of the {} cannot be read: {reason}",
                    agent.package.name()
                ),
                "run `amazon-ssm-agent -version`",
            ),
        }
    }
}

fn service(host: &Host, findings: &mut Findings<'_>) {
    match &host.service {
        Reading::Present(service) => {
            if !service.is_running {
                findings.error(
                    "host.service_stopped",
                    format!("the service {} does not run", service.name),
                    format!("start it: systemctl start {}", service.name),
                );
            }
            if service.is_enabled == Some(false) {
                findings.warning(
                    "host.service_disabled",
                    format!(
                        "the service {} does not start with the machine",
                        service.name
                    ),
                    format!("enable it: systemctl enable {}", service.name),
                );
            }
        }
        Reading::Absent => findings.error(
            "host.service_stopped",
            "the agent does not run, and no service manager knows it",
            "install the agent again, or start it",
        ),
        Reading::Unknown(reason) => findings.warning(
            "host.service_unknown",
            format!("the state of the service could not be read: {reason}"),
            "run it as root",
        ),
    }
}

fn identity(desired: &Desired, host: &Host, findings: &mut Findings<'_>) {
    match &host.identity {
        Reading::Unknown(reason) => findings.error(
            "host.imds_unreachable",
            format!(
                "the metadata service does not answer to IMDSv2, so the agent has neither identity nor credentials: {reason}"
            ),
            "enable it on the instance, raise its hop limit for containers, let no firewall or proxy come between",
        ),
        Reading::Absent => {}
        Reading::Present(identity) => {
            if let Reading::Unknown(reason) = &identity.role {
                findings.warning(
                    "host.role_unknown",
                    format!("the role of the instance profile could not be read: {reason}"),
                    "look at the instance profile with `aws ec2 describe-instances`",
                );
            }
            match (&identity.is_v1_allowed, desired.imds.require_v2) {
                (Reading::Present(true), true) => findings.warning(
                    "imds.v1_allowed",
                    "IMDSv1 is allowed: any process that can be made to fetch a URL gets the role's credentials",
                    "require IMDSv2 on the instance",
                ),
                (Reading::Unknown(reason), true) => findings.warning(
                    "imds.unknown",
                    format!("whether IMDSv1 is allowed could not be found out: {reason}"),
                    "look at the instance's metadata options",
                ),
                _ => {}
            }
        }
    }
}

fn network(host: &Host, findings: &mut Findings<'_>) {
    for endpoint in &host.endpoints {
        if let Some(error) = &endpoint.error {
            findings.error(
                "host.endpoint_unreachable",
                format!("the endpoint of {} does not answer: {error}", endpoint.service),
                "give the subnet a way out or a VPC endpoint with private DNS, open port 443 to it, or set the agent's proxy",
            );
        }
    }
    match host.clock_skew_seconds {
        Reading::Present(skew) if skew.abs() > MAX_SKEW_SECONDS => {
            let direction = if skew > 0 { "ahead of" } else { "behind" };
            findings.error(
                "host.clock_skew",
                format!(
                    "the clock is {} seconds {direction} AWS's: requests are refused beyond {MAX_SKEW_SECONDS}",
                    skew.abs()
                ),
                "set the clock by the Amazon Time Sync Service, 169.254.169.123",
            );
        }
        Reading::Unknown(ref reason) => findings.warning(
            "host.clock_skew_unknown",
            format!("the clock could not be compared with AWS's: {reason}"),
            "look at the clock",
        ),
        _ => {}
    }
}

struct Findings<'a> {
    host: &'a Host,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(&mut self, problem: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.push(problem, Severity::Error, message.into(), fix.into());
    }

    fn warning(&mut self, problem: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.push(problem, Severity::Warning, message.into(), fix.into());
    }

    fn push(&mut self, problem: &str, severity: Severity, message: String, fix: String) {
        let identity = self.host.identity.present();
        let hybrid = match &self.host.registration {
            Reading::Present(Registration::Hybrid { instance_id }) => Some(instance_id.clone()),
            Reading::Present(Registration::Refused { instance_id, .. }) => instance_id.clone(),
            _ => None,
        };
        let id = identity.map(|identity| identity.instance_id.clone());
        self.found.push(Finding {
            kind: FindingKind::Finding,
            id: format!("agentcheck.{problem}"),
            severity,
            target: identity.map(|identity| identity.target.clone()),
            resource: id.or(hybrid).unwrap_or_else(|| self.host.name.clone()),
            message,
            fix,
            is_unread: false,
        });
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
