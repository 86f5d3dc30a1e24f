//! What `apply` needs to know of the rule, what it leads to, and the trail: how they are read, written and taken back. The
//! only writes.

mod function;
pub(crate) mod test_event;
mod trail;
mod write;

use std::rc::Rc;

use awsconf::{Service, Session};
use cli::{Change, Plan, Reading};
use serde_json::{Value, json};

use crate::alerts::model::{Action, Observed};
use crate::alerts::observe::{self, Clients, Names, RoleCache};
use crate::alerts::{resource_state, rule};

/// The things that one plan speaks of.
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
            names: names(plan, session),
        }
    }
}

impl apply::Resources for Resources<'_> {
    type Action = Action;
    type Seen = Rc<Observed>;

    async fn look(&self, changes: &[&Change<Action>]) -> Vec<anyhow::Result<Rc<Observed>>> {
        // Of one change what it is about, of a whole plan everything at once.
        let observed = Rc::new(match changes {
            [change] => observe::about(&self.clients, &self.names, change.action).await,
            _ => observe::observe(&self.clients, &RoleCache::default(), &self.names).await,
        });
        changes.iter().map(|_| Ok(Rc::clone(&observed))).collect()
    }

    fn state(&self, change: &Change<Action>, seen: &Rc<Observed>) -> Result<Value, String> {
        resource_state::current(change.action, seen)
    }

    fn is_satisfied(&self, change: &Change<Action>, seen: &Rc<Observed>) -> bool {
        let is_authorized = || {
            let connection = seen.connection.present();
            connection.is_some_and(|connection| connection.state == "AUTHORIZED")
        };
        resource_state::current(change.action, seen).is_ok_and(|now| resource_state::is_satisfied(&now, &change.to))
            // An API destination needs the connection to be usable.
            && (change.action != Action::CreateConnection || is_authorized())
    }

    /// A role gets its policy after it was made, and loses it before it is deleted; a function is made, and changed, in the
    /// background; a statement of its policy is replaced in two calls, and a connection is authorized after it was made.
    fn is_between(&self, change: &Change<Action>, state: &Value) -> bool {
        let whole = match change.to.is_null() {
            true => &change.from,
            false => &change.to,
        };
        match change.action {
            Action::CreateRole | Action::DeleteRole => {
                !state.is_null() && state["trust"] == whole["trust"] && state["policy"].is_null()
            }
            Action::AddPermission => !state.is_null() && state["permission"].is_null(),
            Action::CreateFunction
            | Action::UpdateFunctionCode
            | Action::UpdateFunctionConfiguration => {
                let mut ready = state.clone();
                ready["ready"] = json!(true);
                state["ready"] == json!(false)
                    && (ready == change.from || resource_state::is_satisfied(&ready, &change.to))
            }
            Action::CreateConnection => resource_state::is_satisfied(state, &change.to),
            _ => false,
        }
    }

    async fn write(&self, change: &Change<Action>, seen: &Rc<Observed>) -> anyhow::Result<()> {
        write::write(&self.clients, self.session, change, seen).await
    }

    fn inverse(&self, change: &Change<Action>, left: Value) -> Option<Change<Action>> {
        inverse(change, left)
    }

    fn service(&self, change: &Change<Action>) -> Service {
        match change.action {
            action if action.is_of_trail() => Service::CloudTrail,
            action if action.is_of_bucket() => Service::S3,
            action if action.is_of_function() => Service::Lambda,
            Action::CreateRole | Action::PutRolePolicy | Action::DeleteRole => Service::Iam,
            Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => Service::Sqs,
            _ => Service::EventBridge,
        }
    }

    /// What never reached Slack is a record.
    fn keeps(&self, change: &Change<Action>, seen: &Rc<Observed>) -> Option<String> {
        let Reading::Present(queue) = &seen.queue else {
            return None;
        };
        (change.action == Action::DeleteQueue && queue.n_messages > 0).then(|| {
            format!(
                "it holds {} that never reached Slack: receive or purge them, then undo again",
                match queue.n_messages {
                    1 => "about 1 event".to_owned(),
                    n => format!("about {n} events"),
                }
            )
        })
    }

    /// What is used goes after what uses it.
    fn needs(&self, change: &Change<Action>, failed: &Change<Action>) -> bool {
        use Action::{
            DeleteApiDestination, DeleteConnection, DeleteFunction, DeleteQueue, DeleteRole,
            DeleteRule, PutBucketPolicy, RemoveTargets,
        };
        match change.action {
            // The trail must not lose its bucket: that would be a gap in the records.
            PutBucketPolicy => failed.action.is_of_trail(),
            DeleteRule | DeleteApiDestination | DeleteQueue | DeleteFunction => {
                failed.action == RemoveTargets
            }
            DeleteConnection => matches!(failed.action, RemoveTargets | DeleteApiDestination),
            DeleteRole => matches!(failed.action, RemoveTargets | DeleteFunction),
            _ => false,
        }
    }
}

