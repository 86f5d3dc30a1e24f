//! The `from` and `to` of every action, in one place, so that `plan` and `apply` cannot disagree.

use cli::Reading;
use serde_json::{Value, json};

use crate::alerts::model::{Action, Observed};

/// Returns what is there now of the thing that an action changes; null when it is not there.
///
/// # Errors
/// The reading that could not be made.
pub(crate) fn current(action: Action, observed: &Observed) -> Result<Value, String> {
    match action {
        Action::CreateRole | Action::DeleteRole => part(
            &observed.role,
            |role| json!({ "trust": role.trust, "policy": role.policy }),
        ),
        Action::PutRolePolicy => part(&observed.role, |role| json!({ "policy": role.policy })),
        // Deletion takes a while, after which another one can be made.
        Action::CreateConnection => part(&observed.connection, |connection| {
            match connection.state.as_str() {
                "DELETING" => Value::Null,
                _ => json!({ "authorization": "API_KEY" }),
            }
        }),
        Action::DeleteConnection => part(
            &observed.connection,
            |_| json!({ "authorization": "API_KEY" }),
        ),
        Action::CreateApiDestination
        | Action::UpdateApiDestination
        | Action::DeleteApiDestination => part(
            &observed.destination,
            |destination| json!({ "endpoint_sha256": destination.endpoint_sha256 }),
        ),
        Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => {
            part(&observed.queue, |queue| {
                json!({ "policy": queue.policy, "retention_seconds": queue.retention_seconds,
                        "encrypted": queue.encrypted })
            })
        }
        Action::CreateFunction | Action::DeleteFunction => part(
            &observed.function,
            |function| json!({ "code_sha256": function.code_sha256, "configuration": function.configuration, "ready": function.ready }),
        ),
        Action::UpdateFunctionCode => part(
            &observed.function,
            |function| json!({ "code_sha256": function.code_sha256, "ready": function.ready }),
        ),
        Action::UpdateFunctionConfiguration => part(
            &observed.function,
            |function| json!({ "configuration": function.configuration, "ready": function.ready }),
        ),
        Action::PutFunctionEventInvokeConfig => part(
            &observed.function,
            |function| json!({ "on_failure": function.on_failure }),
        ),
        Action::AddPermission => part(
            &observed.function,
            |function| json!({ "permission": function.permission }),
        ),
        Action::CreateBucket => part(&observed.bucket, |_| json!({ "exists": true })),
        Action::PutPublicAccessBlock => part(
            &observed.bucket,
            |bucket| json!({ "public_access_blocked": bucket.public_access_blocked }),
        ),
        Action::PutBucketPolicy => part(
            &observed.bucket,
            |bucket| json!({ "policy": bucket.policy }),
        ),
        Action::CreateTrail | Action::UpdateTrail | Action::DeleteTrail => {
            part(&observed.trail, |trail| {
                json!({ "bucket": trail.bucket, "prefix": trail.prefix, "multi_region": trail.multi_region,
                        "global_events": trail.global_events, "validation": trail.validation })
            })
        }
        Action::StartLogging | Action::StopLogging => {
            part(&observed.trail, |trail| json!({ "logging": trail.logging }))
        }
        Action::PutRule | Action::DeleteRule => part(&observed.rule, |rule| json!(rule)),
        Action::PutTargets | Action::RemoveTargets => {
            part(&observed.target, |target| json!(target))
        }
    }
}

/// Returns whether the state that an action wants is there. Where the webhook and
/// the package are read from is not a state of AWS.
pub(crate) fn is_satisfied(now: &Value, to: &Value) -> bool {
    let mut to = to.clone();
    without_sources(&mut to);
    *now == to
}

/// Drops where the webhook and the package are read from.
pub(crate) fn without_sources(state: &mut Value) {
    if let Value::Object(fields) = state {
        fields.remove("webhook");
        fields.remove("zip");
    }
}

fn part<T>(reading: &Reading<T>, convert: impl Fn(&T) -> Value) -> Result<Value, String> {
    match reading {
        Reading::Present(value) => Ok(convert(value)),
        Reading::Absent => Ok(Value::Null),
        Reading::Unknown(reason) => Err(reason.clone()),
    }
}
