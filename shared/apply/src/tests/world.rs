//! A world in memory: resources by name, calls that end as a test says, and reads that are behind.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ErrorMetadata;
use awsconf::{Service, describe};
use cli::Change;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Resources;

/// How one call of a write ends.
#[derive(Clone, Copy)]
pub(super) enum Call {
    /// It is done.
    Works,
    /// It is done, and its answer lost.
    Lost,
    /// It is done, and the SDK's second try is refused with this code.
    DoneThenRefused(&'static str),
    /// It is not done, and nobody says so.
    NeverSent,
    /// AWS says no.
    Refused(&'static str),
    /// It never ends.
    Hangs,
}

/// The latest state of each resource, and what each was before it was last written, and when.
#[derive(Default)]
pub(super) struct World {
    pub(super) now: RefCell<BTreeMap<String, Value>>,
    pub(super) before: RefCell<BTreeMap<String, (Value, Instant)>>,
    /// How long reads are behind.
    pub(super) stale: Cell<Duration>,
    /// The calls of writes in their order; when there is none any more, all work.
    pub(super) calls: RefCell<VecDeque<Call>>,
    pub(super) n_calls: Cell<usize>,
    /// Whether what is there cannot be looked at once something was written.
    pub(super) deaf: Cell<bool>,
    /// Whether what is set of a resource cannot be read once something was written.
    pub(super) hidden: Cell<bool>,
    /// Resources that hold records.
    pub(super) records: Vec<&'static str>,
}

impl World {
    pub(super) fn with(resources: &[(&str, Value)]) -> World {
        let resources = resources.iter().cloned();
        let now = resources.map(|(name, state)| (name.to_owned(), state));
        World {
            now: RefCell::new(now.collect()),
            ..World::default()
        }
    }

    pub(super) fn calls(self, calls: &[Call]) -> World {
        self.calls.borrow_mut().extend(calls);
        self
    }

    pub(super) fn stale(self, seconds: u64) -> World {
        self.stale.set(Duration::from_secs(seconds));
        self
    }

    pub(super) fn state(&self, name: &str) -> Value {
        self.now.borrow().get(name).cloned().unwrap_or_default()
    }

    pub(super) fn set(&self, name: &str, state: Value) {
        let before = (self.state(name), Instant::now());
        self.before.borrow_mut().insert(name.to_owned(), before);
        self.now.borrow_mut().insert(name.to_owned(), state);
    }

    async fn call(&self, operation: &str, name: &str, state: Value) -> anyhow::Result<()> {
        self.n_calls.set(self.n_calls.get() + 1);
        let refused = |code: &str| {
            let error = ErrorMetadata::builder().code(code).build();
            describe(
                format!("{operation} {name}"),
                SdkError::service_error(error, ()),
            )
        };
        let lost = || {
            let error: SdkError<ErrorMetadata, ()> = SdkError::timeout_error("no answer");
            describe(format!("{operation} {name}"), error)
        };
        let call = self.calls.borrow_mut().pop_front();
        match call.unwrap_or(Call::Works) {
            Call::Works => self.set(name, state),
            Call::Lost => {
                self.set(name, state);
                return Err(lost());
            }
            Call::DoneThenRefused(code) => {
                self.set(name, state);
                return Err(refused(code));
            }
            Call::NeverSent => return Err(lost()),
            Call::Refused(code) => return Err(refused(code)),
            Call::Hangs => std::future::pending().await,
        }
        Ok(())
    }
}

impl Resources for World {
    type Action = String;
    type Seen = Value;

    async fn look(&self, changes: &[&Change<String>]) -> Vec<anyhow::Result<Value>> {
        let look = |change: &&Change<String>| {
            if self.deaf.get() && self.n_calls.get() > 0 {
                return Err(anyhow::anyhow!("no answer"));
            }
            let name = &key(change);
            let before = self.before.borrow();
            let stale = before
                .get(name)
                .filter(|(_, at)| at.elapsed() < self.stale.get());
            Ok(stale.map_or_else(|| self.state(name), |(state, _)| state.clone()))
        };
        changes.iter().map(look).collect()
    }

    fn state(&self, change: &Change<String>, seen: &Value) -> Result<Value, String> {
        match self.hidden.get() && self.n_calls.get() > 0 && change.action == "set" {
            true => Err("denied".to_owned()),
            false => Ok(seen.clone()),
        }
    }

    /// A `pair` takes two calls.
    fn is_between(&self, change: &Change<String>, state: &Value) -> bool {
        change.action == "pair" && state["half"] == json!(true)
    }

    fn is_default(&self, _: &Change<String>, state: &Value) -> bool {
        *state == json!({ "setting": "default" })
    }

    async fn write(&self, change: &Change<String>, seen: &Value) -> anyhow::Result<()> {
        let name = &key(change);
        if change.action == "pair" && seen["half"] != json!(true) {
            self.call("First", name, json!({ "half": true })).await?;
        }
        self.call("Put", name, change.to.clone()).await
    }

    fn inverse(&self, change: &Change<String>, left: Value) -> Option<Change<String>> {
        Some(Change {
            from: left,
            to: change.from.clone(),
            why: String::new(),
            ..change.clone()
        })
    }

    fn service(&self, _: &Change<String>) -> Service {
        Service::Iam
    }

    fn keeps(&self, change: &Change<String>, _: &Value) -> Option<String> {
        let holds = change.to.is_null() && self.records.contains(&change.resource.as_str());
        holds.then(|| "it holds records".to_owned())
    }

    fn needs(&self, change: &Change<String>, failed: &Change<String>) -> bool {
        change.resource == "user" && failed.resource == "used"
    }
}

/// Returns the name of the state that a change is about: a resource has one of its own, and one for what is set of it.
fn key(change: &Change<String>) -> String {
    match change.action.as_str() {
        "set" => format!("{} setting", change.resource),
        _ => change.resource.clone(),
    }
}
