//! `send`: a message that is made anew while the input goes on, before, during and after an attempt at the one that waits.

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Slack};

use crate::held::DOUBT;

/// A message about an event, as `format` prints it.
fn message(event_id: &str, text: &str) -> String {
    let block = json!({"type": "section", "block_id": format!("event-{event_id}"), "text": {"type": "mrkdwn", "text": text}});
    json!({"text": text, "blocks": [block]}).to_string()
}

/// Sends what a shell prints, which takes its time.
fn send(slack: &Slack, home: &Home, script: &str, more: &[&str]) -> Output {
    let script = format!("({script}) | exec \"$0\" \"$@\"");
    let spool = home.path().join("spool");
    let run = testbed::offline("/bin/sh").args(["-c", &script, crate::EXE]);
    let flags = ["send", "--webhook", "env:WEBHOOK", "--spool"];
    let run = run.args(flags).args([spool]).args(more);
    run.env("WEBHOOK", slack.url()).run()
}

fn notes(output: &Output) -> Vec<(String, Value)> {
    let records = output.records().into_iter();
    let text = |record: Value| {
        let [id, status] = ["event_id", "status"].map(|key| record[key].as_str().unwrap());
        (format!("{id} {status}"), record["note"].clone())
    };
    records.map(text).collect()
}

fn texts(slack: &Slack) -> Vec<Value> {
    let posts = slack.posts().into_iter();
    posts.map(|post| post.message["text"].clone()).collect()
}

#[test]
fn a_message_that_is_made_anew_waits_for_the_pause_that_was_asked_for() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.reply(&[Reply::RetryAfter(3)]);
    let (one, two) = (message("e-1", "one"), message("e-1", "two"));
    // The input goes on, so that the destination is tried again while it does.
    let script = format!("echo '{one}'; sleep 1; echo '{two}'; sleep 4");
    send(&slack, &home, &script, &["--retry-for", "0"]).assert_status(0);
    assert_eq!(texts(&slack), ["one", "two"]);
    let posts = slack.posts();
    let waited = posts[1].at - posts[0].at;
    assert!(waited.as_secs_f64() >= 3.0, "{waited:?}");
}

#[test]
fn what_is_made_anew_while_the_interval_passes_is_sent_as_it_is_now() {
    let (slack, home) = (Slack::start(), Home::create());
    let first = message("e-0", "first");
    let (one, two) = (message("e-1", "one"), message("e-1", "two"));
    let script = format!("echo '{first}'; echo '{one}'; sleep 1; echo '{two}'; sleep 1");
    let sent = send(&slack, &home, &script, &["--interval", "4"]);
    sent.assert_status(0).assert_stderr("");
    assert_eq!(texts(&slack), ["first", "two"]);
    let expected = [
        ("e-0 delivered".to_owned(), Value::Null),
        (
            "e-1 duplicate".to_owned(),
            json!("the message that waits is made anew"),
        ),
        ("e-1 delivered".to_owned(), Value::Null),
    ];
    assert_eq!(notes(&sent), expected);
}

#[test]
fn what_is_made_anew_while_it_is_on_its_way_is_delivered_as_it_was_and_says_so() {
    for (replies, is_doubtful) in [
        (&[Reply::Slow(3)][..], false),
        (&[Reply::Status(500, "oops"), Reply::Slow(3)][..], true),
    ] {
        let (slack, home) = (Slack::start(), Home::create());
        slack.reply(replies);
        let (one, two) = (message("e-1", "one"), message("e-1", "two"));
        let script = format!("echo '{one}'; sleep 2; echo '{two}'; sleep 3");
        let sent = send(&slack, &home, &script, &["--interval", "0"]);
        sent.assert_status(0).assert_stderr("");
        assert!(texts(&slack).iter().all(|text| text == "one"));
        let before = "as it was before it was made anew";
        let note = match is_doubtful {
            true => format!("{before}; {DOUBT}"),
            false => before.to_owned(),
        };
        let notes = notes(&sent);
        assert_eq!(notes[0].0, "e-1 duplicate");
        assert_eq!(notes[1..], [("e-1 delivered".to_owned(), json!(note))]);
    }
}
