//! What is there now, in the words of a plan: read before a change and again after it. Never writes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::iam;
use crate::observe::{self, Detail};
use crate::step::{AttachmentState, RoleState, SettingState, Subject};

/// Between two looks at something that is not there yet.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The clients of one plan.
pub(crate) struct Clients {
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
    /// Whether a role was made in this run, so that it may not be everywhere yet.
    pub(crate) made_role: bool,
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
        Subject::Setting => {
            let setting = observe::setting(&clients.ssm).await?;
            json!(setting.role().map(|role| SettingState {
                role: role.to_owned()
            }))
        }
    })
}

/// Reads until the wished state is there, or patience ends.
pub(crate) async fn read_back(
    clients: &Clients,
    subject: &Subject,
    wished: &Value,
    patience: Duration,
) -> anyhow::Result<Value> {
    let mut waited = Duration::ZERO;
    loop {
        let read = current(clients, subject).await;
        if waited >= patience || read.as_ref().is_ok_and(|state| state == wished) {
            return read;
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}
