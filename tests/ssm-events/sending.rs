//! `send` to a Slack that takes, refuses, limits, hangs up and is gone, and a `send` that is killed.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Run, Slack, offline};

use crate::EXE;

pub(super) fn event(id: &str) -> String {
    let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id,
        "eventTime": "2026-11-24T03:00:00Z", "responseElements": {"tokenValue": "t0ken", "sessionId": format!("s-{id}")}});
    format!("{record}\n")
}

pub(super) fn events(n_events: usize) -> String {
    (0..n_events)
        .map(|index| event(&format!("e-{index}")))
        .collect()
}

pub(super) fn tool(slack: &Slack, spool: &Path, more: &[&str]) -> Run {
    let spool = spool.to_str().unwrap();
    let fixed = [
        "send",
        "--webhook",
        "env:WEBHOOK",
        "--spool",
        spool,
        "--interval",
        "0",
    ];
    offline(EXE)
        .args(fixed)
        .args(more)
        .env("WEBHOOK", slack.url())
}

pub(super) fn send(slack: &Slack, spool: &Path, input: &str, more: &[&str]) -> Output {
    let output = tool(slack, spool, more).stdin(input).run();
    for secret in ["c4n4ry", "t0ken"] {
        assert!(
            !output.stdout.contains(secret) && !output.stderr.contains(secret),
            "a secret was printed"
        );
    }
    output
}

pub(super) fn statuses(output: &Output) -> Vec<String> {
    let records = output.records();
    let text = |record: &Value| {
        format!(
            "{} {}",
            record["event_id"].as_str().unwrap(),
            record["status"].as_str().unwrap()
        )
    };
    records.iter().map(text).collect()
}

#[test]
fn each_event_is_sent_once_over_any_number_of_runs() {
    let (slack, home) = (Slack::start(), Home::create());
    let first = send(&slack, home.path(), &events(2), &[]);
    first.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&first), ["e-0 delivered", "e-1 delivered"]);
    let again = send(&slack, home.path(), &events(3), &[]);
    again.assert_status(0);
    assert_eq!(
        statuses(&again),
        ["e-0 duplicate", "e-1 duplicate", "e-2 delivered"]
    );
    assert_eq!(slack.messages().len(), 3);
    assert!(!slack.messages()[0].to_string().contains("t0ken"));
}

#[test]
fn what_format_prints_is_sent_and_known_by_its_event() {
    let (slack, home) = (Slack::start(), Home::create());
    let message = offline(EXE)
        .args(["format", "--to", "slack"])
        .stdin(event("e-7"))
        .run()
        .stdout;
    assert_eq!(
        statuses(&send(&slack, home.path(), &message, &[])),
        ["e-7 delivered"]
    );
    assert_eq!(
        statuses(&send(&slack, home.path(), &event("e-7"), &[])),
        ["e-7 duplicate"]
    );
    assert_eq!(
        slack.messages(),
        [serde_json::from_str::<Value>(&message).unwrap()]
    );
}

#[test]
fn a_limit_an_error_and_a_closed_connection_are_tried_again() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.reply(&[
        Reply::RetryAfter(1),
        Reply::Status(500, "rollup_error"),
        Reply::Close,
    ]);
    let sent = send(&slack, home.path(), &events(1), &[]);
    sent.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&sent), ["e-0 delivered"]);
    let posts = slack.posts();
    assert_eq!(posts.len(), 4);
    assert!(
        posts[1].at - posts[0].at >= Duration::from_secs(1),
        "Retry-After is honoured"
    );
}

#[test]
fn one_message_a_second_unless_said_otherwise() {
    let (slack, home) = (Slack::start(), Home::create());
    let spool = home.path().to_str().unwrap();
    let sent = offline(EXE)
        .args(["send", "--webhook", "env:WEBHOOK", "--spool", spool])
        .env("WEBHOOK", slack.url());
    sent.stdin(events(3)).run().assert_status(0);
    let posts = slack.posts();
    assert!(
        posts
            .windows(2)
            .all(|pair| pair[1].at - pair[0].at >= Duration::from_millis(990))
    );
}

#[test]
fn messages_are_held_while_slack_is_down_and_drained_in_order() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.always(Reply::Status(503, "down"));
    let held = send(&slack, home.path(), &events(3), &["--retry-for", "0"]);
    held.assert_status(2)
        .assert_complains("3 messages are held in")
        .assert_complains("HTTP 503 down");
    assert_eq!(statuses(&held), ["e-0 held"]);
    slack.always(Reply::Ok);
    let drained = send(&slack, home.path(), &event("e-9"), &[]);
    drained.assert_status(0).assert_stderr("");
    let is_certain = |record: &Value| record["note"].is_null();
    let certain: Vec<bool> = drained.records().iter().map(is_certain).collect();
    assert_eq!(certain, [false, true, true, true]);
    assert_eq!(
        statuses(&drained),
        [
            "e-0 delivered",
            "e-1 delivered",
            "e-2 delivered",
            "e-9 delivered"
        ]
    );
}

