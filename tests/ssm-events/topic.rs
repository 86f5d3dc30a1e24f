//! `send` to a topic of Amazon SNS: delivered to a queue that is subscribed, and read back.

use serde_json::{Value, json};
use testbed::{Account, Front, Home, Output, Run, Sandbox, Slack};

use crate::sending::{event, events, statuses};
use crate::{EXE, account};

/// Version 1 of the CLI has an endpoint of its own for SQS.
fn sqs(account: &Account, arguments: &[&str]) -> Value {
    let endpoint = ["--endpoint-url", Sandbox::start().url(), "sqs"];
    account.aws(&[&endpoint[..], arguments].concat())
}

/// A topic with a queue behind it.
pub(super) struct Topic {
    pub(super) account: Account,
    pub(super) arn: String,
    queue: String,
    pub(super) home: Home,
}

impl Topic {
    pub(super) fn new(name: &str) -> Topic {
        let account = account();
        let fifo = json!({"FifoTopic": "true"}).to_string();
        let of_fifo = ["--attributes", fifo.as_str()];
        let is_fifo = name.ends_with(".fifo");
        let create = ["sns", "create-topic", "--name", name];
        let more = if is_fifo { &of_fifo[..] } else { &[] };
        let arn = account.aws(&[&create[..], more].concat())["TopicArn"]
            .as_str()
            .unwrap()
            .to_owned();
        let fifo = json!({"FifoQueue": "true"}).to_string();
        let of_fifo = ["--attributes", fifo.as_str()];
        let queue = format!("behind-{name}");
        let create = ["create-queue", "--queue-name", &queue];
        let more = if is_fifo { &of_fifo[..] } else { &[] };
        let queue = sqs(&account, &[&create[..], more].concat())["QueueUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        let named = queue.rsplit('/').next().unwrap();
        let of_queue = format!("arn:aws:sqs:us-east-1:{}:{named}", account.id());
        let subscribe = ["sns", "subscribe", "--protocol", "sqs", "--topic-arn", &arn];
        account.aws(&[&subscribe[..], &["--notification-endpoint", &of_queue]].concat());
        Topic {
            account,
            arn,
            queue,
            home: Home::create(),
        }
    }

    pub(super) fn tool(&self, more: &[&str]) -> Run {
        let spool = self.home.path().join("spool");
        let spool = spool.to_str().unwrap();
        let fixed = ["send", "--spool", spool, "--topic", &self.arn];
        let interval = match more.contains(&"--interval") {
            true => &[][..],
            false => &["--interval", "0"],
        };
        let run = self.account.tool(EXE).args(fixed);
        run.args(interval).args(more)
    }

    pub(super) fn send(&self, input: &str, more: &[&str]) -> Output {
        self.tool(more).stdin(input).run()
    }

    /// Returns what the queue was sent.
    pub(super) fn received(&self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let receive = ["receive-message", "--queue-url", &self.queue];
            let more = ["--max-number-of-messages", "10", "--attribute-names", "All"];
            let answer = sqs(&self.account, &[&receive[..], &more].concat());
            let Some(messages) = answer["Messages"].as_array().filter(|all| !all.is_empty()) else {
                return all;
            };
            for message in messages {
                let body = message["Body"].as_str().unwrap();
                all.push(serde_json::from_str(body).unwrap());
                let handle = message["ReceiptHandle"].as_str().unwrap();
                let delete = ["delete-message", "--queue-url", &self.queue];
                sqs(
                    &self.account,
                    &[&delete[..], &["--receipt-handle", handle]].concat(),
                );
            }
        }
    }
}

