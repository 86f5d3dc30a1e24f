//! From a call of Systems Manager to Slack, over the local AWS: records, event bus, API destination, dead-letter queue.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Account, Output, Reply, Slack, repository};

use crate::{DESIRED, EXE, account};

pub(crate) const NODE: &str = "i-0123456789abcdef0";

/// An account with a node, a trail that logs, and the way to a Slack.
fn watched(slack: &Slack) -> Account {
    let account = account();
    account.seed(
        &json!({"roles": [{"account": account.id(), "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
        "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}],
        "nodes": [{"account": account.id(), "region": "us-east-1", "instance_id": NODE, "profile": "node",
        "agent": {"version": "3.3.1611.0", "ping": "Online"}}]}),
    );
    account.start_trail();
    let plan = tool(&account, slack, &["plan"], DESIRED);
    tool(&account, slack, &["apply"], &plan.stdout)
        .assert_status(0)
        .assert_stderr("");
    account
}

fn tool(account: &Account, slack: &Slack, arguments: &[&str], input: &str) -> Output {
    account
        .tool(EXE)
        .args(arguments)
        .env("WEBHOOK", slack.url())
        .stdin(input)
        .run()
}

/// Starts a session as a program does; the CLI would need the plugin for it. Being refused is part of what is tested.
pub(crate) fn start_session(account: &Account) {
    let python = repository().join(".venv/bin/python");
    let code = format!(
        "import boto3\ntry: boto3.client('ssm', region_name='us-east-1').start_session(Target='{NODE}', Reason='INC-1')\nexcept Exception as e: print(e)"
    );
    account
        .tool(python)
        .args(["-c", &code])
        .run()
        .assert_status(0);
}

fn wait_for(slack: &Slack, n_posts: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while slack.posts().len() < n_posts {
        assert!(Instant::now() < deadline, "Slack has {:?}", slack.posts());
        std::thread::sleep(Duration::from_millis(20));
    }
    slack.posts().into_iter().map(|post| post.message).collect()
}

#[test]
fn a_session_and_a_denied_one_reach_slack_through_the_api_destination() {
    let slack = Slack::start();
    let account = watched(&slack);
    start_session(&account);
    let reported = wait_for(&slack, 1)[0]["text"].as_str().unwrap().to_owned();
    assert!(
        reported.contains("*StartSession* in") && reported.contains(account.id()),
        "{reported}"
    );
    account.fault(json!({"service": "ssm", "operation": "StartSession", "kind": "denied"}));
    start_session(&account);
    let reported = wait_for(&slack, 2)[1]["text"].as_str().unwrap().to_owned();
    assert!(reported.contains("error: AccessDenied"), "{reported}");
}

#[test]
fn a_slack_that_limits_fails_or_hangs_up_is_tried_again_by_eventbridge() {
    let slack = Slack::start();
    let account = watched(&slack);
    slack.reply(&[
        Reply::RetryAfter(1),
        Reply::Status(500, "rollup_error"),
        Reply::Close,
    ]);
    start_session(&account);
    wait_for(&slack, 4);
    assert_eq!(slack.messages().len(), 1);
    tool(&account, &slack, &["check"], DESIRED)
        .assert_status(0)
        .assert_stderr("");
}

#[test]
fn what_slack_does_not_take_waits_in_the_queue_and_check_says_so() {
    let slack = Slack::start();
    let account = watched(&slack);
    tool(&account, &slack, &["check"], DESIRED)
        .assert_status(0)
        .assert_stderr("");
    slack.always(Reply::Status(404, "no_service"));
    start_session(&account);
    let deadline = Instant::now() + Duration::from_secs(20);
    let found = loop {
        let found = tool(&account, &slack, &["check"], DESIRED);
        if found.status == 1 || Instant::now() > deadline {
            break found;
        }
    };
    found.assert_status(1);
    assert_eq!(found.json()["id"], "events.queue.not_empty");
}

#[test]
fn the_queue_is_kept_when_it_holds_events() {
    let slack = Slack::start();
    let account = watched(&slack);
    slack.always(Reply::Status(404, "no_service"));
    start_session(&account);
    wait_for(&slack, 1);
    std::thread::sleep(Duration::from_millis(200));
    // The way back of the queue alone, as the undo of its making has it.
    let plan = tool(
        &account,
        &slack,
        &["plan"],
        &DESIRED.replace("{\"webhook\"", "{\"rule_name\": \"other\", \"webhook\""),
    );
    let mut queue: Value = plan.json();
    let made = queue["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["action"] == "create_queue")
        .unwrap()
        .clone();
    let text = made.to_string().replace("other", "ssm-activity");
    let made: Value = serde_json::from_str(&text).unwrap();
    queue["changes"] = json!([{"id": "x", "action": "delete_queue", "resource": made["resource"], "from": made["to"],
        "to": null, "why": "undo"}]);
    let kept = tool(&account, &slack, &["apply"], &queue.to_string());
    kept.assert_status(0);
    let result = kept.json()["results"][0].clone();
    assert_eq!(result["status"], "kept");
    let error = result["error"].as_str().unwrap();
    assert!(error.contains("that never reached Slack"), "{error}");
}

#[test]
fn a_test_event_goes_the_whole_way_and_its_failure_is_named() {
    let slack = Slack::start();
    let account = watched(&slack);
    let tested = tool(
        &account,
        &slack,
        &["check", "--send-test", "--patience", "1"],
        DESIRED,
    );
    tested.assert_status(0).assert_stderr("");
    assert_eq!(tested.json()["id"], "events.test.sent");
    let reported = wait_for(&slack, 1)[0]["text"].as_str().unwrap().to_owned();
    assert!(
        reported.contains("source: ssm-events.test"),
        "a test says that it is one: {reported}"
    );
    slack.always(Reply::Status(404, "no_service"));
    let failed = tool(&account, &slack, &["check", "--send-test"], DESIRED);
    failed.assert_status(1);
    let tested = failed
        .records()
        .into_iter()
        .find(|finding| finding["id"] == "events.test.undelivered");
    let message = tested.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("did not reach Slack: "), "{message}");
    account.fault(json!({"service": "events", "operation": "PutEvents", "kind": "denied"}));
    let refused = tool(&account, &slack, &["check", "--send-test"], DESIRED);
    refused.assert_status(2).assert_stderr("");
    let records = refused.records();
    let mut all = records.iter();
    let unknown = all.find(|finding| finding["id"] == "events.test.unknown");
    let unknown = unknown.unwrap();
    let message = unknown["message"].as_str().unwrap();
    assert!(message.contains("PutEvents"), "{message}");
    account.fault(
        json!({"service": "sqs", "operation": "ReceiveMessage", "kind": "denied", "times": -1}),
    );
    let unseen = tool(&account, &slack, &["check", "--send-test"], DESIRED);
    unseen.assert_status(2).assert_stderr("");
    let is_said = |one: &Value| {
        let message = one["message"].as_str().unwrap();
        one["id"] == "events.test.unknown" && message.contains("ReceiveMessage")
    };
    assert!(unseen.records().iter().any(is_said), "{}", unseen.stdout);
}

#[test]
fn history_finds_calls_in_the_event_history_page_by_page() {
    let slack = Slack::start();
    let account = watched(&slack);
    let record = |index: usize| {
        json!({"account": account.id(), "region": "us-east-1", "record": {
        "eventVersion": "1.11", "eventTime": "2026-11-20T03:00:00Z", "eventSource": "ssm.amazonaws.com",
        "eventName": "SendCommand", "eventID": format!("00000000-0000-4000-8000-{index:012}"), "awsRegion": "us-east-1",
        "recipientAccountId": account.id(), "userIdentity": {"type": "Root"}, "readOnly": false}})
    };
    let records: Vec<Value> = (0..120).map(record).collect();
    account.seed(&json!({"cloudtrail_records": records}));
    start_session(&account);
    account.forget_calls();
    let find = |more: &[&str]| {
        let found = account
            .tool(EXE)
            .args(["history", "--event", "StartSession,SendCommand"])
            .args(more)
            .run();
        found.assert_status(0).assert_stderr("");
        found.records()
    };
    let all = find(&[]);
    assert_eq!(all.len(), 121);
    assert!(
        all.iter()
            .all(|record| !record.to_string().contains("wss://")),
        "stream URLs are stripped"
    );
    let lookups = account
        .operations()
        .into_iter()
        .filter(|operation| operation.ends_with("LookupEvents"))
        .count();
    assert_eq!(lookups, 4, "one page of sessions, three of commands");
    assert_eq!(find(&["--since", "2026-11-21"]).len(), 1);
    assert_eq!(find(&["--node", NODE]).len(), 1);
    assert!(
        account.problems().is_empty()
            && account
                .writes()
                .iter()
                .all(|call| call["service"] != "cloudtrail")
    );
    account.fault(json!({"service": "cloudtrail", "operation": "LookupEvents", "kind": "denied", "after": 1, "times": -1}));
    let part = account
        .tool(EXE)
        .args(["history", "--event", "StartSession,SendCommand"])
        .run();
    part.assert_status(2).assert_complains("LookupEvents");
    assert_eq!(
        part.records().len(),
        2,
        "what could be read, and a record of what could not"
    );
    assert_eq!(part.records()[1]["id"], "events.history.unread");
}
