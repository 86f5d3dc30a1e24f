//! `send` to a Slack that takes, refuses, limits, hangs up and is gone, and a `send` that is killed.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Run, Slack, offline};

use crate::EXE;

fn event(id: &str) -> String {
    let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id,
        "eventTime": "2026-11-24T03:00:00Z", "responseElements": {"tokenValue": "t0ken", "sessionId": format!("s-{id}")}});
    format!("{record}\n")
}

pub(super) fn events(n_events: usize) -> String {
    (0..n_events)
        .map(|index| event(&format!("e-{index}")))
        .collect()
}

fn tool(slack: &Slack, spool: &Path, more: &[&str]) -> Run {
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

/// Returns how often each event was taken.
fn taken(slack: &Slack) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for message in slack.messages() {
        let id = message["attachments"][0]["blocks"][1]["block_id"]
            .as_str()
            .unwrap()
            .to_owned();
        *counts.entry(id).or_default() += 1;
    }
    counts
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
fn one_message_a_second_unless_told_otherwise() {
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
    assert!(
        drained.records().iter().all(is_certain),
        "a refusal leaves no doubt"
    );
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
fn killed_at_any_moment_nothing_is_lost_and_only_what_was_in_flight_may_be_there_twice() {
    let (slack, home) = (Slack::start(), Home::create());
    let n_events = 40;
    for pause in [20, 35, 50, 80, 120] {
        let running = tool(&slack, home.path(), &["--interval", "0.005"])
            .stdin(events(n_events))
            .spawn();
        std::thread::sleep(Duration::from_millis(pause));
        // The shell's own kill, since nothing else in the tests needs a crate for it.
        let killed = std::process::Command::new("kill")
            .args(["-9", &running.id().to_string()])
            .status()
            .unwrap();
        let _ = running.wait();
        let _ = killed;
    }
    let last = send(&slack, home.path(), &events(n_events), &[]);
    last.assert_status(0);
    let counts = taken(&slack);
    assert_eq!(counts.len(), n_events, "nothing is lost");
    let twice: Vec<&String> = counts
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(id, _)| id)
        .collect();
    assert!(twice.len() <= 5, "one a kill at most: {twice:?}");
    let doubtful = last
        .records()
        .iter()
        .filter(|record| !record["note"].is_null())
        .count();
    assert!(twice.len() <= 5 && doubtful <= 1, "{}", last.stdout);
}

#[test]
fn half_a_line_of_a_killed_run_is_no_damage() {
    let (slack, home) = (Slack::start(), Home::create());
    send(&slack, home.path(), &events(1), &[]).assert_status(0);
    let log = home.path().join("deliveries.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, format!("{text}{{\"event_id\":\"e-")).unwrap();
    let again = send(&slack, home.path(), &events(2), &[]);
    again.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&again), ["e-0 duplicate", "e-1 delivered"]);
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

/// What is in a spool tells who was where.
#[test]
fn a_spool_is_the_users_alone_and_follows_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (slack, home) = (Slack::start(), Home::create());
    let shell = |umask: &str, spool: &Path| {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let spool = spool.to_str().unwrap();
        let flags = ["send", "--webhook", "env:WEBHOOK", "--spool", spool];
        let run = offline("/bin/sh").args(["-c", &script, EXE]).args(flags);
        run.env("WEBHOOK", slack.url()).stdin(event("e-1")).run()
    };
    for umask in ["000", "022", "077"] {
        let spool = home.path().join(format!("spool-{umask}"));
        // One that was made by an older version, or by hand.
        if umask == "022" {
            std::fs::create_dir(&spool).unwrap();
            std::fs::write(spool.join("queue.jsonl"), "").unwrap();
            std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        shell(umask, &spool).assert_status(0);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&spool), 0o700, "{umask}");
        for name in ["lock", "queue.jsonl", "deliveries.jsonl"] {
            assert_eq!(mode(&spool.join(name)), 0o600, "{umask} {name}");
        }
    }
    let victim = home.path().join("victim");
    std::fs::write(&victim, "untouched").unwrap();
    let linked = home.path().join("linked");
    std::fs::create_dir(&linked).unwrap();
    symlink(&victim, linked.join("queue.jsonl")).unwrap();
    shell("022", &linked)
        .assert_status(2)
        .assert_complains("queue.jsonl");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    let (elsewhere, link) = (home.path().join("elsewhere"), home.path().join("link"));
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &link).unwrap();
    shell("022", &link)
        .assert_status(2)
        .assert_complains("it is a symbolic link: name the directory itself");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}
