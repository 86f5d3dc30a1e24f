//! The promises of `apply`, on a world in memory whose answers get lost, whose reads are behind, and that refuses.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ErrorMetadata;
use awsconf::{Interrupt, Service, describe};
use serde_json::{Value, json};
use tokio::time::Instant;
use toolio::ChangeStatus::{Done, Failed, Kept, Skipped, Unchanged, Unknown};
use toolio::{
    ApplyArgs, Change, ChangeStatus, IoArgs, Outcome, Output, Plan, ResultRecord, Signal, Target,
};

use super::{Resources, apply};

/// How one call of a write ends.
#[derive(Clone, Copy)]
enum Call {
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
struct World {
    now: RefCell<BTreeMap<String, Value>>,
    before: RefCell<BTreeMap<String, (Value, Instant)>>,
    /// How long reads are behind.
    stale: Cell<Duration>,
    /// The calls of writes in their order; when there is none any more, all work.
    calls: RefCell<VecDeque<Call>>,
    n_calls: Cell<usize>,
    /// Resources that hold records.
    records: Vec<&'static str>,
}

impl World {
    fn with(resources: &[(&str, Value)]) -> World {
        let resources = resources.iter().cloned();
        let now = resources.map(|(name, state)| (name.to_owned(), state));
        World {
            now: RefCell::new(now.collect()),
            ..World::default()
        }
    }

    fn calls(self, calls: &[Call]) -> World {
        self.calls.borrow_mut().extend(calls);
        self
    }

    fn stale(self, seconds: u64) -> World {
        self.stale.set(Duration::from_secs(seconds));
        self
    }

    fn state(&self, name: &str) -> Value {
        self.now.borrow().get(name).cloned().unwrap_or_default()
    }

    fn set(&self, name: &str, state: Value) {
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
            let name = &change.resource;
            let before = self.before.borrow();
            let stale = before
                .get(name)
                .filter(|(_, at)| at.elapsed() < self.stale.get());
            Ok(stale.map_or_else(|| self.state(name), |(state, _)| state.clone()))
        };
        changes.iter().map(look).collect()
    }

    fn state(&self, _: &Change<String>, seen: &Value) -> Result<Value, String> {
        Ok(seen.clone())
    }

    /// A `pair` takes two calls.
    fn is_between(&self, change: &Change<String>, state: &Value) -> bool {
        change.action == "pair" && state["half"] == json!(true)
    }

    fn is_default(&self, _: &Change<String>, state: &Value) -> bool {
        *state == json!({ "setting": "default" })
    }

    async fn write(&self, change: &Change<String>, seen: &Value) -> anyhow::Result<()> {
        let name = &change.resource;
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

fn change(action: &str, resource: &str, from: Value, to: Value) -> Change<String> {
    Change {
        id: format!("{action}:{resource}:{to}"),
        action: action.to_owned(),
        resource: resource.to_owned(),
        from,
        to,
        why: "because".to_owned(),
    }
}

fn create(resource: &str) -> Change<String> {
    change("put", resource, Value::Null, json!({ "a": 1 }))
}

fn delete(resource: &str) -> Change<String> {
    Change {
        why: "undo: because".to_owned(),
        ..change("put", resource, json!({ "a": 1 }), Value::Null)
    }
}

fn plan(changes: Vec<Change<String>>) -> Plan<String> {
    let target = Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    Plan::new("ssm-x", target, changes)
}

fn output() -> Output {
    let io = IoArgs {
        quiet: true,
        ..IoArgs::of_file(std::path::Path::new("-"))
    };
    Output::new("ssm-x", &io).unwrap()
}

async fn run(world: &World, plan: &Plan<String>) -> (ResultRecord<String>, Outcome) {
    let (_signal, interrupt) = Interrupt::by_hand();
    let how = ApplyArgs::default();
    apply(world, plan, how, &interrupt, &output()).await
}

fn statuses(record: &ResultRecord<String>) -> Vec<ChangeStatus> {
    record.results.iter().map(|one| one.status).collect()
}

/// Applies one creation under these calls; then its undo must lead back, without any fault.
#[track_caller]
fn comes_back(world: World, status: ChangeStatus) {
    let at = std::panic::Location::caller();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        for action in ["put", "pair"] {
            world.now.borrow_mut().clear();
            world.before.borrow_mut().clear();
            let calls = world.calls.borrow().clone();
            let plan = plan(vec![change(
                action,
                "thing",
                Value::Null,
                json!({ "a": 1 }),
            )]);
            let (record, _) = run(&world, &plan).await;
            assert_eq!(statuses(&record), [status], "{at}: {action}: {record:?}");
            assert!(
                record.undo.is_some() || world.state("thing").is_null(),
                "{at}: no undo"
            );
            tokio::time::sleep(Duration::from_secs(3600)).await;
            world.calls.borrow_mut().clear();
            let stale = world.stale.take();
            world.before.borrow_mut().clear();
            if let Some(undo) = record.undo {
                let (record, _) = run(&world, &undo).await;
                assert!(
                    matches!(statuses(&record)[..], [Done | Unchanged]),
                    "{at}: {action}: {record:?}"
                );
            }
            assert_eq!(world.state("thing"), Value::Null, "{at}");
            world.calls.borrow_mut().extend(calls);
            world.stale.set(stale);
        }
    });
}

