//! `history --verify`: what CloudTrail's digests prove of a bucket and of a copy, beside what the AWS CLI says of the same bucket.

#[path = "verifying_copies.rs"]
mod copies;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testbed::{Account, Output, Run};

use crate::{EXE, account};

const SINCE: &str = "2025-11-03T10:00:00Z";
const UNTIL: &str = "2025-11-03T15:00:00Z";

/// The bucket of a trail with five hours: two log files and a digest each.
struct Scene {
    account: Account,
    bucket: String,
    /// Keys, two for each hour.
    logs: Vec<String>,
    /// Keys, one for each hour.
    digests: Vec<String>,
}

fn time(hour: usize, minute: usize) -> String {
    format!("2025-11-03T{hour:02}:{minute:02}:00Z")
}

fn key(delivered: &Value) -> String {
    delivered["key"].as_str().unwrap().to_owned()
}

impl Scene {
    fn new() -> Scene {
        let mut scene = Scene::empty();
        for hour in 10..15 {
            for minute in [5, 35] {
                let log = scene.log(hour, minute, &json!({}));
                scene.logs.push(log);
            }
            let digest = scene.digest(hour, hour + 1, &json!({}));
            scene.digests.push(digest);
        }
        scene
    }

    fn empty() -> Scene {
        let account = account();
        account.start_trail();
        let update = ["cloudtrail", "update-trail", "--name", "all"];
        account.aws(&[&update[..], &["--enable-log-file-validation"]].concat());
        Scene {
            bucket: format!("trail-{}", account.id()),
            account,
            logs: Vec::new(),
            digests: Vec::new(),
        }
    }

    fn deliver(&self, what: &str, mut body: Value, more: &Value) -> String {
        let members = body.as_object_mut().unwrap();
        members.insert("trail".to_owned(), "all".into());
        members.insert("region".to_owned(), "us-east-1".into());
        members.extend(more.as_object().unwrap().clone());
        key(&self.account.deliver(what, &body))
    }

    /// Has CloudTrail deliver a log file with one record.
    fn log(&self, hour: usize, minute: usize, more: &Value) -> String {
        let time = time(hour, minute);
        let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": time,
            "eventID": format!("e-{hour}-{minute}"), "awsRegion": "us-east-1", "requestParameters": {"target": "i-0123456789abcdef0"}});
        self.deliver(
            "log-files",
            json!({"time": time, "records": [record]}),
            more,
        )
    }

    fn digest(&self, from: usize, to: usize, more: &Value) -> String {
        self.deliver(
            "digests",
            json!({"from": time(from, 0), "to": time(to, 0)}),
            more,
        )
    }

    fn verify(&self, more: &[&str]) -> Run {
        let place = format!("s3://{}", self.bucket);
        let verify = ["history", "--verify", "--s3", &place];
        let times = ["--since", SINCE, "--until", UNTIL];
        self.account.tool(EXE).args(verify).args(times).args(more)
    }

    fn validate_logs(&self) -> Output {
        let id = self.account.id();
        let arn = format!("arn:aws:cloudtrail:us-east-1:{id}:trail/all");
        let validate = [
            "cloudtrail",
            "validate-logs",
            "--verbose",
            "--trail-arn",
            &arn,
        ];
        let times = ["--start-time", SINCE, "--end-time", UNTIL];
        let run = self.account.aws_cli(None).args(validate).args(times);
        run.run()
    }

    /// Returns the unpacked text of an object, and its metadata.
    fn get(&self, key: &str) -> (String, Value) {
        let file = self.account.home().join("object");
        let get = [
            "s3api",
            "get-object",
            "--bucket",
            &self.bucket,
            "--key",
            key,
        ];
        let got = self
            .account
            .aws(&[&get[..], &[file.to_str().unwrap()]].concat());
        let (packed, mut text) = (std::fs::read(file).unwrap(), String::new());
        GzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        (text, got["Metadata"].clone())
    }

    /// Puts an object in place of one, or beside it.
    fn put(&self, key: &str, text: &str, metadata: &Value) {
        let file = self.account.home().join("object");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        std::fs::write(&file, packed.finish().unwrap()).unwrap();
        let put = [
            "s3api",
            "put-object",
            "--bucket",
            &self.bucket,
            "--key",
            key,
        ];
        let more = [
            "--body",
            file.to_str().unwrap(),
            "--metadata",
            &metadata.to_string(),
        ];
        self.account.aws(&[&put[..], &more].concat());
    }

    fn delete(&self, key: &str) {
        let delete = [
            "s3api",
            "delete-object",
            "--bucket",
            &self.bucket,
            "--key",
            key,
        ];
        self.account.aws(&delete);
    }

    fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

