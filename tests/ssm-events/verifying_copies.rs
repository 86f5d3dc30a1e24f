//! A copy of a bucket, verified without a network.

use std::path::PathBuf;

use serde_json::json;
use testbed::{Output, offline};

use super::scene::{SINCE, Scene, UNTIL, ids, periods, periods_say, statuses};
use crate::EXE;

/// A copy, and the public keys.
fn copied(scene: &Scene) -> (PathBuf, PathBuf) {
    let (copy, keys) = (
        scene.account.home().join("copy"),
        scene.account.home().join("keys.json"),
    );
    let sync = ["s3", "sync", "--quiet", &format!("s3://{}", scene.bucket)];
    scene
        .account
        .aws(&[&sync[..], &[copy.to_str().unwrap()]].concat());
    let list = [
        "cloudtrail",
        "list-public-keys",
        "--start-time",
        SINCE,
        "--end-time",
        UNTIL,
    ];
    std::fs::write(&keys, scene.account.aws(&list).to_string()).unwrap();
    (copy, keys)
}

fn verify(copy: &std::path::Path, keys: &std::path::Path, more: &[&str]) -> Output {
    let run = offline(EXE).args([
        "history",
        "--verify",
        "--since",
        SINCE,
        "--until",
        UNTIL,
        "--public-keys",
    ]);
    run.args([keys, copy]).args(more).run()
}

#[test]
fn each_digest_is_proved_by_the_signature_in_the_next_one_and_the_last_by_a_file() {
    let scene = Scene::new();
    let (copy, keys) = copied(&scene);
    let ours = verify(&copy, &keys, &[]);
    ours.assert_status(2);
    assert_eq!(ids(&ours).len(), 8);
    let said: Vec<_> = periods(&ours)
        .iter()
        .map(|period| period["status"].clone())
        .collect();
    assert_eq!(
        said,
        [
            "proved", "proved", "proved", "proved", "unproved", "unproved"
        ]
    );
    assert!(periods_say(&ours, "its signature is not here"));
    let last = &scene.digests[4];
    let (_, metadata) = scene.get(last);
    let signatures = scene.account.home().join("signatures.json");
    std::fs::write(
        &signatures,
        json!({"key": last, "signature": metadata["signature"]}).to_string(),
    )
    .unwrap();
    let with = ["--signatures", signatures.to_str().unwrap()];
    let all = verify(&copy, &keys, &with);
    all.assert_status(0);
    assert_eq!(ids(&all).len(), 10);
    // Signed by nobody that is known: nothing is proved.
    std::fs::write(
        &keys,
        r#"{"PublicKeyList": [{"Fingerprint": "00", "Value": "MIIB"}]}"#,
    )
    .unwrap();
    let unknown = verify(&copy, &keys, &with);
    unknown.assert_status(2);
    assert_eq!(ids(&unknown), [""; 0]);
    assert!(periods_say(&unknown, "is not known"));
}

#[test]
fn files_of_a_copy_that_are_altered_gone_or_of_another_name_are_not_proved() {
    let scene = Scene::new();
    let (copy, keys) = copied(&scene);
    std::fs::remove_file(copy.join(&scene.logs[0])).unwrap();
    std::fs::write(copy.join(&scene.logs[2]), "{\"Records\": []}").unwrap();
    std::fs::rename(copy.join(&scene.logs[4]), copy.join("renamed.json.gz")).unwrap();
    // What is unpacked is as it was, and a second copy of a file is one more to look at.
    let (text, _) = scene.get(&scene.logs[6]);
    std::fs::write(copy.join(&scene.logs[6]), text).unwrap();
    std::fs::copy(
        copy.join(&scene.logs[3]),
        copy.join(scene.logs[3].rsplit('/').next().unwrap()),
    )
    .unwrap();
    let ours = verify(&copy, &keys, &[]);
    ours.assert_status(2);
    let said = statuses(&ours);
    let of = |at: usize| {
        said.get(copy.join(&scene.logs[at]).to_str().unwrap())
            .map(String::as_str)
    };
    assert_eq!(
        [of(2), of(3), of(6)],
        [Some("altered"), Some("proved"), Some("proved")]
    );
    assert_eq!(
        said[copy.join("renamed.json.gz").to_str().unwrap()],
        "unproved"
    );
    for missing in [0, 4] {
        assert_eq!(
            said[scene.logs[missing].rsplit('/').next().unwrap()],
            "missing"
        );
    }
    assert!(!ids(&ours).contains(&"e-12-5".to_owned()));
}

