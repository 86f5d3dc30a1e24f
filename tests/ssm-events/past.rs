//! `history` of files, and `report`.

#[path = "past_copies.rs"]
mod copies;
#[path = "past_of_node.rs"]
mod of_node;

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use crate::EXE;

fn record(id: usize, name: &str, more: Value) -> Value {
    let mut record = json!({"eventVersion": "1.11", "eventTime": format!("2026-11-{:02}T03:00:00Z", 1 + id % 28),
        "eventSource": "ssm.amazonaws.com", "eventName": name, "eventID": format!("e-{id}"), "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333"});
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

fn pack(path: &Path, text: &str) {
    let packer = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::fs::File::create(path).unwrap())
        .spawn()
        .unwrap();
    let mut packer = packer;
    packer
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(packer.wait().unwrap().success());
}

fn history(paths: &[&Path], more: &[&str]) -> Output {
    offline(EXE).args(["history"]).args(paths).args(more).run()
}

fn ids(output: &Output) -> Vec<String> {
    output
        .records()
        .iter()
        .map(|record| record["eventID"].as_str().unwrap().to_owned())
        .collect()
}

/// A directory with log files in two days' folders, one of them not packed, and a digest.
fn logs() -> Home {
    let home = Home::create();
    let file = |name: &str, records: Vec<Value>| {
        (
            home.path().join(name),
            json!({ "Records": records }).to_string(),
        )
    };
    std::fs::create_dir_all(home.path().join("2026/11/01")).unwrap();
    std::fs::create_dir_all(home.path().join("2026/11/02")).unwrap();
    let role = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/ann",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/ops/Admin"}}});
    let (path, text) = file(
        "2026/11/01/a.json.gz",
        vec![
            record(
                0,
                "StartSession",
                json!({"requestParameters": {"target": "i-0aaa1111"}, "responseElements": {"sessionId": "s"}, "userIdentity": role}),
            ),
            record(1, "DescribeInstanceInformation", json!({})),
            record(
                2,
                "StartSession",
                json!({"errorCode": "AccessDenied", "requestParameters": null, "userIdentity":
            {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob", "userName": "bob"}}),
            ),
        ],
    );
    pack(&path, &text);
    let (path, text) = file(
        "2026/11/02/b.json",
        vec![
            record(
                3,
                "SendCommand",
                json!({"requestParameters": {"instanceIds": ["i-0bbb2222", "i-0aaa1111"], "parameters": "HIDDEN"},
            "responseElements": {"command": {"commandId": "c-1"}}}),
            ),
            record(
                4,
                "CreateBucket",
                json!({"eventSource": "s3.amazonaws.com", "requestParameters": {"x": "StartSession"}}),
            ),
            record(
                5,
                "TerminateSession",
                json!({"responseElements": {"sessionId": "s", "tokenValue": "t0ken"}}),
            ),
        ],
    );
    std::fs::write(path, text).unwrap();
    let digest = json!({"awsAccountId": "1", "digestStartTime": "x", "logFiles": [{"s3Object": "StartSession"}]});
    pack(
        &home.path().join("2026/11/02/digest.json.gz"),
        &digest.to_string(),
    );
    home
}

#[test]
fn finds_what_is_watched_in_directories_in_the_order_of_names() {
    let logs = logs();
    let found = history(&[logs.path()], &[]);
    found
        .assert_status(0)
        .assert_stderr("ssm-events: passed over 1 object that is not a record of a call\n");
    assert_eq!(ids(&found), ["e-0", "e-2", "e-3", "e-5"]);
    assert!(!found.stdout.contains("t0ken"), "tokens are stripped");
}

#[test]
fn filters_by_event_time_principal_node_and_denial() {
    let logs = logs();
    let find = |more: &[&str]| ids(&history(&[logs.path()], more));
    assert_eq!(
        find(&["--event", "SendCommand,ssm:TerminateSession"]),
        ["e-3", "e-5"]
    );
    assert_eq!(find(&["--event", "ec2:SendCommand"]), Vec::<String>::new());
    assert_eq!(find(&["--event", "all"]).len(), 6);
    assert_eq!(
        find(&["--since", "2026-11-03T03:00:00Z", "--until", "2026-11-06"]),
        ["e-2", "e-3"]
    );
    for who in ["Admin", "ann", "arn:aws:iam::111122223333:role/ops/*"] {
        assert_eq!(find(&["--principal", who]), ["e-0"], "{who}");
    }
    assert_eq!(find(&["--principal", "bob"]), ["e-2"]);
    assert_eq!(find(&["--node", "i-0aaa1111"]), ["e-0", "e-3", "e-5"]);
    assert_eq!(find(&["--denied"]), ["e-2"]);
}

#[test]
fn stdin_may_be_packed_or_not() {
    let text = json!({"Records": [record(0, "StartSession", json!({}))]}).to_string();
    let plain = offline(EXE).args(["history", "-"]).stdin(text).run();
    plain.assert_status(0).assert_stderr("");
    assert_eq!(ids(&plain), ["e-0"]);
}

#[test]
fn a_damaged_file_is_a_record_and_does_not_stop_the_rest() {
    let logs = logs();
    let whole = std::fs::read(logs.path().join("2026/11/01/a.json.gz")).unwrap();
    std::fs::write(
        logs.path().join("2026/11/01/0-broken.json.gz"),
        &whole[..whole.len() / 2],
    )
    .unwrap();
    std::fs::write(logs.path().join("2026/11/01/1-text.json"), "hello").unwrap();
    let found = history(&[logs.path()], &["--event", "SendCommand"]);
    found
        .assert_status(2)
        .assert_complains("0-broken.json.gz")
        .assert_complains("1-text.json: record 1: line 1: expected a JSON object");
    let unread: Vec<Value> = found
        .records()
        .iter()
        .filter(|record| record["kind"] == "finding")
        .cloned()
        .collect();
    assert_eq!(unread.len(), 2);
    assert!(
        unread
            .iter()
            .all(|finding| finding["id"] == "events.history.unread")
    );
    assert!(
        found
            .records()
            .iter()
            .any(|record| record["eventID"] == "e-3")
    );
}

#[test]
fn many_files_come_out_in_order_and_a_closed_pipe_is_quiet() {
    let home = Home::create();
    for index in 0..60 {
        let records: Vec<Value> = (0..50)
            .map(|n| {
                record(
                    index * 50 + n,
                    "StartSession",
                    json!({"pad": "x".repeat(600)}),
                )
            })
            .collect();
        std::fs::write(
            home.path().join(format!("{index:03}.json")),
            json!({"Records": records}).to_string(),
        )
        .unwrap();
    }
    let found = history(&[home.path()], &[]);
    found.assert_status(0).assert_stderr("");
    let expected: Vec<String> = (0..3000).map(|index| format!("e-{index}")).collect();
    assert_eq!(ids(&found), expected);
    let closed = offline(EXE)
        .args(["history"])
        .args([home.path()])
        .stdout_closed()
        .run();
    closed.assert_status(0).assert_stderr("");
}

#[test]
fn killed_half_way_history_gives_whole_records_and_send_makes_up_for_the_rest() {
    let (home, slack) = (Home::create(), testbed::Slack::start());
    for index in 0..200 {
        let records: Vec<Value> = (0..50)
            .map(|n| {
                record(
                    index * 50 + n,
                    "StartSession",
                    json!({"pad": "x".repeat(2000)}),
                )
            })
            .collect();
        std::fs::write(
            home.path().join(format!("{index:03}.json")),
            json!({"Records": records}).to_string(),
        )
        .unwrap();
    }
    let running = offline(EXE).args(["history"]).args([home.path()]).spawn();
    std::thread::sleep(std::time::Duration::from_millis(60));
    let _ = std::process::Command::new("kill")
        .args(["-9", &running.id().to_string()])
        .status();
    let part = running.wait().stdout;
    // What a reader of lines takes from a stream that breaks off.
    let whole: String = part
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .take(20)
        .collect();
    let spool = home.path().join("spool");
    let send = |input: String| {
        let arguments = ["send", "--webhook", "env:URL", "--interval", "0", "--spool"];
        let run = offline(EXE)
            .args(arguments)
            .args([&spool])
            .env("URL", slack.url())
            .stdin(input)
            .run();
        run.assert_status(0);
    };
    send(whole);
    let again = history(&[&home.path().join("000.json")], &[]);
    assert_eq!(again.records().len(), 50);
    send(again.stdout);
    let ids: std::collections::BTreeSet<String> =
        slack.messages().iter().map(ToString::to_string).collect();
    assert_eq!(
        (ids.len(), slack.messages().len()),
        (50, 50),
        "each record once, though history ran twice"
    );
}

#[test]
fn a_wrong_time_is_named() {
    let logs = logs();
    history(&[logs.path()], &["--since", "yesterday"]).assert_status(2).assert_stderr(
        "ssm-events: --since yesterday: expected a time such as 2026-11-01T00:00:00Z, 2026-11-01 or 7d\n",
    );
}

fn session_records() -> String {
    let who = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/ann",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Admin"}}});
    let at = |id: usize, name: &str, time: &str, more: Value| {
        let mut record = record(id, name, more);
        record["eventTime"] = json!(time);
        record["userIdentity"] = who.clone();
        record
    };
    let records = [
        at(
            3,
            "TerminateSession",
            "2026-11-24T10:30:00Z",
            json!({"requestParameters": {"sessionId": "ann-1"}}),
        ),
        at(
            1,
            "StartSession",
            "2026-11-24T10:00:00Z",
            json!({"requestParameters": {"target": "i-0aaa1111", "reason": "</script><b>"},
            "responseElements": {"sessionId": "ann-1"}}),
        ),
        at(
            1,
            "StartSession",
            "2026-11-24T10:00:00Z",
            json!({"responseElements": {"sessionId": "ann-1"}}),
        ),
        at(
            2,
            "ResumeSession",
            "2026-11-24T10:10:00Z",
            json!({"requestParameters": {"sessionId": "ann-1"}}),
        ),
        at(
            4,
            "StartSession",
            "2026-11-24T11:00:00Z",
            json!({"requestParameters": {"target": "i-0bbb2222"},
            "responseElements": {"sessionId": "ann-2"}}),
        ),
        at(
            5,
            "StartSession",
            "2026-11-24T12:00:00Z",
            json!({"errorCode": "AccessDenied"}),
        ),
        at(
            6,
            "SendCommand",
            "2026-11-24T13:00:00Z",
            json!({"requestParameters": {"instanceIds": ["i-0aaa1111"]},
            "responseElements": {"command": {"commandId": "c-1"}}}),
        ),
    ];
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[test]
fn a_report_puts_sessions_together() {
    let report = offline(EXE).args(["report"]).stdin(session_records()).run();
    report.assert_status(0).assert_stderr("");
    let records = report.records();
    let kinds: Vec<&str> = records
        .iter()
        .map(|record| record["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["refused", "session", "session", "command"]);
    let whole = &records[1];
    assert_eq!(
        (
            whole["session_id"].as_str(),
            whole["duration_seconds"].as_i64()
        ),
        (Some("ann-1"), Some(1800))
    );
    assert_eq!(whole["resumed"], json!(["2026-11-24T10:10:00Z"]));
    assert_eq!(
        records[2]["ended"],
        Value::Null,
        "an end that is not recorded is not made up"
    );
    assert_eq!(records[0]["denied"], true);
    let table = offline(EXE)
        .args(["report", "-o", "text"])
        .stdin(session_records())
        .run();
    assert!(
        table.stdout.contains("0:30:00") && table.stdout.contains("REFUSED  "),
        "{}",
        table.stdout
    );
}

#[test]
fn the_page_holds_its_data_and_nothing_can_leave_it() {
    let page = offline(EXE)
        .args(["report", "--html"])
        .stdin(session_records())
        .run();
    page.assert_status(0).assert_stderr("");
    assert!(!page.stdout.contains("</script><b>") && page.stdout.contains("\\u003c/script\\u003e"));
    assert!(!page.stdout.contains("__DATA__") && !page.stdout.contains("src="));
    assert!(page.stdout.contains("default-src 'none'"));
}
