//! `history` of a copy of a bucket that other services write to as well.

use std::path::Path;

use serde_json::json;
use testbed::{Home, Output, offline};

use super::{history, ids, record};
use crate::EXE;

const DAY: &str = "eu-central-1/2026/11/20";

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// A copy with the files of two accounts, one of them of an organization's trail.
fn copy() -> Home {
    let home = Home::create();
    for (number, account) in ["111122223333", "o-a1b2c3d4e5/444455556666"]
        .iter()
        .enumerate()
    {
        let log = json!({"Records": [record(number, "StartSession", json!({}))]}).to_string();
        let of = |kind: &str, name: &str| format!("AWSLogs/{account}/{kind}/{DAY}/{name}");
        write(home.path(), &of("CloudTrail", "a.json"), &log);
        write(home.path(), &of("CloudTrail", ".DS_Store"), "\0Bud1");
        write(home.path(), &of("vpcflowlogs", "x.log"), "2 - eni OK");
        let load_balancer = of("elasticloadbalancing", "y.log");
        write(home.path(), &load_balancer, "http 2026-11-20T10:00:00Z");
        let digest = json!({"awsAccountId": "1", "digestStartTime": "x", "logFiles": []});
        let digest = digest.to_string();
        write(home.path(), &of("CloudTrail-Digest", "d.json"), &digest);
    }
    write(
        home.path(),
        "AWSLogs/111122223333/Config/ConfigWritabilityCheckFile",
        "",
    );
    write(home.path(), "README.txt", "copied on Monday");
    write(home.path(), ".DS_Store", "\0Bud1");
    home
}

fn of(home: &Home, path: &str) -> Output {
    history(&[&home.path().join(path)], &[])
}

#[test]
fn what_other_services_and_people_leave_in_a_copy_is_passed_over_and_counted() {
    let home = copy();
    let found = of(&home, "");
    found
        .assert_status(0)
        .assert_stderr("ssm-events: passed over 9 files beside those of CloudTrail\n");
    assert_eq!(ids(&found), ["e-0", "e-1"]);
    let account = of(&home, "AWSLogs/111122223333");
    account.assert_status(0);
    assert_eq!(ids(&account), ["e-0"]);
}

#[test]
fn what_is_named_is_read_and_a_copy_without_log_files_is_no_answer() {
    let home = copy();
    let folder = "AWSLogs/111122223333/vpcflowlogs";
    of(&home, folder).assert_status(2).assert_complains("x.log");
    let only = Home::create();
    write(only.path(), &format!("{folder}/{DAY}/x.log"), "2 - eni OK");
    let found = of(&only, "");
    found
        .assert_status(2)
        .assert_complains("it has no log file of CloudTrail");
    assert_eq!(found.json()["id"], "events.history.unread");
    let report = offline(EXE).args(["report"]).stdin(found.stdout).run();
    report.assert_status(2);
}

/// Outside of a copy a file is read, whatever its name is, and so are files of records beside the folder.
#[test]
fn files_of_other_places_are_read_whatever_their_names_are() {
    let home = Home::create();
    let text = record(0, "StartSession", json!({})).to_string();
    write(home.path(), "notes.txt", &text);
    write(home.path(), ".hidden", &text);
    let found = of(&home, "");
    found.assert_status(0).assert_stderr("");
    assert_eq!(found.records().len(), 2);
    let copy = copy();
    write(copy.path(), "older.jsonl", &text);
    assert_eq!(of(&copy, "").records().len(), 3);
}
