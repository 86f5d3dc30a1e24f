//! From security groups to what they let an agent do, and what follows for one that never registered. Pure.

use awsdata::{SecurityGroup, SecurityRule, VpcEndpoint};
use records::{Firewall, Network, Node, Reading, Severity};

use crate::diagnosis::Diagnosis;
use crate::egress::has;

/// HTTPS, which is all that agents speak.
const PORT: i32 = 443;
/// The services that an agent cannot do without.
const SERVICES: [&str; 2] = ["ssm", "ssmmessages"];

/// Returns what the groups let through; none where those of the instance are not all known.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>
pub fn firewall(
    network: &Network,
    endpoints: &[VpcEndpoint],
    groups: &[SecurityGroup],
) -> Option<Firewall> {
    let own = known(&network.security_groups, groups)?;
    let out: Vec<&SecurityRule> = own.iter().flat_map(|group| &group.egress).collect();
    let mut firewall = Firewall::default();
    for rule in &out {
        let named = rule.blocks.iter().chain(&rule.prefix_lists);
        let named = named.chain(&rule.groups).cloned();
        match is_tcp(rule) {
            true if is_on_port(rule) => firewall.lets_out_to.extend(named),
            is_tcp => firewall.lets_out_on_other_ports |= is_tcp,
        }
    }
    firewall.lets_out_to.sort();
    firewall.lets_out_to.dedup();
    for service in SERVICES {
        let mut usable = endpoints.iter().filter(|endpoint| {
            Some(&endpoint.vpc_id) == network.vpc_id.as_ref()
                && endpoint.state == "available"
                && endpoint.private_dns_enabled
                && endpoint.service_name.rsplit('.').next() == Some(service)
        });
        // All names of a service in a VPC lead to one endpoint.
        let Some(endpoint) = usable.next() else {
            continue;
        };
        match admits(endpoint, network, groups) {
            Some(true) => {}
            Some(false) => firewall.refusing_endpoints.push(service.to_owned()),
            None => firewall.unsure_endpoints.push(service.to_owned()),
        }
    }
    Some(firewall)
}

/// Returns these groups, if there are any and all are known.
fn known<'g>(ids: &[String], groups: &'g [SecurityGroup]) -> Option<Vec<&'g SecurityGroup>> {
    let find = |id: &String| groups.iter().find(|group| group.group_id == *id);
    let found: Option<Vec<&SecurityGroup>> = ids.iter().map(find).collect();
    found.filter(|found| !found.is_empty())
}

/// Returns whether an endpoint lets an instance in; none when something that is not known may.
fn admits(endpoint: &VpcEndpoint, network: &Network, groups: &[SecurityGroup]) -> Option<bool> {
    let groups = known(&endpoint.security_groups, groups)?;
    let rules = groups.iter().flat_map(|group| &group.ingress);
    let mut is_sure = true;
    for rule in rules.filter(|rule| is_tcp(rule) && is_on_port(rule)) {
        if rule
            .groups
            .iter()
            .any(|id| network.security_groups.contains(id))
        {
            return Some(true);
        }
        // Whoever holds an address of a prefix list is not known here, nor an instance's addresses of IPv6.
        is_sure &= rule.prefix_lists.is_empty();
        for block in &rule.blocks {
            let address = network.private_ip.as_deref().unwrap_or_default();
            match has(block, address) {
                Some(true) => return Some(true),
                Some(false) if !block.contains(':') => {}
                _ => is_sure = false,
            }
        }
    }
    is_sure.then_some(false)
}

fn is_tcp(rule: &SecurityRule) -> bool {
    ["-1", "tcp", "6"].contains(&rule.protocol.as_str())
}

/// All ports of a protocol have no numbers, or -1.
fn is_on_port(rule: &SecurityRule) -> bool {
    match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) => from == -1 || (from..=to).contains(&PORT),
        _ => true,
    }
}

/// What security groups do to an agent that never registered.
pub(crate) enum Passage {
    /// They let it through, or nothing is known of them.
    Open,
    /// They surely do not.
    Closed(Diagnosis),
    /// They may not: what to look at.
    Unsure(Vec<String>),
}

/// Returns what the security groups do, after `what` that they cause.
pub(crate) fn passage(node: &Node, what: &str) -> Passage {
    let evidence = node.evidence.as_ref();
    let (Some(evidence), Some(network)) = (evidence, &node.network) else {
        return Passage::Open;
    };
    let firewall = match &evidence.firewall {
        Reading::Present(firewall) => firewall,
        Reading::Absent => return Passage::Open,
        Reading::Unknown(reason) => {
            return Passage::Unsure(vec![format!(
                "whether its security groups let it out on TCP port {PORT}, which could not be read: {reason}"
            )]);
        }
    };
    let groups = network.security_groups.join(", ");
    let closed = |why: String, fix: String| {
        let problem = "unregistered.security_group";
        Passage::Closed(Diagnosis::new(
            problem,
            Severity::Error,
            format!("{what}: {why}"),
            fix,
        ))
    };
    if firewall.lets_out_to.is_empty() && !firewall.lets_out_on_other_ports {
        return closed(
            format!("its security groups {groups} let nothing out on TCP port {PORT}"),
            format!(
                "allow TCP port {PORT} out in one of {groups}, to the endpoints or to anywhere"
            ),
        );
    }
    let names = |list: &[String]| list.iter().any(|service| service == "ssm");
    let mut look = Vec::new();
    if firewall.lets_out_to.is_empty() {
        look.push(format!(
            "whether the agent has a proxy, as its security groups {groups} let it out on other ports than {PORT} only"
        ));
    } else {
        if names(&firewall.refusing_endpoints) {
            let vpc = network.vpc_id.as_deref().unwrap_or("its VPC");
            return closed(
                format!(
                    "the security groups of the endpoint for ssm in {vpc} deny it access on TCP port {PORT}"
                ),
                format!(
                    "allow TCP port {PORT} in from {groups} in a security group of the endpoint"
                ),
            );
        }
        if !firewall.lets_out_to.iter().any(|to| to == "0.0.0.0/0") {
            look.push(format!(
                "whether the services are at what its security groups {groups} let it out to: {}",
                firewall.lets_out_to.join(", ")
            ));
        }
    }
    if names(&firewall.unsure_endpoints) {
        look.push(
            "whether a security group of the endpoint for ssm lets it in by a prefix list or by IPv6"
                .to_owned(),
        );
    }
    match look.is_empty() {
        true => Passage::Open,
        false => Passage::Unsure(look),
    }
}

#[cfg(test)]
#[path = "firewall_tests.rs"]
mod tests;
