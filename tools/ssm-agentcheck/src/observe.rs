//! Reads nodes: EC2 and SSM at the same time, page by page, regions side by side. Never writes.

mod associations;
mod evidence;
mod excluded;
pub(crate) mod host;

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{InstanceInformation, InstanceInformationStringFilter};
use awsconf::{Session, describe};
use cli::Reading;
use cli::Target;
use diagnosis::{Information, ec2_node, ssm_node};
use ec2::{Instance, MetadataDefaults};
use records::{Agent, Node, NodeExclusion, Platform, Timestamp};
use tokio::sync::mpsc;

use crate::model::{Connections, Desired};
use crate::plan::Observed;
pub(crate) use associations::associations;
use evidence::EvidenceReader;

/// The largest page that SSM gives; its default is 10.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const MAX_RESULTS: usize = 50;
/// How many nodes of a region may wait to be collected.
const WAITING: usize = 100;

/// Which nodes to read, and how much of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    /// Only these IDs; all when empty.
    pub(crate) instance_ids: Vec<String>,
    /// Whether to read what explains why nodes do not answer, and of which online ones.
    pub(crate) evidence: Option<Connections>,
    /// Whether to read what the account sets for the metadata service of instances to come.
    pub(crate) metadata_defaults: bool,
    /// Nodes that nobody judges: of these nothing is read that explains why they do not answer.
    pub(crate) exclusion: NodeExclusion,
}

/// What is read of a region, piece by piece.
#[derive(Debug)]
pub(crate) enum Observation {
    Node(Box<Node>),
    MetadataDefaults(Reading<MetadataDefaults>),
}

/// Returns what a plan for one region is made from, as far as the desired state speaks of it. `instance_ids` narrows to these
/// nodes.
///
/// # Errors
/// A call fails.
pub(crate) async fn for_plan(
    session: &Session,
    desired: &Desired,
    instance_ids: Option<Vec<String>>,
) -> anyhow::Result<Observed> {
    let mut nodes = Vec::new();
    let is_nobody = instance_ids.as_ref().is_some_and(Vec::is_empty);
    if desired.update.is_some() && !is_nobody {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        let question = ReadOptions {
            instance_ids: instance_ids.unwrap_or_default(),
            exclusion: desired.exclude.clone(),
            ..ReadOptions::default()
        };
        let region = Region::new(session.clone(), question, sender);
        let collect = async {
            while let Some(observation) = receiver.recv().await {
                if let Observation::Node(node) = observation {
                    nodes.push(*node);
                }
            }
        };
        let (read, ()) = tokio::join!(region.read(), collect);
        read?;
    }
    let mut observed = Observed {
        nodes,
        ..Observed::default()
    };
    if let Some(association) = &desired.association {
        observed.associations = associations(&Client::new(&session.config)).await?;
        if association.enabled {
            observed.excluded = excluded::nodes(session, &desired.exclude).await?;
        }
    }
    Ok(observed)
}

