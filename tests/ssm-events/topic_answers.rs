//! `send` to a topic that is slow, whose answers are those of a proxy, and a `send` that is killed meanwhile.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::killed::Noted;
use crate::sending::{event, events, statuses};
use crate::topic::Topic;

#[test]
fn a_topic_that_is_slow_is_given_up_and_the_double_noted() {
    let topic = Topic::new("sessions");
    topic.account.fault(
        json!({"service": "sns", "operation": "Publish", "kind": "latency", "milliseconds": 12_000}),
    );
    let sent = topic.send(&event("e-1"), &[]);
    sent.assert_status(0);
    assert_eq!(statuses(&sent), ["e-1 delivered"]);
    assert!(sent.records()[0]["note"].is_string(), "{}", sent.stdout);
    // What was given up is published all the same, a moment later.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut n_received = 0;
    while n_received < 2 {
        assert!(Instant::now() < deadline, "{n_received} messages");
        n_received += topic.received().len();
    }
}

#[test]
fn a_page_of_a_proxy_is_not_a_delivery_of_a_topic() {
    let topic = Topic::new("sessions");
    for page in [
        "<html>Blocked by proxy</html>",
        "",
        "{}",
        "<PublishResponse><PublishResult></PublishResult></PublishResponse>",
    ] {
        let proxy = answering(200, page);
        let run = topic.tool(&["--retry-for", "0"]).stdin(event("e-1"));
        let held = run.env("AWS_ENDPOINT_URL_SNS", &*proxy).run();
        held.assert_status(2).assert_complains("held in");
        assert!(statuses(&held).contains(&"e-1 held".to_owned()), "{page}");
    }
    let sent = topic.send("", &[]);
    sent.assert_status(0);
    assert!(sent.records()[0]["note"].is_string(), "{}", sent.stdout);
    assert_eq!(topic.received().len(), 1);
}

/// What a proxy did not let through to the topic is not there, and so not twice.
#[test]
fn a_proxy_that_lets_nothing_through_leaves_no_doubt() {
    let topic = Topic::new("sessions");
    let proxy = answering(403, "<title>Blocked by policy</title>");
    let run = topic.tool(&["--retry-for", "0"]).stdin(event("e-1"));
    let run = run.env(
        "AWS_ENDPOINT_URL_SNS",
        "https://sns.us-east-1.amazonaws.com",
    );
    let held = run.env("HTTPS_PROXY", &*proxy).run();
    held.assert_status(2).assert_complains("Blocked by policy");
    assert_eq!(statuses(&held), ["e-1 held"]);
    let sent = topic.send("", &[]);
    sent.assert_status(0);
    assert_eq!(statuses(&sent), ["e-1 delivered"]);
    assert_eq!(sent.records()[0]["note"], Value::Null, "{}", sent.stdout);
    assert_eq!(topic.received().len(), 1);
}

/// Returns the address of something that answers every request so.
fn answering(status: u16, page: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 65_536];
            let _ = stream.read(&mut request);
            let length = page.len();
            let head = format!(
                "HTTP/1.1 {status} Answer\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close"
            );
            let _ = write!(stream, "{head}\r\n\r\n{page}");
        }
    });
    address
}

#[test]
fn killed_forty_times_no_notification_is_lost_and_doubles_are_noted() {
    const N_EVENTS: usize = 120;
    let topic = Topic::new("sessions");
    let input = events(N_EVENTS);
    let mut noted = Noted::default();
    for kill in 0..40_u64 {
        let running = topic.tool(&["--interval", "0.02"]).stdin(&*input).spawn();
        let after = Duration::from_millis((kill * 7) % 30);
        noted.killed(running, &topic.home.path().join("spool"), after);
    }
    let last = topic.send(&input, &[]);
    last.assert_status(0);
    noted.take(&last);
    let mut counts = HashMap::new();
    for message in topic.received() {
        let message: Value = serde_json::from_str(message["Message"].as_str().unwrap()).unwrap();
        let id = message["event"]["event_id"].as_str().unwrap().to_owned();
        *counts.entry(id).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), N_EVENTS, "nothing is lost");
    noted.compare("topic", &counts, &topic.home.path().join("spool"));
}
