//! From a VPC's endpoints and route tables to the ways that an instance in a subnet has. Pure.

use awsdata::{Route, RouteTable, VpcEndpoint};

use records::{DefaultRoute, EgressPaths};

/// Returns the ways out of a subnet.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>
pub fn egress_paths(
    vpc_id: &str,
    subnet_id: &str,
    endpoints: &[VpcEndpoint],
    tables: &[RouteTable],
) -> EgressPaths {
    // An endpoint without private DNS has a name of its own that agents do not know.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
    let usable = endpoints.iter().filter(|endpoint| {
        endpoint.vpc_id == vpc_id && endpoint.state == "available" && endpoint.private_dns_enabled
    });
    let mut services: Vec<String> = usable
        .filter_map(|endpoint| endpoint.service_name.rsplit('.').next())
        .map(str::to_owned)
        .collect();
    services.sort();
    services.dedup();
    let own = tables
        .iter()
        .find(|table| table.subnet_ids.iter().any(|id| id == subnet_id));
    let table = own.or_else(|| {
        tables
            .iter()
            .find(|table| table.vpc_id == vpc_id && table.is_main)
    });
    let default = table.and_then(|table| {
        table.routes.iter().find(|route| {
            route.destination.as_deref() == Some("0.0.0.0/0")
                && route.state.as_deref() != Some("blackhole")
        })
    });
    EgressPaths {
        default_route: default.map(leads_to),
        endpoints: services,
    }
}

fn leads_to(route: &Route) -> DefaultRoute {
    let gateway = route.gateway_id.as_deref().unwrap_or_default();
    if gateway.starts_with("igw-") {
        DefaultRoute::InternetGateway
    } else {
        DefaultRoute::Other
    }
}

#[cfg(test)]
mod tests {
    use awsdata::{Route, RouteTable, VpcEndpoint};

    use super::egress_paths;
    use records::{DefaultRoute, EgressPaths};

    fn endpoint(service: &str, state: &str, private_dns_enabled: bool) -> VpcEndpoint {
        VpcEndpoint {
            vpc_id: "vpc-1".to_owned(),
            service_name: format!("com.amazonaws.eu-central-1.{service}"),
            state: state.to_owned(),
            private_dns_enabled,
        }
    }

    fn table(subnet: Option<&str>, gateway: Option<&str>, state: &str) -> RouteTable {
        RouteTable {
            vpc_id: "vpc-1".to_owned(),
            is_main: subnet.is_none(),
            subnet_ids: subnet.map(str::to_owned).into_iter().collect(),
            routes: vec![Route {
                destination: Some("0.0.0.0/0".to_owned()),
                gateway_id: gateway.map(str::to_owned),
                state: Some(state.to_owned()),
            }],
        }
    }

    #[test]
    fn a_subnet_uses_its_own_table_or_the_main_one() {
        let tables = [
            table(None, Some("igw-1"), "active"),
            table(Some("subnet-nat"), None, "active"),
            table(Some("subnet-cut"), None, "blackhole"),
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
    fn only_endpoints_that_agents_find_count() {
        let endpoints = [
            endpoint("ssmmessages", "available", true),
            endpoint("ssm", "pending", true),
            endpoint("ec2messages", "available", false),
        ];
        assert_eq!(
            egress_paths("vpc-1", "", &endpoints, &[]).endpoints,
            ["ssmmessages"]
        );
        assert!(
            egress_paths("vpc-2", "", &endpoints, &[])
                .endpoints
                .is_empty()
        );
    }
}
