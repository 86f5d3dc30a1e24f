//! Nodes out of saved JSON: this tool's own records, and what `aws ec2 describe-instances` and
//! `aws ssm describe-instance-information` print. Pure; AWS's documents may hold more than is read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use awsdata::{SAVE_ALL, is_cut};
use cli::{Target, Unreachable};
use diagnosis::{Information, ec2_node, ssm_node};
use ec2::{Instance, MetadataOptions};
use records::{Agent, Node, Platform, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// What was saved, added up document by document.
#[derive(Default)]
pub(crate) struct Saved {
    nodes: Vec<Node>,
    unreachable: Vec<Unreachable>,
    instances: Vec<(Target, Instance)>,
    has_instances: bool,
    /// Whether an answer of EC2 ends before its list does.
    is_ec2_cut: bool,
    information: BTreeMap<String, Information>,
    has_information: bool,
    /// Whether an answer of SSM ends before its list does.
    is_ssm_cut: bool,
}

impl Saved {
    /// Adds one document.
    ///
    /// # Errors
    /// It is none of the three kinds, or a field that matters is missing or of another type.
    pub(crate) fn add(&mut self, document: Value) -> anyhow::Result<()> {
        if document["kind"] == "unreachable" {
            self.unreachable.push(cli::from_value(&document)?);
        } else if document.get("kind").is_some() {
            self.nodes.push(cli::from_value(&document)?);
        } else if document.get("Reservations").is_some() {
            self.has_instances = true;
            let answer: Reservations = cli::from_value(&document)?;
            self.is_ec2_cut |= is_cut(answer.next_token.as_deref());
            for reservation in answer.reservations {
                for instance in reservation.instances {
                    let target = Target {
                        account: reservation.owner_id.clone(),
                        region: region(&instance.placement.availability_zone)?,
                    };
                    self.instances.push((target, instance.into()));
                }
            }
        } else if document.get("InstanceInformationList").is_some() {
            self.has_information = true;
            let answer: InformationList = cli::from_value(&document)?;
            self.is_ssm_cut |= is_cut(answer.next_token.as_deref());
            let list = answer.instance_information_list.into_iter();
            self.information
                .extend(list.map(|one| (one.instance_id.clone(), one.into())));
        } else {
            bail!(
                "expected node records, or the answer of `aws ec2 describe-instances` or \
                 `aws ssm describe-instance-information`"
            );
        }
        Ok(())
    }

    /// Returns the nodes in the order of the input, and what was unreachable when it was saved. `target` is that of nodes
    /// for which the answers do not have it.
    ///
    /// # Errors
    /// EC2's answer without SSM's: every node would look as if SSM had never seen it. Nodes of SSM whose account and
    /// region nothing names.
    pub(crate) fn nodes(
        mut self,
        target: Option<&Target>,
    ) -> anyhow::Result<(Vec<Node>, Vec<Unreachable>)> {
        if self.has_instances && !self.has_information {
            bail!(
                "only EC2's answer is there: add that of `aws ssm describe-instance-information` of the same region"
            );
        }
        let mut missing = Missing::default();
        for (target, instance) in self.instances {
            missing.targets.insert(target.clone());
            if instance.state != "terminated" {
                let information = self.information.remove(&instance.instance_id);
                // SSM reports no stopped instances: these are as they would be in the whole list.
                if information.is_none() && self.is_ssm_cut && instance.state != "stopped" {
                    missing
                        .in_ssm
                        .entry(target)
                        .or_default()
                        .push(instance.instance_id);
                    continue;
                }
                self.nodes.push(ec2_node(&target, instance, information));
            }
        }
        for (id, information) in self.information {
            // SSM goes on listing an instance for a while after EC2 has forgotten it.
            if self.has_instances && id.starts_with("i-") {
                missing.in_ec2.push(id);
                continue;
            }
            let target = target.with_context(|| {
                format!("SSM's answer does not name the account and region of {id}: pass --target ACCOUNT/REGION")
            })?;
            self.nodes.push(ssm_node(target, information));
        }
        if self.is_ec2_cut || self.is_ssm_cut {
            missing.targets.extend(target.cloned());
            anyhow::ensure!(
                !missing.targets.is_empty(),
                "an answer ends with a NextToken, so that nodes are missing whose account and region nothing names: {SAVE_ALL}"
            );
            let cut = (self.is_ec2_cut, self.is_ssm_cut);
            self.unreachable.extend(missing.into_records(cut));
        }
        Ok((self.nodes, self.unreachable))
    }
}

/// What the answers that end before their lists do leave open: absent from half of a list is not absent.
#[derive(Default)]
struct Missing {
    targets: BTreeSet<Target>,
    /// Instances of which SSM's answer says nothing.
    in_ssm: BTreeMap<Target, Vec<String>>,
    /// Nodes of which EC2's answer says nothing.
    in_ec2: Vec<String>,
}

impl Missing {
    /// Returns a record for every place that the answers are about.
    fn into_records(self, (is_ec2_cut, is_ssm_cut): (bool, bool)) -> Vec<Unreachable> {
        let mut records = Vec::new();
        for target in &self.targets {
            let mut record = |what: &str, left: &[String]| {
                let left = match left {
                    [] => "nodes may be missing".to_owned(),
                    left => format!("nothing can be said of {}", left.join(", ")),
                };
                let error = format!(
                    "the saved answer of {what} ends with a NextToken, so {left}: {SAVE_ALL}"
                );
                records.push(Unreachable::new("ssm-agentcheck", target, &error));
            };
            if is_ec2_cut {
                record("`aws ec2 describe-instances`", &self.in_ec2);
            }
            if is_ssm_cut {
                let left = self.in_ssm.get(target).map(Vec::as_slice);
                record(
                    "`aws ssm describe-instance-information`",
                    left.unwrap_or_default(),
                );
            }
        }
        records
    }
}

/// Returns the region of an availability zone, local and wavelength zones included: `us-west-2-lax-1a` is in `us-west-2`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html>
fn region(zone: &str) -> anyhow::Result<String> {
    let mut region = Vec::new();
    for part in zone.split('-') {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            region.push(&part[..digits]);
            return Ok(region.join("-"));
        }
        region.push(part);
    }
    bail!("AvailabilityZone '{zone}' names no region")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservations {
    reservations: Vec<Reservation>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservation {
    owner_id: String,
    instances: Vec<SavedInstance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedInstance {
    instance_id: String,
    state: State,
    placement: Placement,
    launch_time: Option<String>,
    platform_details: Option<String>,
    iam_instance_profile: Option<Profile>,
    metadata_options: Option<Options>,
    vpc_id: Option<String>,
    subnet_id: Option<String>,
    public_ip_address: Option<String>,
    private_ip_address: Option<String>,
    security_groups: Option<Vec<Group>>,
    network_interfaces: Option<Vec<Value>>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Placement {
    availability_zone: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    arn: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Options {
    state: Option<String>,
    http_tokens: Option<String>,
    http_put_response_hop_limit: Option<u32>,
    http_endpoint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InformationList {
    instance_information_list: Vec<SavedInformation>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedInformation {
    instance_id: String,
    ping_status: Option<String>,
    last_ping_date_time: Option<Moment>,
    agent_version: Option<String>,
    is_latest_version: Option<bool>,
    platform_type: Option<String>,
    platform_name: Option<String>,
    platform_version: Option<String>,
    iam_role: Option<String>,
    source_type: Option<String>,
}

/// The AWS CLI 1 prints the seconds that it gets, version 2 makes RFC 3339 of them.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html> (cli_timestamp_format)
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Moment(Timestamp);

impl TryFrom<Value> for Moment {
    type Error = String;

    fn try_from(value: Value) -> Result<Moment, String> {
        match (&value, value.as_f64()) {
            (Value::String(text), _) => text.parse().map(Moment),
            // Fractions of a second do not matter here.
            (_, Some(seconds)) => Ok(Moment(Timestamp::from_seconds(seconds as i64))),
            _ => Err(format!("{value} is not a time")),
        }
    }
}

impl From<SavedInstance> for Instance {
    fn from(saved: SavedInstance) -> Instance {
        // Some SDKs write null for what the CLI leaves out.
        let options = saved.metadata_options.unwrap_or_default();
        Instance {
            instance_id: saved.instance_id,
            state: saved.state.name,
            launch_time: saved.launch_time,
            image_id: None,
            platform_details: saved.platform_details,
            iam_instance_profile_arn: saved.iam_instance_profile.map(|profile| profile.arn),
            metadata_options: MetadataOptions {
                state: options.state,
                http_tokens: options.http_tokens,
                http_put_response_hop_limit: options.http_put_response_hop_limit,
                http_endpoint: options.http_endpoint,
            },
            vpc_id: saved.vpc_id,
            subnet_id: saved.subnet_id,
            public_ip: saved.public_ip_address,
            private_ip: saved.private_ip_address,
            security_groups: saved
                .security_groups
                .unwrap_or_default()
                .into_iter()
                .map(|group| group.group_id)
                .collect(),
            n_interfaces: saved.network_interfaces.map_or(0, |all| all.len()),
            tags: saved
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(|tag| (tag.key, tag.value))
                .collect(),
        }
    }
}

impl From<SavedInformation> for Information {
    fn from(saved: SavedInformation) -> Information {
        Information {
            instance_id: saved.instance_id,
            agent: Agent {
                version: saved.agent_version,
                latest: saved.is_latest_version,
                ping: saved.ping_status,
                last_ping: saved.last_ping_date_time.map(|moment| moment.0),
            },
            platform: Platform {
                r#type: saved.platform_type,
                name: saved.platform_name,
                version: saved.platform_version,
            },
            role: saved.iam_role.filter(|role| !role.is_empty()),
            source: saved.source_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn zones_of_all_kinds_name_their_region() {
        for (zone, expected) in [
            ("eu-central-1a", "eu-central-1"),
            ("us-west-2-lax-1a", "us-west-2"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
            ("us-gov-west-1b", "us-gov-west-1"),
            ("eusc-de-east-1a", "eusc-de-east-1"),
        ] {
            assert_eq!(region(zone).unwrap(), expected);
        }
        assert!(region("nowhere").is_err());
    }
}