/// The IDs of the records that were printed.
fn ids(output: &Output) -> Vec<String> {
    let ids = output.records();
    let ids = ids.iter().filter_map(|record| record["eventID"].as_str());
    ids.map(str::to_owned).collect()
}

/// The periods that were printed.
fn periods(output: &Output) -> Vec<Value> {
    let mut records = output.records();
    records.retain(|record| record["kind"] == "log_integrity");
    records
}

/// What ours says of each file.
fn statuses(output: &Output) -> BTreeMap<String, String> {
    let periods = periods(output);
    let files = periods.iter().flat_map(|period| {
        let logs = period["log_files"].as_array().unwrap();
        logs.iter()
            .chain(Some(&period["digest"]).filter(|digest| !digest.is_null()))
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    files
        .map(|file| (text(&file["file"]), text(&file["status"])))
        .collect()
}

/// What the AWS CLI says of each file, in our words.
fn statuses_by_cli(output: &Output) -> BTreeMap<String, String> {
    let text = format!("{}\n{}", output.stdout, output.stderr);
    let of_line = |line: &str| {
        let mut parts = line.split('\t').skip(1);
        let (file, word) = (parts.next()?, parts.next()?);
        let word = match word {
            "valid" => "proved",
            "INVALID: not found" => "missing",
            _ => "altered",
        };
        Some((file.to_owned(), word.to_owned()))
    };
    text.lines().filter_map(of_line).collect()
}

/// Holds what we say of a bucket against what the AWS CLI says, which does not look at what no digest names.
fn agree(scene: &Scene, bad: &[(String, &str)], unproved: &[&String]) -> Output {
    let ours = scene.verify(&[]).run();
    let theirs = scene.validate_logs();
    let is_intact = bad.is_empty();
    ours.assert_status(if is_intact { 0 } else { 2 });
    theirs.assert_status(if is_intact { 0 } else { 1 });
    let mut said = statuses(&ours);
    for key in unproved {
        assert_eq!(said.remove(&scene.place(key)).as_deref(), Some("unproved"));
    }
    assert_eq!(
        said,
        statuses_by_cli(&theirs),
        "{}{}",
        theirs.stdout,
        theirs.stderr
    );
    said.retain(|_, status| status != "proved");
    let bad: BTreeMap<String, String> = bad
        .iter()
        .map(|(key, status)| (scene.place(key), (*status).to_owned()))
        .collect();
    assert_eq!(said, bad);
    ours
}

#[test]
fn an_intact_bucket_is_proved_and_its_records_are_printed() {
    let scene = Scene::new();
    let ours = agree(&scene, &[], &[]);
    assert_eq!(ids(&ours).len(), 10);
    let periods = periods(&ours);
    assert_eq!(periods.len(), 5);
    let first = &periods[0];
    assert_eq!(
        first["target"],
        json!({"account": scene.account.id(), "region": "us-east-1"})
    );
    assert_eq!(
        (&first["trail"], &first["from"], &first["to"]),
        (&json!("all"), &json!(SINCE), &json!(time(11, 0)))
    );
    ours.assert_complains(
        "5 periods: 5 proved, 0 unproved, 0 missing, 0 altered; 10 log files: 10 proved, 0 unproved, 0 missing, 0 altered",
    );
    assert!(
        scene.account.problems().is_empty(),
        "{:?}",
        scene.account.problems()
    );
}

#[test]
fn an_altered_log_file_is_found_and_its_records_are_not_passed_on() {
    let scene = Scene::new();
    let (text, metadata) = scene.get(&scene.logs[2]);
    let altered = text.replace("i-0123456789abcdef0", "i-0fffffffffffffff0");
    assert_ne!(text, altered);
    scene.put(&scene.logs[2], &altered, &metadata);
    let ours = agree(&scene, &[(scene.logs[2].clone(), "altered")], &[]);
    let ids = ids(&ours);
    assert!(
        ids.len() == 9 && !ids.contains(&"e-11-5".to_owned()),
        "{ids:?}"
    );
    let report = testbed::offline(EXE)
        .args(["report"])
        .stdin(ours.stdout)
        .run();
    report
        .assert_status(2)
        .assert_complains("log files altered: not all of its log files");
}

#[test]
fn a_deleted_log_file_is_missed() {
    let scene = Scene::new();
    scene.delete(&scene.logs[9]);
    agree(&scene, &[(scene.logs[9].clone(), "missing")], &[]);
}

#[test]
fn a_deleted_digest_is_missed_and_what_it_named_is_not_proved() {
    let scene = Scene::new();
    scene.delete(&scene.digests[2]);
    let unproved = [&scene.logs[4], &scene.logs[5]];
    let ours = agree(&scene, &[(scene.digests[2].clone(), "missing")], &unproved);
    assert_eq!(ids(&ours).len(), 8);
    let periods = periods(&ours);
    let missing = periods
        .iter()
        .find(|period| period["status"] == "missing")
        .unwrap();
    assert_eq!(
        (&missing["from"], &missing["to"]),
        (&json!(time(12, 0)), &json!(time(13, 0)))
    );
}

#[test]
fn an_altered_digest_or_signature_is_found_and_what_it_names_is_not_proved() {
    let scene = Scene::new();
    let (text, metadata) = scene.get(&scene.digests[1]);
    // The hash of a forged log file.
    let at = text.find("\"hashValue\": \"").unwrap() + 15;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    let altered = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
    scene.put(&scene.digests[1], &altered, &metadata);
    let (text, mut metadata) = scene.get(&scene.digests[3]);
    let signature = metadata["signature"].as_str().unwrap();
    let digit = if signature.starts_with('0') { "1" } else { "0" };
    metadata["signature"] = format!("{digit}{}", &signature[1..]).into();
    scene.put(&scene.digests[3], &text, &metadata);
    let bad = [1, 3].map(|at| (scene.digests[at].clone(), "altered"));
    let unproved = [2, 3, 6, 7].map(|at| &scene.logs[at]);
    let ours = agree(&scene, &bad, &unproved);
    assert_eq!(ids(&ours).len(), 6);
}

#[test]
fn digests_removed_at_the_end_leave_hours_that_are_not_proved() {
    let scene = Scene::new();
    scene.digests[3..].iter().for_each(|key| scene.delete(key));
    let ours = scene.verify(&[]).run();
    ours.assert_status(2);
    assert_eq!(ids(&ours).len(), 6);
    let periods = periods(&ours);
    let hole = periods
        .iter()
        .find(|period| period["digest"].is_null() && period["trail"] == "all")
        .unwrap();
    assert_eq!(
        (&hole["status"], &hole["from"], &hole["to"]),
        (&json!("unproved"), &json!(time(13, 0)), &json!(UNTIL))
    );
    assert!(statuses(&ours).values().any(|status| status == "unproved"));
    // Nor do all of them: then nothing is proved, and no record is printed.
    scene.digests[..3].iter().for_each(|key| scene.delete(key));
    let none = scene.verify(&[]).run();
    none.assert_status(2);
    assert_eq!(ids(&none), [""; 0]);
    assert!(periods_say(&none, "there is no digest"));
}

fn periods_say(output: &Output, words: &str) -> bool {
    let periods = periods(output);
    periods.iter().any(|period| {
        period["message"]
            .as_str()
            .is_some_and(|message| message.contains(words))
    })
}

#[test]
fn hours_without_validation_and_forged_files_are_not_proved_though_the_cli_passes_them() {
    let scene = Scene::empty();
    scene.log(10, 5, &json!({}));
    scene.digest(10, 11, &json!({}));
    scene.log(14, 5, &json!({}));
    scene.digest(14, 15, &json!({"restart": true}));
    let forged = format!(
        "AWSLogs/{0}/CloudTrail/us-east-1/2025/11/03/{0}_CloudTrail_us-east-1_20251103T1010Z_0123456789abcdef.json.gz",
        scene.account.id()
    );
    let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": time(10, 8), "eventID": "forged"});
    scene.put(
        &forged,
        &json!({"Records": [record]}).to_string(),
        &json!({}),
    );
    scene.validate_logs().assert_status(0).assert_complains("No log files were delivered by CloudTrail between 2025-11-03T11:00:00Z and 2025-11-03T14:00:00Z");
    let ours = scene.verify(&[]).run();
    ours.assert_status(2);
    assert_eq!(ids(&ours), ["e-10-5", "e-14-5"]);
    assert_eq!(statuses(&ours)[&scene.place(&forged)], "unproved");
    let periods = periods(&ours);
    let hole = periods
        .iter()
        .find(|period| period["digest"].is_null() && period["trail"] == "all")
        .unwrap();
    assert_eq!(
        (&hole["from"], &hole["to"]),
        (&json!(time(11, 0)), &json!(time(14, 0)))
    );
}

#[test]
fn late_files_are_proved_by_backfill_digests() {
    let scene = Scene::new();
    let late = scene.log(11, 50, &json!({}));
    let unproved = scene.verify(&[]).run();
    unproved.assert_status(2);
    assert_eq!(statuses(&unproved)[&scene.place(&late)], "unproved");
    scene.digest(11, 12, &json!({"backfill": true}));
    let ours = agree(&scene, &[], &[]);
    assert_eq!(statuses(&ours)[&scene.place(&late)], "proved");
    // And that one may be forged as well.
    let (text, _) = scene.get(&late);
    scene.put(&late, &text.replace("e-11-50", "e-11-51"), &json!({}));
    agree(&scene, &[(late, "altered")], &[]);
}

#[test]
fn member_accounts_and_regions_have_chains_of_their_own() {
    let scene = Scene::empty();
    let places = [
        json!({}),
        json!({"region": "eu-west-1"}),
        json!({"organization": "o-abcdefghij", "member": "444455556666"}),
    ];
    let logs = places.each_ref().map(|place| {
        let log = scene.log(10, 5, place);
        scene.digest(10, 15, place);
        log
    });
    let ours = scene.verify(&[]).run();
    ours.assert_status(0);
    let said = statuses(&ours);
    assert!(
        said.len() == 6 && logs.iter().all(|log| said[&scene.place(log)] == "proved"),
        "{said:?}"
    );
    // The keys of one Region prove nothing in another, and what is not asked for is not looked at.
    let one = scene.verify(&["--region", "eu-west-1"]).run();
    one.assert_status(0);
    assert_eq!(statuses(&one).len(), 2);
}

#[test]
fn what_cannot_be_read_is_not_proved() {
    let scene = Scene::new();
    let denied = |service: &str, operation: &str| {
        let fault =
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1});
        scene.account.fault(fault);
        let ours = scene.verify(&[]).run();
        scene.account.clear_faults();
        ours.assert_status(2);
        assert_eq!(ids(&ours), [""; 0]);
        assert!(statuses(&ours).values().all(|status| status == "unproved"));
        assert!(periods_say(&ours, operation), "{}", ours.stdout);
    };
    denied("cloudtrail", "ListPublicKeys");
    denied("s3", "GetObject");
}

#[test]
fn verify_wants_log_files_with_names() {
    let account = account();
    let refused = |more: &[&str], words: &str| {
        let run = account
            .tool(EXE)
            .args(["history", "--verify"])
            .args(more)
            .run();
        run.assert_status(2).assert_complains(words);
    };
    refused(&["--since", "1d"], "<--s3 <s3://BUCKET/PREFIX>|PATHS>");
    refused(&["-"], "stdin has no name");
    refused(
        &["--s3", "s3://b", "--engine", "athena"],
        "cannot be used with",
    );
}
