//! Nothing unread is ever fine: what was missing is not lost in a pipe, and an input of other things answers nothing.

use serde_json::{Value, json};
use testbed::{Home, Output, Slack, offline};

use crate::EXE;
use crate::sending::send;

pub(super) fn started(by: &str, more: &Value) -> String {
    let mut record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2026-07-01T22:30:00Z",
        "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventID": format!("e-{by}"),
        "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{by}"), "userName": by},
        "requestParameters": {"target": "i-0123456789abcdef0"}, "responseElements": null});
    let members = record.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    record.to_string()
}

pub(super) fn piped(arguments: &[&str], input: &str) -> Output {
    offline(EXE).args(arguments).stdin(input).run()
}

#[test]
fn sessions_without_an_id_are_sessions_of_their_own() {
    let input = ["alice", "bob", "carol"].map(|by| started(by, &json!({})));
    let report = piped(&["report"], &input.concat());
    report.assert_status(0).assert_stderr("");
    let who = report.records();
    let who: Vec<&str> = who
        .iter()
        .map(|one| one["principal"].as_str().unwrap())
        .collect();
    assert_eq!(who.len(), 3, "{who:?}");
    assert!(
        who[0].ends_with("alice") && who[2].ends_with("carol"),
        "{who:?}"
    );
}

#[test]
fn calls_of_other_services_with_the_same_name_are_no_sessions_of_ours() {
    let other =
        json!({"eventSource": "athena.amazonaws.com", "responseElements": {"sessionId": "s"}});
    let report = piped(&["report"], &started("alice", &other));
    report.assert_status(0);
    assert_eq!(report.stdout, "");
}

