//! `sessions` and `check --transcripts`: sessions of the local AWS, and where their transcripts are.

#[path = "transcripts_archive.rs"]
mod archive;
#[path = "transcripts_documents.rs"]
mod documents;
#[path = "transcripts_lists.rs"]
mod lists;
#[path = "transcripts_permitted.rs"]
mod permitted;

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

use crate::{DESIRED, EXE, WEBHOOK};

pub(crate) const GOOD: &str = "i-0000000000000000a";
pub(crate) const BROKEN: &str = "i-0000000000000000b";
const PORT: &str = "AWS-StartPortForwardingSession";
/// The agents of the local AWS upload at once.
pub(crate) const NOW: [&str; 3] = ["sessions", "--grace", "0"];

/// An account with two nodes whose sessions are logged to a bucket and a log group; the role of one may write to neither.
pub(crate) struct Scene {
    pub(crate) account: Account,
    pub(crate) bucket: String,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        let account = Sandbox::start().account();
        let bucket = format!("transcripts-{}", account.id());
        account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
        Scene::logging_to(account, bucket)
    }

    /// The bucket is there already.
    pub(crate) fn logging_to(account: Account, bucket: String) -> Scene {
        let scene = Scene::of(account, bucket);
        let content = scene.preferences().to_string();
        scene.account.call(
            "AmazonSSM.CreateDocument",
            &json!({"Name": "SSM-SessionManagerRunShell", "DocumentType": "Session", "DocumentFormat": "JSON", "Content": content}),
        );
        scene
    }

    /// Nobody has ever made preferences.
    fn without_preferences() -> Scene {
        Scene::of(Sandbox::start().account(), String::new())
    }

    fn of(account: Account, bucket: String) -> Scene {
        let id = account.id();
        let role = |name: &str| {
            json!({"account": id, "name": name, "trust": "ec2.amazonaws.com", "instance_profile": true,
                "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]})
        };
        let node = |node: &str, profile: &str| json!({"account": id, "region": "us-east-1", "instance_id": node, "profile": profile, "agent": {"version": "3.3.2299.0"}});
        account.seed(&json!({"roles": [role("web"), role("mute")], "nodes": [node(GOOD, "web"), node(BROKEN, "mute")]}));
        account.call(
            "Logs_20140328.CreateLogGroup",
            &json!({"logGroupName": "/sessions"}),
        );
        let scene = Scene { account, bucket };
        scene.may_upload("web");
        scene
    }

    fn may_upload(&self, role: &str) {
        let actions = [
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:GetEncryptionConfiguration",
            "logs:DescribeLogGroups",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ];
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let name = ["iam", "put-role-policy", "--role-name", role];
        let document = ["--policy-name", "log", "--policy-document", &policy];
        self.account.aws(&[&name[..], &document].concat());
    }

    pub(crate) fn preferences(&self) -> Value {
        json!({"schemaVersion": "1.0", "description": "preferences", "sessionType": "Standard_Stream", "inputs": {
            "s3BucketName": self.bucket, "s3KeyPrefix": "sessions/here", "s3EncryptionEnabled": false,
            "cloudWatchLogGroupName": "/sessions", "cloudWatchEncryptionEnabled": false, "cloudWatchStreamingEnabled": false,
            "kmsKeyId": ""}})
    }

    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let run = self.account.tool(EXE).args(arguments);
        run.env("WEBHOOK", WEBHOOK).stdin(input).run()
    }

    /// Saves what the AWS CLI answers.
    pub(crate) fn save(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.account.home().join(name);
        std::fs::write(&path, self.account.aws(arguments).to_string()).unwrap();
        path
    }

    pub(crate) fn start(&self, node: &str) -> String {
        id(&self.account.session(node))
    }

    /// A record of CloudTrail about a session of this account.
    pub(crate) fn record(&self, name: &str, session: &str, by: &str) -> String {
        let sessions = self.account.sessions();
        let started = sessions.iter().find(|one| one["session_id"] == session);
        let started = started.unwrap()["started"].as_str().unwrap();
        record(
            self.account.id(),
            name,
            session,
            by,
            &format!("{}Z", &started[..19]),
        )
    }
}

fn id(session: &Value) -> String {
    session["session_id"].as_str().unwrap().to_owned()
}

/// A record of CloudTrail about a session.
pub(crate) fn record(account: &str, name: &str, session: &str, by: &str, time: &str) -> String {
    let role = format!("arn:aws:iam::{account}:role/ops/Admin");
    json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time, "awsRegion": "us-east-1",
        "recipientAccountId": account, "eventID": format!("{name}-{session}"),
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/Admin/{by}"),
            "sessionContext": {"sessionIssuer": {"arn": role}}},
        "requestParameters": {"target": GOOD, "sessionId": session}, "responseElements": {"sessionId": session}})
    .to_string()
}

