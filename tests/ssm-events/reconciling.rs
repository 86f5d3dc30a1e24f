//! `reconcile`: a record is missing while any of its destinations has not taken it.

use serde_json::json;
use testbed::{Home, Reply, Slack, offline};

use crate::EXE;
use crate::routes::{Scene, record};
use crate::sending::{event, send, statuses};

/// Returns the exit status of `reconcile` for an event.
fn missing(lists: &[&std::path::Path], id: &str) -> i32 {
    let mut run = offline(EXE).args(["reconcile", "--exit-code"]);
    for list in lists {
        run = run.args(["--delivered"]).args([list]);
    }
    run.stdin(event(id)).run().status
}

#[test]
fn what_waits_behind_another_message_is_missing() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security"]}));
    scene.slacks[1].always(Reply::Status(503, "down"));
    let input: String = ["e-0", "e-1"]
        .map(|id| record(&json!({"eventID": id})))
        .concat();
    scene.send(&file, &input).assert_status(2);
    assert_eq!(scene.counts(), [2, 0, 0]);
    let log = scene.home.path().join("spool/deliveries.jsonl");
    assert_eq!([missing(&[&log], "e-0"), missing(&[&log], "e-1")], [1, 1]);
    scene.slacks[1].always(Reply::Ok);
    scene.send(&file, "").assert_status(0);
    assert_eq!([missing(&[&log], "e-0"), missing(&[&log], "e-1")], [0, 0]);
}

#[test]
fn what_one_filter_could_not_make_a_message_of_is_missing() {
    let scene = Scene::new();
    std::fs::write(scene.home.path().join("own.jq"), r#"error("odd")"#).unwrap();
    let https = json!({"https": {"url": {"env": "URL"}, "jq_file": "own.jq"}});
    let mut routes = crate::routes::routes(&json!({"default": ["ops", "own"]}));
    routes["destinations"]["own"] = https;
    let file = scene.file(&routes.to_string());
    let spool = scene.home.path().join("spool");
    let flags = ["--interval", "0", "--spool", spool.to_str().unwrap()];
    let run = scene.tool(&file, &flags).env("URL", "https://h.invalid/x");
    let sent = run.stdin(record(&json!({}))).run();
    sent.assert_status(2)
        .assert_complains("event e-1 for own is not sent: ");
    assert_eq!(scene.counts(), [1, 0, 0]);
    assert_eq!(missing(&[&spool.join("deliveries.jsonl")], "e-1"), 1);
}

#[test]
fn what_was_rejected_has_not_arrived_by_coming_again() {
    let (slack, home) = (Slack::start(), Home::create());
    let spool = home.path().join("spool");
    slack.reply(&[Reply::Status(400, "invalid_blocks")]);
    send(&slack, &spool, &event("e-0"), &[]).assert_status(2);
    let again = send(&slack, &spool, &event("e-0"), &[]);
    assert_eq!(statuses(&again), ["e-0 rejected"]);
    let printed = home.path().join("printed.jsonl");
    std::fs::write(&printed, &again.stdout).unwrap();
    let log = spool.join("deliveries.jsonl");
    assert_eq!(missing(&[&log, &printed], "e-0"), 1);
}

#[test]
fn each_message_of_an_event_must_arrive() {
    let (slack, home) = (Slack::start(), Home::create());
    let filter = home.path().join("two.jq");
    std::fs::write(&filter, r#"{text: "one"}, {text: "two"}"#).unwrap();
    let spool = home.path().join("spool");
    slack.reply(&[Reply::Ok, Reply::Status(400, "invalid_blocks")]);
    let with = ["--jq-file", filter.to_str().unwrap()];
    let sent = send(&slack, &spool, &event("e-0"), &with);
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-0/1 rejected"]);
    assert_eq!(missing(&[&spool.join("deliveries.jsonl")], "e-0"), 1);
}

/// A kill or a full disk leaves a line that was not promised to anybody.
#[test]
fn a_torn_last_line_of_a_delivery_log_is_dropped() {
    let home = Home::create();
    let log = home.path().join("deliveries.jsonl");
    let line = |id: &str, note: &str| {
        json!({"kind": "delivery", "event_id": id, "destination": null, "status": "delivered", "note": note}).to_string()
    };
    let whole = line("e-0", "");
    let torn = line("e-1", "\u{200b}");
    let within = torn.find('\u{200b}').unwrap() + 1;
    for end in [1, 20, within, torn.len() - 1] {
        let bytes = [whole.as_bytes(), b"\n", &torn.as_bytes()[..end]].concat();
        std::fs::write(&log, bytes).unwrap();
        assert_eq!([missing(&[&log], "e-0"), missing(&[&log], "e-1")], [0, 1]);
    }
    // Another file, which is whole, is not a log.
    std::fs::write(&log, r#"{"routes": []}"#).unwrap();
    let input = json!({"eventID": "e-0", "eventName": "StartSession"}).to_string();
    let arguments = ["reconcile", "--delivered", log.to_str().unwrap()];
    let refused = offline(EXE).args(arguments).stdin(input).run();
    refused.assert_status(2).assert_complains("event_id");
    // In the middle it is damage.
    std::fs::write(&log, format!("{}\n{whole}\n", &torn[..20])).unwrap();
    assert_eq!(missing(&[&log], "e-0"), 2);
}
