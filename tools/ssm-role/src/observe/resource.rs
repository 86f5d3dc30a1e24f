//! What is there now, in the words of a plan: read before a change and again after it. Never writes.

use awsconf::describe;
use ec2::InstanceProfileAssociation;
use records::Arn;
use serde_json::{Value, json};

use crate::observe;
use crate::observe::iam;
use crate::observe::iam::Detail;
use crate::validated_change::{
    AttachmentState, InlineState, OnInstanceState, ProfileState, RoleState, SettingState, Subject,
};

/// The clients of one plan.
pub(crate) struct Clients {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    pub(crate) ec2: ec2::Client,
}

/// Returns the state as plans write it.
pub(crate) async fn current(clients: &Clients, subject: &Subject) -> anyhow::Result<Value> {
    Ok(match subject {
        Subject::Role { name } => {
            let mut no_documents = std::collections::BTreeMap::new();
            let role = iam::role(&clients.iam, name, Detail::Names, &mut no_documents).await?;
            json!(role.as_ref().map(RoleState::of))
        }
        Subject::Attachment { role, policy_arn } => {
            let attached = iam::attached(&clients.iam, role).await?;
            json!(attached.contains(policy_arn).then(|| AttachmentState {
                policy_arn: policy_arn.clone()
            }))
        }
        Subject::Inline { role, policy_name } => {
            let document = iam::inline_policy(&clients.iam, role, policy_name).await?;
            json!(document.map(|document| InlineState {
                policy_name: policy_name.clone(),
                document,
            }))
        }
        Subject::Profile { name } => {
            let profile = iam::own_profile(&clients.iam, name).await?;
            json!(profile.map(|profile| ProfileState {
                path: path(&profile.arn),
                role: profile.role,
            }))
        }
        Subject::OnInstance { instance_id } => {
            let association = association(&clients.ec2, instance_id).await?;
            json!(association.map(|association| OnInstanceState {
                profile_arn: association.profile_arn,
            }))
        }
        Subject::Setting => {
            let setting = observe::setting(&clients.ssm).await?;
            json!(setting.role().map(|role| SettingState {
                role: role.to_owned()
            }))
        }
    })
}

/// Returns the association of an instance with its profile; one that is on its way out is none.
pub(crate) async fn association(
    client: &ec2::Client,
    instance_id: &str,
) -> anyhow::Result<Option<InstanceProfileAssociation>> {
    let associations = client
        .describe_iam_instance_profile_associations(instance_id)
        .await;
    let call = || format!("DescribeIamInstanceProfileAssociations {instance_id}");
    let associations = associations.map_err(|error| describe(call(), error))?;
    Ok(associations
        .into_iter()
        .find(|association| association.state.starts_with("associat")))
}

/// Returns the path in an ARN: `/ssm-role/` of `arn:aws:iam::111122223333:instance-profile/ssm-role/Name`.
fn path(arn: &str) -> String {
    let resource = Arn::parse(arn).map_or("", |arn| arn.resource);
    let from = resource.find('/').unwrap_or(0);
    let to = resource.rfind('/').map_or(from, |end| end + 1);
    resource[from..to].to_owned()
}
