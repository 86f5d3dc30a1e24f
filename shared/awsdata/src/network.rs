//! What EC2 reports about the way from a subnet to the services, as far as the tools ask.

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
    /// The IDs of its security groups; none for gateways.
    pub security_groups: Vec<String>,
}

/// A security group.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroup.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-..`.
    pub group_id: String,
    /// What it lets in.
    pub ingress: Vec<SecurityRule>,
    /// What it lets out.
    pub egress: Vec<SecurityRule>,
}

/// What a security group lets through.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityRule {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// The first port; none for all.
    pub from_port: Option<i32>,
    /// The last port; none for all.
    pub to_port: Option<i32>,
    /// Blocks in CIDR notation, of IPv4 and IPv6.
    pub blocks: Vec<String>,
    /// `pl-..`.
    pub prefix_lists: Vec<String>,
    /// The security groups whose members are meant.
    pub groups: Vec<String>,
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
