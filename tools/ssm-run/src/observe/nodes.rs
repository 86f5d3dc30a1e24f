//! What SSM knows of nodes, and of those that do not answer EC2, too.

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{InstanceInformation, InstanceInformationStringFilter};
use awsconf::{Session, describe};
use cli::Target;
use diagnosis::{Information, ec2_node, ssm_node, unknown_node};
use records::{Agent, Node, Platform, Timestamp};

/// The largest page that SSM gives, and as many IDs as are asked for at once.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const MAX_RESULTS: usize = 50;

/// Returns the nodes with these IDs; those that neither SSM nor EC2 knows are not in it.
///
/// # Errors
/// SSM cannot be asked.
pub(crate) async fn with_ids(
    session: &Session,
    ids: &[String],
) -> anyhow::Result<BTreeMap<String, Node>> {
    let client = Client::new(&session.config);
    let mut known = BTreeMap::new();
    for ids in ids.chunks(MAX_RESULTS) {
        let filter = filter("InstanceIds", ids)?;
        for information in listed(&client, &session.target, &[filter]).await? {
            known.insert(information.instance_id.clone(), information);
        }
    }
    let is_online = |information: &Information| information.agent.ping.as_deref() == Some("Online");
    let dark: Vec<&str> = ids
        .iter()
        .filter(|id| !known.get(*id).is_some_and(is_online) && id.starts_with("i-"))
        .map(String::as_str)
        .collect();
    let mut nodes = BTreeMap::new();
    if let Some(instances) = instances(session, &dark).await {
        for instance in instances {
            let id = instance.instance_id.clone();
            let information = known.remove(&id);
            nodes.insert(id, ec2_node(&session.target, instance, information));
        }
    } else {
        for id in dark.iter().filter(|id| !known.contains_key(**id)) {
            nodes.insert((*id).to_owned(), unknown_node(&session.target, id));
        }
    }
    let listed = known.into_iter();
    nodes.extend(listed.map(|(id, information)| (id, ssm_node(&session.target, information))));
    Ok(nodes)
}

/// Returns the nodes with all these tags; several values of one key are alternatives, as they are for SendCommand.
///
/// # Errors
/// SSM cannot be asked.
pub(crate) async fn with_tags(
    session: &Session,
    tags: &[(String, String)],
) -> anyhow::Result<Vec<Node>> {
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in tags {
        values.entry(key).or_default().push(value.clone());
    }
    let filters = values
        .into_iter()
        .map(|(key, values)| filter(&format!("tag:{key}"), &values));
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let client = Client::new(&session.config);
    let found = listed(&client, &session.target, &filters).await?;
    let nodes = found.into_iter();
    Ok(nodes
        .map(|information| ssm_node(&session.target, information))
        .collect())
}

/// EC2 knows more of why a node does not answer; who may not ask it learns what SSM knows, and that this is not all.
async fn instances(session: &Session, ids: &[&str]) -> Option<Vec<ec2::Instance>> {
    let mut found = Vec::new();
    // As many values as a filter takes.
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
    for ids in ids.chunks(200) {
        let filters = [("instance-id", ids)];
        let mut pages = ec2::Client::new(&session.config).instance_pages(&filters);
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => found.extend(page),
                Err(error) => {
                    let error = describe(format!("DescribeInstances {}", session.target), error);
                    cli::warn(&format!("{error:#}: only SSM says why nodes do not answer"));
                    return None;
                }
            }
        }
    }
    Some(found)
}

fn filter(key: &str, values: &[String]) -> anyhow::Result<InstanceInformationStringFilter> {
    let filter = InstanceInformationStringFilter::builder().key(key);
    Ok(filter.set_values(Some(values.to_vec())).build()?)
}

async fn listed(
    client: &Client,
    target: &Target,
    filters: &[InstanceInformationStringFilter],
) -> anyhow::Result<Vec<Information>> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let call = client
            .describe_instance_information()
            .max_results(i32::try_from(MAX_RESULTS)?)
            .set_filters(Some(filters.to_vec()));
        let page = call.set_next_token(token).send().await;
        let page =
            page.map_err(|error| describe(format!("DescribeInstanceInformation {target}"), error))?;
        found.extend(page.instance_information_list().iter().map(from_sdk));
        match page.next_token.filter(|token| !token.is_empty()) {
            Some(next) => token = Some(next),
            None => return Ok(found),
        }
    }
}

fn from_sdk(information: &InstanceInformation) -> Information {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let platform = information.platform_type();
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
            r#type: text(platform.map(|platform| platform.as_str())),
            name: text(information.platform_name()),
            version: text(information.platform_version()),
        },
        role: text(information.iam_role()).filter(|role| !role.is_empty()),
        source: text(information.source_type().map(|source| source.as_str())),
    }
}
