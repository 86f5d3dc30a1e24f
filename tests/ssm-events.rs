//! `ssm-events` as a user meets it: exit status, stdout and stderr of every verb against the local AWS.

#[path = "ssm-events/addresses.rs"]
mod addresses;
#[path = "ssm-events/anew.rs"]
mod anew;
#[path = "ssm-events/bot.rs"]
mod bot;
#[path = "ssm-events/break_glass.rs"]
mod break_glass;
#[path = "ssm-events/break_glass_sign_ins.rs"]
mod break_glass_sign_ins;
#[path = "ssm-events/break_glass_users.rs"]
mod break_glass_users;
#[path = "ssm-events/buckets.rs"]
mod buckets;
#[path = "ssm-events/containers.rs"]
mod containers;
#[path = "ssm-events/covered.rs"]
mod covered;
#[path = "ssm-events/damaged.rs"]
mod damaged;
#[path = "ssm-events/delivery.rs"]
mod delivery;
#[path = "ssm-events/destinations.rs"]
mod destinations;
#[path = "ssm-events/downstream.rs"]
mod downstream;
#[path = "ssm-events/endless.rs"]
mod endless;
#[path = "ssm-events/examples.rs"]
mod examples;
#[path = "ssm-events/function.rs"]
mod function;
#[path = "ssm-events/held.rs"]
mod held;
#[path = "ssm-events/hidden.rs"]
mod hidden;
#[path = "ssm-events/history_denied.rs"]
mod history_denied;
#[path = "ssm-events/killed.rs"]
mod killed;
#[path = "ssm-events/lambda.rs"]
mod lambda;
#[path = "ssm-events/matching.rs"]
mod matching;
#[path = "ssm-events/mutants.rs"]
mod mutants;
#[path = "ssm-events/nameless.rs"]
mod nameless;
#[path = "ssm-events/page.rs"]
mod page;
#[path = "ssm-events/past.rs"]
mod past;
#[path = "ssm-events/reading.rs"]
mod reading;
#[path = "ssm-events/reconciling.rs"]
mod reconciling;
#[path = "ssm-events/rejected.rs"]
mod rejected;
#[path = "ssm-events/routes.rs"]
mod routes;
#[path = "ssm-events/routes_mistakes.rs"]
mod routes_mistakes;
#[path = "ssm-events/sending.rs"]
mod sending;
#[path = "ssm-events/services.rs"]
mod services;
#[path = "ssm-events/spool.rs"]
mod spool;
#[path = "ssm-events/telling.rs"]
mod telling;
#[path = "ssm-events/topic.rs"]
mod topic;
#[path = "ssm-events/topic_answers.rs"]
mod topic_answers;
#[path = "ssm-events/trail.rs"]
mod trail;
#[path = "ssm-events/transcripts.rs"]
mod transcripts;
#[path = "ssm-events/transcripts_known.rs"]
mod transcripts_known;
#[path = "ssm-events/transcripts_linked.rs"]
mod transcripts_linked;
#[path = "ssm-events/unread.rs"]
mod unread;
#[path = "ssm-events/url.rs"]
mod url;
#[path = "ssm-events/verifying.rs"]
mod verifying;
#[path = "ssm-events/waiting.rs"]
mod waiting;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox, offline};

const EXE: &str = env!("CARGO_BIN_EXE_ssm-events");
const DESIRED: &str = r#"{"webhook": {"env": "WEBHOOK"}}"#;
/// The secret that must never be seen again.
const WEBHOOK: &str = "https://hooks.slack.com/services/T0/B0/c4n4ry";

fn account() -> Account {
    Sandbox::start().account()
}

fn tool(account: &Account, arguments: &[&str]) -> Run {
    account.tool(EXE).args(arguments).env("WEBHOOK", WEBHOOK)
}

