//! The tool as `bootstrap`, spoken to by a runtime API over HTTP, as Lambda does.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Home, Reply, Run, Slack, offline};

use crate::{EXE, account};

/// What the function said of an invocation: `response` or `error`, and the body.
type Said = (String, Value);

#[derive(Default)]
struct State {
    payloads: VecDeque<Value>,
    said: Vec<Said>,
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
#[derive(Clone)]
struct Runtime {
    address: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Runtime {
    fn start() -> Runtime {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let runtime = Runtime {
            address: listener.local_addr().unwrap().to_string(),
            state: Arc::default(),
        };
        let shared = runtime.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        runtime
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut writer = stream;
        loop {
            let mut request = String::new();
            reader
                .read_line(&mut request)
                .ok()
                .filter(|n_read| *n_read > 0)?;
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                match header.trim().to_lowercase().strip_prefix("content-length:") {
                    Some(value) => length = value.trim().parse().ok()?,
                    None if header.trim().is_empty() => break,
                    None => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let path = request.split(' ').nth(1)?.to_owned();
            let (state, changed) = &*self.state;
            if path.ends_with("/invocation/next") {
                let mut state = state.lock().unwrap();
                let payload = loop {
                    match state.payloads.pop_front() {
                        Some(payload) => break payload.to_string(),
                        None => state = changed.wait(state).unwrap(),
                    }
                };
                write!(writer, "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r-{}\r\nContent-Length: {}\r\n\r\n{payload}",
                    state.said.len(), payload.len()).ok()?;
            } else {
                let what = path.rsplit('/').next()?.to_owned();
                state
                    .lock()
                    .unwrap()
                    .said
                    .push((what, serde_json::from_slice(&body).unwrap_or(Value::Null)));
                changed.notify_all();
                write!(writer, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").ok()?;
            }
        }
    }

    /// Invokes with a payload and waits for what the function says.
    fn invoke(&self, payload: &Value) -> Said {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        let n_before = state.said.len();
        state.payloads.push_back(payload.clone());
        changed.notify_all();
        self.wait(state, n_before)
    }

    fn wait(&self, mut state: std::sync::MutexGuard<'_, State>, n_before: usize) -> Said {
        let deadline = Instant::now() + Duration::from_secs(60);
        while state.said.len() == n_before {
            assert!(Instant::now() < deadline, "the function says nothing");
            state = self
                .state
                .1
                .wait_timeout(state, Duration::from_secs(1))
                .unwrap()
                .0;
        }
        state.said[n_before].clone()
    }
}

/// A running function; killed when dropped, as Lambda does.
struct Function {
    runtime: Runtime,
    process: u32,
    _home: Home,
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill")
            .args(["-9", &self.process.to_string()])
            .status();
    }
}

fn start(run: impl FnOnce(PathBuf) -> Run) -> Function {
    let home = Home::create();
    let bootstrap = home.path().join("bootstrap");
    std::os::unix::fs::symlink(EXE, &bootstrap).unwrap();
    let runtime = Runtime::start();
    let running = run(bootstrap)
        .env("AWS_LAMBDA_RUNTIME_API", &runtime.address)
        .env("SSM_EVENTS_INTERVAL", "0")
        .spawn();
    let process = running.id();
    std::thread::spawn(move || running.wait());
    Function {
        runtime,
        process,
        _home: home,
    }
}

fn local(slack: &Slack) -> Function {
    let url = slack.url().to_owned();
    start(|exe| {
        offline(exe)
            .env("SSM_EVENTS_WEBHOOK", "env:URL")
            .env("URL", url)
    })
}

fn record(id: &str) -> Value {
    json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id, "errorCode": "AccessDenied",
        "requestParameters": null, "responseElements": null})
}

fn envelope(id: &str) -> Value {
    json!({"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ssm", "detail": record(id)})
}

#[test]
fn an_event_and_a_batch_are_delivered_and_answered() {
    let slack = Slack::start();
    let function = local(&slack);
    assert_eq!(
        function.runtime.invoke(&envelope("e-1")),
        ("response".to_owned(), json!({"messages": 1}))
    );
    let body = |id: &str| json!({"messageId": id, "eventSource": "aws:sqs", "body": envelope(id).to_string()});
    let batch = json!({"Records": [body("e-1"), body("e-2"), body("e-3")]});
    assert_eq!(function.runtime.invoke(&batch).0, "response");
    assert_eq!(
        slack.messages().len(),
        3,
        "an event that was sent is not sent again"
    );
    assert_eq!(slack.messages()[0]["attachments"][0]["color"], "#d00000");
}

#[test]
fn what_is_not_delivered_fails_the_invocation_and_is_delivered_when_tried_again() {
    let slack = Slack::start();
    let function = local(&slack);
    slack.always(Reply::Status(404, "no_service"));
    let (what, said) = function.runtime.invoke(&envelope("e-1"));
    assert_eq!(
        (what.as_str(), said["errorType"].as_str()),
        ("error", Some("NotDelivered"))
    );
    assert_eq!(
        said["errorMessage"],
        "event e-1: Slack: HTTP 404 no_service"
    );
    slack.always(Reply::Ok);
    assert_eq!(function.runtime.invoke(&envelope("e-1")).0, "response");
    assert_eq!(slack.messages().len(), 1);
}

#[test]
fn what_an_answer_repeats_of_the_webhook_is_in_no_error() {
    let slack = Slack::start();
    let function = local(&slack);
    for (index, (status, text)) in [
        (404, "Cannot POST /services/T0/B0/c4n4ry"),
        (403, r#"{"path":"\/services\/T0\/B0\/c4n4ry"}"#),
        (400, "invalid_blocks: %2Fservices%2FT0%2FB0%2Fc4n4ry"),
    ]
    .into_iter()
    .enumerate()
    {
        slack.always(Reply::Status(status, text));
        let (what, said) = function.runtime.invoke(&envelope(&format!("e-{index}")));
        assert_eq!(what, "error");
        let said = said.to_string();
        assert!(said.contains(&format!("HTTP {status} ")), "{said}");
        assert!(!said.contains("c4n4ry"), "{said}");
    }
}

#[test]
fn a_damaged_or_rejected_message_of_a_batch_holds_up_no_other() {
    let slack = Slack::start();
    let function = local(&slack);
    let body = |body: &str| json!({"messageId": "m", "eventSource": "aws:sqs", "body": body});
    let good = |id: &str| body(&envelope(id).to_string());
    let batch = json!({"Records": [good("e-1"), body("{\"detail\": {\"eventNa"), good("e-2"), good("e-3")]});
    slack.reply(&[Reply::Ok, Reply::Status(400, "invalid_blocks")]);
    let (what, said) = function.runtime.invoke(&batch);
    assert_eq!(
        what, "error",
        "the damaged one goes to the queue for the dead"
    );
    assert!(
        !said["errorMessage"].as_str().unwrap().contains("e-1"),
        "{said}"
    );
    assert_eq!(slack.messages().len(), 2, "the first and the last one");
    // Again: what was delivered is not delivered twice.
    assert_eq!(function.runtime.invoke(&batch).0, "error");
    assert_eq!(slack.messages().len(), 3);
}

#[test]
fn a_pause_that_is_longer_than_an_invocation_is_kept() {
    let slack = Slack::start();
    let function = local(&slack);
    slack.reply(&[Reply::RetryAfter(3_600)]);
    for id in ["e-1", "e-1", "e-2"] {
        let (what, said) = function.runtime.invoke(&envelope(id));
        assert_eq!(what, "error");
        let said = said["errorMessage"].as_str().unwrap();
        assert!(said.contains("HTTP 429"), "{said}");
    }
    assert_eq!(slack.posts().len(), 1);
}

#[test]
fn a_limit_is_waited_for_within_the_invocation() {
    let slack = Slack::start();
    let function = local(&slack);
    slack.reply(&[Reply::RetryAfter(1), Reply::Close]);
    assert_eq!(function.runtime.invoke(&envelope("e-1")).0, "response");
    assert_eq!(slack.posts().len(), 3);
}

#[test]
fn a_payload_without_a_record_is_never_dropped_in_silence() {
    let slack = Slack::start();
    let function = local(&slack);
    for payload in [
        json!({}),
        json!({"Records": []}),
        json!([]),
        json!({"detail-type": "other", "detail": {}}),
    ] {
        let (what, said) = function.runtime.invoke(&payload);
        assert_eq!(what, "error", "{payload}");
        assert!(
            said["errorMessage"]
                .as_str()
                .unwrap()
                .contains("holds no CloudTrail record"),
            "{said}"
        );
    }
    let (what, said) = function.runtime.invoke(&json!("x"));
    assert_eq!(what, "error");
    let said = said["errorMessage"].as_str().unwrap();
    assert!(said.contains("a text in place of a record"), "{said}");
    assert!(slack.posts().is_empty());
}

#[test]
fn the_environment_sets_zone_and_rules() {
    let slack = Slack::start();
    let url = slack.url().to_owned();
    let rules = r##"{"rules": [{"when": {"errorCode": ["AccessDenied"]}, "mention": "here", "color": "#0000ff"}]}"##;
    let function = start(|exe| {
        let run = offline(exe)
            .env("SSM_EVENTS_WEBHOOK", "env:URL")
            .env("URL", url);
        run.env("SSM_EVENTS_TIME_ZONE", "Asia/Tokyo")
            .env("SSM_EVENTS_RULES", rules)
    });
    let mut event = envelope("e-1");
    event["detail"]["eventTime"] = json!("2026-11-24T03:00:00Z");
    assert_eq!(function.runtime.invoke(&event).0, "response");
    let message = slack.messages()[0].clone();
    assert_eq!(message["attachments"][0]["color"], "#0000ff");
    assert!(
        message["text"].as_str().unwrap().ends_with("<!here>"),
        "{message}"
    );
    assert!(
        message.to_string().contains("2026-11-24 12:00:00 JST"),
        "{message}"
    );
}

#[test]
fn wrong_settings_are_an_init_error_that_shows_no_secret() {
    let function = start(|exe| {
        offline(exe)
            .env("SSM_EVENTS_WEBHOOK", "env:URL")
            .env("URL", "http://evil/c4n4ry")
    });
    let (state, _) = &*function.runtime.state;
    let (what, said) = function.runtime.wait(state.lock().unwrap(), 0);
    assert_eq!(what, "error");
    assert!(
        said["errorMessage"]
            .as_str()
            .unwrap()
            .contains("holds no Slack webhook")
            && !said.to_string().contains("c4n4ry")
    );
}

#[test]
fn the_webhook_may_be_in_parameter_store() {
    let (slack, account) = (Slack::start(), account());
    // The CLI would fetch what looks like a URL in an argument of its own.
    let parameter =
        json!({"Name": "/slack", "Type": "SecureString", "Value": slack.url()}).to_string();
    account.aws(&["ssm", "put-parameter", "--cli-input-json", &parameter]);
    let function = start(|exe| {
        account
            .tool(exe)
            .env("SSM_EVENTS_WEBHOOK", "parameter:/slack")
    });
    assert_eq!(function.runtime.invoke(&envelope("e-1")).0, "response");
    assert_eq!(function.runtime.invoke(&envelope("e-2")).0, "response");
    let reads = account
        .operations()
        .into_iter()
        .filter(|operation| operation.ends_with("GetParameter"))
        .count();
    assert_eq!(
        (slack.messages().len(), reads),
        (2, 1),
        "the URL is read once"
    );
}
