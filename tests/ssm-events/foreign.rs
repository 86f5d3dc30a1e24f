//! Files and objects of something else: each by itself has no answer, whatever lies beside it, and one that holds a record in a way
//! that nobody knows is never passed over.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Account, Home, Slack, offline};

use crate::reading::{over, record, verbs};
use crate::sending::send;
use crate::{EXE, account};

/// What a record may be wrapped in that nobody takes off, and what carries data of others.
fn holding() -> Vec<Value> {
    let (one, text) = (record("hidden"), record("hidden").to_string());
    let kinesis = json!({"kinesis": {"partitionKey": "1", "data": "eyJ9"}, "eventSource": "aws:kinesis", "eventVersion": "1.0",
        "eventID": "s:1", "eventName": "aws:kinesis:record", "awsRegion": "eu-central-1"});
    let stream = json!({"eventID": "1", "eventName": "INSERT", "eventVersion": "1.0", "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1", "dynamodb": {"NewImage": {"record": {"S": text}}}});
    vec![
        json!({"Records": null}),
        json!({"Records": 5}),
        json!({"Records": "x"}),
        json!({"Type": "Notification", "TopicArn": "t", "Message": one}),
        json!({"Records": [kinesis]}),
        json!({"Records": [stream]}),
        json!({"invocationId": "i", "records": [{"recordId": "1", "data": "eyJ9"}]}),
        json!({"awslogs": {"data": "H4sI"}}),
        json!({"_index": "ct", "_source": one}),
        json!({"hits": {"hits": [{"_source": one}]}}),
        json!({"log": text}),
        json!({"events": [{"logStreamName": "x", "timestamp": 1, "message": text}]}),
    ]
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(folder.join(name), content).unwrap();
}

#[test]
fn a_file_of_something_else_is_a_gap_though_others_have_records() {
    let home = Home::create();
    let folder = home.path();
    write(
        folder,
        "a.json",
        json!({"Records": [record("a")]}).to_string(),
    );
    write(folder, "c.json", record("c").to_string());
    for other in holding().into_iter().chain([json!({}), json!({"x": 1})]) {
        write(folder, "b.json", other.to_string());
        let history = offline(EXE).args(["history", "-q"]).args([folder]).run();
        history.assert_status(2);
        let said = history.records();
        let gaps = said.iter().filter(|one| one["kind"] == "finding");
        let gaps: Vec<&str> = gaps.map(|one| one["resource"].as_str().unwrap()).collect();
        assert_eq!(gaps.len(), 1, "{other}: {gaps:?}");
        assert!(gaps[0].ends_with("b.json"), "{other}: {gaps:?}");
        let ids = said.iter().filter_map(|one| one["eventID"].as_str());
        assert_eq!(ids.collect::<Vec<_>>(), ["a", "c"], "{other}");
    }
}