/// Runs a verb and makes sure that the secret is in neither stream.
fn run(account: &Account, verb: &str, input: &str) -> Output {
    let output = tool(account, &[verb]).stdin(input).run();
    assert!(
        !output.stdout.contains("c4n4ry") && !output.stderr.contains("c4n4ry"),
        "the webhook was printed"
    );
    output
}

fn statuses(output: &Output) -> Vec<String> {
    let results = output.json()["results"].clone();
    let text = |value: &Value| {
        format!(
            "{} {}",
            value["status"].as_str().unwrap(),
            value["action"].as_str().unwrap()
        )
    };
    results.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn apply_builds_the_way_to_slack_and_a_second_run_writes_nothing() {
    let account = account();
    let plan = run(&account, "plan", DESIRED);
    plan.assert_status(0).assert_stderr("");
    assert!(account.writes().is_empty(), "plan only reads");
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0).assert_stderr("");
    assert_eq!(
        statuses(&applied),
        [
            "done create_role",
            "done create_queue",
            "done create_connection",
            "done create_api_destination",
            "done put_rule",
            "done put_targets"
        ]
    );
    let destination = account.aws(&[
        "events",
        "describe-api-destination",
        "--name",
        "ssm-activity",
    ]);
    assert_eq!(destination["InvocationEndpoint"], WEBHOOK);
    assert_eq!(destination["InvocationRateLimitPerSecond"], 1);
    account.forget_calls();
    assert_eq!(run(&account, "plan", DESIRED).json()["changes"], json!([]));
    let again = run(&account, "apply", &plan.stdout);
    again.assert_status(0).assert_stderr("");
    assert!(
        statuses(&again)
            .iter()
            .all(|status| status.starts_with("unchanged"))
    );
    assert_eq!(again.json()["undo"], Value::Null);
    account.start_trail();
    let n_writes = account.writes().len();
    run(&account, "check", DESIRED)
        .assert_status(0)
        .assert_stderr("");
    assert_eq!(account.writes().len(), n_writes, "check only reads");
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn undo_removes_everything_and_may_be_run_twice() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    let undo = run(&account, "apply", &plan).json()["undo"].to_string();
    let undone = run(&account, "apply", &undo);
    undone.assert_status(0).assert_stderr("");
    assert!(
        statuses(&undone)
            .iter()
            .all(|status| status.starts_with("done")),
        "{}",
        undone.stdout
    );
    run(&account, "apply", &undo).assert_status(0);
    let found = run(&account, "check", DESIRED);
    found.assert_status(1).assert_stderr("");
    assert!(
        found
            .records()
            .iter()
            .any(|finding| finding["id"] == "events.rule.missing")
    );
    assert_eq!(
        run(&account, "plan", DESIRED).stdout,
        plan,
        "the state is the one before"
    );
}

#[test]
fn refuses_a_plan_when_the_rule_was_changed_since() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    let pattern = r#"{"source": ["aws.ec2"]}"#;
    account.aws(&[
        "events",
        "put-rule",
        "--name",
        "ssm-activity",
        "--event-pattern",
        pattern,
    ]);
    account.forget_calls();
    let refused = run(&account, "apply", &plan);
    refused.assert_status(2);
    assert!(
        refused
            .stdout
            .contains("the plan expects null, but there is"),
        "{}",
        refused.stdout
    );
    assert!(account.writes().is_empty(), "a refused plan writes nothing");
}

#[test]
fn refuses_another_webhook_than_the_plan_was_made_with() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    let other = tool(&account, &["apply"])
        .env("WEBHOOK", format!("{WEBHOOK}2"))
        .stdin(plan)
        .run();
    other.assert_status(2);
    assert!(
        other
            .stdout
            .contains("the webhook is not the one that the plan was made with")
    );
    assert!(!other.stdout.contains("c4n4ry"));
}

