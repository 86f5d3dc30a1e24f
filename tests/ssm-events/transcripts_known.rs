//! Transcripts without calls: from saved answers of AWS, and from what `sessions` has printed.

use std::path::Path;

use serde_json::{Value, json};
use testbed::offline;

use crate::EXE;
use crate::transcripts::{BROKEN, GOOD, NOW, Scene, none, of};

#[test]
fn saved_answers_say_the_same_as_calls() {
    let scene = Scene::new();
    let (good, broken) = (scene.start(GOOD), scene.start(BROKEN));
    let input = [&good, &broken]
        .map(|one| scene.record("StartSession", one, "ann"))
        .concat();
    let called = scene.run(&NOW, &input).records();
    let prefix = ["--prefix", "sessions/here/"];
    let list = [
        &["s3api", "list-objects-v2", "--bucket", &scene.bucket],
        &prefix[..],
    ];
    let files = [
        scene.save("objects", &list.concat()),
        scene.save(
            "streams",
            &[
                "logs",
                "describe-log-streams",
                "--log-group-name",
                "/sessions",
            ],
        ),
        scene.save("ended", &["ssm", "describe-sessions", "--state", "History"]),
        scene.save("open", &["ssm", "describe-sessions", "--state", "Active"]),
        scene.save(
            "versions",
            &[
                "ssm",
                "list-document-versions",
                "--name",
                "SSM-SessionManagerRunShell",
            ],
        ),
        scene.save(
            "document",
            &[
                "ssm",
                "get-document",
                "--name",
                "SSM-SessionManagerRunShell",
            ],
        ),
    ];
    let listings = files.map(|path| path.display().to_string()).join(",");
    let flags = ["--offline", "--listing", &listings];
    let saved = offline(EXE).args(NOW).args(flags).stdin(input.as_str());
    let saved = saved.run();
    saved.assert_status(0).assert_stderr("");
    for (called, saved) in called.iter().zip(saved.records()) {
        let mut expected = called.clone();
        if expected["transcript"]["s3"].is_object() {
            // The AWS CLI does not print the name of a bucket, nor whether a log group has a key.
            expected["transcript"]["s3"]["bucket"] = saved["transcript"]["s3"]["bucket"].clone();
            expected["transcript"]["encrypted"] = Value::Null;
        }
        assert_eq!(saved, expected);
    }
    assert_eq!(called.len(), 2);
    // Who may not list the bucket of an archive takes a list that the archive has saved.
    scene.account.fault(
        json!({"service": "s3", "operation": "ListObjectsV2", "kind": "denied", "times": -1}),
    );
    let objects = listings.split_once(',').unwrap().0;
    let mixed = scene.run(&[&NOW[..], &["--listing", objects]].concat(), &input);
    mixed.assert_status(0).assert_stderr("");
    let key = of(&mixed.records(), &good)["transcript"]["s3"]["key"].to_string();
    assert!(key.ends_with(&format!("{good}.log\"")), "{key}");
    // Also for sessions that no record has.
    let unrecorded = scene.run(&[&NOW[..], &["--listing", objects]].concat(), "");
    unrecorded.assert_status(0).assert_stderr("");
    let words = [&good, &broken].map(|one| none(&unrecorded.records(), one));
    assert_eq!(words, ["there is one", "upload_failed"]);
    // What was not saved is not known, and that is not fine.
    let some = [
        "--offline",
        "--listing",
        listings.split_once(",").unwrap().1,
    ];
    let some = offline(EXE).args(NOW).args(some).stdin(input).run();
    some.assert_status(2);
    assert_eq!(none(&some.records(), &broken), "unread");
}

#[test]
fn reports_and_messages_link_transcripts() {
    let scene = Scene::new();
    let (good, broken) = (scene.start(GOOD), scene.start(BROKEN));
    let input = [&good, &broken]
        .map(|one| scene.record("StartSession", one, "ann"))
        .concat();
    let known = scene.account.home().join("sessions.jsonl");
    std::fs::write(&known, scene.run(&NOW, &input).stdout).unwrap();
    let with = |arguments: &[&str]| {
        let run = offline(EXE).args(arguments).args([Path::new(&known)]);
        let output = run.stdin(input.as_str()).run();
        output.assert_status(0).assert_stderr("");
        output
    };
    let report = with(&["report", "--sessions"]).records();
    assert_eq!(none(&report, &broken), "upload_failed");
    assert!(of(&report, &good)["ended"].is_string());
    let page = with(&["report", "--html", "--sessions"]).stdout;
    let link = "https://us-east-1.console.aws.amazon.com/s3/object/transcripts-";
    assert!(page.contains(link));
    let messages = with(&["format", "--to", "slack", "--sessions"]).stdout;
    let key = format!("prefix=sessions%2Fhere%2F{good}.log|transcript in S3>");
    assert!(
        messages.contains(&format!("region=us-east-1&amp;{key}")),
        "{messages}"
    );
    let stream = format!("$252Fsessions/log-events/{good}|transcript in CloudWatch Logs>");
    assert!(messages.contains(&stream), "{messages}");
    assert!(messages.contains("*no transcript*  nothing in s3://"));
}
