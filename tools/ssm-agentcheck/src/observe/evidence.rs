//! Reads what explains why a node does not answer: whether sessions reach it, Default Host Management, the ways out of its
//! subnet. Each thing is read when the first node needs it, and once.

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use awsconf::{Session, describe};
use cli::Reading;
use diagnosis::{egress_paths, firewall};
use ec2::{RouteTable, SecurityGroup, VpcEndpoint};
use records::{EgressPaths, Evidence, Firewall, Network, Node, RegionHostManagement, Timestamp};
use tokio::sync::OnceCell;

use crate::model::Connections;

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
const SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// The region's facts, as far as they have been needed.
pub(super) struct EvidenceReader {
    client: Client,
    ec2: ec2::Client,
    region: String,
    connections: Connections,
    /// By profile and subnet, whether the first node asked was connected.
    groups: BTreeMap<(Option<String>, Option<String>), bool>,
    host_management: OnceCell<Reading<RegionHostManagement>>,
    network: OnceCell<Reading<(Vec<VpcEndpoint>, Vec<RouteTable>)>>,
    groups_of_security: OnceCell<Reading<Vec<SecurityGroup>>>,
}

impl EvidenceReader {
    pub(super) fn new(
        session: &Session,
        client: Client,
        connections: Connections,
    ) -> EvidenceReader {
        EvidenceReader {
            client,
            ec2: ec2::Client::new(&session.config),
            region: session.target.region.clone(),
            connections,
            groups: BTreeMap::new(),
            host_management: OnceCell::new(),
            network: OnceCell::new(),
            groups_of_security: OnceCell::new(),
        }
    }

    /// Returns what bears on a node that does not answer or may not; nothing for one that is stopped or surely fine.
    pub(super) async fn evidence(&mut self, node: &Node) -> Option<Evidence> {
        if !node.is_running() {
            return None;
        }
        let mut evidence = Evidence::default();
        if node.is_online() {
            evidence.connection = self.connection(node).await?;
            if is_connected(&evidence.connection) {
                return Some(evidence);
            }
        }
        // A hybrid node has neither an instance profile nor a subnet to look at.
        let Some(network) = &node.network else {
            return node.is_online().then_some(evidence);
        };
        evidence.host_management = self
            .host_management
            .get_or_init(|| host_management(&self.client))
            .await
            .clone();
        evidence.ways = self.egress_paths(network).await;
        if node.agent.is_none() {
            evidence.firewall = self.firewall(network).await;
        }
        Some(evidence)
    }

    /// Whether ping and truth differ SSM reports for one node a call. What makes them differ is mostly the role or the
    /// endpoints, which nodes with the same profile and subnet share.
    async fn connection(&mut self, node: &Node) -> Option<Reading<String>> {
        let subnet = node
            .network
            .as_ref()
            .and_then(|network| network.subnet_id.clone());
        let group = (node.profile.clone(), subnet);
        match self.connections {
            Connections::None => return None,
            // Hybrid nodes share neither a profile nor a subnet: each is asked.
            Connections::Sample if group.1.is_some() && self.groups.get(&group) == Some(&true) => {
                return None;
            }
            Connections::Sample | Connections::All => {}
        }
        let call = self.client.get_connection_status();
        let answer = call.target(&node.instance_id).send().await;
        let status = match answer {
            Ok(answer) => {
                let status = answer.status().map(|status| status.as_str());
                // The service and its documentation do not agree on the case.
                Reading::Present(status.unwrap_or_default().to_ascii_lowercase())
            }
            Err(error) => {
                let call = format!("GetConnectionStatus {}", node.instance_id);
                Reading::Unknown(format!("{:#}", describe(call, error)))
            }
        };
        // One that could not be asked would not be answered for its like either; asking all would only throttle.
        let settled = is_connected(&status) || matches!(status, Reading::Unknown(_));
        self.groups.entry(group).or_insert(settled);
        Some(status)
    }

    async fn egress_paths(&self, network: &Network) -> Reading<EgressPaths> {
        let read = self.network.get_or_init(|| self.read_network()).await;
        match (read, &network.vpc_id) {
            (Reading::Present((endpoints, tables)), Some(vpc_id)) => {
                let subnet = network.subnet_id.as_deref().unwrap_or_default();
                Reading::Present(egress_paths(vpc_id, subnet, endpoints, tables))
            }
            (Reading::Unknown(reason), _) => Reading::Unknown(reason.clone()),
            _ => Reading::Absent,
        }
    }

    /// All groups of the region are few pages, whereas asking for those of each node would be a call for each.
    async fn firewall(&self, network: &Network) -> Reading<Firewall> {
        let read = async || {
            let groups = self.ec2.describe_security_groups().await;
            let call = format!("DescribeSecurityGroups {}", self.region);
            awsconf::reading(call, &[], groups)
        };
        let groups = self.groups_of_security.get_or_init(read).await;
        let network_read = self.network.get_or_init(|| self.read_network()).await;
        match (groups, network_read) {
            (Reading::Present(groups), Reading::Present((endpoints, _))) => {
                firewall(network, endpoints, groups).map_or(Reading::Absent, Reading::Present)
            }
            (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
                Reading::Unknown(reason.clone())
            }
            _ => Reading::Absent,
        }
    }

    async fn read_network(&self) -> Reading<(Vec<VpcEndpoint>, Vec<RouteTable>)> {
        let (endpoints, tables) = tokio::join!(
            self.ec2.describe_vpc_endpoints(),
            self.ec2.describe_route_tables()
        );
        let endpoints = awsconf::reading(
            format!("DescribeVpcEndpoints {}", self.region),
            &[],
            endpoints,
        );
        let tables = awsconf::reading(format!("DescribeRouteTables {}", self.region), &[], tables);
        endpoints.and_then(|endpoints| tables.map(|tables| (endpoints, tables)))
    }
}

fn is_connected(status: &Reading<String>) -> bool {
    status.present().is_some_and(|status| status == "connected")
}

async fn host_management(client: &Client) -> Reading<RegionHostManagement> {
    let answer = client
        .get_service_setting()
        .setting_id(SETTING)
        .send()
        .await;
    awsconf::reading(format!("GetServiceSetting {SETTING}"), &[], answer).and_then(|answer| {
        let setting = answer.service_setting();
        let value = setting.and_then(|setting| setting.setting_value());
        match value.filter(|value| !value.is_empty() && *value != "$None") {
            Some(role) => Reading::Present(RegionHostManagement {
                role: role.to_owned(),
                since: setting
                    .and_then(|setting| setting.last_modified_date())
                    .map(|time| Timestamp::from_seconds(time.secs())),
            }),
            None => Reading::Absent,
        }
    })
}
