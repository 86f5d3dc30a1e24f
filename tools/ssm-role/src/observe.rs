//! Reads one account and region: the service setting, EC2's instance profiles, IAM. Never writes.
//! What cannot be read is `Unknown` with the reason; who asks decides whether that is an error or a finding.

pub(crate) mod iam;
pub(crate) mod operators;
pub(crate) mod resource;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use aws_sdk_ssm::types::InstanceInformationStringFilter;
use awsconf::{Session, describe};
use cli::Reading;
use ec2::Instance;
use records::NodeExclusion;
use serde_json::Value;
use tokio::sync::Mutex;

use self::iam::Detail;
use crate::model::{
    Desired, ExcludedInstance, Observed, OwnProfile, Profile, Role, SETTING, Setting,
};

/// The largest page that SSM gives; its default is 10.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const MAX_RESULTS: i32 = 50;

/// What IAM has reported of an account: it has no regions, so one answer does for all of them.
#[derive(Debug, Default)]
pub(crate) struct AccountCache(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// The role of each instance profile, by the profile's name.
    profiles: BTreeMap<String, Reading<String>>,
    own_profiles: BTreeMap<String, Reading<OwnProfile>>,
    roles: BTreeMap<String, Reading<Role>>,
    documents: BTreeMap<String, Value>,
    /// The roles that people may assume, by name; none when they have not been asked for.
    operators: Option<Reading<BTreeMap<String, Role>>>,
}

/// Returns what is there; `only` narrows to these instances.
pub(crate) async fn observe(
    session: &Session,
    known: &AccountCache,
    desired: Option<&Desired>,
    only: Option<&BTreeSet<String>>,
) -> Observed {
    let ssm = aws_sdk_ssm::Client::new(&session.config);
    let iam = aws_sdk_iam::Client::new(&session.config);
    let asks_hybrid = desired.is_none_or(|desired| desired.hybrid_activations.is_some());
    let hybrid_nodes = async {
        match asks_hybrid {
            true => reading(hybrid_nodes(&ssm, only).await.map(Some)),
            false => Reading::Absent,
        }
    };
    let (setting, instances, hybrid_nodes) =
        tokio::join!(setting(&ssm), instances(session), hybrid_nodes);
    let setting = reading(setting.map(Some));
    let mut known = known.0.lock().await;
    let mut bare_instances = Vec::new();
    let nobody = NodeExclusion::default();
    let exclusion = desired.map_or(&nobody, |desired| &desired.exclude);
    let mut excluded = Reading::Absent;
    let profiles = match instances {
        Ok(mut instances) => {
            if !exclusion.is_empty() {
                // Those that are not looked at, too: what is done for others may enroll them.
                let found = excluded_instances(&iam, &mut known, exclusion, &instances).await;
                excluded = Reading::Present(found);
            }
            if let Some(only) = only {
                instances.retain(|instance| only.contains(&instance.instance_id));
            }
            let (with, without): (Vec<Instance>, Vec<Instance>) = instances
                .into_iter()
                .partition(|instance| instance.iam_instance_profile_arn.is_some());
            // Only these two states last; a profile cannot be put on an instance that is on its way out.
            let stays = |one: &Instance| {
                ["running", "stopped"].contains(&one.state.as_str())
                    && exclusion.tag_of(&one.tags).is_none()
            };
            let staying = without.into_iter().filter(stays);
            bare_instances.extend(staying.map(|instance| instance.instance_id));
            bare_instances.sort();
            Reading::Present(profiles(&iam, &mut known, with).await)
        }
        Err(error) => {
            let reason = format!("{error:#}");
            if !exclusion.is_empty() {
                excluded = Reading::Unknown(reason.clone());
            }
            Reading::Unknown(reason)
        }
    };
    let assign = desired.and_then(|desired| desired.assign_profile.as_ref());
    let assigned: Reading<OwnProfile> = match assign {
        Some(assign) => match known.own_profiles.get(&assign.name.0) {
            Some(known) => known.clone(),
            None => {
                let found = reading(iam::own_profile(&iam, &assign.name.0).await);
                known
                    .own_profiles
                    .insert(assign.name.0.clone(), found.clone());
                found
            }
        },
        None => Reading::Absent,
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    let in_use = profiles.present().map(Vec::as_slice).unwrap_or_default();
    names.extend(
        in_use
            .iter()
            .filter_map(|profile| profile.role.present().cloned()),
    );
    names.extend(
        hybrid_nodes
            .present()
            .into_iter()
            .flat_map(|nodes| nodes.keys().cloned()),
    );
    names.extend(
        excluded
            .present()
            .into_iter()
            .flatten()
            .filter_map(|instance| instance.role.present().cloned()),
    );
    let managing = setting
        .present()
        .and_then(Setting::role)
        .and_then(|value| value.rsplit('/').next());
    names.extend(managing.map(str::to_owned));
    let required = desired.and_then(|desired| desired.default_host_management.as_ref());
    names.extend(required.map(|required| required.role_name.0.clone()));
    names.extend(assign.map(|assign| assign.name.0.clone()));
    let mut roles = BTreeMap::new();
    for name in names {
        let role = match known.roles.get(&name) {
            Some(known) => known.clone(),
            None => {
                let documents = &mut known.documents;
                let found = reading(iam::role(&iam, &name, Detail::Documents, documents).await);
                known.roles.insert(name.clone(), found.clone());
                found
            }
        };
        roles.insert(name, role);
    }
    Observed {
        target: session.target.clone(),
        partition: session.partition.clone(),
        setting,
        bare_instances,
        excluded,
        enrolled: Reading::Absent,
        profiles,
        hybrid_nodes,
        roles,
        assigned,
    }
}

/// Returns the service setting.
pub(crate) async fn setting(client: &aws_sdk_ssm::Client) -> anyhow::Result<Setting> {
    let answer = client
        .get_service_setting()
        .setting_id(SETTING)
        .send()
        .await;
    let answer = answer.map_err(|error| describe(format!("GetServiceSetting {SETTING}"), error))?;
    let setting = answer
        .service_setting()
        .context("GetServiceSetting: answer without setting")?;
    Ok(Setting {
        value: setting.setting_value().unwrap_or_default().to_owned(),
        status: setting.status().map(str::to_owned),
    })
}

async fn instances(session: &Session) -> anyhow::Result<Vec<Instance>> {
    ec2::Client::new(&session.config)
        .describe_instances(&[("instance-state-name", &ec2::EXISTING)])
        .await
        .map_err(|error| describe(format!("DescribeInstances {}", session.target), error))
}

/// Returns the nodes of hybrid activations by the name of their role, which SSM reports for them alone.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html> (IamRole)
async fn hybrid_nodes(
    client: &aws_sdk_ssm::Client,
    only: Option<&BTreeSet<String>>,
) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let filter = InstanceInformationStringFilter::builder()
        .key("ResourceType")
        .values("ManagedInstance")
        .build()?;
    let call = client.describe_instance_information().filters(filter);
    let mut nodes = call.into_paginator().page_size(MAX_RESULTS).items().send();
    let mut by_role: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(node) = nodes.next().await {
        let node = node.map_err(|error| describe("DescribeInstanceInformation", error))?;
        let (Some(id), Some(role)) = (node.instance_id, node.iam_role) else {
            continue;
        };
        if only.is_none_or(|only| only.contains(&id)) {
            // With its path, as in the activation.
            let name = role.rsplit('/').next().unwrap_or_default();
            by_role.entry(name.to_owned()).or_default().push(id);
        }
    }
    for ids in by_role.values_mut() {
        ids.sort();
    }
    Ok(by_role)
}