#[test]
fn a_missing_or_wrong_webhook_is_named_but_not_shown() {
    let account = account();
    let missing = account.tool(EXE).args(["plan"]).stdin(DESIRED).run();
    missing
        .assert_status(2)
        .assert_complains("environment variable WEBHOOK is not set");
    let wrong = tool(&account, &["plan"])
        .env("WEBHOOK", "http://evil/c4n4ry")
        .stdin(DESIRED)
        .run();
    wrong
        .assert_status(2)
        .assert_complains("environment variable WEBHOOK holds no Slack webhook");
    assert!(!wrong.stderr.contains("c4n4ry"));
    assert!(
        account.calls().is_empty(),
        "bad input fails before the first call"
    );
}

#[test]
fn check_looks_at_everything_else_where_the_url_cannot_be_read() {
    let account = account();
    let plan = run(&account, "plan", DESIRED).stdout;
    run(&account, "apply", &plan).assert_status(0);
    let check = |webhook: &str| {
        let run = account.tool(EXE).args(["check"]).stdin(DESIRED);
        let run = if webhook.is_empty() {
            run
        } else {
            run.env("WEBHOOK", webhook)
        };
        let found = run.run();
        found.assert_status(2);
        assert!(!found.stdout.contains("c4n4ry"), "{}", found.stdout);
        found.records()
    };
    for (webhook, said) in [
        ("", "environment variable WEBHOOK is not set"),
        (
            "http://evil/c4n4ry",
            "environment variable WEBHOOK holds no Slack webhook",
        ),
    ] {
        let found = check(webhook);
        let ids: Vec<_> = found
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["events.destination.unknown", "events.trail.none"]);
        let message = found[0]["message"].as_str().unwrap();
        assert!(message.contains(said), "{message}");
    }
    account.aws(&["events", "disable-rule", "--name", "ssm-activity"]);
    assert_eq!(check("")[0]["id"], "events.rule.disabled");
}

#[test]
fn a_refused_read_is_unknown_in_check_and_stops_a_plan() {
    let account = account();
    account.fault(
        json!({"service": "events", "operation": "DescribeRule", "kind": "denied", "times": -1}),
    );
    let found = run(&account, "check", DESIRED);
    found.assert_status(2);
    assert!(
        found
            .records()
            .iter()
            .any(|finding| finding["id"] == "events.rule.unknown"),
        "{}",
        found.stdout
    );
    let stopped = run(&account, "plan", DESIRED);
    stopped
        .assert_status(2)
        .assert_complains("ssm-activity could not be read");
    assert_eq!(stopped.stdout, "");
}

#[test]
fn an_unknown_field_is_an_error_with_its_path() {
    let output = run(
        &account(),
        "plan",
        r#"{"webhook": {"env": "WEBHOOK"}, "evnts": []}"#,
    );
    output
        .assert_status(2)
        .assert_complains("$.evnts: unknown field");
    assert_eq!(output.stdout, "");
}

#[test]
fn pattern_and_format_need_neither_keys_nor_network() {
    let pattern = offline(EXE).args(["pattern"]).stdin(DESIRED).run();
    pattern.assert_status(0).assert_stderr("");
    let services = ["aws.ssm", "aws.ssm-guiconnect", "aws.ssm-quicksetup"];
    let sources = [&services[..], &["ssm-events.test"]].concat();
    assert_eq!(pattern.json()["source"], json!(sources));
    let event = r#"{"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "errorCode": "AccessDenied"}"#;
    let slack = offline(EXE)
        .args(["format", "--to", "slack"])
        .stdin(event)
        .run();
    slack.assert_status(0).assert_stderr("");
    assert_eq!(slack.json()["attachments"][0]["color"], "#d00000");
    let text = offline(EXE)
        .args(["format", "--to", "text"])
        .stdin(format!("{event}\n{{\"x\": 1}}"))
        .run();
    text.assert_status(0)
        .assert_stderr("ssm-events: passed over 1 object that is not a record of a call\n");
    assert_eq!(text.stdout, "DENIED: StartSession error=AccessDenied\n");
}
