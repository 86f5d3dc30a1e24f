//! Two members of an organization: one trail, and one bucket for the transcripts of both.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

use super::{BROKEN, GOOD, NOW, Scene, none, of, of_transcripts};
use crate::{DESIRED, EXE, WEBHOOK};

const ROLE: &str = "arn:aws:iam::{account}:role/OrganizationAccountAccessRole";

/// The account that manages the organization has both buckets.
struct Organization {
    manager: Account,
    members: [Scene; 2],
    archive: String,
}

impl Organization {
    fn new() -> Organization {
        let manager = Sandbox::start().account();
        let archive = format!("archive-{}", manager.id());
        manager.aws(&["s3api", "create-bucket", "--bucket", &archive]);
        let members =
            [(); 2].map(|()| Scene::logging_to(Sandbox::start().account(), archive.clone()));
        let organization = Organization {
            manager,
            members,
            archive,
        };
        organization.open_archive();
        organization.seed();
        organization
    }

    fn ids(&self) -> [&str; 2] {
        self.members.each_ref().map(|member| member.account.id())
    }

    fn open_archive(&self) {
        let members = self.ids().map(|id| format!("arn:aws:iam::{id}:root"));
        let actions = [
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:GetObject",
            "s3:GetEncryptionConfiguration",
            "s3:ListBucket",
        ];
        let bucket = format!("arn:aws:s3:::{}", self.archive);
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": members}, "Action": actions,
            "Resource": [bucket, format!("{bucket}/*")]}]});
        let put = ["s3api", "put-bucket-policy", "--bucket", &self.archive];
        self.manager
            .aws(&[&put[..], &["--policy", &policy.to_string()]].concat());
    }

    fn seed(&self) {
        let (id, members) = (self.manager.id(), self.ids());
        let all = [&[id], &members[..]].concat();
        let named: Vec<Value> = all
            .iter()
            .map(|id| json!({"id": id, "name": "one"}))
            .collect();
        let unit = json!({"id": format!("ou-{}-workloads", &id[8..]), "name": "workloads", "accounts": members});
        self.manager.seed(
            &json!({"accounts": named, "organization": {"management_account": id,
            "id": self.id(), "root_id": format!("r-{}", &id[8..]), "ous": [unit]}}),
        );
        std::fs::write(self.manager.home().join("accounts"), members.join("\n")).unwrap();
    }

    fn id(&self) -> String {
        format!("o-org{}", &self.manager.id()[8..])
    }

    /// Has the trail of the organization deliver a record of a member.
    fn deliver(&self, member: &Scene, record: &str) {
        let record: Value = serde_json::from_str(record).unwrap();
        self.manager.deliver(
            "log-files",
            &json!({"trail": "all", "region": "us-east-1", "time": record["eventTime"], "records": [record],
                "organization": self.id(), "member": member.account.id()}),
        );
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let run = self.manager.tool(EXE).args(arguments);
        run.env("WEBHOOK", WEBHOOK).stdin(input).run()
    }

    fn in_members(&self, arguments: &[&str], input: &str) -> Output {
        let members = ["--accounts", "accounts", "--assume-role", ROLE];
        self.run(&[arguments, &members].concat(), input)
    }
}

fn accounts(records: &[Value], member: &str) -> Vec<String> {
    let of = records
        .iter()
        .map(|one| one[member].as_str().unwrap().to_owned());
    of.collect()
}