/// Returns the instances that are excluded, with the roles that they have.
async fn excluded_instances(
    iam: &aws_sdk_iam::Client,
    known: &mut Answers,
    exclusion: &NodeExclusion,
    instances: &[Instance],
) -> Vec<ExcludedInstance> {
    let mut excluded = Vec::new();
    for instance in instances {
        let Some(tag) = exclusion.tag_of(&instance.tags) else {
            continue;
        };
        let role = match &instance.iam_instance_profile_arn {
            Some(arn) => profile_role(iam, known, arn).await,
            None => Reading::Absent,
        };
        excluded.push(ExcludedInstance {
            instance_id: instance.instance_id.clone(),
            tag,
            role,
        });
    }
    excluded.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    excluded
}

/// Returns the nodes that Systems Manager manages though they are excluded, with their tags: instances and hybrid nodes alike.
/// Tag filters cannot be combined, so there is a list for each tag.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html> (Filters)
pub(crate) async fn enrolled(
    session: &Session,
    exclusion: &NodeExclusion,
) -> Reading<BTreeMap<String, String>> {
    let client = aws_sdk_ssm::Client::new(&session.config);
    let mut enrolled = BTreeMap::new();
    for (key, value) in exclusion.pairs() {
        match tagged_nodes(&client, key, value).await {
            Ok(ids) => enrolled.extend(ids.into_iter().map(|id| (id, format!("{key}={value}")))),
            Err(error) => return Reading::Unknown(format!("{error:#}")),
        }
    }
    Reading::Present(enrolled)
}

async fn tagged_nodes(
    client: &aws_sdk_ssm::Client,
    key: &str,
    value: &str,
) -> anyhow::Result<Vec<String>> {
    let filter = InstanceInformationStringFilter::builder()
        .key(format!("tag:{key}"))
        .values(value)
        .build()?;
    let call = client.describe_instance_information().filters(filter);
    let mut nodes = call.into_paginator().page_size(MAX_RESULTS).items().send();
    let mut ids = Vec::new();
    while let Some(node) = nodes.next().await {
        let call = || format!("DescribeInstanceInformation tag:{key}={value}");
        let node = node.map_err(|error| describe(call(), error))?;
        ids.extend(node.instance_id);
    }
    Ok(ids)
}

/// Each profile is read once, however many instances share it.
async fn profiles(
    iam: &aws_sdk_iam::Client,
    known: &mut Answers,
    instances: Vec<Instance>,
) -> Vec<Profile> {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for instance in instances {
        if let Some(arn) = instance.iam_instance_profile_arn {
            used.entry(arn).or_default().push(instance.instance_id);
        }
    }
    let mut profiles = Vec::with_capacity(used.len());
    for (arn, mut instance_ids) in used {
        instance_ids.sort();
        let role = profile_role(iam, known, &arn).await;
        profiles.push(Profile {
            arn,
            instance_ids,
            role,
        });
    }
    profiles
}

async fn profile_role(
    iam: &aws_sdk_iam::Client,
    known: &mut Answers,
    arn: &str,
) -> Reading<String> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    if let Some(role) = known.profiles.get(name) {
        return role.clone();
    }
    let role = reading(iam::profile_role(iam, name).await);
    known.profiles.insert(name.to_owned(), role.clone());
    role
}

fn reading<T>(read: anyhow::Result<Option<T>>) -> Reading<T> {
    match read {
        Ok(Some(value)) => Reading::Present(value),
        Ok(None) => Reading::Absent,
        Err(error) => Reading::Unknown(format!("{error:#}")),
    }
}