#[test]
fn a_lost_answer_is_done_and_can_be_undone() {
    comes_back(World::default().calls(&[Call::Lost]), Done);
    comes_back(World::default().stale(45).calls(&[Call::Lost]), Done);
    let resent = [Call::DoneThenRefused("EntityAlreadyExists")];
    comes_back(World::default().calls(&resent), Done);
    comes_back(World::default().stale(45).calls(&resent), Done);
}

#[test]
fn reads_that_are_behind_are_waited_for() {
    for seconds in [2, 10, 45] {
        comes_back(World::default().stale(seconds), Done);
    }
}

#[test]
fn what_never_shows_is_failed_and_has_an_undo() {
    comes_back(World::default().stale(1000), Failed);
}

#[test]
fn what_was_never_sent_is_failed_and_has_no_undo() {
    comes_back(World::default().calls(&[Call::NeverSent]), Failed);
    let refused = [Call::Refused("AccessDenied"); 2];
    comes_back(World::default().calls(&refused), Failed);
}

#[test]
fn the_second_of_two_calls_may_fail_and_is_taken_up_again() {
    let halfway = [Call::Works, Call::Refused("AccessDenied")];
    let world = World::default()
        .calls(&halfway)
        .calls(&[Call::Refused("AccessDenied")]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let plan = plan(vec![change(
            "pair",
            "thing",
            Value::Null,
            json!({ "a": 1 }),
        )]);
        let (record, outcome) = run(&world, &plan).await;
        assert_eq!(
            (statuses(&record), outcome),
            (vec![Failed], Outcome::Trouble)
        );
        assert_eq!(world.state("thing"), json!({ "half": true }));
        // Forward.
        let (again, _) = run(&world, &plan).await;
        assert_eq!(statuses(&again), [Done]);
        // And back, from where it stopped.
        world.set("thing", json!({ "half": true }));
        let (back, _) = run(&world, &record.undo.unwrap()).await;
        assert_eq!(statuses(&back), [Done]);
        assert_eq!(world.state("thing"), Value::Null);
    });
}

