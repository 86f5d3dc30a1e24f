//! A bucket with digests, and what ours and the AWS CLI say of it.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testbed::{Account, Output, Run};

use crate::{EXE, account};

pub(crate) const SINCE: &str = "2025-11-03T10:00:00Z";
pub(crate) const UNTIL: &str = "2025-11-03T15:00:00Z";

/// The bucket of a trail with five hours: two log files and a digest each.
pub(crate) struct Scene {
    pub(crate) account: Account,
    pub(crate) bucket: String,
    /// Keys, two for each hour.
    pub(crate) logs: Vec<String>,
    /// Keys, one for each hour.
    pub(crate) digests: Vec<String>,
}

pub(crate) fn time(hour: usize, minute: usize) -> String {
    format!("2025-11-03T{hour:02}:{minute:02}:00Z")
}

fn key(delivered: &Value) -> String {
    delivered["key"].as_str().unwrap().to_owned()
}

impl Scene {
    pub(crate) fn new() -> Scene {
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

    pub(crate) fn empty() -> Scene {
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
    pub(crate) fn log(&self, hour: usize, minute: usize, more: &Value) -> String {
        let time = time(hour, minute);
        let record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": time,
            "eventID": format!("e-{hour}-{minute}"), "awsRegion": "us-east-1", "requestParameters": {"target": "i-0123456789abcdef0"}});
        self.deliver(
            "log-files",
            json!({"time": time, "records": [record]}),
            more,
        )
    }

    pub(crate) fn digest(&self, from: usize, to: usize, more: &Value) -> String {
        self.deliver(
            "digests",
            json!({"from": time(from, 0), "to": time(to, 0)}),
            more,
        )
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Run {
        self.verify_since(SINCE, more)
    }

    pub(crate) fn verify_since(&self, since: &str, more: &[&str]) -> Run {
        let place = format!("s3://{}", self.bucket);
        let verify = ["history", "--verify", "--s3", &place];
        let times = ["--since", since, "--until", UNTIL];
        self.account.tool(EXE).args(verify).args(times).args(more)
    }

    pub(crate) fn validate_logs(&self) -> Output {
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
    pub(crate) fn get(&self, key: &str) -> (String, Value) {
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
    pub(crate) fn put(&self, key: &str, text: &str, metadata: &Value) {
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

    pub(crate) fn delete(&self, key: &str) {
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

    pub(crate) fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

/// The IDs of the records that were printed.
pub(crate) fn ids(output: &Output) -> Vec<String> {
    let ids = output.records();
    let ids = ids.iter().filter_map(|record| record["eventID"].as_str());
    ids.map(str::to_owned).collect()
}

/// The periods that were printed.
pub(crate) fn periods(output: &Output) -> Vec<Value> {
    let mut records = output.records();
    records.retain(|record| record["kind"] == "log_integrity");
    records
}

/// What ours says of each file.
pub(crate) fn statuses(output: &Output) -> BTreeMap<String, String> {
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
pub(crate) fn agree(scene: &Scene, bad: &[(String, &str)], unproved: &[&String]) -> Output {
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

pub(crate) fn periods_say(output: &Output, words: &str) -> bool {
    let periods = periods(output);
    periods.iter().any(|period| {
        period["message"]
            .as_str()
            .is_some_and(|message| message.contains(words))
    })
}