#[test]
fn a_message_that_slack_will_never_take_does_not_hold_up_the_others() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.reply(&[Reply::Status(400, "invalid_blocks")]);
    let sent = send(&slack, home.path(), &events(2), &[]);
    sent.assert_status(2).assert_stderr("");
    assert_eq!(statuses(&sent), ["e-0 rejected", "e-1 delivered"]);
    assert_eq!(sent.records()[0]["note"], "HTTP 400 invalid_blocks");
}

#[test]
fn a_webhook_that_is_gone_holds_everything() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.always(Reply::Status(404, "no_service"));
    send(&slack, home.path(), &events(2), &[])
        .assert_status(2)
        .assert_complains("2 messages are held");
    assert_eq!(
        slack.posts().len(),
        1,
        "a webhook that is gone is not tried again and again"
    );
}

#[test]
fn reconcile_prints_exactly_what_never_arrived() {
    let (slack, home) = (Slack::start(), Home::create());
    send(&slack, home.path(), &events(2), &[]).assert_status(0);
    let list = home.path().join("more ids.txt");
    std::fs::write(&list, "e-3\n").unwrap();
    let log = home.path().join("deliveries.jsonl");
    let files = [
        "--delivered",
        log.to_str().unwrap(),
        "--delivered",
        list.to_str().unwrap(),
    ];
    // A record may lie in two trails.
    let input = format!("{}{}", events(5), event("e-2"));
    let missing = offline(EXE)
        .args(["reconcile", "--exit-code"])
        .args(files)
        .stdin(input)
        .run();
    missing.assert_status(1).assert_stderr("");
    let ids: Vec<Value> = missing
        .records()
        .iter()
        .map(|record| record["eventID"].clone())
        .collect();
    assert_eq!(ids, ["e-2", "e-4"]);
    assert!(!missing.stdout.contains("t0ken"));
    let sent = send(&slack, home.path(), &missing.stdout, &[]);
    assert_eq!(statuses(&sent), ["e-2 delivered", "e-4 delivered"]);
}

#[test]
fn the_url_is_no_argument_and_a_wrong_source_is_named() {
    let home = Home::create();
    let run = |source: &str| {
        let spool = home.path().to_str().unwrap().to_owned();
        offline(EXE)
            .args(["send", "--spool", &spool, "--webhook", source])
            .stdin("")
            .run()
    };
    run("https://hooks.slack.com/services/x")
        .assert_status(2)
        .assert_complains("the URL itself is a secret and no argument");
    run("env:MISSING")
        .assert_status(2)
        .assert_complains("environment variable MISSING is not set");
    run("file:/no/such")
        .assert_status(2)
        .assert_complains("/no/such");
}

#[test]
fn the_webhook_may_be_kept_by_aws() {
    let (slack, home, account) = (Slack::start(), Home::create(), crate::account());
    // The CLI would fetch what looks like a URL in an argument of its own.
    let parameter =
        json!({"Name": "/slack", "Type": "SecureString", "Value": slack.url()}).to_string();
    account.aws(&["ssm", "put-parameter", "--cli-input-json", &parameter]);
    let secret = json!({"Name": "slack", "SecretString": slack.url()}).to_string();
    account.aws(&[
        "secretsmanager",
        "create-secret",
        "--cli-input-json",
        &secret,
    ]);
    let run = |source: &str, id: &str| {
        let spool = home.path().to_str().unwrap().to_owned();
        let arguments = [
            "send",
            "--interval",
            "0",
            "--spool",
            &spool,
            "--webhook",
            source,
        ];
        account.tool(EXE).args(arguments).stdin(event(id)).run()
    };
    run("parameter:/slack", "e-1")
        .assert_status(0)
        .assert_stderr("");
    run("secret:slack", "e-2")
        .assert_status(0)
        .assert_stderr("");
    assert_eq!(slack.messages().len(), 2);
    run("secret:none", "e-3")
        .assert_status(2)
        .assert_complains("GetSecretValue none");
    assert!(
        account
            .writes()
            .iter()
            .all(|call| call["service"] != "ssm" || call["operation"] == "PutParameter")
    );
}

#[test]
fn only_the_ok_of_slack_is_a_delivery() {
    for body in [
        "<html>Blocked by proxy</html>",
        "",
        r#"{"ok":false,"error":"unknown"}"#,
    ] {
        let (slack, home) = (Slack::start(), Home::create());
        slack.always(Reply::Status(200, body));
        let held = send(&slack, home.path(), &events(1), &["--retry-for", "0"]);
        held.assert_status(2);
        assert_eq!(statuses(&held), ["e-0 held"]);
        slack.always(Reply::Ok);
        assert_eq!(
            statuses(&send(&slack, home.path(), "", &[])),
            ["e-0 delivered"]
        );
    }
    let (slack, home) = (Slack::start(), Home::create());
    slack.reply(&[Reply::Status(
        200,
        r#"{"ok":false,"error":"invalid_blocks"}"#,
    )]);
    let sent = send(&slack, home.path(), &events(1), &[]);
    assert_eq!(statuses(&sent), ["e-0 rejected"]);
}

#[test]
fn a_pause_that_no_clock_holds_is_held() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.always(Reply::RetryAfter(u64::MAX));
    let held = send(&slack, home.path(), &events(1), &[]);
    held.assert_status(2)
        .assert_complains("1 message is held in");
    assert_eq!(statuses(&held), ["e-0 held"]);
}
