//! Transcripts without calls: from saved answers of AWS, and from what `sessions` has printed.

#[path = "transcripts_places.rs"]
mod places;
#[path = "transcripts_saved.rs"]
mod saved;

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use crate::EXE;
use crate::transcripts::{BROKEN, GOOD, NOW, Scene, none, of, organize, record};

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

const PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// Runs `sessions --offline` with one saved answer.
fn with_saved(answer: &Value, input: &str) -> Output {
    with_all_saved(&[answer], input)
}

fn with_all_saved(answers: &[&Value], input: &str) -> Output {
    let folder = Home::create();
    let path = folder.path().join("saved");
    let answers: Vec<String> = answers.iter().map(|one| one.to_string()).collect();
    std::fs::write(&path, answers.join("\n")).unwrap();
    let flags = ["--offline", "--listing", &path.display().to_string()];
    offline(EXE).args(NOW).args(flags).stdin(input).run()
}

/// An answer of `describe-sessions` with a session that has ended.
fn ended(account: &str, id: &str) -> Value {
    json!({"Sessions": [{"SessionId": id, "Target": GOOD, "Status": "Terminated",
        "StartDate": "2026-11-01T10:00:00Z", "EndDate": "2026-11-01T10:05:00Z",
        "Owner": format!("arn:aws:sts::{account}:assumed-role/Admin/ann")}]})
}

fn document(name: &str, bucket: &str) -> Value {
    let content = json!({"inputs": {"s3BucketName": bucket, "s3KeyPrefix": "x"}}).to_string();
    json!({"Name": name, "DocumentVersion": "1", "Content": content})
}

/// An answer of `list-document-versions`.
fn versions(name: &str) -> Value {
    json!({"DocumentVersions": [{"Name": name, "DocumentVersion": "1", "CreatedDate": "2026-01-01T00:00:00Z", "IsDefaultVersion": true}]})
}