/// Returns what SSM knows of these nodes now; those that it does not know are not in it.
///
/// # Errors
/// A call fails.
pub(crate) async fn information(
    client: &Client,
    target: &Target,
    instance_ids: &[String],
) -> anyhow::Result<BTreeMap<String, Information>> {
    let mut found = BTreeMap::new();
    for ids in instance_ids.chunks(MAX_RESULTS) {
        let filter = InstanceInformationStringFilter::builder()
            .key("InstanceIds")
            .set_values(Some(ids.to_vec()))
            .build()?;
        let mut token = None;
        loop {
            let (page, next) = information_page(client, target, &filter, token).await?;
            found.extend(page.into_iter().map(|one| (one.instance_id.clone(), one)));
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
    }
    Ok(found)
}

async fn information_page(
    client: &Client,
    target: &Target,
    filter: &InstanceInformationStringFilter,
    token: Option<String>,
) -> anyhow::Result<(Vec<Information>, Option<String>)> {
    let call = client
        .describe_instance_information()
        .max_results(i32::try_from(MAX_RESULTS)?)
        .filters(filter.clone());
    let answer = call.set_next_token(token).send().await;
    let answer =
        answer.map_err(|error| describe(format!("DescribeInstanceInformation {target}"), error))?;
    let page = answer
        .instance_information_list()
        .iter()
        .map(from_sdk)
        .collect();
    let next = answer.next_token().filter(|token| !token.is_empty());
    Ok((page, next.map(str::to_owned)))
}

/// One region while it is read. Nodes are handed over as soon as they are known, and memory does not grow with their number:
/// SSM is asked about the instances of one page of EC2, 50 at a time, instead of being listed as a whole.
pub(crate) struct Region {
    session: Session,
    question: ReadOptions,
    nodes: mpsc::Sender<Observation>,
    client: Client,
    witness: Option<EvidenceReader>,
    /// The tags of the hybrid nodes that are excluded, which EC2 does not know; read for the first hybrid node.
    excluded_hybrid: Option<BTreeMap<String, (String, String)>>,
}

impl Region {
    pub(crate) fn new(
        session: Session,
        question: ReadOptions,
        nodes: mpsc::Sender<Observation>,
    ) -> Region {
        let client = Client::new(&session.config);
        let witness = question
            .evidence
            .map(|connections| EvidenceReader::new(&session, client.clone(), connections));
        Region {
            session,
            question,
            nodes,
            client,
            witness,
            excluded_hybrid: None,
        }
    }

    pub(crate) async fn read(mut self) -> anyhow::Result<()> {
        if self.question.metadata_defaults {
            let ec2 = ec2::Client::new(&self.session.config);
            let call = format!("GetInstanceMetadataDefaults {}", self.session.target);
            let answer = ec2.get_instance_metadata_defaults().await;
            let defaults = Observation::MetadataDefaults(awsconf::reading(call, &[], answer));
            let _ = self.nodes.send(defaults).await;
        }
        let ids = std::mem::take(&mut self.question.instance_ids);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (of_ec2, hybrid): (Vec<&str>, Vec<&str>) =
            ids.iter().partition(|id| id.starts_with("i-"));
        if ids.is_empty() || !of_ec2.is_empty() {
            let mut filters: Vec<ec2::Filter<'_>> = vec![("instance-state-name", &ec2::EXISTING)];
            if !of_ec2.is_empty() {
                filters.push(("instance-id", &of_ec2));
            }
            let pages = ec2::Client::new(&self.session.config).instance_pages(&filters);
            self.instances(pages).await?;
        }
        if !hybrid.is_empty() {
            let hybrid: Vec<String> = hybrid.into_iter().map(str::to_owned).collect();
            let known = information(&self.client, &self.session.target, &hybrid).await?;
            return self.hybrid(known.into_values().collect()).await;
        }
        if !ids.is_empty() {
            return Ok(());
        }
        let filter = InstanceInformationStringFilter::builder()
            .key("ResourceType")
            .values("ManagedInstance")
            .build()?;
        let mut token = None;
        loop {
            let target = self.session.target.clone();
            let (page, next) = information_page(&self.client, &target, &filter, token).await?;
            self.hybrid(page).await?;
            match next {
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// EC2 is asked for the next page while SSM is asked about the instances of this one.
    async fn instances(&mut self, mut pages: ec2::Pages<Instance>) -> anyhow::Result<()> {
        let mut page = pages.next().await;
        while let Some(instances) = page {
            let instances = instances.map_err(|error| {
                describe(format!("DescribeInstances {}", self.session.target), error)
            })?;
            let (next, joined) = tokio::join!(pages.next(), self.join(instances));
            joined?;
            page = next;
        }
        Ok(())
    }

    async fn join(&mut self, mut instances: Vec<Instance>) -> anyhow::Result<()> {
        instances.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
        // SSM says nothing about stopped instances; asking would only fill its pages with nothing.
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html
        let (awake, mut asleep): (Vec<Instance>, Vec<Instance>) = instances
            .into_iter()
            .partition(|instance| instance.state != "stopped");
        let mut awake = awake.into_iter().peekable();
        while awake.peek().is_some() {
            let chunk: Vec<Instance> = awake.by_ref().take(MAX_RESULTS).collect();
            let ids: Vec<String> = chunk.iter().map(|one| one.instance_id.clone()).collect();
            let mut known = information(&self.client, &self.session.target, &ids).await?;
            for instance in chunk {
                let information = known.remove(&instance.instance_id);
                self.send(ec2_node(&self.session.target, instance, information))
                    .await?;
            }
        }
        for instance in asleep.drain(..) {
            self.send(ec2_node(&self.session.target, instance, None))
                .await?;
        }
        Ok(())
    }

    async fn hybrid(&mut self, page: Vec<Information>) -> anyhow::Result<()> {
        if page.is_empty() {
            return Ok(());
        }
        if self.excluded_hybrid.is_none() {
            let exclusion = &self.question.exclusion;
            let tags = excluded::tags(&self.client, &self.session.target, exclusion).await?;
            self.excluded_hybrid = Some(tags);
        }
        for information in page {
            let mut node = ssm_node(&self.session.target, information);
            let tags = self.excluded_hybrid.as_ref();
            node.tags
                .extend(tags.and_then(|tags| tags.get(&node.instance_id).cloned()));
            self.send(node).await?;
        }
        Ok(())
    }

    async fn send(&mut self, mut node: Node) -> anyhow::Result<()> {
        let is_excluded = self.question.exclusion.tag_of(&node.tags).is_some();
        if let Some(witness) = self.witness.as_mut().filter(|_| !is_excluded) {
            node.evidence = witness.evidence(&node).await;
        }
        // Nobody listens any more when printing has failed, which says so itself.
        let _ = self.nodes.send(Observation::Node(Box::new(node))).await;
        Ok(())
    }
}

fn from_sdk(information: &InstanceInformation) -> Information {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Information {
        instance_id: information.instance_id().unwrap_or_default().to_owned(),
        agent: Agent {
            version: text(information.agent_version()),
            latest: information.is_latest_version(),
            ping: text(information.ping_status().map(|status| status.as_str())),
            last_ping: information
                .last_ping_date_time()
                .map(|time| Timestamp::from_seconds(time.secs())),
        },
        platform: Platform {
            r#type: text(
                information
                    .platform_type()
                    .map(|platform| platform.as_str()),
            ),
            name: text(information.platform_name()),
            version: text(information.platform_version()),
        },
        role: text(information.iam_role()).filter(|role| !role.is_empty()),
        source: text(information.source_type().map(|source| source.as_str())),
    }
}
