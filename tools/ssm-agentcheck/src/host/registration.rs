//! What it means that the agent's log says how it stands with Systems Manager. Pure.

use cli::Reading;
use diagnosis::Capability;

use super::{Findings, Host, Registration};
use crate::agent_log::{Reason, reason};

/// Finds why the agent was refused, or that nothing shows it.
pub(super) fn check(host: &Host, findings: &mut Findings<'_>) {
    match &host.registration {
        Reading::Present(Registration::Refused {
            line,
            profile_line,
            instance_id,
        }) => {
            let of_profile = profile_line.as_deref().map(reason);
            let (problem, why, fix) = refusal(host, reason(line), of_profile, instance_id.as_deref());
            findings.error(
                problem,
                format!(
                    "the agent got no credentials that Systems Manager accepts, as {why}; its log says: {line}"
                ),
                fix,
            );
        }
        Reading::Present(_) => {}
        Reading::Absent => findings.warning(
            "host.registration_unknown",
            "neither the agent's log nor its data show whether it has registered",
            "restart the agent, wait a minute and look again, or ask `ssm-agentcheck check --instance-id`",
        ),
        Reading::Unknown(reason) => findings.warning(
            "host.registration_unknown",
            format!("whether the agent has registered could not be read: {reason}"),
            "run it as root",
        ),
    }
}

/// Returns the problem, what follows an "as", and the cure. `of_profile` is what became of the profile before Default Host
/// Management was tried.
fn refusal(
    host: &Host,
    reason: Reason,
    of_profile: Option<Reason>,
    hybrid: Option<&str>,
) -> (&'static str, String, String) {
    let refused = "host.credentials_refused";
    let role = match &host.identity {
        Reading::Present(identity) => identity.role.present(),
        _ => None,
    };
    let (why, fix) = match (reason, of_profile) {
        (Reason::Clock, _) | (_, Some(Reason::Clock)) => (
            "its clock was off when it signed its requests".to_owned(),
            "set the clock by the Amazon Time Sync Service, 169.254.169.123, or another server, then restart the agent".to_owned(),
        ),
        (Reason::RegistrationGone, _) => {
            let id = hybrid.unwrap_or("its registration");
            return (
                "host.registration_gone",
                format!("Systems Manager does not know {id}: it was deregistered, or its data come from another machine"),
                "register it with a new activation: amazon-ssm-agent -register -clear, then -register with code, ID and \
                 region; an EC2 instance needs -clear and a restart only"
                    .to_owned(),
            );
        }
        (Reason::OtherMachine, _) => {
            return (
                "host.registration_gone",
                "the machine is not the one that was registered: its hardware has changed, or it is a copy".to_owned(),
                "register it with a new activation, or, before the next change of hardware, lower the agent's fingerprint \
                 similarity threshold"
                    .to_owned(),
            );
        }
        (Reason::EndpointPolicy, _) | (_, Some(Reason::EndpointPolicy)) => (
            "the policy of a VPC endpoint denies it access".to_owned(),
            "allow ssm:UpdateInstanceInformation in the policy of the VPC endpoint for ssm, then restart the agent".to_owned(),
        ),
        (Reason::ServiceControlPolicy, _) | (_, Some(Reason::ServiceControlPolicy)) => (
            "a service control policy denies it access".to_owned(),
            "exempt the roles of nodes from the service control policy, then restart the agent".to_owned(),
        ),
        (Reason::RoleTrust, _) | (_, Some(Reason::RoleTrust)) => (
            "ec2.amazonaws.com may not assume the role of its instance profile".to_owned(),
            "allow ec2.amazonaws.com sts:AssumeRole in the role's trust policy, then restart the agent".to_owned(),
        ),
        (Reason::Network, _) => (
            "Systems Manager did not answer it".to_owned(),
            "give the subnet a way out or a VPC endpoint with private DNS, open port 443 to it, or set the agent's proxy; \
             then restart the agent"
                .to_owned(),
        ),
        (Reason::Throttled, _) => (
            "Systems Manager has too many calls of this account and region".to_owned(),
            "wait; the agent tries again by itself".to_owned(),
        ),
        (Reason::NoIdentity, None) => (
            "the metadata service did not say which instance it is".to_owned(),
            "let no firewall or proxy come between agent and 169.254.169.254, then restart the agent".to_owned(),
        ),
        (Reason::Expired, _) => (
            "its credentials were over and it got no new ones".to_owned(),
            "restart the agent; if that does not help, look whether its role still exists".to_owned(),
        ),
        (reason, of_profile) => by_role(role.map(String::as_str), hybrid, of_profile.unwrap_or(reason)),
    };
    (refused, why, fix)
}

fn by_role(role: Option<&str>, hybrid: Option<&str>, reason: Reason) -> (String, String) {
    match (role, hybrid) {
        (_, Some(id)) => (
            format!("the service role of {id} denies it access"),
            "let the activation's role trust ssm.amazonaws.com and have AmazonSSMManagedInstanceCore, then restart the \
             agent"
                .to_owned(),
        ),
        // The agent looks again after up to 30 minutes.
        // https://github.com/aws/amazon-ssm-agent/issues/544
        (Some(role), None) if reason == Reason::NoRole => (
            format!("it found no role when it last looked; by now it has role {role}"),
            "restart the agent, or wait 30 minutes; if that does not help, let ssm-role check the role".to_owned(),
        ),
        // Older denials do not say which policy decides: https://github.com/aws/amazon-ssm-agent/issues/374.
        (Some(role), None) => (
            format!("its role {role} denies it access"),
            "let ssm-role check the role; where it is fine, look at the policies of the VPC endpoints and at service control \
             policies; then restart the agent"
                .to_owned(),
        ),
        (None, None) => (
            "it has no instance profile, and Default Host Management denies it access".to_owned(),
            format!(
                "let ssm-role turn Default Host Management on, which needs agent {}, then restart the agent",
                Capability::Dhmc.since()
            ),
        ),
    }
}
