//! `send` and a message that was rejected: it is not sent again as it is, is not a duplicate, and is made anew.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Slack, offline};

use crate::EXE;
use crate::held::DOUBT;
use crate::sending::{event, events, send, statuses};

const REJECTION: Reply = Reply::Status(400, "invalid_blocks");

struct Scene {
    slack: Slack,
    home: Home,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            slack: Slack::start(),
            home: Home::create(),
        }
    }

    fn file(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    /// Sends with a filter that makes this of each record.
    fn send(&self, text: &str, input: &str) -> Output {
        self.send_for("0", text, input)
    }

    /// Tries each message for so many seconds.
    fn send_for(&self, seconds: &str, text: &str, input: &str) -> Output {
        let filter = self.file("own.jq");
        std::fs::write(&filter, format!("{{text: \"{text} \\(.event.event_id)\"}}")).unwrap();
        let spool = self.file("spool");
        let more = ["--retry-for", seconds, "--jq-file", &filter];
        send(&self.slack, Path::new(&spool), input, &more)
    }

    fn texts(&self) -> Vec<String> {
        let posts = self.slack.posts().into_iter();
        posts
            .map(|post| post.message["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the exit status of `reconcile` for an event.
    fn missing(&self, id: &str) -> i32 {
        let log = self.file("spool/deliveries.jsonl");
        let run = offline(EXE).args(["reconcile", "--exit-code", "--delivered", &log]);
        run.stdin(event(id)).run().status
    }
}

#[test]
fn a_rejected_message_is_made_anew_by_a_corrected_filter() {
    let scene = Scene::new();
    scene.slack.reply(&[REJECTION]);
    let sent = scene.send("one", &event("e-1"));
    sent.assert_status(2);
    assert_eq!(statuses(&sent), ["e-1 rejected"]);
    // As it is it would be rejected again, and is never fine.
    let again = scene.send("one", &event("e-1"));
    again.assert_status(2).assert_stderr("");
    assert_eq!(statuses(&again), ["e-1 rejected"]);
    let note = again.records()[0]["note"].clone();
    assert_eq!(note, "rejected before, and the message is still the same");
    assert_eq!((scene.texts().len(), scene.missing("e-1")), (1, 1));
    let anew = scene.send("two", &event("e-1"));
    anew.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&anew), ["e-1 delivered"]);
    // A rejected message is certainly not there.
    assert!(anew.records()[0]["note"].is_null(), "{}", anew.stdout);
    assert_eq!(scene.texts(), ["one e-1", "two e-1"]);
    assert_eq!(scene.missing("e-1"), 0);
    // Whichever filter it is made with from now on.
    for text in ["one", "two"] {
        let known = scene.send(text, &event("e-1"));
        known.assert_status(0);
        assert_eq!(statuses(&known), ["e-1 duplicate"]);
    }
}

#[test]
fn one_that_is_rejected_anew_is_rejected_as_it_is_then() {
    let scene = Scene::new();
    scene.slack.reply(&[REJECTION, REJECTION]);
    scene.send("one", &event("e-1")).assert_status(2);
    scene.send("two", &event("e-1")).assert_status(2);
    scene.send("two", &event("e-1")).assert_status(2);
    assert_eq!(scene.texts(), ["one e-1", "two e-1"]);
    scene.send("three", &event("e-1")).assert_status(0);
    assert_eq!(scene.missing("e-1"), 0);
}

#[test]
fn a_rejected_message_stays_out_of_the_queue_while_others_wait() {
    let scene = Scene::new();
    let down = Reply::Status(503, "down");
    scene.slack.reply(&[REJECTION]);
    scene.slack.always(down);
    let sent = scene.send("one", &events(2));
    assert_eq!(statuses(&sent), ["e-0 rejected", "e-1 held"]);
    assert_eq!(statuses(&scene.send("one", "")), ["e-1 held"]);
    // Made anew it waits, over a restart as well, and what was rejected does not.
    scene.send("two", &event("e-0")).assert_status(2);
    scene.slack.always(Reply::Ok);
    let sent = scene.send("two", "");
    sent.assert_status(0);
    let mut all = statuses(&sent);
    all.sort();
    assert_eq!(all, ["e-0 delivered", "e-1 delivered"]);
    let mut texts = scene.texts().split_off(4);
    texts.sort();
    assert_eq!(texts, ["one e-1", "two e-0"]);
}

/// An answer is about its own attempt.
#[test]
fn a_rejection_leaves_the_doubt_about_an_earlier_attempt() {
    let error = Reply::Status(500, "timeout");
    let scene = Scene::new();
    scene.slack.reply(&[error, REJECTION]);
    let first = scene.send("one", &event("e-1"));
    assert_eq!(statuses(&first), ["e-1 held"]);
    let second = scene.send("one", "");
    second.assert_status(2);
    assert_eq!(statuses(&second), ["e-1 rejected"]);
    let anew = scene.send("two", &event("e-1"));
    anew.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&anew), ["e-1 delivered"]);
    assert_eq!(anew.records()[0]["note"], DOUBT);
    // Both by one run.
    let scene = Scene::new();
    scene.slack.reply(&[error, REJECTION]);
    let first = scene.send_for("10", "one", &event("e-1"));
    first.assert_status(2);
    assert_eq!(statuses(&first), ["e-1 rejected"]);
    // And with one more rejection in between.
    scene.slack.reply(&[REJECTION]);
    let second = scene.send("two", &event("e-1"));
    assert_eq!(statuses(&second), ["e-1 rejected"]);
    let anew = scene.send("three", &event("e-1"));
    assert_eq!(statuses(&anew), ["e-1 delivered"]);
    assert_eq!(anew.records()[0]["note"], DOUBT);
}