#[test]
fn a_digest_that_was_copied_twice_and_files_of_the_day_before_are_no_fault() {
    let mut scene = Scene::empty();
    let night = |minute: usize| json!({"time": format!("2025-11-02T23:{minute:02}:00Z")});
    scene.log(23, 35, &night(35));
    let midnight = json!({"from": "2025-11-02T23:01:00Z", "to": "2025-11-03T00:01:00Z"});
    scene.digests.push(scene.digest(0, 0, &midnight));
    scene
        .digests
        .push(scene.digest(0, 1, &json!({"from": "2025-11-03T00:01:00Z"})));
    scene.digests.push(scene.digest(1, 2, &json!({})));
    let (copy, keys) = copied(&scene);
    let name = scene.digests[1].rsplit('/').next().unwrap();
    std::fs::copy(copy.join(&scene.digests[1]), copy.join(name)).unwrap();
    let config = copy.join("AWSLogs/1/Config/us-east-1");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("x.json.gz"), "x").unwrap();
    let verify = offline(EXE).args(["history", "--verify", "--public-keys"]);
    let times = [
        "--since",
        "2025-11-03T00:00:00Z",
        "--until",
        "2025-11-03T01:00:00Z",
    ];
    let ours = verify.args([&keys, &copy]).args(times).run();
    // The last digest has its signature in the bucket only.
    let said: Vec<_> = periods(&ours)
        .iter()
        .map(|period| period["status"].clone())
        .collect();
    assert_eq!(said, ["proved", "proved", "unproved"], "{}", ours.stdout);
    ours.assert_complains("passed over 1 file beside those of CloudTrail");
    // Of a copy with older files only, nothing is proved.
    let verify = offline(EXE).args(["history", "--verify", "--public-keys"]);
    let times = ["--since", "2025-11-09", "--until", "2025-11-10"];
    let old = verify.args([&keys, &copy]).args(times).run();
    old.assert_status(2);
    assert!(periods_say(&old, "there is no digest"));
}

/// Names of trails are unique in their home Region and nowhere else: each has its own digests, side by side in one folder.
#[test]
fn trails_of_one_name_and_several_home_regions_are_proved() {
    let scene = Scene::empty();
    let (bucket, home) = (scene.bucket.as_str(), "eu-central-1");
    let of_trail = |operation: &str, more: &[&str]| {
        let call = ["cloudtrail", operation, "--region", home, "--name", "all"];
        scene.account.aws(&[&call[..], more].concat());
    };
    of_trail(
        "create-trail",
        &["--is-multi-region-trail", "--s3-bucket-name", bucket],
    );
    of_trail("update-trail", &["--enable-log-file-validation"]);
    of_trail("start-logging", &[]);
    for hour in 10..15 {
        for home in ["us-east-1", home] {
            scene.log(hour, 5, &json!({"home": home}));
            scene.digest(hour, hour + 1, &json!({"home": home}));
        }
    }
    let ours = scene.verify(&[]).run();
    ours.assert_status(0);
    let statuses = statuses(&ours);
    assert_eq!(statuses.len(), 20);
    assert!(
        statuses.values().all(|status| status == "proved"),
        "{}",
        ours.stdout
    );
    let (copy, keys) = copied(&scene);
    let of_copy = verify(&copy, &keys, &[]);
    let gaps = periods(&of_copy)
        .iter()
        .filter(|one| one["status"] == "missing")
        .count();
    assert_eq!(gaps, 0, "{}", of_copy.stdout);
    // A trail that should be there is, in whichever Region it is at home.
    scene.verify(&["--trail", "all"]).run().assert_status(0);
}
