//! Whether a way leads from a subnet to the services: surely none, or what would have to be looked at. Pure.

use records::{DefaultRoute, EgressPaths, Node, Severity};

use crate::capability::Capability;
use crate::diagnosis::Diagnosis;
use crate::version::Version;

/// The services that an agent cannot do without; commands of old agents need ec2messages, too.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html>
const NEEDED_ENDPOINTS: [&str; 2] = ["ssm", "ssmmessages"];
/// How many routes are named.
const MAX_NAMED: usize = 3;

/// The way of a node to the services that it needs.
pub(crate) enum Way {
    /// There is one, as far as routes and endpoints show, or nothing is known of them.
    Open,
    /// There is surely none.
    None(NoWay),
    /// The usual one is missing, and one of another kind may be there.
    Unsure(NoWay, Vec<String>),
}

/// What is missing.
pub(crate) struct NoWay {
    out: &'static str,
    missing: String,
    vpc: String,
}

impl NoWay {
    /// Returns what is wrong, after `what` that causes.
    pub(crate) fn diagnosis(self, problem: &'static str, what: &str) -> Diagnosis {
        let (missing, vpc) = (&self.missing, &self.vpc);
        Diagnosis::new(
            problem,
            Severity::Error,
            format!("{what}: {self}"),
            format!(
                "create interface endpoints with private DNS for {missing} in {vpc}, or give the subnet a way out; only a \
                 proxy in {vpc} that is set for the agent does without"
            ),
        )
    }
}

impl std::fmt::Display for NoWay {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let NoWay { out, missing, vpc } = self;
        write!(
            formatter,
            "{out}, and {vpc} has no endpoint with private DNS for {missing}"
        )
    }
}

/// Returns the way of an instance, as far as the evidence shows.
pub(crate) fn way(node: &Node) -> Way {
    way_to(node, &NEEDED_ENDPOINTS)
}

/// Returns what it means that the policy of the endpoint for `service` lets no agent in, after `what` that causes.
/// <https://github.com/aws/amazon-ssm-agent/issues/374>
pub(crate) fn refused_by_endpoint(
    node: &Node,
    service: &str,
    problem: &'static str,
    what: &str,
) -> Option<Diagnosis> {
    let ways = node.evidence.as_ref()?.ways.present()?;
    let is_refusing = ways.refusing_endpoints.iter().any(|one| one == service);
    let vpc = node
        .network
        .as_ref()
        .and_then(|network| network.vpc_id.as_deref());
    is_refusing.then(|| {
        Diagnosis::new(
            problem,
            Severity::Error,
            format!(
                "{what}: the policy of the endpoint for {service} in {} allows nobody what agents ask for",
                vpc.unwrap_or("its VPC")
            ),
            format!("allow {service}:* for the roles of nodes in the endpoint's policy, then restart the agent"),
        )
    })
}

/// Returns whether commands over ec2messages surely do not reach a node.
pub(crate) fn is_cut_from_ec2messages(node: &Node) -> bool {
    matches!(way_to(node, &["ec2messages"]), Way::None(_))
}

fn way_to(node: &Node, needed: &[&str]) -> Way {
    let evidence = node.evidence.as_ref();
    let ways = evidence.and_then(|evidence| evidence.ways.present());
    let (Some(ways), Some(network)) = (ways, &node.network) else {
        return Way::Open;
    };
    let out = match ways.default_route {
        None => "its subnet has no default route",
        // An internet gateway drops what has no public address.
        Some(DefaultRoute::InternetGateway) if network.public_ip.is_none() => {
            "it has no public address for the internet gateway"
        }
        Some(_) => return Way::Open,
    };
    let missing: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|service| !ways.endpoints.iter().any(|has| has == service))
        .collect();
    if missing.is_empty() {
        return Way::Open;
    }
    let no_way = NoWay {
        out,
        missing: missing.join(" and "),
        vpc: network
            .vpc_id
            .clone()
            .unwrap_or_else(|| "its VPC".to_owned()),
    };
    let others = others(node, ways, &missing);
    match others.is_empty() {
        true => Way::None(no_way),
        false => Way::Unsure(no_way, others),
    }
}

/// Returns the ways of other kinds that may be there, each as something to look at.
fn others(node: &Node, ways: &EgressPaths, missing: &[&str]) -> Vec<String> {
    let mut others = Vec::new();
    // Its pings come by a way that neither routes nor endpoints show.
    if node.is_online() && !ways.endpoints.iter().any(|has| has == "ssm") {
        others.push(
            "which way its pings take, such as a proxy, and whether that lets the other services through".to_owned(),
        );
    }
    let region = &node.target.region;
    // Hubs have the endpoints in one VPC, and private hosted zones that lead there from the others.
    // https://docs.aws.amazon.com/whitepapers/latest/building-scalable-secure-multi-vpc-network-infrastructure/centralized-access-to-vpc-private-endpoints.html
    if !ways.other_routes.is_empty() {
        let n_more = ways.other_routes.len().saturating_sub(MAX_NAMED);
        let named: Vec<&str> = ways
            .other_routes
            .iter()
            .take(MAX_NAMED)
            .map(String::as_str)
            .collect();
        let more = match n_more {
            0 => String::new(),
            n_more => format!(" and {n_more} more"),
        };
        others.push(format!(
            "whether endpoints or a NAT are where the routes {}{more} lead to, and {}.{region}.* resolves to addresses there",
            named.join(", "),
            missing.first().copied().unwrap_or_default()
        ));
    }
    let unnamed: Vec<&str> = missing
        .iter()
        .copied()
        .filter(|service| ways.unnamed_endpoints.iter().any(|has| has == service))
        .collect();
    if !unnamed.is_empty() {
        others.push(format!(
            "whether a private hosted zone names the endpoints of {} that have no private DNS",
            unnamed.join(" and ")
        ));
    }
    let floor = Capability::DualStack.since();
    let agent = node.agent.as_ref().and_then(|agent| agent.version.as_ref());
    let version = agent.and_then(|version| version.parse::<Version>().ok());
    if ways.ipv6_default_route.is_some() && version.is_none_or(|version| version >= floor) {
        others.push(format!(
            "whether the agent is {floor} or newer and has UseDualStackEndpoint set, as its subnet's way out is of IPv6"
        ));
    }
    others
}