#[test]
fn a_part_of_an_answer_is_refused() {
    for (answer, sign) in [
        (json!({"Sessions": [], "NextToken": "a"}), "NextToken"),
        (json!({"logStreams": [], "nextToken": "a"}), "nextToken"),
        (json!({"Contents": [], "NextToken": "a"}), "NextToken"),
        (
            json!({"IsTruncated": true, "Contents": [], "Name": "b"}),
            "IsTruncated",
        ),
        (
            json!({"DocumentVersions": [], "NextToken": "a"}),
            "NextToken",
        ),
    ] {
        let refused = with_saved(&answer, "");
        refused.assert_complains(&format!(
            "the answer is only a part, as its {sign} says: save it again without --no-paginate"
        ));
        assert_eq!(refused.json()["id"], "events.history.unread");
        assert_ne!(refused.status, 0);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
}

#[test]
fn a_saved_answer_says_nothing_of_another_place() {
    let time = "2026-11-01T10:00:00Z";
    let input =
        ["111122223333", "444455556666"].map(|one| record(one, "StartSession", one, "ann", time));
    let shown = with_saved(&ended("111122223333", "111122223333"), &input.concat());
    shown.assert_status(2);
    let records = shown.records();
    let unread: Vec<&Value> = records
        .iter()
        .filter(|one| one["id"] == "events.transcript.unread")
        .collect();
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert_eq!(unread[0]["target"]["account"], "444455556666");
    // Nor does a document, which may be another one there.
    let answers = [
        &ended("111122223333", "ann-0"),
        &ended("444455556666", "bob-0"),
        &json!({"Name": PREFERENCES, "DocumentVersion": "1", "Content": "{}"}),
        &versions(PREFERENCES),
    ];
    let one = with_all_saved(&[answers[0], answers[2], answers[3]], "");
    assert_eq!(
        none(&one.assert_status(0).records(), "ann-0"),
        "preferences_off"
    );
    let both = with_all_saved(&answers, "");
    let records = both.assert_status(2).records();
    let words = ["ann-0", "bob-0"].map(|one| none(&records, one));
    assert_eq!(words, ["unread", "unread"]);
    // An answer without sessions is one all the same, where there is one place.
    let shown = with_saved(&json!({"Sessions": []}), &input[0]);
    assert!(!shown.stdout.contains("events.transcript.unread"));
    let shown = with_saved(&json!({"Sessions": []}), &input.concat());
    let n_unread = shown.stdout.matches("events.transcript.unread").count();
    assert_eq!(n_unread, 2, "{}", shown.stdout);
}

#[test]
fn places_without_a_saved_answer_are_asked() {
    let scenes = [Scene::new(), Scene::new()];
    let sessions: Vec<String> = scenes.iter().map(|scene| scene.start(BROKEN)).collect();
    let flags = organize(&scenes);
    let listing = scenes[0].save("ended", &["ssm", "describe-sessions", "--state", "History"]);
    let listing = ["--listing", &listing.display().to_string()];
    for region in [&["--region", "us-east-1"][..], &[]] {
        let shown = scenes[0].run(&[&NOW[..], &flags, &listing, region].concat(), "");
        shown.assert_status(0);
        let records = shown.records();
        assert_eq!(records.len(), 2, "{records:?}");
        for session in &sessions {
            assert_eq!(none(&records, session), "upload_failed");
        }
    }
}

#[test]
fn a_pipe_is_refused_which_could_be_read_only_once() {
    let flags = ["-f", "/dev/null", "--offline", "--listing", "/dev/stdin"];
    let refused = offline(EXE).args(NOW).args(flags).stdin("{}").run();
    refused.assert_complains("a pipe is empty then: save it as a file");
    assert_eq!(
        (refused.status, refused.stderr.lines().count()),
        (2, 1),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_empty_bucket_is_a_list_and_stands_for_one_bucket() {
    // As the AWS CLI prints it.
    let empty = json!({"RequestCharged": null, "Prefix": "x/"});
    let preferences = document(PREFERENCES, "one");
    let sessions = ended("111122223333", "ann-0");
    let all = &versions(PREFERENCES);
    let shown = with_all_saved(&[&empty, &preferences, all, &sessions], "");
    shown.assert_status(0);
    assert_eq!(none(&shown.records(), "ann-0"), "upload_failed");
    let mut others = ended("111122223333", "bob-0");
    others["Sessions"][0]["DocumentName"] = json!("Own");
    let own = document("Own", "two");
    let of_own = &versions("Own");
    let answers = [&empty, &preferences, all, &sessions, &own, of_own, &others];
    let shown = with_all_saved(&answers, "");
    shown.assert_status(2);
    let records = shown.records();
    let words = ["ann-0", "bob-0"].map(|one| none(&records, one));
    assert_eq!(words, ["unread", "unread"]);
}

#[test]
fn sessions_that_were_not_all_read_are_not_taken_for_all() {
    let home = Home::create();
    let path = home.path().join("sessions.jsonl");
    let target = json!({"account": "111122223333", "region": "us-east-1"});
    for gap in [
        json!({"kind": "unreachable", "target": target, "tool": "ssm-events", "error": "no such role"}),
        json!({"kind": "finding", "id": "events.transcript.unread", "resource": "DescribeSessions", "message": "no such role"}),
    ] {
        std::fs::write(&path, gap.to_string()).unwrap();
        for verb in [&["report", "--html"][..], &["format", "--to", "slack"]] {
            let run = offline(EXE)
                .args(verb)
                .args([Path::new("--sessions"), &path]);
            let said = run.stdin("").run();
            said.assert_status(2)
                .assert_complains("not all was read: ")
                .assert_complains("sessions were not all read: ")
                .assert_complains("no such role");
        }
        let page = offline(EXE).args(["report", "--html", "--sessions"]);
        let page = page.args([&path]).stdin("").run().stdout;
        assert!(page.contains("no such role"), "the page has a Gaps section");
    }
}

/// A session that cannot be read ends nothing: those before and behind it are known.
#[test]
fn a_damaged_session_hides_no_other() {
    let home = Home::create();
    let path = home.path().join("sessions.jsonl");
    let started = |id: &str| {
        record(
            "111122223333",
            "StartSession",
            id,
            "ann",
            "2026-11-01T10:00:00Z",
        )
    };
    let report = |input: &str, flags: &[&str]| {
        let run = offline(EXE).args(["report"]).args(flags);
        run.stdin(input).run()
    };
    let input = ["ann-0", "ann-1"].map(started).concat();
    let mut known = report(&input, &[]).records();
    for one in &mut known {
        one["transcript"] = json!({"s3": null, "log_stream": null, "bytes": null, "encrypted": null,
            "none": null, "missing_in": ["s3://b/"], "message": "whether it is in s3://b/ is not known"});
    }
    let text = format!(
        "{}\n{{\"kind\": \"session\", \"bad\"}}\n{}\n",
        known[0], known[1]
    );
    std::fs::write(&path, text).unwrap();
    let flags = ["--sessions", path.to_str().unwrap()];
    let joined = report(&input, &flags);
    joined.assert_status(2).assert_complains("record 2: ");
    let mut all = joined.records();
    let gap = all.remove(0);
    assert_eq!(gap["resource"], path.to_str().unwrap(), "{gap}");
    assert!(
        all.len() == 2 && all.iter().all(|one| one["transcript"].is_object()),
        "{all:?}"
    );
    // What is said of a transcript is shown though there is one.
    let message = "whether it is in s3://b/ is not known";
    for shown in [
        report(&input, &[&flags[..], &["-o", "text"]].concat()),
        offline(EXE)
            .args(["format", "--to", "slack"])
            .args(flags)
            .stdin(input.as_str())
            .run(),
        offline(EXE)
            .args(["format", "--to", "text"])
            .args(flags)
            .stdin(input.as_str())
            .run(),
    ] {
        shown.assert_status(2);
        assert!(shown.stdout.contains(message), "{}", shown.stdout);
    }
}
