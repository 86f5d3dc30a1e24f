//! The spool of `send`: private, healed after a cut, and one process's at a time.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testbed::{Home, Reply, Slack, offline};

use crate::EXE;
use crate::sending::{event, events, send, statuses, tool};

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

/// What is in a spool says who was where.
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

/// Nearly every message has characters of several bytes, so that a cut by a full disk or a power loss is often inside one.
#[test]
fn a_line_that_was_cut_inside_a_character_is_no_damage() {
    for name in ["queue.jsonl", "deliveries.jsonl", "threads.jsonl"] {
        let (slack, home) = (Slack::start(), Home::create());
        slack.always(Reply::Status(503, "down"));
        send(&slack, home.path(), &events(2), &["--retry-for", "0"]).assert_status(2);
        slack.always(Reply::Ok);
        let file = home.path().join(name);
        let mut bytes = std::fs::read(&file).unwrap();
        // The first two of the three bytes of a zero-width space.
        bytes.extend_from_slice(b"{\"event_id\":\"e-7\",\"message\":{\"text\":\"_\xe2\x80");
        std::fs::write(&file, bytes).unwrap();
        let sent = send(&slack, home.path(), &event("e-9"), &[]);
        sent.assert_status(0).assert_stderr("");
        assert_eq!(
            statuses(&sent),
            ["e-0 delivered", "e-1 delivered", "e-9 delivered"],
            "{name}"
        );
        let again = send(&slack, home.path(), &event("e-9"), &[]);
        assert_eq!(statuses(&again), ["e-9 duplicate"], "{name}");
    }
}

#[test]
fn a_second_sender_says_that_it_waits() {
    let (slack, home) = (Slack::start(), Home::create());
    slack.always(Reply::Slow(3));
    let first = tool(&slack, home.path(), &[]).stdin(event("e-1")).spawn();
    while slack.posts().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = send(&slack, home.path(), &event("e-1"), &[]);
    second
        .assert_status(0)
        .assert_complains("waiting for another `send` that has the spool");
    assert_eq!(statuses(&second), ["e-1 duplicate"]);
    first.wait().assert_status(0).assert_stderr("");
}

#[test]
fn messages_link_the_transcripts_of_the_sessions_that_were_read() {
    let (slack, home) = (Slack::start(), Home::create());
    let session = |id: &str, transcript: serde_json::Value| {
        json!({"kind": "session", "target": {"account": "111122223333", "region": "eu-central-1"}, "session_id": id,
            "principal": "arn:aws:iam::111122223333:role/Ops", "started": "2026-11-24T03:00:00Z", "resumed": [], "event_id": id,
            "transcript": transcript})
    };
    let known = [
        session(
            "s-1",
            json!({"s3": {"bucket": "logs", "key": "sessions/s-1.log"}, "bytes": 17, "encrypted": true, "missing_in": []}),
        ),
        session(
            "s-2",
            json!({"none": "upload_failed", "message": "nothing in s3://logs/sessions/", "missing_in": []}),
        ),
    ];
    let file = home.path().join("sessions.jsonl");
    let text: String = known.iter().map(|one| format!("{one}\n")).collect();
    std::fs::write(&file, &text).unwrap();
    let input: String = ["s-1", "s-2", "s-3"]
        .iter()
        .map(|id| {
            let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id,
                "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventTime": "2026-11-24T03:00:00Z",
                "responseElements": {"sessionId": id}});
            format!("{record}\n")
        })
        .collect();
    let spool = home.path().join("spool");
    let with = ["--sessions", file.to_str().unwrap()];
    send(&slack, &spool, &input, &with)
        .assert_status(0)
        .assert_stderr("");
    let messages: Vec<String> = slack.messages().iter().map(ToString::to_string).collect();
    assert!(
        messages[0].contains("s-1.log|transcript in S3>") && !messages[0].contains("no transcript"),
        "{}",
        messages[0]
    );
    assert!(
        messages[1].contains("*no transcript*  nothing in s3://logs/sessions/"),
        "{}",
        messages[1]
    );
    assert!(
        messages[2].contains("*transcript*  not known: not among the sessions given"),
        "{}",
        messages[2]
    );
    // Of sessions that were not all read nobody knows whether one that is not there has a transcript: what is good is sent, and says so.
    let gap = json!({"kind": "finding", "id": "events.transcript.unread", "severity": "error", "resource": "x", "message": "no",
        "fix": "y", "is_unread": true});
    std::fs::write(&file, format!("{text}{gap}\n")).unwrap();
    let again = input.replace("\"eventID\":\"s", "\"eventID\":\"again-s");
    let sent = send(&slack, &spool, &again, &with);
    sent.assert_status(2)
        .assert_complains("not all was read: x: sessions were not all read: no");
    let ids = ["s-1", "s-2", "s-3"].map(|id| format!("again-{id} delivered"));
    assert_eq!(statuses(&sent), ids);
    let messages: Vec<String> = slack.messages()[3..]
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(messages[0].contains("s-1.log|transcript in S3>"));
    assert!(messages[1].contains("*no transcript*"));
    let unknown = "*transcript*  not known: sessions were not all read";
    let n_unknown = messages
        .iter()
        .map(|message| message.matches(unknown).count());
    assert_eq!(n_unknown.collect::<Vec<_>>(), [0, 0, 1]);
    // Nor of a file of something else, or of none of anything.
    for (id, other, why) in [
        ("e-1", input.as_str(), "no session among 3 objects"),
        ("e-2", "", "it is empty"),
    ] {
        std::fs::write(&file, other).unwrap();
        let sent = send(&slack, &spool, &event(id), &with);
        sent.assert_status(2).assert_complains(why);
        let message = slack.messages().pop().unwrap().to_string();
        assert!(message.contains(unknown), "{message}");
    }
}
