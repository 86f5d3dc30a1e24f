//! What `apply` needs to know of preferences and of the key, bucket and log group behind them: how they are read, written
//! and taken back. The only writes; the session that a probe holds is among them.

mod kept;
mod key;
pub(crate) mod plugin;
pub(crate) mod session;
mod undo;
mod write;

use std::rc::Rc;

use awsconf::{Service, Session};
use cli::{Change, Plan};
use serde_json::{Value, json};

use crate::model::{Action, Encryption, Observed};
use crate::observe::{self, Clients, Names};
use crate::resource_state;
use crate::session_document::normalized;

/// The resources that one plan speaks of.
pub(crate) struct Resources<'a> {
    clients: Clients,
    session: &'a Session,
    names: Names,
}

impl<'a> Resources<'a> {
    pub(crate) fn new(session: &'a Session, plan: &Plan<Action>) -> Resources<'a> {
        Resources {
            clients: Clients::new(session),
            session,
            names: names(plan),
        }
    }
}

impl apply::Resources for Resources<'_> {
    type Action = Action;
    type Seen = Rc<Observed>;

    async fn look(&self, changes: &[&Change<Action>]) -> Vec<anyhow::Result<Rc<Observed>>> {
        let document = observe::document(&self.clients.ssm).await;
        let observed = Rc::new(Observed {
            document,
            ..observe::ByName::default()
                .resources(&self.clients, &self.names)
                .await
        });
        changes.iter().map(|_| Ok(Rc::clone(&observed))).collect()
    }

    fn state(&self, change: &Change<Action>, seen: &Rc<Observed>) -> Result<Value, String> {
        resource_state::current(change.action, &change.resource, seen)
    }

    fn is_satisfied(&self, change: &Change<Action>, seen: &Rc<Observed>) -> bool {
        resource_state::current(change.action, &change.resource, seen)
            .is_ok_and(|now| resource_state::is_satisfied(change.action, &now, &change.to, seen))
    }

    /// An undo whose document could not be read back knows its content alone.
    fn is_start(&self, change: &Change<Action>, state: &Value) -> bool {
        let is_document = matches!(
            change.action,
            Action::UpdateDocument | Action::DeleteDocument
        );
        *state == change.from
            || is_document
                && change.from["default_version"].is_null()
                && state["latest_content"].is_null()
                && !state.is_null()
                && normalized(&state["content"]) == normalized(&change.from["content"])
    }

    /// A new version of the document is not in force until it is made the default.
    fn is_between(&self, change: &Change<Action>, state: &Value) -> bool {
        change.action == Action::UpdateDocument
            && normalized(&state["content"]) == normalized(&change.from["content"])
            && normalized(&state["latest_content"]) == normalized(&change.to["content"])
    }

    /// "All new buckets have encryption configured by default", and block public access.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html>
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
    fn is_default(&self, change: &Change<Action>, state: &Value) -> bool {
        match change.action {
            Action::PutBucketEncryption => serde_json::from_value::<Encryption>(state.clone())
                .is_ok_and(|encryption| encryption.algorithm == "AES256"),
            Action::PutPublicAccessBlock => {
                let fields = state
                    .as_object()
                    .into_iter()
                    .flat_map(|fields| fields.values());
                fields.clone().count() == 4 && fields.into_iter().all(|on| *on == json!(true))
            }
            _ => false,
        }
    }

    async fn write(&self, change: &Change<Action>, seen: &Rc<Observed>) -> anyhow::Result<()> {
        let to = resource_state::resolve(&change.to, seen);
        write::write(&self.clients, self.session, change, &to, seen).await
    }

    fn inverse(&self, change: &Change<Action>, left: Value) -> Option<Change<Action>> {
        undo::inverse(change, left)
    }

    fn service(&self, change: &Change<Action>) -> Service {
        match change.action {
            Action::CreateKey
            | Action::EnableKeyRotation
            | Action::DisableKeyRotation
            | Action::PutKeyPolicy => Service::Kms,
            Action::CreateLogGroup
            | Action::PutRetentionPolicy
            | Action::PutLogGroupDeletionProtection
            | Action::AssociateKmsKey => Service::CloudWatchLogs,
            Action::CreateDocument | Action::UpdateDocument | Action::DeleteDocument => {
                Service::Ssm
            }
            Action::CreateBucket
            | Action::PutBucketLifecycle
            | Action::PutObjectLockConfiguration
            | Action::PutObjectLegalHold
            | Action::PutPublicAccessBlock
            | Action::PutBucketEncryption
            | Action::PutBucketVersioning
            | Action::PutBucketPolicy
            | Action::DeleteBucketPolicy => Service::S3,
        }
    }
}

/// Returns the resources that the plan speaks of.
fn names(plan: &Plan<Action>) -> Names {
    let mut names = Names::default();
    for change in &plan.changes {
        let resource = Some(change.resource.clone());
        match change.action {
            Action::CreateKey
            | Action::EnableKeyRotation
            | Action::DisableKeyRotation
            | Action::PutKeyPolicy => {
                names.key = resource;
            }
            action if action.is_of_bucket() => names.bucket = resource,
            Action::PutObjectLegalHold => {
                names.held.insert(change.resource.clone());
            }
            action if action.is_of_log_group() => names.log_group = resource,
            _ => {}
        }
        if names.key.is_none() {
            names.key = change.to["kms_key"].as_str().map(str::to_owned);
        }
    }
    names
}
