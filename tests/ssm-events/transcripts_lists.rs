//! How lists of sessions and objects are read: in which order, and how far.

use serde_json::{Value, json};

use super::{GOOD, NOW, Scene, of};

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
