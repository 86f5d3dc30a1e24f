//! The inverse of every change. It restores settings and never destroys records: a key, a bucket or a log group that
//! was created stays, because something may already be encrypted under it or kept in it.

use cli::Change;
use serde_json::{Value, json};

use crate::model::Action;

/// Returns the change that leads from what was left back to what was there, if there is one.
pub(crate) fn inverse(change: &Change<Action>, left: Value) -> Option<Change<Action>> {
    let was = &change.from;
    let action = match change.action {
        Action::CreateKey | Action::CreateBucket | Action::CreateLogGroup => return None,
        Action::CreateDocument => Action::DeleteDocument,
        Action::DeleteDocument => Action::CreateDocument,
        // A setting of something that this run created goes with it, and that stays.
        _ if was.is_null() => return None,
        Action::EnableKeyRotation => Action::DisableKeyRotation,
        Action::DisableKeyRotation => Action::EnableKeyRotation,
        Action::PutBucketPolicy if was["policy"].is_null() => Action::DeleteBucketPolicy,
        Action::DeleteBucketPolicy => Action::PutBucketPolicy,
        same => same,
    };
    let to = match action {
        Action::UpdateDocument | Action::CreateDocument => {
            json!({ "content": was["content"] })
        }
        _ => was.clone(),
    };
    let name = json!(action).as_str().unwrap_or_default().to_owned();
    Some(Change {
        id: format!("{name}:{}", change.resource),
        action,
        resource: change.resource.clone(),
        from: left,
        to,
        why: String::new(),
    })
}
