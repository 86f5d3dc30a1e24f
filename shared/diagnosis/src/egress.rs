//! From a VPC's endpoints and route tables to the ways that an instance in a subnet has. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use awsdata::{Route, RouteTable, VpcEndpoint};
use records::{DefaultRoute, EgressPaths};

use crate::endpoint_policy;

/// Returns the ways out of a subnet.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>
pub fn egress_paths(
    vpc_id: &str,
    subnet_id: &str,
    endpoints: &[VpcEndpoint],
    tables: &[RouteTable],
) -> EgressPaths {
    // An endpoint without private DNS has a name of its own that agents do not know, unless a private hosted zone gives it
    // the name that they do.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
    let services = |has_private_dns: bool| {
        let usable = endpoints.iter().filter(|endpoint| {
            endpoint.vpc_id == vpc_id
                && endpoint.state == "available"
                && endpoint.private_dns_enabled == has_private_dns
        });
        let mut services: Vec<String> = usable
            .filter_map(|endpoint| endpoint.service_name.rsplit('.').next())
            .map(str::to_owned)
            .collect();
        services.sort();
        services.dedup();
        services
    };
    let own = tables
        .iter()
        .find(|table| table.subnet_ids.iter().any(|id| id == subnet_id));
    let table = own.or_else(|| {
        tables
            .iter()
            .find(|table| table.vpc_id == vpc_id && table.is_main)
    });
    let routes = table
        .map(|table| table.routes.as_slice())
        .unwrap_or_default();
    let leaving: Vec<&Route> = routes.iter().filter(|route| leaves(route)).collect();
    let (of_ipv4, of_ipv6) = (
        parts_of_default(&leaving, ALL_IPV4),
        parts_of_default(&leaving, GLOBAL_IPV6),
    );
    let is_of_default = |route: &Route| of_ipv4.contains(&route) || of_ipv6.contains(&route);
    let others = leaving.iter().filter(|route| !is_of_default(route));
    let mut other_routes: Vec<String> = others
        .map(|route| {
            let destination = route.destination.as_deref().unwrap_or_default();
            format!("{destination} {}", target(route))
        })
        .collect();
    other_routes.sort();
    EgressPaths {
        default_route: leads_to(&of_ipv4),
        ipv6_default_route: leads_to(&of_ipv6),
        other_routes,
        unnamed_endpoints: services(false),
        refusing_endpoints: refusing(vpc_id, endpoints),
        endpoints: services(true),
    }
}

/// What an agent asks for first, by service.
const FIRST_ACTIONS: [(&str, &str); 2] = [
    ("ssm", "ssm:UpdateInstanceInformation"),
    ("ssmmessages", "ssmmessages:CreateControlChannel"),
];

/// An endpoint with private DNS takes all of its service's traffic in the VPC, also that of subnets with another way.
fn refusing(vpc_id: &str, endpoints: &[VpcEndpoint]) -> Vec<String> {
    let refuses = |service: &str, action: &str| {
        endpoints.iter().any(|endpoint| {
            let is_it = endpoint.vpc_id == vpc_id
                && endpoint.state == "available"
                && endpoint.private_dns_enabled
                && endpoint.service_name.rsplit('.').next() == Some(service);
            let policy = endpoint.policy.as_deref().filter(|_| is_it);
            policy.is_some_and(|policy| endpoint_policy::refuses(policy, action))
        })
    };
    let found = FIRST_ACTIONS
        .into_iter()
        .filter(|(service, action)| refuses(service, action));
    found.map(|(service, _)| service.to_owned()).collect()
}

/// Whether a route leads out of the VPC to something that is there. Gateway endpoints lead to S3 and DynamoDB only.
fn leaves(route: &Route) -> bool {
    let gateway = route.gateway_id.as_deref().unwrap_or_default();
    route.state.as_deref() != Some("blackhole")
        && gateway != "local"
        && !gateway.starts_with("vpce-")
}

fn target(route: &Route) -> &str {
    let gateway = route.gateway_id.as_deref();
    gateway.or(route.leads_to.as_deref()).unwrap_or("?")
}

/// A block of addresses; those of IPv4 are in the upper bits.
#[derive(Clone, Copy)]
struct Block {
    is_ipv6: bool,
    bits: u128,
    length: u32,
}