#[test]
fn a_rejection_of_what_was_made_anew_meanwhile_leaves_the_doubt() {
    let scene = Scene::new();
    let error = Reply::Status(500, "timeout");
    // At once, after half a second and one more second.
    scene.slack.reply(&[error, error, REJECTION]);
    let message = |text: &str| {
        let block = json!({"type": "section", "block_id": "event-e-1", "text": {"type": "mrkdwn", "text": text}});
        json!({"text": text, "blocks": [block]}).to_string()
    };
    let (one, two) = (message("one"), message("two"));
    let script = format!("(echo '{one}'; sleep 1; echo '{two}'; sleep 3) | exec \"$0\" \"$@\"");
    let run = offline("/bin/sh").args(["-c", &script, EXE, "send", "--webhook", "env:WEBHOOK"]);
    let run = run.args(["--interval", "0", "--retry-for", "10", "--spool"]);
    let run = run.args([scene.file("spool")]);
    let sent = run.env("WEBHOOK", scene.slack.url()).run();
    sent.assert_status(0).assert_stderr("");
    assert_eq!(scene.texts(), ["one", "one", "one", "two"]);
    assert_eq!(statuses(&sent), ["e-1 duplicate", "e-1 delivered"]);
    assert_eq!(sent.records()[1]["note"], DOUBT);
    // It would end the doubt at the next start.
    let log = std::fs::read_to_string(scene.file("spool/deliveries.jsonl")).unwrap();
    assert!(!log.contains("\"held\""), "{log}");
}

/// Older versions did not say what it was that was rejected.
#[test]
fn one_that_an_older_version_has_logged_as_rejected_is_tried_once_more() {
    let scene = Scene::new();
    scene.slack.reply(&[REJECTION, REJECTION]);
    scene.send("one", &event("e-1")).assert_status(2);
    let log = scene.file("spool/deliveries.jsonl");
    let lines = std::fs::read_to_string(&log).unwrap();
    let lines = lines.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("content");
        format!("{line}\n")
    });
    std::fs::write(&log, lines.collect::<String>()).unwrap();
    scene.send("one", &event("e-1")).assert_status(2);
    scene.send("one", &event("e-1")).assert_status(2);
    assert_eq!(scene.texts().len(), 2);
}
