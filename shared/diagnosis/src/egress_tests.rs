//! Route tables and endpoints in, ways out.

use awsdata::{Route, RouteTable, VpcEndpoint};
use records::{DefaultRoute, EgressPaths};

use super::egress_paths;

fn endpoint(service: &str, state: &str, private_dns_enabled: bool) -> VpcEndpoint {
    VpcEndpoint {
        vpc_id: "vpc-1".to_owned(),
        service_name: format!("com.amazonaws.eu-central-1.{service}"),
        state: state.to_owned(),
        private_dns_enabled,
        policy: None,
        security_groups: Vec::new(),
    }
}

fn route(destination: &str, target: &str, state: &str) -> Route {
    let is_gateway = target == "local" || target.starts_with("igw-") || target.starts_with("vpce-");
    Route {
        destination: Some(destination.to_owned()),
        gateway_id: is_gateway.then(|| target.to_owned()),
        leads_to: (!is_gateway).then(|| target.to_owned()),
        state: Some(state.to_owned()),
    }
}

fn table(subnet: Option<&str>, routes: Vec<Route>) -> RouteTable {
    RouteTable {
        vpc_id: "vpc-1".to_owned(),
        is_main: subnet.is_none(),
        subnet_ids: subnet.map(str::to_owned).into_iter().collect(),
        routes,
    }
}

#[test]
fn a_subnet_uses_its_own_table_or_the_main_one() {
    let default = |target: &str, state: &str| vec![route("0.0.0.0/0", target, state)];
    let tables = [
        table(None, default("igw-1", "active")),
        table(Some("subnet-nat"), default("nat-1", "active")),
        table(Some("subnet-cut"), default("nat-1", "blackhole")),
    ];
    for (subnet, expected) in [
        ("subnet-any", Some(DefaultRoute::InternetGateway)),
        ("subnet-nat", Some(DefaultRoute::Other)),
        ("subnet-cut", None),
    ] {
        let found = egress_paths("vpc-1", subnet, &[], &tables);
        assert_eq!(found.default_route, expected, "{subnet}");
    }
    assert_eq!(
        egress_paths("vpc-2", "subnet-other", &[], &tables),
        EgressPaths::default()
    );
}

#[test]
fn f7_routes_that_are_all_together_are_a_default() {
    use DefaultRoute::{InternetGateway, Other};
    for (routes, ipv4, ipv6, others) in [
        (
            vec![("0.0.0.0/1", "tgw-1"), ("128.0.0.0/1", "tgw-1")],
            Some(Other),
            None,
            vec![],
        ),
        (
            vec![("0.0.0.0/1", "igw-1"), ("128.0.0.0/1", "igw-1")],
            Some(InternetGateway),
            None,
            vec![],
        ),
        (
            vec![("0.0.0.0/1", "igw-1"), ("128.0.0.0/1", "tgw-1")],
            Some(Other),
            None,
            vec![],
        ),
        // Four parts, in any order.
        (
            vec![
                ("128.0.0.0/2", "eni-1"),
                ("0.0.0.0/1", "eni-1"),
                ("192.0.0.0/2", "eni-1"),
            ],
            Some(Other),
            None,
            vec![],
        ),
        // The same half twice is not a whole.
        (
            vec![("0.0.0.0/1", "tgw-1"), ("0.0.0.0/2", "tgw-2")],
            None,
            None,
            vec!["0.0.0.0/1 tgw-1", "0.0.0.0/2 tgw-2"],
        ),
        (
            vec![("10.0.0.0/8", "tgw-1")],
            None,
            None,
            vec!["10.0.0.0/8 tgw-1"],
        ),
        (vec![("pl-1", "pcx-1")], None, None, vec!["pl-1 pcx-1"]),
        (vec![("::/0", "eigw-1")], None, Some(Other), vec![]),
        (
            vec![("2000::/3", "igw-1")],
            None,
            Some(InternetGateway),
            vec![],
        ),
        // NAT64 is a way for a subnet of IPv6 only.
        (
            vec![("64:ff9b::/96", "nat-1")],
            None,
            None,
            vec!["64:ff9b::/96 nat-1"],
        ),
        (
            vec![("10.0.0.0/16", "local"), ("pl-2", "vpce-1")],
            None,
            None,
            vec![],
        ),
        (
            vec![
                ("0.0.0.0/0", "igw-1"),
                ("10.0.0.0/8", "tgw-1"),
                ("52.0.0.0/8", "tgw-2"),
            ],
            Some(InternetGateway),
            None,
            vec!["10.0.0.0/8 tgw-1", "52.0.0.0/8 tgw-2"],
        ),
        // Parts of the whole are not to lead elsewhere because of what is private.
        (
            vec![
                ("0.0.0.0/1", "igw-1"),
                ("128.0.0.0/1", "igw-1"),
                ("10.0.0.0/8", "tgw-1"),
            ],
            Some(InternetGateway),
            None,
            vec!["10.0.0.0/8 tgw-1"],
        ),
    ] {
        let routes = routes
            .into_iter()
            .map(|(to, target)| route(to, target, "active"));
        let tables = [table(None, routes.collect())];
        let found = egress_paths("vpc-1", "subnet-1", &[], &tables);
        let expected = EgressPaths {
            default_route: ipv4,
            ipv6_default_route: ipv6,
            other_routes: others.into_iter().map(str::to_owned).collect(),
            ..EgressPaths::default()
        };
        assert_eq!(found, expected, "{tables:?}");
    }
}

#[test]
fn an_endpoint_whose_policy_lets_no_agent_in_is_reported() {
    let mut endpoints = [
        endpoint("ssm", "available", true),
        endpoint("ssmmessages", "available", true),
    ];
    let of = |action: &str| {
        let statement = format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "{action}", "Resource": "*"}}"#
        );
        Some(format!(r#"{{"Statement": [{statement}]}}"#))
    };
    let refusing =
        |endpoints: &[VpcEndpoint]| egress_paths("vpc-1", "", endpoints, &[]).refusing_endpoints;
    assert!(refusing(&endpoints).is_empty());
    (endpoints[0].policy, endpoints[1].policy) = (of("ssm:GetParameter"), of("*"));
    assert_eq!(refusing(&endpoints), ["ssm"]);
    // Nobody is led there by the name.
    endpoints[0].private_dns_enabled = false;
    assert!(refusing(&endpoints).is_empty());
}

#[test]
fn only_endpoints_that_agents_find_count() {
    let endpoints = [
        endpoint("ssmmessages", "available", true),
        endpoint("ssm", "pending", true),
        endpoint("ec2messages", "available", false),
    ];
    let found = egress_paths("vpc-1", "", &endpoints, &[]);
    assert_eq!(found.endpoints, ["ssmmessages"]);
    // A private hosted zone may give it the name.
    assert_eq!(found.unnamed_endpoints, ["ec2messages"]);
    let found = egress_paths("vpc-2", "", &endpoints, &[]);
    assert!(found.endpoints.is_empty() && found.unnamed_endpoints.is_empty());
}
