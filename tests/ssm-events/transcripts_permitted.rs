//! What only some transcripts need of IAM: those from before S3 encrypted all by itself, and those in buckets that no trail writes to.

use serde_json::json;

use super::{GOOD, NOW, Scene, of_transcripts, record};
use crate::{DESIRED, EXE, WEBHOOK};

/// Of what is uploaded since then S3 need not be asked.
#[test]
fn a_transcript_from_before_2023_is_asked_for_its_encryption() {
    let scene = Scene::new();
    let account = &scene.account;
    let (id, time) = ("ann-0123456789abcdef0", "2022-11-01T12:00:00Z");
    let key = format!("sessions/here/{id}.log");
    let object = account.home().join("object");
    std::fs::write(&object, "Script started\n").unwrap();
    let put = ["s3api", "put-object", "--bucket", &scene.bucket];
    let body = ["--key", &key, "--body", object.to_str().unwrap()];
    account.aws(&[&put[..], &body].concat());
    let mut content = scene.preferences();
    content["inputs"]["cloudWatchLogGroupName"] = json!("");
    content["inputs"]["s3EncryptionEnabled"] = json!(true);
    // The account's own preferences are made now, and would be younger than the session.
    let document = json!({"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1", "Content": content.to_string()});
    let versions = json!({"DocumentVersions": [{"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1",
        "CreatedDate": "2022-10-01T00:00:00Z", "IsDefaultVersion": true}]});
    let saved = format!("{document}{versions}");
    std::fs::write(account.home().join("document"), saved).unwrap();
    let input = record(account.id(), "StartSession", id, "ann", time);
    let sessions = || {
        let run = account.tool(EXE).args(NOW);
        run.args(["--listing", "document"]).stdin(input.as_str())
    };
    for encrypted in [true, false] {
        let uploaded =
            json!({"bucket": scene.bucket, "key": key, "time": time, "encrypted": encrypted});
        account.deliver("object-times", &uploaded);
        let shown = sessions().run();
        shown.assert_status(0).assert_stderr("");
        let transcript = shown.json()["transcript"].clone();
        assert_eq!(transcript["s3"]["key"], key);
        assert_eq!(transcript["encrypted"], encrypted);
    }
    let refused = sessions().without("s3:GetObject").run();
    refused.assert_status(2);
    assert!(!refused.refused.is_empty());
    let message = refused.json()["transcript"]["message"].to_string();
    // HEAD has no body that could name the action.
    assert!(message.contains("HeadObject s3://"), "{message}");
}

/// The trail is somebody else's, so that the policy about this desired state has no bucket of a trail.
#[test]
fn a_check_lists_the_buckets_of_transcripts() {
    let scene = Scene::new();
    scene.start(GOOD);
    let path = scene.account.home().join("events.json");
    std::fs::write(&path, DESIRED).unwrap();
    let check = || {
        let run = scene.account.tool(EXE).env("WEBHOOK", WEBHOOK);
        let run = run.args(["check", "--transcripts", "--grace", "0"]);
        run.stdin(DESIRED).narrowed_by(&path)
    };
    let whole = check().run();
    whole.assert_status(1);
    assert!(of_transcripts(&whole).is_empty(), "{}", whole.stdout);
    let refused = check().without("s3:ListBucket").run();
    refused.assert_status(2);
    assert!(!refused.refused.is_empty());
    let found = of_transcripts(&refused);
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("ListObjectsV2 s3://"), "{message}");
}