#[test]
fn accounts_that_share_a_trail_and_an_archive_are_kept_apart() {
    let organization = Organization::new();
    let [one, two] = &organization.members;
    let [first, second] = organization.ids();
    organization.manager.start_trail();
    let sessions = [one.start(GOOD), one.start(BROKEN), two.start(GOOD)];
    // The same person on a node of the same name.
    for (member, session) in [one, one, two].iter().zip(&sessions) {
        organization.deliver(
            member,
            &member.record("StartSession", session, "ann@example.com"),
        );
    }

    let place = format!("s3://trail-{}", organization.manager.id());
    let history = ["history", "--s3", &place];
    let all = organization.run(&history, "");
    all.assert_status(0);
    let mut found = accounts(&all.records(), "recipientAccountId");
    found.sort();
    let mut expected = [first, first, second];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let of_second = organization.run(&[&history[..], &["--account", second]].concat(), "");
    of_second.assert_status(0);
    assert_eq!(
        accounts(&of_second.records(), "recipientAccountId"),
        [second]
    );

    let shown = organization.in_members(&NOW, &all.stdout);
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    assert_eq!(records.len(), 3, "{records:?}");
    for (session, account) in sessions.iter().zip([first, first, second]) {
        let session = of(&records, session);
        assert_eq!(session["target"]["account"], account);
        assert_eq!(session["person"], "ann@example.com");
    }
    let key = |session: &str| json!({"bucket": organization.archive, "key": format!("sessions/here/{session}.log")});
    for at in [0, 2] {
        let transcript = &of(&records, &sessions[at])["transcript"];
        assert_eq!(transcript["s3"], key(&sessions[at]));
        // That of its own account: both have a log group of this name.
        assert_eq!(transcript["log_stream"]["name"], sessions[at].as_str());
    }
    assert_eq!(none(&records, &sessions[1]), "upload_failed");
    // Records of one account say nothing of the other.
    let half = organization.in_members(&NOW, &of_second.stdout);
    half.assert_status(0);
    let half = half.records();
    assert_eq!(of(&half, &sessions[2])["person"], "ann@example.com");
    assert_eq!(of(&half, &sessions[0])["event_id"], "");

    let check = ["check", "--transcripts", "--grace", "0"];
    let found = |organization: &Organization| {
        let found = organization.in_members(&check, DESIRED);
        found.assert_status(1);
        let mut found: Vec<String> = of_transcripts(&found)
            .iter()
            .map(|one| {
                let word = |value: &Value| value.as_str().unwrap().to_owned();
                [&one["id"], &one["target"]["account"], &one["resource"]]
                    .map(word)
                    .join(" ")
            })
            .collect();
        found.sort();
        found
    };
    let missing = format!("events.transcript.missing {first} {}", sessions[1]);
    assert_eq!(found(&organization), std::slice::from_ref(&missing));
    let gone = format!("sessions/here/{}.log", sessions[2]);
    let delete = [
        "s3api",
        "delete-object",
        "--bucket",
        &organization.archive,
        "--key",
        &gone,
    ];
    organization.manager.aws(&delete);
    let incomplete = format!("events.transcript.incomplete {second} {}", sessions[2]);
    assert_eq!(found(&organization), [incomplete, missing]);
}

/// An archive in another account and in another Region than the sessions: only HeadBucket says where it is.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
#[test]
fn an_archive_of_another_account_in_another_region_is_read() {
    let (owner, member) = (Sandbox::start().account(), Sandbox::start().account());
    let archive = format!("archive-{}", owner.id());
    let at_home = |arguments: &[&str]| {
        let bucket = ["s3api", "--region", "eu-west-1", "--bucket", &archive];
        owner.aws(&[&bucket[..1], arguments, &bucket[1..]].concat())
    };
    let create = ["create-bucket", "--create-bucket-configuration"];
    at_home(&[&create[..], &["LocationConstraint=eu-west-1"]].concat());
    let principal = format!("arn:aws:iam::{}:root", member.id());
    let actions = [
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:GetObject",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
    ];
    let arn = format!("arn:aws:s3:::{archive}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal},
        "Action": actions, "Resource": [arn, format!("{arn}/*")]}]});
    at_home(&["put-bucket-policy", "--policy", &policy.to_string()]);
    let scene = Scene::logging_to(member, archive.clone());
    let (good, broken) = (scene.start(GOOD), scene.start(BROKEN));
    let shown = scene.run(&NOW, "");
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    let key = format!("sessions/here/{good}.log");
    assert_eq!(
        of(&records, &good)["transcript"]["s3"],
        json!({"bucket": archive, "key": key})
    );
    assert_eq!(none(&records, &broken), "upload_failed");
    let found = scene.run(&["check", "--transcripts", "--grace", "0"], DESIRED);
    found.assert_status(1);
    let found = of_transcripts(&found);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["resource"], broken.as_str());
}
