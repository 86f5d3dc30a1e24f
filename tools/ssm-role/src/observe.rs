//! Reads one account and region: the service setting, EC2's instance profiles, IAM. Never writes.
//! What cannot be read is `Unknown` with the reason; who asks decides whether that is an error or a finding.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use awsconf::{Session, describe};
use toolio::Reading;

use crate::iam;
use crate::model::{Desired, Observed, Profile, SETTING, Setting};

/// How much of the policies to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Their names, which is all that deciding needs.
    Names,
    /// Their documents too.
    Documents,
}

/// Returns what is there.
pub(crate) async fn observe(
    session: &Session,
    desired: Option<&Desired>,
    detail: Detail,
) -> Observed {
    let ssm = aws_sdk_ssm::Client::new(&session.config);
    let iam = aws_sdk_iam::Client::new(&session.config);
    let (setting, profiles) = tokio::join!(setting(&ssm), profiles(session, &iam));
    let setting = reading(setting.map(Some));
    let profiles = reading(profiles.map(Some));
    let mut names: BTreeSet<String> = BTreeSet::new();
    let in_use = profiles.present().map(Vec::as_slice).unwrap_or_default();
    names.extend(
        in_use
            .iter()
            .filter_map(|profile| profile.role.present().cloned()),
    );
    let managing = setting
        .present()
        .and_then(Setting::role)
        .and_then(|value| value.rsplit('/').next());
    names.extend(managing.map(str::to_owned));
    let wished = desired.and_then(|desired| desired.default_host_management.as_ref());
    names.extend(wished.map(|wished| wished.role_name.0.clone()));
    let mut roles = BTreeMap::new();
    let mut documents = BTreeMap::new();
    for name in names {
        let role = reading(iam::role(&iam, &name, detail, &mut documents).await);
        roles.insert(name, role);
    }
    Observed {
        target: session.target.clone(),
        partition: session.partition.clone(),
        setting,
        profiles,
        roles,
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

async fn profiles(session: &Session, iam: &aws_sdk_iam::Client) -> anyhow::Result<Vec<Profile>> {
    let instances = awsec2::Client::new(&session.config)
        .describe_instances(&[("instance-state-name", &awsec2::EXISTING)])
        .await
        .map_err(|error| describe(format!("DescribeInstances {}", session.target), error))?;
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for arn in instances
        .into_iter()
        .filter_map(|instance| instance.iam_instance_profile_arn)
    {
        *used.entry(arn).or_default() += 1;
    }
    let mut profiles = Vec::with_capacity(used.len());
    for (arn, instances) in used {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let role = reading(iam::profile_role(iam, name).await);
        profiles.push(Profile {
            arn,
            instances,
            role,
        });
    }
    Ok(profiles)
}

fn reading<T>(read: anyhow::Result<Option<T>>) -> Reading<T> {
    match read {
        Ok(Some(value)) => Reading::Present(value),
        Ok(None) => Reading::Absent,
        Err(error) => Reading::Unknown(format!("{error:#}")),
    }
}
