//! The most probable reason why a running node does not answer: one, with one cure. Pure.
//!
//! The order is that of an agent's own steps: metadata service, credentials, network, registration.

use crate::capability::Capability;
use crate::credentials::{ByDefault, MEND_DEFAULT, by_credentials, name};
use crate::diagnosis::{Diagnosis, Hints};
use crate::roles::{Access, Permitted, ProfileAccess, Roles};
use crate::version::Version;
use records::Severity;
use records::Timestamp;
use records::{DefaultRoute, EgressPaths, Node};

/// How long an instance may take from its launch until its agent has registered.
const LAUNCH_MINUTES: u64 = 10;
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
    let by_default = ByDefault::of(node, roles);
    if let Some(found) = by_credentials(node, roles, &by_default, age, now) {
        return found;
    }
    if let Some(ways) = ways(node)
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
    let is_refused = matches!(known, ProfileAccess::Role(role) if role.refusal().is_some());
    let (problem, message, fix) = match (&node.profile, known) {
        _ if by_default.is_on() && (node.profile.is_none() || is_refused) => {
            by_default.agent_absent(hints)
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
    if let Some(found) =
        ways(node).and_then(|ways| by_ways(node, ways, "connection.no_route", what))
    {
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
pub(crate) fn lost(node: &Node, roles: Option<&Roles>, last: &str) -> Diagnosis {
    let what = format!("SSM has lost the agent; its last ping was {last}");
    let is_hybrid = node.instance_id.starts_with("mi-");
    if !is_hybrid && node.profile.is_none() {
        let by_default = ByDefault::of(node, roles);
        if by_default.is_off() {
            return Diagnosis::new(
                "ping.lost",
                Severity::Error,
                format!(
                    "{what}: it has no instance profile, and Default Host Management is off, so its credentials are gone"
                ),
                "let ssm-role turn Default Host Management on or give the instance a profile",
            );
        }
        if let Some(problem) = by_default.problem() {
            return Diagnosis::new(
                "ping.lost",
                Severity::Error,
                format!("{what}: it has no instance profile, and {problem}"),
                MEND_DEFAULT,
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
    if let (Some(profile), Some(roles)) = (&node.profile, roles)
        && let ProfileAccess::Role(role) = roles.profile(profile)
        && let Some(refusal) = role.refusal()
        && !ByDefault::of(node, Some(roles)).is_on()
    {
        return Diagnosis::new(
            "ping.lost",
            Severity::Error,
            format!("{what}: {}", refusal.why),
            refusal.fix,
        );
    }
    if let Some(found) = ways(node).and_then(|ways| by_ways(node, ways, "ping.lost", &what)) {
        return found;
    }
    Diagnosis::new(
        "ping.lost",
        Severity::Error,
        format!("{what}: the agent is stopped, its network or its credentials are gone"),
        "restart the agent and read its errors.log; `ssm-agentcheck host` on the node tells more",
    )
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

fn ways(node: &Node) -> Option<&EgressPaths> {
    node.evidence.as_ref()?.ways.present()
}

fn channel<'a>(node: &'a Node, roles: Option<&'a Roles>) -> Option<(&'a str, &'a Access)> {
    let profile = node.profile.as_deref()?;
    match roles?.profile(profile) {
        ProfileAccess::Role(permitted) => Some((profile, &permitted.channel)),
        ProfileAccess::WithoutRole | ProfileAccess::Nothing => None,
    }
}
