//! `send --sessions` to other destinations than Slack: each message links the transcript of its session, or says why there is none.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Front, Home, Slack, offline, repository};

use crate::EXE;
use crate::topic::Topic;

const LINK: &str = "https://eu-central-1.console.aws.amazon.com/s3/object/logs?region=eu-central-1&prefix=sessions%2Fs-1.log";
const NONE: &str = "no transcript: nothing in s3://logs/sessions/";

/// Writes what is known of three sessions: one has its transcript, one has none, and one is not there.
fn sessions(home: &Home) -> PathBuf {
    let session = |id: &str, transcript: Value| {
        json!({"kind": "session", "target": {"account": "111122223333", "region": "eu-central-1"}, "session_id": id,
            "principal": "arn:aws:iam::111122223333:role/Ops", "started": "2026-11-24T03:00:00Z", "resumed": [], "event_id": id,
            "transcript": transcript})
    };
    let stored = json!({"s3": {"bucket": "logs", "key": "sessions/s-1.log"}, "bytes": 17, "encrypted": true, "missing_in": []});
    let none = json!({"none": "upload_failed", "message": "nothing in s3://logs/sessions/", "missing_in": []});
    let file = home.path().join("sessions.jsonl");
    let text = format!("{}\n{}\n", session("s-1", stored), session("s-2", none));
    std::fs::write(&file, text).unwrap();
    file
}

fn records() -> String {
    let record = |id: &str| {
        let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id,
            "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventTime": "2026-11-24T03:00:00Z",
            "responseElements": {"sessionId": id}});
        format!("{record}\n")
    };
    ["s-1", "s-2", "s-3"].map(record).concat()
}

/// Sends the records through a filter, and returns what arrives.
fn sent(filter: &PathBuf, is_known: bool) -> Vec<Value> {
    let (service, home) = (Slack::json(), Home::create());
    let front = Front::start(service.address(), home.path());
    let run = offline(EXE).args(["send", "--url", "env:URL", "--allow-local-address"]);
    let run = run
        .args(["--interval", "0", "--spool"])
        .args([home.path().join("spool")]);
    let mut run = run.args(["--jq-file"]).args([filter]);
    if is_known {
        run = run.args(["--sessions"]).args([sessions(&home)]);
    }
    let run = run.env("URL", format!("{}/x", front.url()));
    let run = run.env("AWS_CA_BUNDLE", front.certificate());
    run.stdin(records()).run().assert_status(0);
    service.messages()
}

fn example(name: &str) -> PathBuf {
    repository().join("scripts/send.d").join(name)
}

#[test]
fn a_filter_is_given_the_transcript_or_why_there_is_none() {
    let home = Home::create();
    let filter = home.path().join("own.jq");
    std::fs::write(&filter, "{transcript}").unwrap();
    let unknown = "transcript: not known: not among the sessions given";
    let expected = [
        json!({"links": [{"place": "S3", "url": LINK}], "note": null}),
        json!({"links": [], "note": NONE}),
        json!({"links": [], "note": unknown}),
    ];
    let transcripts = |is_known| -> Vec<Value> {
        let all = sent(&filter, is_known).into_iter();
        all.map(|message| message["transcript"].clone()).collect()
    };
    assert_eq!(transcripts(true), expected);
    // Where nobody has looked nothing is said.
    assert_eq!(transcripts(false), [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn the_example_for_teams_links_the_transcript() {
    let messages = sent(&example("teams.jq"), true);
    let card = |index: usize| messages[index]["attachments"][0]["content"].clone();
    let link = json!({"type": "Action.OpenUrl", "title": "Transcript in S3", "url": LINK});
    let actions = card(0)["actions"].clone();
    assert!(actions.as_array().unwrap().contains(&link), "{actions}");
    let body = card(1)["body"].to_string();
    assert!(
        body.contains("transcript: ") && body.contains(NONE),
        "{body}"
    );
    assert!(!card(1)["actions"].to_string().contains("Transcript"));
}

/// <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>: `links` has `href` and `text`.
#[test]
fn the_example_for_pagerduty_links_the_transcript() {
    let messages = sent(&example("pagerduty.jq"), true);
    let link = json!([{"href": LINK, "text": "Transcript in S3"}]);
    assert_eq!(messages[0]["links"], link);
    assert!(messages[1].get("links").is_none(), "{}", messages[1]);
    let details = &messages[1]["payload"]["custom_details"];
    assert_eq!(details["transcript"], NONE);
}

#[test]
fn a_topic_is_sent_the_transcript() {
    let topic = Topic::new("sessions");
    let file = sessions(&topic.home);
    let sent = topic.send(&records(), &["--sessions", file.to_str().unwrap()]);
    sent.assert_status(0).assert_stderr("");
    let received = topic.received();
    let message = |index: usize| -> Value {
        serde_json::from_str(received[index]["Message"].as_str().unwrap()).unwrap()
    };
    let (first, second) = (message(0), message(1));
    let text = first["text"].as_str().unwrap();
    assert!(text.contains(&format!(" transcript={LINK}")), "{text}");
    assert_eq!(first["transcript"]["links"][0]["url"], LINK);
    let text = second["text"].as_str().unwrap();
    assert!(
        text.contains(r#" no transcript="nothing in s3://logs/sessions/""#),
        "{text}"
    );
    assert_eq!(second["transcript"]["note"], NONE);
}