#[test]
fn match_prints_no_secret() {
    let secret = json!({"responseElements": {"sessionId": "s-1", "tokenValue": "c4n4ry", "STREAMURL": "wss://c4n4ry"}});
    let event = started("alice", &secret);
    let matched = piped(&["match", r#"{"eventName": ["StartSession"]}"#], &event);
    matched.assert_status(1);
    assert_eq!(matched.json()["responseElements"]["sessionId"], "s-1");
    let pattern =
        r#"{"responseElements": {"tokenValue": [{"exists": true}], "sessionId": ["s-1"]}}"#;
    let explained = piped(&["match", "--explain", pattern], &event);
    assert_eq!(
        explained.json()["fields"][0]["found"],
        json!(["\"stripped\""])
    );
    assert_eq!(explained.json()["fields"][1]["found"], json!(["\"s-1\""]));
    let wrapped = json!({"detail-type": "t", "detail": {"body": event}}).to_string();
    let found = piped(
        &[
            "match",
            "--explain",
            r#"{"detail": {"body": [{"exists": true}]}}"#,
        ],
        &wrapped,
    );
    assert!(found.stdout.contains("stripped"), "{}", found.stdout);
    let named = json!({"additionalEventData": [{"Key": "tokenValue", "Value": "c4n4ry"}, {"Key": "a", "Value": "b"}]});
    let beside = piped(
        &[
            "match",
            "--explain",
            r#"{"additionalEventData": {"Value": [{"prefix": ""}]}}"#,
        ],
        &started("alice", &named),
    );
    assert!(beside.stdout.contains("\\\"b\\\""), "{}", beside.stdout);
    for output in [matched, explained, found, beside] {
        assert!(!output.stdout.contains("c4n4ry"), "{}", output.stdout);
    }
}

#[test]
fn what_history_could_not_read_is_not_fine_downstream() {
    let home = Home::create();
    let file = home.path().join("cut.json");
    let whole = started("alice", &json!({}));
    std::fs::write(&file, format!("{whole}\n{}", &whole[..60])).unwrap();
    let history = piped(&["history", file.to_str().unwrap()], "");
    history.assert_status(2);
    let list = home.path().join("ids");
    std::fs::write(&list, "e-alice\n").unwrap();
    let list = list.to_str().unwrap();
    for arguments in [
        &["report"][..],
        &["report", "--html"],
        &["format", "--to", "text"],
        &["match", r#"{"eventName": ["None"]}"#],
        &["match", "--explain", r#"{"eventName": ["None"]}"#],
        &["reconcile", "--delivered", list, "--exit-code"],
    ] {
        let output = piped(arguments, &history.stdout);
        output
            .assert_status(2)
            .assert_complains("not all was read: ");
        assert!(output.stderr.contains("cut.json"), "{}", output.stderr);
    }
    let page = piped(&["report", "--html"], &history.stdout).stdout;
    assert!(
        page.contains("could not be read to its end"),
        "the page names the gap"
    );
    // Every verb whose records go on says it again, however many there are.
    let listing = home.path().join("listing.json");
    std::fs::write(&listing, r#"{"Sessions": []}"#).unwrap();
    let listing = listing.to_str().unwrap();
    for hop in [
        &["report"][..],
        &["match", r#"{"eventName": ["StartSession"]}"#],
        &["match", "--explain", r#"{"eventName": ["StartSession"]}"#],
        &["reconcile", "--delivered", list],
        &["sessions", "--offline", "--listing", listing],
    ] {
        let once = piped(hop, &history.stdout);
        let twice = piped(hop, &once.stdout);
        for output in [&once, &twice] {
            output.assert_status(2);
            let gaps: Vec<Value> = output
                .records()
                .into_iter()
                .filter(|one| one["id"] == "events.history.unread")
                .collect();
            assert_eq!(gaps.len(), 1, "{hop:?}: {}", output.stdout);
            assert_eq!(gaps[0]["resource"], file.to_str().unwrap(), "{hop:?}");
            let page = piped(&["report", "--html"], &output.stdout);
            page.assert_status(2);
            assert!(
                page.stdout.contains("could not be read to its end"),
                "{hop:?}"
            );
        }
    }
    let joined = home.path().join("sessions.jsonl");
    let sessions = piped(
        &["sessions", "--offline", "--listing", listing],
        &history.stdout,
    );
    std::fs::write(&joined, &sessions.stdout).unwrap();
    let known = ["report", "--sessions", joined.to_str().unwrap()];
    let report = piped(&known, &whole);
    report
        .assert_status(2)
        .assert_complains("sessions were not all read");
    assert!(report.stdout.contains("cut.json"), "{}", report.stdout);
    let unreachable = json!({"kind": "unreachable", "tool": "ssm-events", "error": "no route",
        "target": {"account": "111122223333", "region": "eu-central-1"}});
    piped(&["report"], &unreachable.to_string())
        .assert_status(2)
        .assert_complains("not all was read: 111122223333/eu-central-1: no route");
}

/// Objects and not one record: what is asked about them has no answer.
#[test]
fn an_input_of_other_things_is_not_fine() {
    let home = Home::create();
    let list = home.path().join("ids");
    std::fs::write(&list, "").unwrap();
    let listing = home.path().join("listing.json");
    std::fs::write(&listing, r#"{"Sessions": []}"#).unwrap();
    let (list, listing) = (list.to_str().unwrap(), listing.to_str().unwrap());
    let logs = json!({"events": [{"logStreamName": "s", "timestamp": 1, "message": "StartSession", "ingestionTime": 1}],
        "searchedLogStreams": []});
    let other = json!({"Records": {"count": 5}});
    let file = home.path().join("other.json");
    for input in [&logs, &other] {
        std::fs::write(&file, input.to_string()).unwrap();
        let file = file.to_str().unwrap();
        for arguments in [
            &["history", "-q", file][..],
            &["report", "-q"],
            &["report", "-q", "--html"],
            &["format", "-q", "--to", "csv"],
            &["reconcile", "-q", "--exit-code", "--delivered", list],
            &["match", "-q", r#"{"eventName": ["StopSession"]}"#],
            &["sessions", "-q", "--offline", "--listing", listing],
        ] {
            let output = piped(arguments, &input.to_string());
            output.assert_status(2);
            let said = format!("{}{}", output.stdout, output.stderr);
            let why = "no CloudTrail record, EventBridge event or log file among 1 object";
            assert!(said.contains(why), "{arguments:?}: {said}");
        }
        let slack = Slack::start();
        send(&slack, home.path(), &input.to_string(), &[]).assert_status(2);
    }
    // Nothing at all is not something else; and one record is enough.
    piped(&["report"], r#"{"Records": []}"#).assert_status(0);
    let both = format!("{logs}{}", started("alice", &json!({})));
    piped(&["report"], &both).assert_status(0);
    // What PowerShell makes of a list of one.
    let one = format!(r#"{{"Records": {}}}"#, started("alice", &json!({})));
    let report = piped(&["report"], &one);
    report.assert_status(0);
    assert!(report.stdout.contains("alice"), "{}", report.stdout);
}

/// Records that have nothing of what is searched for are not read; where they are damaged they are not taken for such.
#[test]
fn damage_in_what_is_not_searched_for_is_counted() {
    let home = Home::create();
    let file = home.path().join("log.json");
    let good = started("alice", &json!({}));
    let head =
        br#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"#;
    for (damage, complaint) in [
        (&br#""key" "value"}}"#[..], "expected `:`"),
        (br#""key":"value",}}"#, "key must be a string"),
        (br#""key":"va\x00lue"}}"#, "invalid escape"),
        (b"\"key\":\"va\x00lue\"}}", "control character"),
        (b"\"key\":\"va\xfflue\"}}", "invalid utf-8"),
        (br#""key":tru}}"#, "expected ident"),
        (br#""key":01}}"#, "invalid number"),
        (br#""key":"StartSe\ssion"}}"#, "invalid escape"),
        (br#""key":]}"#, "brackets that do not fit"),
    ] {
        let bytes = [good.as_bytes(), b"\n", head, damage, b"\n", good.as_bytes()].concat();
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        for arguments in [
            &["history", "-q", file][..],
            &[
                "match",
                "-q",
                r#"{"eventName": ["StartSession"]}"#,
                "-f",
                file,
            ],
        ] {
            let output = piped(arguments, "");
            output.assert_status(2);
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(said.contains(complaint), "{complaint}: {said}");
            let read = output.records();
            let read = read.iter().filter(|one| one["eventID"] == "e-alice");
            assert_eq!(read.count(), 2, "{complaint}");
        }
    }
}

#[test]
fn what_in_a_directory_cannot_be_looked_at_is_a_gap() {
    let home = Home::create();
    let logs = home.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    std::fs::write(logs.join("a.json"), started("alice", &json!({}))).unwrap();
    std::os::unix::fs::symlink("nowhere", logs.join("b.json")).unwrap();
    let history = piped(&["history", "-q", logs.to_str().unwrap()], "");
    history.assert_status(2);
    let records = history.records();
    assert_eq!(records[0]["eventID"], "e-alice");
    assert_eq!(records[1]["id"], "events.history.unread");
    assert!(records[1]["resource"].as_str().unwrap().ends_with("b.json"));
}

#[test]
fn what_a_caller_shapes_shows_what_it_holds_in_text_and_does_nothing_in_a_spreadsheet() {
    let more = json!({"responseElements": {"sessionId": "s-1"}, "requestParameters": {
        "target": "i-0123456789abcdef0", "reason": "\u{ff1d}1+1\u{202e}\u{0}\u{1b}[31m\u{61c}\u{2028}"}});
    let event = started("alice", &more);
    let text = piped(&["report", "-o", "text"], &event).stdout;
    let line = piped(&["format", "--to", "text"], &event).stdout;
    let csv = piped(&["format", "--to", "csv"], &event).stdout;
    for shown in [&text, &line, &csv] {
        let is_raw =
            |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{61c}\u{2028}".contains(c);
        assert!(!shown.contains(is_raw), "{shown:?}");
        assert!(shown.contains("1+1\\u{202e}"), "{shown:?}");
    }
    assert!(csv.contains("'\u{ff1d}1+1"), "{csv}");
}
