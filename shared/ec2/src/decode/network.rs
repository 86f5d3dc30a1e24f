//! Regions, VPC endpoints and route tables.

use aws_smithy_runtime_api::box_error::BoxError;

use super::{Element, Page, children, page, text, while_item};
use crate::{Route, RouteTable, VpcEndpoint};

/// Returns the only page of `DescribeRegions`.
pub(crate) fn regions(body: &[u8]) -> Result<Page<String>, BoxError> {
    page(body, "regionInfo", |item, regions| {
        while let Some(mut tag) = item.next_tag()? {
            if tag.local() == "regionName" {
                regions.extend(text(&mut tag)?);
            }
        }
        Ok(())
    })
}

/// Returns one page of `DescribeVpcEndpoints`.
pub(crate) fn vpc_endpoints(body: &[u8]) -> Result<Page<VpcEndpoint>, BoxError> {
    page(body, "vpcEndpointSet", |item, endpoints| {
        let mut endpoint = VpcEndpoint::default();
        while let Some(mut tag) = item.next_tag()? {
            match tag.local() {
                "vpcId" => endpoint.vpc_id = text(&mut tag)?.unwrap_or_default(),
                "serviceName" => endpoint.service_name = text(&mut tag)?.unwrap_or_default(),
                "state" => endpoint.state = text(&mut tag)?.unwrap_or_default(),
                "privateDnsEnabled" => {
                    endpoint.private_dns_enabled = text(&mut tag)?.as_deref() == Some("true");
                }
                "policyDocument" => endpoint.policy = text(&mut tag)?,
                "groupSet" => endpoint.security_groups = children(&mut tag, "groupId")?,
                _ => {}
            }
        }
        endpoints.push(endpoint);
        Ok(())
    })
}

/// Returns one page of `DescribeRouteTables`.
pub(crate) fn route_tables(body: &[u8]) -> Result<Page<RouteTable>, BoxError> {
    page(body, "routeTableSet", |item, tables| {
        let mut table = RouteTable::default();
        while let Some(mut tag) = item.next_tag()? {
            match tag.local() {
                "vpcId" => table.vpc_id = text(&mut tag)?.unwrap_or_default(),
                "routeSet" => while_item(&mut tag, |item| {
                    table.routes.push(route(item)?);
                    Ok(())
                })?,
                "associationSet" => while_item(&mut tag, |item| association(item, &mut table))?,
                _ => {}
            }
        }
        tables.push(table);
        Ok(())
    })
}

fn route(item: &mut Element<'_, '_>) -> Result<Route, BoxError> {
    let mut route = Route::default();
    while let Some(mut tag) = item.next_tag()? {
        match tag.local() {
            "destinationCidrBlock" | "destinationIpv6CidrBlock" | "destinationPrefixListId" => {
                route.destination = text(&mut tag)?;
            }
            "gatewayId" => route.gateway_id = text(&mut tag)?,
            // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
            "carrierGatewayId"
            | "coreNetworkArn"
            | "egressOnlyInternetGatewayId"
            | "instanceId"
            | "localGatewayId"
            | "natGatewayId"
            | "networkInterfaceId"
            | "transitGatewayId"
            | "vpcPeeringConnectionId" => {
                let leads_to = text(&mut tag)?;
                route.leads_to = route.leads_to.or(leads_to);
            }
            "state" => route.state = text(&mut tag)?,
            _ => {}
        }
    }
    Ok(route)
}

fn association(item: &mut Element<'_, '_>, table: &mut RouteTable) -> Result<(), BoxError> {
    while let Some(mut tag) = item.next_tag()? {
        match tag.local() {
            "main" => table.is_main |= text(&mut tag)?.as_deref() == Some("true"),
            "subnetId" => table.subnet_ids.extend(text(&mut tag)?),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{route_tables, vpc_endpoints};
    use crate::{Route, RouteTable, VpcEndpoint};

    #[test]
    fn endpoints_say_service_and_state() {
        let body = br#"<DescribeVpcEndpointsResponse><requestId>r</requestId><vpcEndpointSet><item>
            <vpcEndpointId>vpce-0</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType><vpcId>vpc-1</vpcId>
            <serviceName>com.amazonaws.us-east-1.ssm</serviceName><state>available</state>
            <privateDnsEnabled>true</privateDnsEnabled>
            <policyDocument>{&quot;Statement&quot;: []}</policyDocument><subnetIdSet><item>subnet-1</item></subnetIdSet>
            <groupSet><item><groupId>sg-1</groupId><groupName>a</groupName></item><item><groupId>sg-2</groupId></item></groupSet></item>
            </vpcEndpointSet><nextToken>t</nextToken></DescribeVpcEndpointsResponse>"#;
        let page = vpc_endpoints(body).unwrap();
        let expected = VpcEndpoint {
            vpc_id: "vpc-1".to_owned(),
            service_name: "com.amazonaws.us-east-1.ssm".to_owned(),
            state: "available".to_owned(),
            private_dns_enabled: true,
            policy: Some(r#"{"Statement": []}"#.to_owned()),
            security_groups: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        };
        assert_eq!(
            (page.items, page.next_token),
            (vec![expected], Some("t".to_owned()))
        );
    }

    #[test]
    fn route_tables_say_routes_and_subnets() {
        let body = br#"<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId>
            <vpcId>vpc-1</vpcId><routeSet><item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
            <gatewayId>local</gatewayId><state>active</state></item><item>
            <destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId>
            <state>blackhole</state></item><item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock>
            <egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><state>active</state></item><item>
            <destinationPrefixListId>pl-1</destinationPrefixListId><transitGatewayId>tgw-1</transitGatewayId>
            <state>active</state></item></routeSet><associationSet><item><main>true</main></item>
            <item><subnetId>subnet-1</subnetId><main>false</main></item></associationSet></item></routeTableSet>
            </DescribeRouteTablesResponse>"#;
        let route = |destination: &str, leads_to: &str, state: &str| Route {
            destination: Some(destination.to_owned()),
            gateway_id: (leads_to == "local").then(|| leads_to.to_owned()),
            leads_to: (leads_to != "local").then(|| leads_to.to_owned()),
            state: Some(state.to_owned()),
        };
        let expected = RouteTable {
            vpc_id: "vpc-1".to_owned(),
            is_main: true,
            subnet_ids: vec!["subnet-1".to_owned()],
            routes: vec![
                route("10.0.0.0/16", "local", "active"),
                route("0.0.0.0/0", "nat-1", "blackhole"),
                route("::/0", "eigw-1", "active"),
                route("pl-1", "tgw-1", "active"),
            ],
        };
        assert_eq!(route_tables(body).unwrap().items, [expected]);
    }
}
