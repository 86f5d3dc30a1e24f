//! The promises of `apply`, on a world in memory whose answers get lost, whose reads are behind, and that refuses.

#[path = "tests/world.rs"]
mod world;

use std::time::Duration;

use awsconf::Interrupt;
use cli::ChangeStatus::{Done, Failed, Kept, Skipped, Unchanged, Unknown};
use cli::{
    ApplyArgs, Change, ChangeStatus, IoArgs, Outcome, Output, Plan, ResultRecord, Signal, Target,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::apply;
use world::{Call, World};

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
async fn comes_back(world: World, status: ChangeStatus) {
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
        assert_eq!(statuses(&record), [status], "{action}: {record:?}");
        assert!(record.undo.is_some() || world.state("thing").is_null());
        tokio::time::sleep(Duration::from_secs(3600)).await;
        world.calls.borrow_mut().clear();
        let stale = world.stale.take();
        world.before.borrow_mut().clear();
        if let Some(undo) = record.undo {
            let (record, _) = run(&world, &undo).await;
            let is_undone = matches!(statuses(&record)[..], [Done | Unchanged]);
            assert!(is_undone, "{action}: {record:?}");
        }
        assert_eq!(world.state("thing"), Value::Null);
        world.calls.borrow_mut().extend(calls);
        world.stale.set(stale);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_done_and_can_be_undone() {
    comes_back(World::default().calls(&[Call::Lost]), Done).await;
    comes_back(World::default().stale(45).calls(&[Call::Lost]), Done).await;
    let resent = [Call::DoneThenRefused("EntityAlreadyExists")];
    comes_back(World::default().calls(&resent), Done).await;
    comes_back(World::default().stale(45).calls(&resent), Done).await;
}

#[tokio::test(start_paused = true)]
async fn reads_that_are_behind_are_waited_for() {
    for seconds in [2, 10, 45] {
        comes_back(World::default().stale(seconds), Done).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_shows_is_failed_and_has_an_undo() {
    comes_back(World::default().stale(1000), Failed).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_is_failed_and_has_no_undo() {
    comes_back(World::default().calls(&[Call::NeverSent]), Failed).await;
    let refused = [Call::Refused("AccessDenied"); 2];
    comes_back(World::default().calls(&refused), Failed).await;
}

#[tokio::test(start_paused = true)]
async fn the_second_of_two_calls_may_fail_and_is_taken_up_again() {
    let halfway = [Call::Works, Call::Refused("AccessDenied")];
    let world = World::default()
        .calls(&halfway)
        .calls(&[Call::Refused("AccessDenied")]);
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
    let there = ("bucket", json!({ "exists": true }));
    let setting = |value: &str| ("bucket setting", json!({ "setting": value }));
    // It was killed after it had made the bucket, to which AWS gave what every new one has.
    let world = World::with(&[there.clone(), setting("default")]);
    let (record, _) = run(&world, &plan(changes.clone())).await;
    assert_eq!(statuses(&record), [Unchanged, Done]);
    // It is somebody else's bucket, with settings of its own.
    let world = World::with(&[there, setting("loose")]);
    let (record, _) = run(&world, &plan(changes)).await;
    assert_eq!(statuses(&record), [Skipped, Failed]);
    assert_eq!(world.n_calls.get(), 0);
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
async fn the_undo_of_an_undo_says_so_once() {
    let world = World::with(&[("one", json!({ "a": 1 }))]);
    let (record, _) = run(&world, &plan(vec![delete("one")])).await;
    let again = record.undo.unwrap().changes.remove(0);
    assert_eq!(again.why, "undo: because");
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

/// Reads that fail are not repeated without end, and without a pause, once a signal has come.
#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_looks_that_fail() {
    let (signal, interrupt) = Interrupt::by_hand();
    let world = World::default().calls(&[Call::Lost]);
    world.deaf.set(true);
    let plan = plan(vec![create("one")]);
    let (out, how) = (output(), ApplyArgs::default());
    let signals = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        signal(Signal::Terminate);
    };
    let applied = apply(&world, &plan, how, &interrupt, &out);
    let began = Instant::now();
    let ((record, outcome), ()) = tokio::join!(applied, signals);
    assert_eq!(statuses(&record), [Unknown]);
    assert_eq!(outcome, Outcome::Interrupted(Signal::Terminate));
    assert!(record.undo.is_some() && began.elapsed() < Duration::from_secs(10));
}

/// That this run has made a resource excuses a default that the plan could not know, and not a state that nobody can read.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_of_an_own_resource_is_not_written() {
    let world = World::default();
    world.hidden.set(true);
    let changes = vec![
        create("bucket"),
        change("set", "bucket", Value::Null, json!({ "setting": "strict" })),
    ];
    let (record, _) = run(&world, &plan(changes)).await;
    assert_eq!(statuses(&record), [Done, Failed]);
    assert_eq!(world.n_calls.get(), 1);
}