pub(crate) fn of<'r>(records: &'r [Value], session: &str) -> &'r Value {
    let found = records.iter().find(|one| one["session_id"] == session);
    found.unwrap_or_else(|| panic!("{session} is not in {records:?}"))
}

pub(crate) fn none(records: &[Value], session: &str) -> String {
    let none = &of(records, session)["transcript"]["none"];
    none.as_str().unwrap_or("there is one").to_owned()
}

/// Returns the findings about transcripts.
fn of_transcripts(output: &Output) -> Vec<Value> {
    let mut found = output.records();
    found.retain(|one| {
        one["id"]
            .as_str()
            .unwrap()
            .starts_with("events.transcript.")
    });
    found
}

#[test]
fn each_session_is_found_with_its_transcript_and_one_whose_upload_failed() {
    let scene = Scene::new();
    let account = scene.account.id();
    let (good, broken) = (scene.start(GOOD), scene.start(BROKEN));
    let operator = json!({"Effect": "Allow", "Action": "ssm:*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [operator]});
    scene.account.seed(&json!({"roles": [{"account": account, "name": "operator", "trust": {"AWS": account}, "inline": {"start": policy}}]}));
    let port = scene.account.session_as("operator", GOOD, PORT);
    assert_eq!(port["status"], "Terminated", "{port}");
    let port = id(&port);
    let input = [
        scene.record("StartSession", &good, "ann@example.com"),
        scene.record("TerminateSession", &good, "bob@example.com"),
    ];
    let shown = scene.run(&NOW, &input.concat());
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    assert_eq!(records.len(), 3);
    let one = of(&records, &good);
    let key = format!("sessions/here/{good}.log");
    assert_eq!(
        one["transcript"]["s3"],
        json!({"bucket": scene.bucket, "key": key})
    );
    assert_eq!(
        one["transcript"]["log_stream"],
        json!({"log_group": "/sessions", "name": good})
    );
    assert!(one["transcript"]["bytes"].as_u64().unwrap() > 50);
    // The log group has no key.
    assert_eq!(one["transcript"]["encrypted"], false);
    assert_eq!(one["transcript"]["message"], Value::Null);
    assert_eq!(
        (&one["person"], &one["how_it_ended"]),
        (&json!("ann@example.com"), &json!("terminated"))
    );
    let by = one["ended_by"].as_str().unwrap();
    assert!(by.ends_with(":role/ops/Admin"), "{by}");
    assert!(one["ended"].is_string() && one["node"] == GOOD);
    assert_eq!(
        one["target"],
        json!({"account": account, "region": "us-east-1"})
    );
    let two = of(&records, &broken);
    assert_eq!(
        (&two["transcript"]["none"], &two["how_it_ended"]),
        (&json!("upload_failed"), &json!("closed"))
    );
    let places = json!([
        format!("s3://{}/sessions/here/", scene.bucket),
        "log group /sessions"
    ]);
    assert_eq!(two["transcript"]["missing_in"], places);
    assert_eq!(none(&records, &port), "port");
    let waiting = scene.run(&["sessions"], "");
    waiting.assert_status(0);
    assert_eq!(none(&waiting.records(), &broken), "too_recent");

    let check = ["check", "--transcripts", "--grace", "0"];
    let found = scene.run(&check, DESIRED);
    found.assert_status(1);
    let found = of_transcripts(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["id"], &found[0]["resource"]),
        (&json!("events.transcript.missing"), &json!(broken))
    );
    // Once the role may, the next session is fine, and one copy that is missing is not two.
    scene.may_upload("mute");
    let mended = scene.start(BROKEN);
    let key = format!("sessions/here/{mended}.log");
    let bucket = scene.bucket.as_str();
    scene
        .account
        .aws(&["s3api", "delete-object", "--bucket", bucket, "--key", &key]);
    let found = scene.run(&check, DESIRED).records();
    let incomplete = found.iter().find(|one| one["resource"] == mended.as_str());
    assert_eq!(incomplete.unwrap()["id"], "events.transcript.incomplete");
    assert!(
        scene.account.problems().is_empty(),
        "{:?}",
        scene.account.problems()
    );
}

#[test]
fn what_cannot_be_read_is_unread_and_status_2() {
    let scene = Scene::new();
    let (good, broken) = (scene.start(GOOD), scene.start(BROKEN));
    for (service, operation, of_good, of_broken) in [
        ("s3", "ListObjectsV2", "there is one", "unread"),
        ("logs", "DescribeLogStreams", "there is one", "unread"),
        ("ssm", "ListDocumentVersions", "unread", "unread"),
        ("ssm", "GetDocument", "unread", "unread"),
    ] {
        scene.account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let shown = scene.run(&NOW, "");
        shown.assert_status(2);
        let records = shown.records();
        let words = (none(&records, &good), none(&records, &broken));
        let expected = (of_good.to_owned(), of_broken.to_owned());
        assert_eq!(words, expected, "{operation}");
        let message = of(&records, &broken)["transcript"]["message"].to_string();
        assert!(message.contains(operation), "{operation}: {message}");
        let found = scene.run(&["check", "--transcripts", "--grace", "0"], DESIRED);
        found.assert_status(2);
        let is_said = |one: &Value| one["id"] == "events.transcript.unread";
        assert!(found.records().iter().any(is_said), "{operation}");
        scene.account.clear_faults();
    }
    scene.account.fault(
        json!({"service": "ssm", "operation": "DescribeSessions", "kind": "denied", "times": -1}),
    );
    let shown = scene.run(&NOW, "");
    shown.assert_status(2);
    assert_eq!(shown.json()["id"], "events.transcript.unread");
}

#[test]
fn one_copy_that_is_there_does_not_hide_what_was_not_read() {
    let scene = Scene::new();
    let good = scene.start(GOOD);
    scene.account.fault(
        json!({"service": "logs", "operation": "DescribeLogStreams", "kind": "denied", "times": -1}),
    );
    let shown = scene.run(&NOW, "");
    shown
        .assert_status(2)
        .assert_complains("is not known of 1 session");
    let shown = shown.json();
    assert!(shown["transcript"]["s3"].is_object(), "{shown}");
    let message = shown["transcript"]["message"].as_str().unwrap();
    assert!(message.starts_with("log group /sessions: "), "{message}");
    let found = scene.run(&["check", "--transcripts", "--grace", "0"], DESIRED);
    found.assert_status(2);
    let found = found.records();
    let unread = found
        .iter()
        .find(|one| one["id"] == "events.transcript.unread");
    assert_eq!(unread.unwrap()["resource"], good.as_str());
    scene.account.clear_faults();
    // That the log group is encrypted matters where it must be.
    scene.account.fault(
        json!({"service": "logs", "operation": "DescribeLogGroups", "kind": "denied", "times": -1}),
    );
    scene.run(&NOW, "").assert_status(0);
    let mut content = scene.preferences();
    content["inputs"]["cloudWatchEncryptionEnabled"] = json!(true);
    let document = json!({"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1", "Content": content.to_string()});
    let versions = json!({"DocumentVersions": [{"Name": "SSM-SessionManagerRunShell", "DocumentVersion": "1",
        "CreatedDate": "2026-01-01T00:00:00Z", "IsDefaultVersion": true}]});
    let path = scene.account.home().join("document");
    std::fs::write(&path, format!("{document}{versions}")).unwrap();
    let flags = ["--listing", &path.display().to_string()];
    let shown = scene.run(&[&NOW[..], &flags].concat(), "");
    shown.assert_status(2);
    let message = shown.json()["transcript"]["message"].to_string();
    let is_said = message.contains("is encrypted is not known: ");
    assert!(
        is_said && message.contains("DescribeLogGroups"),
        "{message}"
    );
    scene.account.clear_faults();
    scene.run(&[&NOW[..], &flags].concat(), "").assert_status(0);
}

/// Makes accounts one organization, which the first one can ask.
pub(crate) fn organize(scenes: &[Scene; 2]) -> [&'static str; 4] {
    let (home, id) = (scenes[0].account.home(), scenes[0].account.id());
    let named = scenes
        .iter()
        .map(|scene| json!({"id": scene.account.id(), "name": "one"}));
    let unit = json!({"id": format!("ou-{}-workloads", &id[8..]), "name": "workloads", "accounts": [scenes[1].account.id()]});
    scenes[0].account.seed(
        &json!({"accounts": named.collect::<Vec<_>>(), "organization": {"management_account": id,
        "id": format!("o-org{}", &id[8..]), "root_id": format!("r-{}", &id[8..]), "ous": [unit]}}),
    );
    let accounts: Vec<&str> = scenes.iter().map(|scene| scene.account.id()).collect();
    std::fs::write(home.join("accounts"), accounts.join("\n")).unwrap();
    let role = "arn:aws:iam::{account}:role/OrganizationAccountAccessRole";
    ["--accounts", "accounts", "--assume-role", role]
}

#[test]
fn accounts_and_regions_are_asked_each_for_its_own_sessions() {
    let scenes = [Scene::new(), Scene::new()];
    let sessions: Vec<String> = scenes.iter().map(|scene| scene.start(GOOD)).collect();
    let flags = organize(&scenes);
    let time = "2026-11-01T22:30:00Z";
    let input = record("999999999999", "StartSession", "eve-0", "eve", time);
    let regions = ["--region", "us-east-1,eu-west-1"];
    let shown = scenes[0].run(&[&NOW[..], &flags, &regions].concat(), &input);
    // One of another account was in the records: nobody was asked about it.
    shown.assert_status(2);
    let records = shown.records();
    for (scene, session) in scenes.iter().zip(&sessions) {
        let found = of(&records, session);
        assert_eq!(found["target"]["account"], scene.account.id());
        assert_eq!(found["transcript"]["s3"]["bucket"], scene.bucket.as_str());
    }
    assert_eq!(none(&records, "eve-0"), "unread");
}
