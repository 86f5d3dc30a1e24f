//! The most probable reason why a running node does not answer: one, with one cure. Pure.
//!
//! The order is that of an agent's own steps: metadata service, credentials, network, registration.

use crate::capability::Capability;
use crate::diagnosis::{Diagnosis, Hints};
use crate::roles::{Access, Permitted, ProfileAccess, Roles};
use crate::version::Version;
use records::Timestamp;
use records::{DefaultRoute, EgressPaths, Evidence, Node, RegionHostManagement};
use records::{Reading, Severity};

/// How long an instance may take from its launch until its agent has registered.
const LAUNCH_MINUTES: u64 = 10;
/// An agent that was refused sleeps for 25 to 30 minutes before it tries again.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
const RETRY_MINUTES: u64 = 30;
/// The services that an agent cannot do without; commands of old agents need ec2messages, too.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html>
const NEEDED_ENDPOINTS: [&str; 2] = ["ssm", "ssmmessages"];

/// Returns why SSM has never seen a running instance.
pub(crate) fn unregistered(
    node: &Node,
    roles: Option<&Roles>,
    now: Timestamp,
    hints: &Hints,
) -> Diagnosis {
    let nothing = Evidence::default();
    let evidence = node.evidence.as_ref().unwrap_or(&nothing);
    let asked = node.evidence.is_some();
    let age = node.launched.map(|launched| now.minutes_since(launched));
    if age.is_some_and(|age| age < LAUNCH_MINUTES) {
        return Diagnosis::new(
            "unregistered.just_launched",
            Severity::Info,
            format!(
                "it was launched {} minutes ago and has not registered yet",
                age.unwrap_or_default()
            ),
            format!("check again when it has run for {LAUNCH_MINUTES} minutes"),
        );
    }
    let by_credentials = match &node.profile {
        None if asked => by_host_management(&evidence.host_management, age, now, None),
        None => None,
        Some(profile) => by_profile(profile, roles, evidence, asked, age, now),
    };
    if let Some(found) = by_credentials {
        return found;
    }
    if let Reading::Present(ways) = &evidence.ways
        && let Some(found) = by_ways(
            node,
            ways,
            "unregistered.no_route",
            "it runs, but SSM has never seen it",
        )
    {
        return found;
    }
    let known = match (&node.profile, roles) {
        (Some(profile), Some(roles)) => roles.profile(profile),
        _ => ProfileAccess::Nothing,
    };
    let is_let_in = |permitted: &Permitted| permitted.register == Access::Yes;
    let is_refused =
        matches!(known, ProfileAccess::Role(role) if matches!(role.register, Access::No(_)));
    let (problem, message, fix) = match (&node.profile, known) {
        _ if evidence.host_management.present().is_some()
            && (node.profile.is_none() || is_refused) =>
        {
            (
                "unregistered.agent_absent",
                "it runs, but SSM has never seen it though Default Host Management is on: the agent is not installed, \
                 stopped, or older than 3.2.582.0"
                    .to_owned(),
                "install the agent, at least 3.2.582.0, and start it; `ssm-agentcheck host` on the instance tells more".to_owned(),
            )
        }
        (None, _) => (
            "agent.missing",
            "it runs, but SSM has never seen it: it has no instance profile, and whether Default Host Management is on is \
             not known"
                .to_owned(),
            hints.evidence.to_owned(),
        ),
        (Some(_), ProfileAccess::Role(permitted)) if is_let_in(permitted) => (
            "agent.missing",
            format!(
                "it runs, but SSM has never seen it: the agent is not installed or stopped, or its network is cut; role {} \
                 lets it in",
                permitted.role
            ),
            "install the agent and start it; `ssm-agentcheck host` on the instance tells more".to_owned(),
        ),
        (Some(profile), _) => (
            "agent.missing",
            format!(
                "it runs, but SSM has never seen it: the agent is not installed or stopped, or the role of {} does not let \
                 it in",
                name(profile)
            ),
            format!("{}; if the role is fine, install or start the agent", hints.roles),
        ),
    };
    Diagnosis::new(problem, Severity::Error, message, fix)
}

