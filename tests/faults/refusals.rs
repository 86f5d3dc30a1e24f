//! Every refusal that passes by itself, out of the table that the tools go by: a call that meets it once, and one that meets it
//! for 20 seconds, is made all the same. A row that no plan here can meet fails `every_refusal_is_met`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use awsconf::{PASSING_REFUSALS, PassingRefusal};
use serde_json::{Value, json};
use testbed::{Output, TIME_DIVISOR};

use super::rows::ROWS;
use super::scene::{Row, Scene, run_of};

/// Calls of the table that none of the rows makes, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    (
        "GetBucketLifecycleConfiguration",
        "a read before a write; that of a bucket of a moment ago",
    ),
    ("GetQueueUrl", "a read before a write"),
    (
        "ReplaceIamInstanceProfileAssociation",
        "only for nodes that are named one by one",
    ),
];

/// How long a refusal lasts.
const LASTS: Duration = Duration::from_secs(20);

/// Which way a plan is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// One call that a row makes, and a refusal that it may meet.
struct Meeting {
    row: &'static Row,
    way: Way,
    service: String,
    operation: String,
    refusal: &'static PassingRefusal,
}

impl Meeting {
    fn fault(&self, times: i32) -> Value {
        json!({"service": self.service, "operation": self.operation, "kind": "error", "status": 400, "times": times,
            "code": self.refusal.code, "message": format!("p{} a moment ago: nvalid principal", self.refusal.words)})
    }

    fn name(&self) -> String {
        format!("{} {}", self.operation, self.refusal.code)
    }
}

/// Returns what each row can meet, each pair of call and refusal once. Of the refusals that any call may meet, the first
/// call of a tool meets them all.
fn meetings() -> Vec<Meeting> {
    let mut met = BTreeSet::new();
    let mut meetings = Vec::new();
    for row in ROWS {
        let scene = Scene::of(row);
        let applied = scene.apply(&scene.plan);
        let forward = scene.writes();
        scene.account.forget_calls();
        scene.apply(&applied.json()["undo"]).assert_status(0);
        let back = scene.writes();
        for (way, writes) in [(Way::Forward, forward), (Way::Back, back)] {
            for (number, (service, operation, _)) in writes.into_iter().enumerate() {
                for refusal in PASSING_REFUSALS {
                    let is_any = refusal.operations.is_empty();
                    let is_met = match is_any {
                        true => number == 0 && way == Way::Forward,
                        false => refusal.operations.contains(&operation.as_str()),
                    };
                    let key = if is_any { row.tool } else { operation.as_str() };
                    if is_met && met.insert((key.to_owned(), refusal.code)) {
                        meetings.push(Meeting {
                            row,
                            way,
                            service: service.clone(),
                            operation: operation.clone(),
                            refusal,
                        });
                    }
                }
            }
        }
    }
    meetings
}

/// Carries the row's plan out, or takes it back, while `hinder`, which runs it, is in force.
fn disturbed(row: &'static Row, way: Way, hinder: impl FnOnce(&Scene, &Value) -> Output) {
    let scene = Scene::of(row);
    match way {
        Way::Forward => {
            let output = hinder(&scene, &scene.plan);
            let what = format!("{}{}", output.stdout, output.stderr);
            assert_eq!(output.status, 0, "{} {what}", row.tool);
            scene.assert_is_done(&what);
        }
        Way::Back => {
            let undo = scene.apply(&scene.plan).json()["undo"].clone();
            let output = hinder(&scene, &undo);
            let what = format!("{}{}", output.stdout, output.stderr);
            assert_eq!(output.status, 0, "{} {what}", row.tool);
            scene.assert_is_back(&what);
        }
    }
}

/// All that a row can meet, each once, in one run.
fn once(meetings: &[&Meeting], row: &'static Row, way: Way) {
    disturbed(row, way, |scene, plan| {
        for meeting in meetings {
            scene.account.fault(meeting.fault(1));
        }
        let output = scene.apply(plan);
        scene.account.clear_faults();
        output
    });
}

/// One refusal, until it passes after 20 seconds.
fn for_a_while(meeting: &Meeting) {
    disturbed(meeting.row, meeting.way, |scene, plan| {
        scene.account.fault(meeting.fault(-1));
        let running = run_of(&scene.account, meeting.row.tool, plan).spawn();
        let began = std::time::Instant::now();
        let name = format!("{}:{}", meeting.service, meeting.operation);
        while !scene.account.operations().contains(&name) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{name} was not called"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(LASTS / TIME_DIVISOR);
        scene.account.clear_faults();
        running.wait()
    });
}

#[test]
fn every_refusal_is_met_and_passes() {
    let meetings = meetings();
    let met = |operation: &str, code: &str| {
        meetings
            .iter()
            .any(|one| one.operation == operation && one.refusal.code == code)
    };
    let mut missing = Vec::new();
    for refusal in PASSING_REFUSALS {
        for operation in refusal.operations {
            let is_exempt = EXEMPT.iter().any(|(exempt, _)| exempt == operation);
            if !met(operation, refusal.code) && !is_exempt {
                missing.push(format!("{operation} {}", refusal.code));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "no row makes these calls");

    let mut by_run: BTreeMap<(usize, bool), Vec<&Meeting>> = BTreeMap::new();
    for meeting in &meetings {
        let number = ROWS.iter().position(|row| std::ptr::eq(*row, meeting.row));
        let key = (number.unwrap(), meeting.way == Way::Back);
        by_run.entry(key).or_default().push(meeting);
    }
    for ((number, _), meetings) in &by_run {
        once(meetings, ROWS[*number], meetings[0].way);
    }
    // In CI one of each run; by `make test-long` all of them.
    let long = std::env::var_os("LONG").is_some();
    let of_run = |meetings: &Vec<&Meeting>| if long { meetings.len() } else { 1 };
    for meetings in by_run.values() {
        for meeting in &meetings[..of_run(meetings)] {
            eprintln!("for 20 s: {}", meeting.name());
            for_a_while(meeting);
        }
    }
}
