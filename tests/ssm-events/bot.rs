//! `send` as a bot of Slack: one thread a session, and what Slack refuses.

use serde_json::Value;
use testbed::Reply;

use crate::destinations::Scene;
use crate::sending::{events, statuses};

fn thread_of(post: &Value) -> &str {
    post["thread_ts"].as_str().unwrap_or("")
}

fn call(name: &str, session: &str, id: &str) -> String {
    let record = serde_json::json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventID": id,
        "eventTime": "2026-11-24T03:00:00Z", "awsRegion": "eu-central-1", "recipientAccountId": "111122223333",
        "requestParameters": {"sessionId": session}});
    format!("{record}\n")
}

#[test]
fn start_resume_and_end_of_a_session_are_one_thread_over_restarts() {
    let scene = Scene::bot();
    // Each in a run of its own, as after a restart.
    for (name, session, id) in [
        ("StartSession", "s-1", "e-1"),
        ("StartSession", "s-2", "e-2"),
        ("ResumeSession", "s-1", "e-3"),
        ("TerminateSession", "s-1", "e-4"),
        ("TerminateSession", "s-2", "e-5"),
    ] {
        scene.send(&call(name, session, id), &[]).assert_status(0);
    }
    let posts = scene.service.messages();
    let (first, second) = ("1764000000.000001", "1764000000.000002");
    let threads: Vec<&str> = posts.iter().map(thread_of).collect();
    assert_eq!(threads, ["", "", first, first, second]);
    assert!(posts.iter().all(|post| post["channel"] == "C0123456789"));
    assert!(
        scene.service.posts()[0]
            .head
            .contains("authorization: bearer xoxb-b0t")
    );
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::metadata(scene.spool().join("threads.jsonl")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    // Somebody has deleted the first message: the session begins another thread.
    let gone = Reply::Status(200, r#"{"ok":false,"error":"thread_not_found"}"#);
    scene.service.reply(&[gone]);
    scene
        .send(&call("ResumeSession", "s-1", "e-6"), &[])
        .assert_status(0);
    scene
        .send(&call("ResumeSession", "s-1", "e-7"), &[])
        .assert_status(0);
    let posts = scene.service.messages();
    assert_eq!(thread_of(&posts[5]), "");
    assert_eq!(thread_of(&posts[6]), "1764000000.000007");
}

#[test]
fn a_bot_handles_each_refusal_of_slack_as_documented() {
    for (body, expected) in [
        (r#"{"ok":false,"error":"invalid_blocks"}"#, "rejected"),
        (r#"{"ok":false,"error":"msg_too_long"}"#, "rejected"),
        (r#"{"ok":false,"error":"no_text"}"#, "rejected"),
        (r#"{"ok":false,"error":"invalid_auth"}"#, "held"),
        (r#"{"ok":false,"error":"channel_not_found"}"#, "held"),
        (r#"{"ok":false,"error":"not_in_channel"}"#, "held"),
        (r#"{"ok":false,"error":"is_archived"}"#, "held"),
        (r#"{"ok":false,"error":"something_new"}"#, "held"),
        (r#"{"ok":false,"error":"ratelimited"}"#, "delivered"),
        (r#"{"ok":false,"error":"service_unavailable"}"#, "delivered"),
        (r#"{"ok":false,"error":"fatal_error"}"#, "delivered"),
    ] {
        let scene = Scene::bot();
        scene.service.reply(&[Reply::Status(200, body)]);
        let sent = scene.send(&events(1), &[]);
        assert_eq!(statuses(&sent), [format!("e-0 {expected}")], "{body}");
        let n_posts = if expected == "delivered" { 2 } else { 1 };
        assert_eq!(scene.service.posts().len(), n_posts, "{body}");
        let is_noted = sent.records()[0]["note"].is_string();
        assert_eq!(
            is_noted,
            expected != "delivered" || body.contains("fatal"),
            "{body}"
        );
    }
}
