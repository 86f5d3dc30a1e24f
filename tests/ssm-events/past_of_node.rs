//! `history --instance-id`: who ends, resumes or cancels something names no node, but is on the one where it began.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::record;
use crate::{EXE, account};

const NODE: &str = "i-0123456789abcdef0";
const OTHER: &str = "i-0fedcba9876543210";

fn at(id: usize, minute: usize, name: &str, more: &Value) -> Value {
    let mut record = record(id, name, more.clone());
    record["eventTime"] = json!(format!("2026-11-20T10:{minute:02}:00Z"));
    let user = ["ann", "bob"][usize::from(name != "StartSession")];
    record["userIdentity"] = json!({"type": "IAMUser", "userName": user,
        "arn": format!("arn:aws:iam::111122223333:user/{user}")});
    record
}

fn started(id: usize, node: &str, session: &str) -> Value {
    let more =
        json!({"requestParameters": {"target": node}, "responseElements": {"sessionId": session}});
    at(id, id, "StartSession", &more)
}

fn named(id: usize, name: &str, session: &str) -> Value {
    let more = json!({"requestParameters": {"sessionId": session}});
    at(id, id, name, &more)
}

/// Two sessions on two nodes from their beginnings to their ends, a command that is canceled, and the end of an older session.
fn records() -> Vec<Value> {
    let sent = json!({"requestParameters": {"instanceIds": [OTHER, NODE]},
        "responseElements": {"command": {"commandId": "c-1"}}});
    let canceled = json!({"requestParameters": {"commandId": "c-1"}});
    vec![
        started(0, NODE, "here"),
        started(1, OTHER, "elsewhere"),
        named(2, "ResumeSession", "here"),
        at(3, 3, "SendCommand", &sent),
        at(4, 4, "CancelCommand", &canceled),
        named(30, "TerminateSession", "here"),
        named(31, "TerminateSession", "elsewhere"),
    ]
}

fn ids(output: &Output) -> Vec<String> {
    let records = output.records();
    let ids = records.iter().map(|record| &record["eventID"]);
    ids.map(|id| id.as_str().unwrap_or("none").to_owned())
        .collect()
}

/// The files of a day, each with one record, in this order.
fn files(records: &[Value]) -> Home {
    let home = Home::create();
    for (number, record) in records.iter().enumerate() {
        let file = home.path().join(format!("{number:03}.json"));
        std::fs::write(file, json!({"Records": [record]}).to_string()).unwrap();
    }
    home
}

fn history(files: &Home, more: &[&str]) -> Output {
    let arguments = ["history", files.path().to_str().unwrap()];
    let run = offline(EXE)
        .args(arguments)
        .args(["--instance-id", NODE])
        .args(more);
    run.run()
}

#[test]
fn a_session_of_one_node_has_its_end_in_whatever_order_the_files_are() {
    let mut records = records();
    for _ in 0..2 {
        let found = history(&files(&records), &[]);
        found.assert_status(0).assert_stderr("");
        let mut ids = ids(&found);
        ids.sort();
        assert_eq!(ids, ["e-0", "e-2", "e-3", "e-30", "e-4"]);
        let report = offline(EXE).args(["report"]).stdin(found.stdout).run();
        let session = &report.assert_status(0).records()[0];
        assert_eq!(session["ended"], "2026-11-20T10:30:00Z");
        assert_eq!(session["duration_seconds"], 1800);
        assert_eq!(session["resumed"], json!(["2026-11-20T10:02:00Z"]));
        records.reverse();
    }
}

#[test]
fn beginnings_that_are_not_asked_for_are_read_and_not_printed() {
    let files = files(&records());
    for (more, expected) in [
        (&["--event", "TerminateSession"][..], &["e-30"][..]),
        (&["--event", "ssm:CancelCommand"], &["e-4"]),
        (
            &["--event", "all", "--principal", "bob"],
            &["e-2", "e-3", "e-4", "e-30"],
        ),
        (&["--principal", "ann"], &["e-0"]),
        (&["--since", "2026-11-20T10:20:00Z"], &["e-30"]),
        (&["--until", "2026-11-20T10:03:00Z"], &["e-0", "e-2"]),
        (&["--denied"], &[]),
    ] {
        let found = history(&files, more);
        found.assert_status(0).assert_stderr("");
        assert_eq!(ids(&found), expected, "{more:?}");
    }
}

#[test]
fn an_end_without_a_beginning_is_left_out_and_counted() {
    let mut records = records();
    records.push(named(40, "TerminateSession", "older"));
    // Of another Region it is another session.
    let mut far = named(41, "TerminateSession", "here");
    far["awsRegion"] = json!("us-east-1");
    records.push(far);
    let found = history(&files(&records), &[]);
    found.assert_status(0).assert_stderr(
        "ssm-events: left out 2 calls about sessions or commands whose beginning is not in these records: on which node is not known\n",
    );
    assert_eq!(ids(&found), ["e-0", "e-2", "e-3", "e-4", "e-30"]);
}

#[test]
fn ends_that_wait_for_too_long_are_unread() {
    let mut many: Vec<Value> = (100..5_000)
        .map(|id| {
            let mut record = named(id, "TerminateSession", &format!("s-{id}"));
            record["eventTime"] = json!("2026-11-20T10:00:00Z");
            record["userAgent"] = json!("x".repeat(4_000));
            record
        })
        .collect();
    many.push(started(0, NODE, "s-4999"));
    let home = Home::create();
    let file = home.path().join("log.json");
    std::fs::write(file, json!({ "Records": many }).to_string()).unwrap();
    let found = history(&home, &[]);
    found.assert_status(2).assert_complains("too many");
    let records = found.records();
    assert_eq!(records[0]["eventID"], "e-0");
    assert_eq!(records[1]["id"], "events.history.unread");
}

/// Call by call, each the newest first, or all at once.
#[test]
fn the_event_history_has_the_end_of_a_session_as_well() {
    let account = account();
    let records = records().into_iter().map(|mut record| {
        record["awsRegion"] = json!("us-east-1");
        record["recipientAccountId"] = json!(account.id());
        json!({"account": account.id(), "region": "us-east-1", "record": record})
    });
    let records: Vec<Value> = records.collect();
    account.seed(&json!({"cloudtrail_records": records}));
    for more in [
        &[][..],
        &["--event", "all"],
        &[
            "--event",
            "TerminateSession,StartSession,ResumeSession,SendCommand,CancelCommand",
        ],
    ] {
        let history = ["history", "--region", "us-east-1", "--instance-id", NODE];
        let found = account.tool(EXE).args(history).args(more).run();
        found.assert_status(0).assert_stderr("");
        let mut ids = ids(&found);
        ids.sort();
        assert_eq!(ids, ["e-0", "e-2", "e-3", "e-30", "e-4"], "{more:?}");
    }
}