const ALL_IPV4: Block = Block {
    is_ipv6: false,
    bits: 0,
    length: 0,
};
/// What of IPv6 is in use on the internet: people route it instead of all.
/// <https://www.iana.org/assignments/ipv6-address-space/ipv6-address-space.xhtml>
const GLOBAL_IPV6: Block = Block {
    is_ipv6: true,
    bits: 0x2000 << 112,
    length: 3,
};

/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
fn is_private(block: Block) -> bool {
    const PRIVATE: [(u128, u32, bool); 5] = [
        (0x0a00 << 112, 8, false),
        (0xac10 << 112, 12, false),
        (0xc0a8 << 112, 16, false),
        (0x6440 << 112, 10, false),
        (0xfc00 << 112, 7, true),
    ];
    PRIVATE.into_iter().any(|(bits, length, is_ipv6)| {
        is_within(
            block,
            Block {
                is_ipv6,
                bits,
                length,
            },
        )
    })
}

fn block(route: &Route) -> Option<Block> {
    parsed(route.destination.as_deref()?)
}

fn parsed(text: &str) -> Option<Block> {
    let (address, length) = text.split_once('/')?;
    let length = length.parse().ok()?;
    let (is_ipv6, bits) = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
        (Ok(address), _) => (false, u128::from(u32::from(address)) << 96),
        (_, Ok(address)) => (true, u128::from(address)),
        _ => return None,
    };
    let longest = if is_ipv6 { 128 } else { 32 };
    (length <= longest).then_some(Block {
        is_ipv6,
        bits,
        length,
    })
}

/// Returns whether a block in CIDR notation has an address of IPv4; none when either is not one.
pub(crate) fn has(text: &str, address: &str) -> Option<bool> {
    let address = parsed(&format!("{address}/32"))?;
    Some(is_within(address, parsed(text)?))
}

/// Returns the routes that are `all` together: one, or several where VPN software or a hub has split it, so that the parts beat
/// another default route. What leads to private addresses is none of them.
fn parts_of_default<'r>(leaving: &[&'r Route], all: Block) -> Vec<&'r Route> {
    let having = |is_part: &dyn Fn(Block) -> bool| -> Vec<&'r Route> {
        let parts = leaving.iter().copied();
        parts
            .filter(|route| block(route).is_some_and(is_part))
            .collect()
    };
    let whole = having(&|block| is_within(all, block));
    if !whole.is_empty() {
        return whole;
    }
    let blocks: Vec<Block> = leaving.iter().filter_map(|route| block(route)).collect();
    match covers(&blocks, all) {
        true => having(&|block| is_within(block, all) && !is_private(block)),
        false => Vec::new(),
    }
}

/// Only where each of the parts needs a public address, nothing gets out without one.
fn leads_to(parts: &[&Route]) -> Option<DefaultRoute> {
    let is_internet_gateway = parts.iter().all(|route| target(route).starts_with("igw-"));
    match (parts.is_empty(), is_internet_gateway) {
        (true, _) => None,
        (false, true) => Some(DefaultRoute::InternetGateway),
        (false, false) => Some(DefaultRoute::Other),
    }
}

fn is_within(inner: Block, outer: Block) -> bool {
    let mask = |length: u32| u128::MAX.checked_shl(128 - length).unwrap_or(0);
    inner.is_ipv6 == outer.is_ipv6
        && inner.length >= outer.length
        && inner.bits & mask(outer.length) == outer.bits & mask(outer.length)
}

/// Whether the blocks together have every address of `all`.
fn covers(blocks: &[Block], all: Block) -> bool {
    if blocks.iter().any(|block| is_within(all, *block)) {
        return true;
    }
    let inside: Vec<Block> = blocks
        .iter()
        .copied()
        .filter(|block| is_within(*block, all))
        .collect();
    // Two halves need two blocks.
    if inside.len() < 2 {
        return false;
    }
    let length = all.length + 1;
    let upper = Block {
        bits: all.bits | 1 << (128 - length),
        length,
        ..all
    };
    covers(&inside, Block { length, ..all }) && covers(&inside, upper)
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