#[tokio::test(start_paused = true)]
async fn refusals_that_pass_by_themselves_are_tried_again_until_their_deadline() {
    let began = Instant::now();
    let world = World::default().calls(&[Call::Refused("ConcurrentModification"); 8]);
    let (record, _) = run(&world, &plan(vec![create("thing")])).await;
    assert_eq!(statuses(&record), [Done]);
    let world = World::default().calls(&[Call::Refused("ConcurrentModification"); 1000]);
    let (record, _) = run(&world, &plan(vec![create("thing")])).await;
    assert_eq!(statuses(&record), [Failed]);
    assert!(record.undo.is_none() && began.elapsed() < Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn one_change_that_differs_refuses_the_whole_plan() {
    let world = World::with(&[("other", json!({ "somebody": "else" }))]);
    let changes = vec![create("thing"), create("other")];
    let (record, outcome) = run(&world, &plan(changes)).await;
    assert_eq!(statuses(&record), [Skipped, Failed]);
    assert_eq!((outcome, world.n_calls.get()), (Outcome::Trouble, 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_stopped_half_way_can_be_applied_again() {
    let changes = vec![
        change("put", "bucket", Value::Null, json!({ "exists": true })),
        change("set", "bucket", Value::Null, json!({ "setting": "strict" })),
    ];
    // A resource with two states of its own would take two worlds; AWS's default stands for both here.
    let is_taken_up = World::with(&[("bucket", json!({ "setting": "default" }))]);
    let (record, _) = run(
        &is_taken_up,
        &plan(vec![changes[0].clone(), changes[1].clone()]),
    )
    .await;
    assert_eq!(
        statuses(&record)[0],
        Failed,
        "a default is no start of the creation itself"
    );
    let somebody_elses = World::with(&[("bucket", json!({ "setting": "loose" }))]);
    let (record, _) = run(&somebody_elses, &plan(changes)).await;
    assert_eq!(somebody_elses.n_calls.get(), 0, "{record:?}");
}

#[tokio::test(start_paused = true)]
async fn an_undo_goes_as_far_as_it_can() {
    let names = ["used", "user", "queue", "alone"];
    let there: Vec<_> = names
        .iter()
        .map(|name| (*name, json!({ "a": 1 })))
        .collect();
    let mut world = World::with(&there).calls(&[Call::Refused("AccessDenied")]);
    world.records = vec!["queue"];
    let (record, outcome) = run(&world, &plan(names.map(delete).to_vec())).await;
    assert_eq!(statuses(&record), [Failed, Skipped, Kept, Done]);
    assert_eq!(outcome, Outcome::Trouble);
    // What is forward stops at the first failure.
    let world = World::default().calls(&[Call::Refused("AccessDenied")]);
    let (record, _) = run(&world, &plan(names.map(create).to_vec())).await;
    assert_eq!(statuses(&record), [Failed, Skipped, Skipped, Skipped]);
}

#[tokio::test(start_paused = true)]
async fn keeping_records_is_no_failure() {
    let mut world = World::with(&[("queue", json!({ "a": 1 }))]);
    world.records = vec!["queue"];
    let (record, outcome) = run(&world, &plan(vec![delete("queue")])).await;
    assert_eq!((statuses(&record), outcome), (vec![Kept], Outcome::Fine));
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_run_after_the_call_in_flight_and_a_second_one_in_it() {
    let (signal, interrupt) = Interrupt::by_hand();
    let world = World::default().calls(&[Call::Works, Call::Hangs]);
    let plan = plan(vec![create("one"), create("two"), create("three")]);
    let out = output();
    let how = ApplyArgs::default();
    let applied = apply(&world, &plan, how, &interrupt, &out);
    let signals = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        signal(Signal::Terminate);
        tokio::time::sleep(Duration::from_secs(1)).await;
        signal(Signal::Interrupt);
    };
    let ((record, outcome), ()) = tokio::join!(applied, signals);
    assert_eq!(statuses(&record), [Done, Unknown, Skipped]);
    assert_eq!(outcome, Outcome::Interrupted(Signal::Terminate));
    let undo: Vec<_> = record.undo.unwrap().changes;
    let undone: Vec<_> = undo.iter().map(|change| change.resource.as_str()).collect();
    assert_eq!(undone, ["two", "one"]);
}

#[tokio::test(start_paused = true)]
async fn recover_reports_what_was_done_and_writes_nothing() {
    let world = World::with(&[("one", json!({ "a": 1 })), ("two", json!({ "half": true }))]);
    let pair = change("pair", "two", Value::Null, json!({ "a": 1, "half": false }));
    let plan = plan(vec![create("one"), pair, create("three")]);
    let (_signal, interrupt) = Interrupt::by_hand();
    let how = ApplyArgs { recover: true };
    let (record, outcome) = apply(&world, &plan, how, &interrupt, &output()).await;
    assert_eq!(statuses(&record), [Unchanged, Unchanged, Skipped]);
    assert_eq!((outcome, world.n_calls.get()), (Outcome::Fine, 0));
    assert_eq!(record.undo.unwrap().changes.len(), 2);
}
