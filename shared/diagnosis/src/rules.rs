//! The most probable reason why a running node does not answer: one, with one cure. Pure.
//!
//! The order is that of an agent's own steps: metadata service, credentials, network, registration.

use crate::capability::Capability;
use crate::credentials::{ByDefault, MEND_DEFAULT, by_credentials, name};
use crate::diagnosis::{Diagnosis, Hints};
use crate::firewall::{self, Passage};
use crate::roles::{Access, Permitted, ProfileAccess, Roles};
use crate::routes::{self, Way};
use crate::version::Version;
use records::{Node, Severity, Timestamp};

/// How long an instance may take from its launch until its agent has registered.
const LAUNCH_MINUTES: u64 = 10;
/// What is said first of an instance that never registered.
const UNSEEN: &str = "it runs, but SSM has never seen it";

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
    let refused = routes::refused_by_endpoint(node, "ssm", "unregistered.endpoint_policy", UNSEEN);
    if let Some(found) = refused {
        return found;
    }
    let doubts = match firewall::passage(node, UNSEEN) {
        Passage::Open => Vec::new(),
        Passage::Closed(found) => return found,
        Passage::Unsure(look) => look,
    };
    match routes::way(node) {
        Way::Open => {}
        Way::None(no_way) => return no_way.diagnosis("unregistered.no_route", UNSEEN),
        Way::Unsure(no_way, mut look) => {
            look.extend(doubts);
            return Diagnosis::new(
                "unregistered.route_unsure",
                Severity::Error,
                format!("{UNSEEN}: {no_way}; another way may be there"),
                format!(
                    "look {}; if there is a way, install the agent and start it; `ssm-agentcheck host` on the instance shows \
                     more",
                    look.join(", and ")
                ),
            );
        }
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
            "install the agent and start it; `ssm-agentcheck host` on the instance shows more".to_owned(),
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
    let fix = match doubts.is_empty() {
        true => fix,
        false => format!("{fix}; look {}", doubts.join(", and ")),
    };
    Diagnosis::new(problem, Severity::Error, message, fix)
}

/// Returns why no session reaches a node whose ping says Online.
pub(crate) fn unconnected(node: &Node, roles: Option<&Roles>, hints: &Hints) -> Diagnosis {
    let channel = channel(node, roles);
    let takes_commands = polls_ec2messages(node, channel);
    let what = match takes_commands {
        true => "SSM calls it online, but no session reaches it; commands may, by ec2messages",
        false => "SSM calls it online, but no session or command reaches it",
    };
    Diagnosis {
        takes_commands,
        ..no_session(node, roles, channel, what, hints)
    }
}

fn no_session(
    node: &Node,
    roles: Option<&Roles>,
    channel: Option<(&str, &Access)>,
    what: &str,
    hints: &Hints,
) -> Diagnosis {
    if let Some((profile, Access::No(actions))) = channel {
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
    let problem = "connection.endpoint_policy";
    if let Some(found) = routes::refused_by_endpoint(node, "ssmmessages", problem, what) {
        return found;
    }
    let look = match routes::way(node) {
        Way::Open => Vec::new(),
        Way::None(no_way) => return no_way.diagnosis("connection.no_route", what),
        Way::Unsure(_, look) => look,
    };
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
    let fix = match look.is_empty() {
        true => fix,
        false => format!("{fix}; look {}", look.join(", and ")),
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
    if let Some(found) = routes::refused_by_endpoint(node, "ssm", "ping.lost", &what) {
        return found;
    }
    let look = match routes::way(node) {
        Way::Open => String::new(),
        Way::None(no_way) => return no_way.diagnosis("ping.lost", &what),
        Way::Unsure(_, look) => format!("look {}; ", look.join(", and ")),
    };
    Diagnosis::new(
        "ping.lost",
        Severity::Error,
        format!("{what}: the agent is stopped, its network or its credentials are gone"),
        format!(
            "{look}restart the agent and read its errors.log; `ssm-agentcheck host` on the node shows more"
        ),
    )
}

/// Whether commands may reach a node that no session does. What SSM calls connected is the channel of ssmmessages; agents
/// poll ec2messages as long as that is not open, and older ones always.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html>
fn polls_ec2messages(node: &Node, channel: Option<(&str, &Access)>) -> bool {
    let is_denied = match channel {
        Some((_, Access::No(actions))) => actions
            .iter()
            .any(|action| action.starts_with("ec2messages:")),
        _ => false,
    };
    !is_denied && !routes::is_cut_from_ec2messages(node)
}

fn channel<'a>(node: &'a Node, roles: Option<&'a Roles>) -> Option<(&'a str, &'a Access)> {
    let profile = node.profile.as_deref()?;
    match roles?.profile(profile) {
        ProfileAccess::Role(permitted) => Some((profile, &permitted.channel)),
        ProfileAccess::WithoutRole | ProfileAccess::Nothing => None,
    }
}