/// A copy of a trail's bucket has all of these.
#[test]
fn what_lies_beside_records_in_a_bucket_is_fine() {
    let home = Home::create();
    let folder = home.path();
    let other =
        json!({"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventID": "o"});
    let insight = json!({"eventVersion": "1.07", "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight",
        "insightDetails": {"eventSource": "ssm.amazonaws.com", "eventName": "SendCommand"}});
    let config = json!({"fileVersion": "1.0", "configurationItems": [{"resourceType": "AWS::EC2::Instance"}]});
    write(
        folder,
        "a.json",
        json!({"Records": [record("a")]}).to_string(),
    );
    write(
        folder,
        "b.json",
        json!({"Records": [other, other]}).to_string(),
    );
    write(folder, "c.json", json!({"Records": [insight]}).to_string());
    write(folder, "d.json", config.to_string());
    write(
        folder,
        "e.json",
        json!({"digestStartTime": "2026-11-01T00:00:00Z", "logFiles": []}).to_string(),
    );
    write(folder, "f.json", r#"{"Records":[]}"#);
    write(folder, "g.jsonl", "\n");
    write(folder, "ConfigWritabilityCheckFile", "");
    for more in [&[][..], &["--event", "all"]] {
        let history = offline(EXE)
            .args(["history", "-q"])
            .args(more)
            .args([folder])
            .run();
        history.assert_status(0);
        assert!(history.stdout.contains("\"a\""), "{}", history.stdout);
    }
}

#[test]
fn a_stream_in_which_something_else_holds_a_record_is_not_fine() {
    let (home, slack) = (Home::create(), Slack::start());
    for (n, other) in holding().into_iter().enumerate() {
        let lines = format!("{}\n{other}\n{}\n", record("a"), record("b"));
        for (verb, output) in verbs(&home, lines.as_bytes()) {
            output.assert_status(2);
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(said.contains("record 2"), "{verb} {other}: {said}");
            for id in ["a-0", "b-0"] {
                assert!(
                    output.stdout.contains(id),
                    "{verb} {other}: {}",
                    output.stdout
                );
            }
        }
        let sent = send(&slack, &home.path().join(n.to_string()), &lines, &[]);
        sent.assert_status(2)
            .assert_complains("record 2 cannot be read");
    }
    assert_eq!(
        slack.posts().len(),
        2 * holding().len(),
        "one for each record"
    );
}

#[test]
fn a_file_without_a_byte_is_a_gap_for_every_verb() {
    let home = Home::create();
    let list = home.path().join("ids");
    write(home.path(), "ids", "");
    let file = home.path().join("file.json.gz");
    for (content, why) in [
        (vec![], "it is empty"),
        (vec![0; 4096], "it has nothing but zeros"),
    ] {
        std::fs::write(&file, content).unwrap();
        let file = file.to_str().unwrap();
        for output in [
            offline(EXE).args(["history", "-q", file]).run(),
            over(file, &["match", "-q", r#"{"eventName": ["StartSession"]}"#]),
            over(file, &["report", "-q", "--html"]),
            over(file, &["format", "-q", "--to", "csv"]),
            over(
                file,
                &[
                    "reconcile",
                    "-q",
                    "--exit-code",
                    "--delivered",
                    list.to_str().unwrap(),
                ],
            ),
        ] {
            output.assert_status(2);
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(said.contains(why), "{said}");
        }
    }
    // A search may find nothing, and a text of white space is one.
    let report = || offline(EXE).args(["report"]);
    report().stdin("").run().assert_status(0);
    std::fs::write(&file, "\n").unwrap();
    over(file.to_str().unwrap(), &["report"]).assert_status(0);
}

#[test]
fn a_name_that_is_blank_is_damage_for_every_verb() {
    let home = Home::create();
    for name in ["eventName", "eventSource"] {
        for blank in ["", " "] {
            let mut odd = record("odd");
            odd[name] = blank.into();
            let lines = format!("{}\n{odd}\n{}\n", record("a"), record("b"));
            for (verb, output) in verbs(&home, lines.as_bytes()) {
                let said = format!("{}{}", output.stdout, output.stderr);
                // What `match` is asked for may be all that an event has, and is printed.
                let is_shown = verb == "match" && output.stdout.contains("odd-0");
                output.assert_status(if is_shown { 1 } else { 2 });
                let why = format!("its {name} is empty");
                assert!(said.contains(&why) || is_shown, "{verb}: {said}");
            }
        }
    }
}

fn put(account: &Account, bucket: &str, key: &str, content: &str) {
    let file = account.home().join("object");
    std::fs::write(&file, content).unwrap();
    let body = file.to_str().unwrap();
    account.aws(&[
        "s3api",
        "put-object",
        "--bucket",
        bucket,
        "--key",
        key,
        "--body",
        body,
    ]);
}

#[test]
fn an_object_of_something_else_or_of_nothing_is_a_gap_and_a_folder_is_not() {
    let account = account();
    let bucket = format!("logs-{}", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    let root = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/01/";
    put(
        &account,
        &bucket,
        &format!("{root}a.json.gz"),
        &json!({"Records": [record("a")]}).to_string(),
    );
    put(&account, &bucket, root, "");
    let place = format!("s3://{bucket}");
    let history = || {
        account
            .tool(EXE)
            .args(["history", "-q", "--s3", &place])
            .run()
    };
    history().assert_status(0);
    put(&account, &bucket, &format!("{root}b.json.gz"), "{}");
    put(&account, &bucket, &format!("{root}c.json.gz"), "");
    let said = history();
    said.assert_status(2);
    let gaps = said.records();
    let gaps = gaps.iter().filter(|one| one["kind"] == "finding");
    let gaps: Vec<String> = gaps
        .map(|one| format!("{} {}", one["resource"], one["message"]))
        .collect();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(
        gaps[0].contains("b.json.gz") && gaps[0].contains("no CloudTrail record"),
        "{gaps:?}"
    );
    assert!(
        gaps[1].contains("c.json.gz") && gaps[1].contains("it is empty"),
        "{gaps:?}"
    );
}