/// Returns why no session reaches a node whose ping says Online.
pub(crate) fn unconnected(node: &Node, roles: Option<&Roles>, hints: &Hints) -> Diagnosis {
    let what = "SSM calls it online, but no session or command reaches it";
    if let Some((profile, Access::No(actions))) = channel(node, roles) {
        return Diagnosis::new(
            "connection.role",
            Severity::Error,
            format!(
                "{what}: the role of {} may report to SSM, which keeps Default Host Management away, but not {}",
                name(profile),
                actions.join(", ")
            ),
            "let ssm-role plan and apply grant it, then restart the agent",
        );
    }
    let ways = node
        .evidence
        .as_ref()
        .and_then(|evidence| evidence.ways.present());
    if let Some(found) = ways.and_then(|ways| by_ways(node, ways, "connection.no_route", what)) {
        return found;
    }
    let agent = node.agent.as_ref().and_then(|agent| agent.version.as_ref());
    let is_too_old = agent
        .and_then(|version| version.parse().ok())
        .is_some_and(|version: Version| version < Capability::SessionManager.since());
    if is_too_old {
        return Diagnosis::new(
            "connection.none",
            Severity::Error,
            format!(
                "{what}: sessions begin with version {}",
                Capability::SessionManager.since()
            ),
            "update the agent",
        );
    }
    let fix = match (roles, &node.profile) {
        (None, Some(_)) => {
            format!("{}; if the role is fine, restart the agent", hints.roles)
        }
        _ => "restart the agent and read its errors.log".to_owned(),
    };
    Diagnosis::new(
        "connection.none",
        Severity::Error,
        format!(
            "{what}: the ssmmessages channels are refused by its role or a policy above, or cut in its network"
        ),
        fix,
    )
}

/// Returns why SSM has lost an agent; `last` says when it last heard from it.
pub(crate) fn lost(node: &Node, last: &str) -> Diagnosis {
    let what = format!("SSM has lost the agent; its last ping was {last}");
    let host_management = node
        .evidence
        .as_ref()
        .map(|evidence| &evidence.host_management);
    let is_hybrid = node.instance_id.starts_with("mi-");
    if !is_hybrid && node.profile.is_none() {
        if let Some(Reading::Absent) = host_management {
            return Diagnosis::new(
                "ping.lost",
                Severity::Error,
                format!(
                    "{what}: it has no instance profile, and Default Host Management is off, so its credentials are gone"
                ),
                "let ssm-role turn Default Host Management on or give the instance a profile",
            );
        }
        let version = node.agent.as_ref().and_then(|agent| agent.version.as_ref());
        let version = version.and_then(|version| version.parse::<Version>().ok());
        if let Some(version) = version.filter(|version| *version < Capability::Dhmc.since()) {
            return Diagnosis::new(
                "ping.lost",
                Severity::Error,
                format!(
                    "{what}: it has no instance profile, and {version} is too old for Default Host Management"
                ),
                format!(
                    "let ssm-role give it a profile, or install agent {} on the instance",
                    Capability::Dhmc.since()
                ),
            );
        }
    }
    let ways = node
        .evidence
        .as_ref()
        .and_then(|evidence| evidence.ways.present());
    if let Some(found) = ways.and_then(|ways| by_ways(node, ways, "ping.lost", &what)) {
        return found;
    }
    Diagnosis::new(
        "ping.lost",
        Severity::Error,
        format!("{what}: the agent is stopped, its network or its credentials are gone"),
        "restart the agent and read its errors.log; `ssm-agentcheck host` on the node tells more",
    )
}

fn by_profile(
    profile: &str,
    roles: Option<&Roles>,
    evidence: &Evidence,
    asked: bool,
    age: Option<u64>,
    now: Timestamp,
) -> Option<Diagnosis> {
    match roles?.profile(profile) {
        ProfileAccess::WithoutRole => Some(Diagnosis::new(
            "unregistered.profile_without_role",
            Severity::Error,
            format!(
                "it runs, but SSM has never seen it: its instance profile {} holds no role, so it gets no credentials",
                name(profile)
            ),
            "add a role to the profile",
        )),
        ProfileAccess::Role(permitted) => {
            let Access::No(actions) = &permitted.register else {
                return None;
            };
            let denied = format!(
                "role {} does not allow {}",
                permitted.role,
                actions.join(", ")
            );
            // A refusal by IAM is what makes the agent fall back on Default Host Management.
            match asked {
                true => by_host_management(&evidence.host_management, age, now, Some(&denied)),
                false => Some(profile_denied(&denied)),
            }
        }
        ProfileAccess::Nothing => None,
    }
}