/// Returns the names that the changes of a plan are about; of what a plan does not change nothing is read.
fn names(plan: &Plan<Action>, session: &Session) -> Names {
    let mut names = Names::default();
    for change in &plan.changes {
        let resource = change.resource.as_str();
        match change.action {
            Action::CreateRole | Action::PutRolePolicy | Action::DeleteRole => {
                names.role = resource.to_owned();
            }
            Action::CreateQueue | Action::SetQueueAttributes | Action::DeleteQueue => {
                names.rule = rule::rule_of_queue(resource).unwrap_or_default().to_owned();
            }
            action if action.is_of_trail() => {
                names.trail_arn =
                    crate::alerts::trail::arn(resource, &session.target, &session.partition);
            }
            action if action.is_of_function() => names.function = resource.to_owned(),
            action if action.is_of_bucket() => names.bucket = resource.to_owned(),
            _ => names.rule = resource.to_owned(),
        }
    }
    names
}

/// Returns the change that leads back. The URL that a destination had before is a secret nobody kept, so there is no
/// way back from its replacement.
fn inverse(change: &Change<Action>, mut left: Value) -> Option<Change<Action>> {
    let existed = !change.from.is_null();
    let action = match change.action {
        Action::CreateRole => Action::DeleteRole,
        Action::CreateFunction => Action::DeleteFunction,
        // Of a function that was made just before, which is taken back as a whole.
        Action::PutFunctionEventInvokeConfig | Action::AddPermission if !existed => return None,
        Action::UpdateFunctionConfiguration
        | Action::PutFunctionEventInvokeConfig
        | Action::AddPermission => change.action,
        Action::CreateTrail => Action::DeleteTrail,
        // Of what was made just before, which is taken back as a whole, or stays as the bucket does.
        Action::StartLogging | Action::PutBucketPolicy if !existed => return None,
        Action::StartLogging => Action::StopLogging,
        // Locking a bucket down is never taken back.
        Action::UpdateTrail | Action::PutBucketPolicy => change.action,
        Action::CreateQueue => Action::DeleteQueue,
        Action::SetQueueAttributes => Action::SetQueueAttributes,
        Action::CreateConnection => Action::DeleteConnection,
        Action::CreateApiDestination => Action::DeleteApiDestination,
        Action::PutRule if !existed => Action::DeleteRule,
        Action::PutTargets if !existed => Action::RemoveTargets,
        Action::PutRule | Action::PutTargets => change.action,
        Action::PutRolePolicy => Action::PutRolePolicy,
        // The last ones are an undo already; making a new plan is the way forward again.
        _ => return None,
    };
    resource_state::without_sources(&mut left);
    let id = format!(
        "{}:{}",
        json!(action).as_str().unwrap_or_default(),
        change.resource
    );
    Some(Change {
        id,
        action,
        resource: change.resource.clone(),
        from: left,
        to: change.from.clone(),
        why: String::new(),
    })
}
