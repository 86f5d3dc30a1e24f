//! What EC2 tells about the way from a subnet to the services, as far as the tools ask.

/// An endpoint in a VPC.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// Its VPC.
    pub vpc_id: String,
    /// `com.amazonaws.REGION.ssm`, ..
    pub service_name: String,
    /// `available`, `pending`, `rejected`, ..
    pub state: String,
    /// Whether the service's ordinary name leads to it, which is the name that agents use.
    pub private_dns_enabled: bool,
    /// Its policy, as JSON.
    pub policy: Option<String>,
}

/// A route table.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RouteTable.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable {
    /// Its VPC.
    pub vpc_id: String,
    /// Whether it is that of all subnets without one of their own.
    pub is_main: bool,
    /// The subnets associated with it.
    pub subnet_ids: Vec<String>,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// A block in CIDR notation of IPv4 or IPv6, or a prefix list `pl-..`.
    pub destination: Option<String>,
    /// `local`, `igw-..`, `vpce-..`, ..; none when it leads to something else, such as a NAT gateway.
    pub gateway_id: Option<String>,
    /// `nat-..`, `tgw-..`, `eigw-..`, `pcx-..`, ..; none when it leads to a gateway.
    pub leads_to: Option<String>,
    /// `active`, or `blackhole` when what it leads to is gone.
    pub state: Option<String>,
}