fn profile_denied(denied: &str) -> Diagnosis {
    Diagnosis::new(
        "unregistered.profile_denied",
        Severity::Error,
        format!("it runs, but SSM has never seen it: {denied}"),
        "let ssm-role plan and apply grant it, then restart the agent or wait 30 minutes",
    )
}

/// What follows for an instance that its profile does not let in: `denied` says why, none when it has no profile.
fn by_host_management(
    host_management: &Reading<RegionHostManagement>,
    age: Option<u64>,
    now: Timestamp,
    denied: Option<&str>,
) -> Option<Diagnosis> {
    let on = match (host_management, denied) {
        (Reading::Present(on), _) => on,
        (_, Some(denied)) => return Some(profile_denied(denied)),
        (Reading::Unknown(reason), None) => {
            return Some(Diagnosis::new(
                "unregistered.unknown",
                Severity::Warning,
                format!(
                    "it runs without an instance profile, and SSM has never seen it; whether Default Host Management is on \
                     could not be read: {reason}"
                ),
                "allow the caller to read it, then check again",
            ));
        }
        (Reading::Absent, None) => {
            return Some(Diagnosis::new(
                "unregistered.no_credentials",
                Severity::Error,
                "it runs, but SSM has never seen it: it has no instance profile, and Default Host Management is off",
                "let ssm-role turn Default Host Management on or give the instance a profile, then restart the agent or wait \
                 30 minutes",
            ));
        }
    };
    let since = on.since.map(|since| now.minutes_since(since));
    let waited = [since, age].into_iter().flatten().min();
    match waited {
        Some(minutes) if minutes < RETRY_MINUTES => Some(Diagnosis::new(
            "unregistered.dhmc_pending",
            Severity::Warning,
            format!(
                "it has not registered yet; Default Host Management is on for it since {minutes} minutes, and agents try \
                 again after up to {RETRY_MINUTES}"
            ),
            "wait, or restart the agent, then check again",
        )),
        _ => None,
    }
}

/// Returns a cause when a way to the services is surely missing.
fn by_ways(
    node: &Node,
    ways: &EgressPaths,
    problem: &'static str,
    what: &str,
) -> Option<Diagnosis> {
    let network = node.network.as_ref()?;
    let missing: Vec<&str> = NEEDED_ENDPOINTS
        .into_iter()
        .filter(|service| !ways.endpoints.iter().any(|has| has == service))
        .collect();
    let out = match ways.default_route {
        None => "its subnet has no default route",
        // An internet gateway drops what has no public address.
        Some(DefaultRoute::InternetGateway) if network.public_ip.is_none() => {
            "it has no public address for the internet gateway"
        }
        Some(_) => return None,
    };
    if missing.is_empty() {
        return None;
    }
    let vpc = network.vpc_id.as_deref().unwrap_or("its VPC");
    Some(Diagnosis::new(
        problem,
        Severity::Error,
        format!(
            "{what}: {out}, and {vpc} has no endpoint with private DNS for {}",
            missing.join(" and ")
        ),
        format!(
            "create interface endpoints with private DNS for {} in {vpc}, or give the subnet a way out",
            missing.join(" and ")
        ),
    ))
}

fn channel<'a>(node: &'a Node, roles: Option<&'a Roles>) -> Option<(&'a str, &'a Access)> {
    let profile = node.profile.as_deref()?;
    match roles?.profile(profile) {
        ProfileAccess::Role(permitted) => Some((profile, &permitted.channel)),
        ProfileAccess::WithoutRole | ProfileAccess::Nothing => None,
    }
}

/// Returns the name in the ARN of an instance profile.
fn name(profile: &str) -> &str {
    profile.rsplit('/').next().unwrap_or(profile)
}
