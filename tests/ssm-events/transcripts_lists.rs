//! How lists of sessions and objects are read: in which order, and how far.

use serde_json::{Value, json};

use super::{GOOD, NOW, Scene, none, of};

#[test]
fn a_session_that_ends_meanwhile_is_in_the_list_that_is_read_last() {
    let scene = Scene::new();
    scene.start(GOOD);
    scene.account.forget_calls();
    scene.run(&NOW, "").assert_status(0);
    let calls = scene.account.calls();
    let states: Vec<&Value> = calls
        .iter()
        .filter(|one| one["operation"] == "DescribeSessions")
        .map(|one| &one["params"]["State"])
        .collect();
    assert_eq!(states, ["Active", "History"], "{calls:?}");
}

/// Neither shows anything of a session.
#[test]
fn an_empty_object_counts_as_little_as_an_empty_log_stream() {
    let scene = Scene::new();
    let good = scene.start(GOOD);
    let key = format!("sessions/here/{good}.log");
    let put = ["s3api", "put-object", "--bucket", &scene.bucket];
    scene.account.aws(&[&put[..], &["--key", &key]].concat());
    let shown = scene.run(&NOW, "");
    shown.assert_status(0);
    let records = shown.records();
    let transcript = &of(&records, &good)["transcript"];
    let place = format!("s3://{}/sessions/here/", scene.bucket);
    assert_eq!(transcript["missing_in"], json!([place]), "{transcript}");
    assert_eq!(transcript["s3"], Value::Null);
    let message = transcript["message"].as_str().unwrap();
    assert!(message.ends_with("its object is empty"), "{message}");
}

#[test]
fn objects_of_sessions_that_should_have_none_do_not_end_the_search() {
    let scene = Scene::new();
    let good = scene.start(GOOD);
    // Between a session without a transcript and one with: those of two ports, and more than a page of others.
    let folder = scene.account.home().join("objects");
    std::fs::create_dir(&folder).unwrap();
    let others = (0..1000).map(|number| format!("queue-{number:04}"));
    for name in ["port-0", "port-1"]
        .map(str::to_owned)
        .into_iter()
        .chain(others)
    {
        std::fs::write(folder.join(format!("{name}.log")), "x").unwrap();
    }
    let to = format!("s3://{}/sessions/here/", scene.bucket);
    let folder = folder.display().to_string();
    let sync = ["s3", "sync", "--only-show-errors", &folder, &to];
    let sync = scene.account.aws_cli(None).args(sync).run();
    sync.assert_status(0);
    let begun = scene.record("StartSession", &good, "ann");
    let record = |id: &str, document: Option<&str>| {
        let mut record: Value = serde_json::from_str(&begun.replace(&good, id)).unwrap();
        record["requestParameters"]["documentName"] = json!(document);
        record.to_string()
    };
    let port = Some("AWS-StartPortForwardingSession");
    let input = [
        record("a-0", None),
        record("port-0", port),
        record("port-1", port),
    ];
    let shown = scene.run(&NOW, &input.concat());
    let records = shown.records();
    let found = &of(&records, &good)["transcript"];
    assert!(found["s3"].is_object(), "{found}");
    assert_eq!(found["missing_in"], json!([]), "{found}");
}

#[test]
fn sessions_of_every_page_are_found_by_few_calls() {
    let scene = Scene::new();
    let ids: Vec<String> = (0..210).map(|_| scene.start(GOOD)).collect();
    scene.account.forget_calls();
    let shown = scene.run(&NOW, "");
    shown.assert_status(0);
    let records = shown.records();
    assert_eq!(records.len(), ids.len());
    for id in &ids {
        assert_eq!(none(&records, id), "there is one");
        assert!(of(&records, id)["transcript"]["log_stream"].is_object());
    }
    let calls = scene.account.operations();
    let count = |name: &str| calls.iter().filter(|one| one.ends_with(name)).count();
    // 210 sessions: two pages of those that have ended and one of those that have not, five of log streams, one of objects.
    let counts = ["DescribeSessions", "DescribeLogStreams", "ListObjectsV2"].map(count);
    assert_eq!(counts, [3, 5, 1], "{calls:?}");
}

#[test]
fn a_log_archive_of_many_others_is_asked_for_each_session() {
    let scene = Scene::new();
    let id = scene.start(GOOD);
    for number in 0..230 {
        // These sort before those of the local AWS, whose users are called `sandbox`.
        let name = format!("ann-{number:04}");
        scene.account.call(
            "Logs_20140328.CreateLogStream",
            &json!({"logGroupName": "/sessions", "logStreamName": name}),
        );
    }
    scene.account.forget_calls();
    let shown = scene.run(&NOW, "");
    shown.assert_status(0);
    assert_eq!(
        of(&shown.records(), &id)["transcript"]["log_stream"]["name"],
        id.as_str()
    );
    let calls = scene.account.operations();
    let n_calls = calls
        .iter()
        .filter(|one| one.ends_with("DescribeLogStreams"))
        .count();
    assert_eq!(n_calls, 3, "two pages, and then by name");
}
