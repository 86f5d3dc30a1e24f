//! Nodes to findings. Pure: the clock is an argument.

use std::collections::BTreeSet;

use toolio::{Finding, FindingKind, Outcome, Severity};

use crate::model::{Agent, Desired, DesiredImds, Imds, Node};
use crate::timestamp::Timestamp;
use crate::version::Version;

/// Returns everything that is wrong, in the order of the nodes.
pub(crate) fn check(desired: &Desired, nodes: &[Node], now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in nodes {
        match node.state.as_deref() {
            None | Some("running") => {
                check_imds(&desired.imds, node, &mut findings);
                match &node.agent {
                    Some(agent) => check_agent(desired, node, agent, now, &mut findings),
                    None => findings.push(missing(node)),
                }
            }
            Some("stopped" | "stopping") => findings.push(stopped(node)),
            // On its way up or out: nothing can be said about its agent.
            Some(_) => {}
        }
    }
    findings
}

/// Returns how the run ends; what is only worth knowing does not fail it.
pub(crate) fn outcome(findings: &[Finding]) -> Outcome {
    match findings
        .iter()
        .any(|finding| finding.severity != Severity::Info)
    {
        true => Outcome::Found,
        false => Outcome::Fine,
    }
}

/// Returns one line that says how many nodes are fine.
pub(crate) fn summary(nodes: &[Node], findings: &[Finding]) -> String {
    let count = |severity| {
        let of_severity = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        let places = of_severity.map(|f| (f.target.as_ref().map(ToString::to_string), &f.resource));
        places.collect::<BTreeSet<_>>()
    };
    let (errors, warnings, stopped) = (
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Info),
    );
    let n_fine = nodes.len() - errors.union(&warnings).count() - stopped.len();
    let n_warned = warnings.difference(&errors).count();
    let plural = if nodes.len() == 1 { "" } else { "s" };
    let mut line = format!("{} node{plural}, {n_fine} fine", nodes.len());
    for (count, what) in [
        (errors.len(), "with errors"),
        (n_warned, "with warnings"),
        (stopped.len(), "stopped"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    line
}

fn check_imds(desired: &DesiredImds, node: &Node, findings: &mut Vec<Finding>) {
    let Some(Imds {
        endpoint,
        tokens,
        hop_limit,
    }) = &node.imds
    else {
        return;
    };
    let (Some(endpoint), Some(tokens), Some(hop_limit)) = (endpoint, tokens, hop_limit) else {
        findings.push(finding(
            node,
            "imds.unknown",
            Severity::Warning,
            "EC2 does not tell the metadata options of this instance".to_owned(),
            format!("look at them: {}", describe_options(node)),
        ));
        return;
    };
    if endpoint == "disabled" {
        findings.push(finding(node, "imds.disabled", Severity::Error,
            "the metadata service is disabled, so the agent can neither prove its identity nor get credentials".to_owned(),
            format!("enable it: {} --http-endpoint enabled", modify_options(node))));
        return;
    }
    if desired.require_v2 && tokens != "required" {
        findings.push(finding(node, "imds.v1_allowed", Severity::Warning,
            format!("IMDSv1 is allowed (tokens are {tokens}): any process that can be made to fetch a URL gets the role's credentials"),
            format!("require IMDSv2: {} --http-endpoint enabled --http-tokens required", modify_options(node))));
    }
    if *hop_limit < desired.min_hop_limit {
        findings.push(finding(node, "imds.hop_limit", Severity::Warning,
            format!("the hop limit is {hop_limit}, {} is wished: an agent in a container cannot get a token", desired.min_hop_limit),
            format!("raise it: {} --http-put-response-hop-limit {}", modify_options(node), desired.min_hop_limit)));
    }
}

fn check_agent(
    desired: &Desired,
    node: &Node,
    agent: &Agent,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let version = agent.version.as_deref().unwrap_or_default();
    match version.parse::<Version>() {
        Ok(version) if version >= desired.min_version => {}
        Ok(version) => findings.push(finding(
            node,
            "version.outdated",
            Severity::Error,
            format!("the agent is {version}, older than {}", desired.min_version),
            format!("update it: {}", update_agent(node)),
        )),
        Err(_) => findings.push(finding(
            node,
            "version.unknown",
            Severity::Warning,
            format!("SSM gives '{version}' as the agent's version, which cannot be compared"),
            "run `amazon-ssm-agent -version` on the node".to_owned(),
        )),
    }
    let last = agent
        .last_ping
        .map_or_else(|| "at an unknown time".to_owned(), |time| time.to_string());
    match agent.ping.as_deref() {
        Some("Online") => check_age(desired, node, agent, now, findings),
        Some("ConnectionLost") => findings.push(finding(node, "ping.lost", Severity::Error,
            format!("SSM has lost the agent; its last ping was {last}: the agent is stopped, its network or its credentials are gone"),
            "restart the agent and read its errors.log".to_owned())),
        Some("Inactive") => findings.push(finding(node, "ping.inactive", Severity::Warning,
            format!("SSM calls the agent inactive; its last ping was {last}"),
            "restart the agent and read its errors.log".to_owned())),
        other => findings.push(finding(node, "ping.unknown", Severity::Warning,
            format!("SSM gives '{}' as the agent's ping status, which says nothing", other.unwrap_or_default()),
            "look at the node in Fleet Manager".to_owned())),
    }
}

fn check_age(
    desired: &Desired,
    node: &Node,
    agent: &Agent,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let Some(limit) = desired.max_ping_age_minutes else {
        return;
    };
    match agent.last_ping {
        Some(last) if now.minutes_since(last) <= limit => {}
        Some(last) => findings.push(finding(
            node,
            "ping.inactive",
            Severity::Warning,
            format!(
                "the last ping was {last}, {} minutes ago; {limit} are allowed",
                now.minutes_since(last)
            ),
            "restart the agent and read its errors.log".to_owned(),
        )),
        None => findings.push(finding(
            node,
            "ping.unknown",
            Severity::Warning,
            format!("SSM does not tell when the last ping was; {limit} minutes are allowed"),
            "look at the node in Fleet Manager".to_owned(),
        )),
    }
}

fn missing(node: &Node) -> Finding {
    let no_imds = node
        .imds
        .as_ref()
        .is_some_and(|imds| imds.endpoint.as_deref() == Some("disabled"));
    let (cause, cure) = match &node.profile {
        _ if no_imds => (
            "the agent cannot register without the metadata service",
            "enable the metadata service",
        ),
        None => (
            "it has no instance profile, so the agent can register only under Default Host Management",
            "turn Default Host Management on with ssm-role, then wait 30 minutes or restart the agent",
        ),
        Some(_) => (
            "the agent is not installed or stopped, cannot reach SSM, or the profile's role does not admit it",
            "let ssm-role check the role; if that is fine, install or restart the agent",
        ),
    };
    finding(
        node,
        "agent.missing",
        Severity::Error,
        format!("it runs, but SSM has never seen it: {cause}"),
        cure.to_owned(),
    )
}

fn stopped(node: &Node) -> Finding {
    finding(
        node,
        "node.stopped",
        Severity::Info,
        "it is stopped; its agent cannot be checked".to_owned(),
        "nothing, or start it and check again".to_owned(),
    )
}

fn finding(
    node: &Node,
    problem: &str,
    severity: Severity,
    message: String,
    fix: String,
) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: format!("agentcheck.{problem}"),
        severity,
        target: Some(node.target.clone()),
        resource: node.instance_id.clone(),
        message,
        fix,
    }
}

fn modify_options(node: &Node) -> String {
    format!(
        "aws ec2 modify-instance-metadata-options --region {} --instance-id {}",
        node.target.region, node.instance_id
    )
}

fn describe_options(node: &Node) -> String {
    format!(
        "aws ec2 describe-instances --region {} --instance-ids {}",
        node.target.region, node.instance_id
    )
}

fn update_agent(node: &Node) -> String {
    format!(
        "aws ssm send-command --region {} --document-name AWS-UpdateSSMAgent --instance-ids {}",
        node.target.region, node.instance_id
    )
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