#[test]
fn a_record_reaches_the_queue_that_is_subscribed() {
    let topic = Topic::new("sessions");
    let sent = topic.send(&events(2), &[]);
    sent.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-1 delivered"]);
    assert_eq!(
        statuses(&topic.send(&events(2), &[])),
        ["e-0 duplicate", "e-1 duplicate"]
    );
    let received = topic.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0]["TopicArn"], topic.arn.as_str());
    assert_eq!(received[0]["Subject"], "StartSession");
    let message: Value = serde_json::from_str(received[0]["Message"].as_str().unwrap()).unwrap();
    assert_eq!(message["event"]["event_id"], "e-0");
    assert_eq!(message["severity"], "info");
    assert!(
        message["text"]
            .as_str()
            .unwrap()
            .starts_with("StartSession "),
        "{message}"
    );
    assert!(!received[0].to_string().contains("t0ken"));
    let problems = topic.account.problems();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_filter_of_ones_own_makes_the_message() {
    let topic = Topic::new("sessions");
    let filter = topic.home.path().join("own.jq");
    std::fs::write(&filter, r#""\(.title): \(.event.event_id)""#).unwrap();
    topic
        .send(&event("e-7"), &["--jq-file", filter.to_str().unwrap()])
        .assert_status(0);
    assert_eq!(topic.received()[0]["Message"], "StartSession: e-7");
}

#[test]
fn a_subject_that_sns_would_refuse_is_made_fit() {
    let topic = Topic::new("sessions");
    let record = json!({"eventName": format!("Start\u{202e}Sitzung-ü{}", "x".repeat(200)),
        "eventSource": "ssm.amazonaws.com", "eventID": "e-1"});
    topic.send(&record.to_string(), &[]).assert_status(0);
    let received = topic.received();
    let subject = received[0]["Subject"].as_str().unwrap();
    assert!(
        subject.len() < 100 && subject.bytes().all(|b| (b' '..=b'~').contains(&b)),
        "{subject}"
    );
    assert!(subject.starts_with("Start?Sitzung-?xxx"), "{subject}");
}

#[test]
fn a_fifo_topic_takes_a_second_attempt_for_the_same_message() {
    let topic = Topic::new("sessions.fifo");
    // SNS does its work, and the answer is lost.
    topic
        .account
        .fault(json!({"service": "sns", "operation": "Publish", "kind": "cut", "times": 3}));
    let sent = topic.send(&event("e-1"), &[]);
    sent.assert_status(0);
    assert_eq!(
        topic.received().len(),
        1,
        "FIFO topics deduplicate by event ID"
    );
}

#[test]
fn a_topic_that_throttles_fails_or_hangs_up_is_tried_again() {
    // "Indicates an internal service error": nobody says that it was not published.
    // https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
    for (fault, is_certain) in [
        (json!({"kind": "throttle", "times": 2}), true),
        (
            json!({"kind": "error", "status": 500, "code": "InternalError", "times": 2}),
            false,
        ),
        (json!({"kind": "drop", "times": 2}), false),
    ] {
        let topic = Topic::new("sessions");
        let mut whole = fault.clone();
        whole["service"] = json!("sns");
        whole["operation"] = json!("Publish");
        topic.account.fault(whole);
        let sent = topic.send(&event("e-1"), &[]);
        sent.assert_status(0);
        assert_eq!(statuses(&sent), ["e-1 delivered"], "{fault}");
        assert_eq!(sent.records()[0]["note"].is_null(), is_certain, "{fault}");
        assert_eq!(topic.received().len(), 1, "{fault}");
    }
}

#[test]
fn what_may_not_be_published_is_held_and_says_why() {
    let topic = Topic::new("sessions");
    topic
        .account
        .fault(json!({"service": "sns", "operation": "Publish", "kind": "denied"}));
    let held = topic.send(&events(2), &[]);
    held.assert_status(2)
        .assert_complains("2 messages are held in")
        .assert_complains("Publish");
    let sent = topic.send("", &[]);
    sent.assert_status(0);
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-1 delivered"]);
    let gone = topic.arn.replace(":sessions", ":none");
    let spool = topic.home.path().join("other");
    let run = topic
        .account
        .tool(EXE)
        .args(["send", "--topic", &gone, "--spool"]);
    let held = run.args([spool]).stdin(event("e-1")).run();
    held.assert_status(2).assert_complains("NotFound");
    assert_eq!(statuses(&held), ["e-1 held"]);
}

#[test]
fn without_the_permission_to_publish_everything_is_held() {
    let topic = Topic::new("sessions");
    let spool = topic.home.path().join("spool");
    let run = topic
        .account
        .tool(EXE)
        .args(["send", "--topic", &topic.arn, "--spool"]);
    let held = run
        .args([spool])
        .without("sns:Publish")
        .stdin(events(1))
        .run();
    held.assert_status(2).assert_complains("sns:Publish");
    assert!(!held.refused.is_empty());
    assert!(topic.received().is_empty());
}

#[test]
fn what_is_not_the_arn_of_a_topic_is_refused() {
    for arn in [
        "sessions",
        "arn:aws:sqs:us-east-1:111122223333:q",
        "arn:aws:sns:us-east-1:1:t",
        "arn:aws:sns::111122223333:t",
    ] {
        let home = Home::create();
        let spool = home.path().to_str().unwrap();
        let refused = testbed::offline(EXE)
            .args(["send", "--spool", spool, "--topic", arn])
            .run();
        refused
            .assert_status(2)
            .assert_complains("is not the ARN of a topic");
    }
}

#[test]
fn a_file_of_routes_reaches_every_kind_of_destination() {
    let topic = Topic::new("sessions");
    let (webhook, bot, url) = (Slack::start(), Slack::bot(), Slack::json());
    let home = topic.home.path();
    let front = Front::start(url.address(), home);
    // The filter is beside the routes, wherever the tool is run.
    std::fs::write(home.join("own.jq"), "{id: .event.event_id, break_glass}").unwrap();
    let routes = json!({"default": ["webhook", "bot", "url", "topic"], "destinations": {
        "webhook": {"slack_webhook": {"env": "WEBHOOK"}},
        "bot": {"slack_bot": {"token": {"env": "TOKEN"}, "channel": "C0123456789", "api": format!("http://{}/api", bot.address())}},
        "url": {"https": {"url": {"env": "URL"}, "jq_file": "own.jq", "allow_local_address": true,
            "headers": {"Authorization": {"env": "HEADER"}}, "fields": {"routing_key": {"env": "KEY"}}}},
        "topic": {"sns_topic": topic.arn}}});
    let file = home.join("routes.json");
    std::fs::write(&file, routes.to_string()).unwrap();
    let send = || {
        let flags = ["send", "--interval", "0", "--spool"];
        let run = topic
            .account
            .tool(EXE)
            .args(flags)
            .args([home.join("spool")]);
        let run = run
            .args(["--routes"])
            .args([&file])
            .env("WEBHOOK", webhook.url());
        let run = run
            .env("TOKEN", "xoxb-b0t")
            .env("URL", format!("{}/x", front.url()));
        let run = run.env("HEADER", "h34d3r").env("KEY", "r0ut1ng");
        run.env("AWS_CA_BUNDLE", front.certificate())
            .stdin(events(2))
            .run()
    };
    let sent = send();
    sent.assert_status(0).assert_stderr("");
    assert_eq!(sent.records().len(), 8);
    for canary in ["xoxb", "h34d3r", "r0ut1ng", "c4n4ry"] {
        assert!(!sent.stdout.contains(canary), "{canary}");
    }
    assert_eq!((webhook.messages().len(), bot.messages().len()), (2, 2));
    let expected = json!({"id": "e-0", "break_glass": false, "routing_key": "r0ut1ng"});
    assert_eq!(url.messages()[0], expected);
    assert!(url.posts()[0].head.contains("authorization: h34d3r"));
    assert_eq!(topic.received().len(), 2);
    let again = send();
    assert!(
        statuses(&again)
            .iter()
            .all(|one| one.ends_with("duplicate")),
        "{}",
        again.stdout
    );
}
