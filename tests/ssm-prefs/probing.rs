//! `ssm-prefs probe`: a session by the stand-in of the plugin, what is said of its transcript, and what is left behind.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, repository};

use crate::{EXE, account};

/// Preferences, role, key, bucket and log group, all of which work.
pub(crate) const WHOLE: &str = "strict/whole/delegates/kms/encrypted";

/// A version of the plugin that takes the token from a variable.
pub(crate) const NEW: &str = "1.2.764.0";

/// An account with one node and an operator.
pub(crate) struct Scene {
    pub(crate) account: Account,
    pub(crate) node: String,
    pub(crate) operator: String,
}

impl Scene {
    /// Makes a place of the table of sessions; `more` are options of the command that does.
    pub(crate) fn new(place: &str, more: &[&str]) -> Scene {
        let account = account();
        let made = account
            .session_table()
            .args(["--place", place])
            .args(["--account", account.id()])
            .args(more)
            .run();
        let made = made.assert_status(0).json();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        let (node, operator) = (text("instance_id"), text("operator"));
        account.forget_calls();
        Scene {
            account,
            node,
            operator,
        }
    }

    /// Prepares a probe; `plugin` is where the plugin is.
    pub(crate) fn probe(&self, plugin: &str) -> Run {
        self.patient_probe(plugin, "60")
    }

    pub(crate) fn patient_probe(&self, plugin: &str, seconds: &str) -> Run {
        let run = self.account.tool(EXE);
        run.args(["probe", "--node", &self.node, "--patience", seconds])
            .env("PATH", format!("{plugin}:/usr/bin:/bin"))
    }

    /// Writes what `ssm-role show` prints, and returns the flag that has it judged.
    pub(crate) fn roles(&self) -> [String; 2] {
        let shown = self.account.tool(EXE.replace("ssm-prefs", "ssm-role"));
        let shown = shown.args(["show"]).run();
        shown.assert_status(0);
        std::fs::write(self.account.home().join("roles.jsonl"), &shown.stdout).unwrap();
        ["--roles".to_owned(), "roles.jsonl".to_owned()]
    }

    /// Makes a plugin of a shell script and returns where it is.
    pub(crate) fn plugin(&self, version: &str, script: &str) -> String {
        let directory = self.account.home().join("bin");
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("session-manager-plugin");
        let version = format!("[ \"$1\" = --version ] && echo {version} && exit");
        std::fs::write(&path, format!("#!/bin/sh\n{version}\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        directory.to_str().unwrap().to_owned()
    }

    /// Fails unless there was one session, which has ended.
    pub(crate) fn assert_nothing_is_left(&self) -> Value {
        let sessions = self.account.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert!(!sessions[0]["ended"].is_null(), "{sessions:?}");
        assert!(
            self.account
                .operations()
                .contains(&"ssm:TerminateSession".to_owned())
        );
        sessions[0].clone()
    }
}

/// Where the stand-in of the plugin is.
pub(crate) fn stand_in() -> String {
    let sandbox = repository().join("tests/sandbox");
    sandbox.to_str().unwrap().to_owned()
}

/// Returns the record of a probe and the IDs of its findings.
pub(crate) fn reported(output: &Output) -> (Value, Vec<String>) {
    let mut records = output.records();
    let record = records.remove(0);
    assert_eq!(record["kind"], "probe", "{}", output.stdout);
    let ids = records.iter().map(|one| one["id"].as_str().unwrap());
    (record.clone(), ids.map(str::to_owned).collect())
}

#[test]
fn the_transcript_of_every_kind_of_node_is_found_in_both_places() {
    for (place, more) in [
        (WHOLE, &[][..]),
        (WHOLE, &["--platform", "Windows"]),
        (WHOLE, &["--credentials", "dhmc"]),
        (WHOLE, &["--credentials", "hybrid"]),
        ("upload/whole/names-roles/aes256/encrypted", &[]),
        ("plain/whole/delegates/dsse/plain", &[]),
    ] {
        let scene = Scene::new(place, more);
        let output = scene.probe(&stand_in()).args(scene.roles()).run();
        output.assert_status(0).assert_stderr("");
        let (record, ids) = reported(&output);
        assert!(ids.is_empty(), "{place} {more:?}: {ids:?}");
        let session = scene.assert_nothing_is_left();
        let (nonce, id) = (record["nonce"].as_str().unwrap(), &session["session_id"]);
        assert!(session["transcript"].as_str().unwrap().contains(nonce));
        assert!(!session["purpose"].as_str().unwrap().contains(nonce));
        let bucket = format!("logs-{}", scene.account.id());
        assert_eq!(
            record,
            json!({
                "kind": "probe", "target": {"account": scene.account.id(), "region": "us-east-1"}, "instance_id": scene.node,
                "verdict": "proved", "session_id": id, "nonce": nonce, "session": "ran", "reason": null,
                "document": "SSM-SessionManagerRunShell", "document_version": "1", "role": session["role"],
                "s3": {"state": "found", "container": bucket, "name": session["s3"]["key"], "detail": null},
                "logs": {"state": "found", "container": "/sessions", "name": id, "detail": null}, "causes": [],
            })
        );
        let writes = scene.account.writes();
        let writes: Vec<&Value> = writes.iter().map(|call| &call["operation"]).collect();
        assert_eq!(writes, ["StartSession", "TerminateSession"]);
        assert!(scene.account.problems().is_empty());
    }
}

#[test]
fn a_place_that_the_preferences_do_not_name_is_not_asked_for_and_both_off_is_never_fine() {
    for (preferences, state, call) in [
        ("no-bucket", "s3", "s3:GetObject"),
        ("no-group", "logs", "logs:GetLogEvents"),
    ] {
        let scene = Scene::new(&WHOLE.replace("strict", preferences), &[]);
        let output = scene.probe(&stand_in()).run();
        output.assert_status(0).assert_stderr("");
        let (record, ids) = reported(&output);
        assert_eq!(ids, ["prefs.probe.destination_off"]);
        assert_eq!(
            (&record["verdict"], &record[state]["state"]),
            (&json!("proved"), &json!("off"))
        );
        assert!(!scene.account.operations().contains(&call.to_owned()));
    }
    let scene = Scene::new(&WHOLE.replace("strict", "nowhere"), &[]);
    let output = scene.probe(&stand_in()).run();
    output.assert_status(1).assert_stderr("");
    let (record, ids) = reported(&output);
    assert_eq!(ids, ["prefs.logging.off"]);
    assert_eq!(record["session"], "not_started");
    assert!(scene.account.sessions().is_empty());
}

#[test]
fn a_bucket_of_another_region_is_looked_into_where_it_is() {
    let scene = Scene::new("lenient/everything/delegates/kms/encrypted", &[]);
    let bucket = format!("elsewhere-{}", scene.account.id());
    let region = "eu-central-1";
    let aws = |arguments: &[&str]| scene.account.aws(arguments);
    let place = format!("LocationConstraint={region}");
    aws(&[
        "s3api",
        "create-bucket",
        "--region",
        region,
        "--bucket",
        &bucket,
        "--create-bucket-configuration",
        &place,
    ]);
    let document = aws(&["ssm", "get-document", "--name", crate::DOCUMENT]);
    let mut content: Value = serde_json::from_str(document["Content"].as_str().unwrap()).unwrap();
    content["inputs"]["s3BucketName"] = json!(bucket);
    let content = content.to_string();
    let name = ["--name", crate::DOCUMENT, "--document-version"];
    let update = ["$LATEST", "--content", &content];
    aws(&[&["ssm", "update-document"], &name[..], &update].concat());
    aws(&[
        &["ssm", "update-document-default-version"],
        &name[..],
        &["2"],
    ]
    .concat());
    let output = scene.probe(&stand_in()).run();
    output.assert_status(0).assert_stderr("");
    let (record, _) = reported(&output);
    assert_eq!(record["s3"]["container"], json!(bucket));
    assert_eq!(record["document_version"], "2");
}

#[test]
fn of_several_regions_it_is_the_one_that_has_the_node() {
    let scene = Scene::new(WHOLE, &[]);
    let output = scene
        .probe(&stand_in())
        .args(["--region", "eu-central-1,us-east-1"])
        .run();
    output.assert_status(0).assert_stderr("");
    let (record, ids) = reported(&output);
    assert_eq!(record["target"]["region"], "us-east-1");
    assert!(ids.is_empty(), "{ids:?}");
    scene.assert_nothing_is_left();
}

#[test]
fn without_the_plugin_or_the_node_no_session_is_started() {
    let scene = Scene::new(WHOLE, &[]);
    let absent = scene.probe("/nowhere").run();
    absent.assert_status(2).assert_stderr("ssm-prefs: session-manager-plugin is not in PATH, so no session was started: install it, https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html\n");
    assert_eq!(absent.stdout, "");
    assert!(scene.account.calls().is_empty());
    let other = scene.account.tool(EXE).args(["probe", "--node", "i-0"]);
    let other = other.env("PATH", format!("{}:/usr/bin:/bin", stand_in()));
    other.run().assert_status(2).assert_stderr(
        "ssm-prefs: i-0: Systems Manager knows no such node in these accounts and regions\n",
    );
    assert!(scene.account.sessions().is_empty());
}

#[test]
fn a_node_that_takes_no_session_is_said_to_be_for_another_tool() {
    let mut scene = Scene::new(WHOLE, &[]);
    scene.node = "i-0fedcba9876543210".to_owned();
    let node = json!({"account": scene.account.id(), "region": "us-east-1", "instance_id": scene.node, "profile": "whole",
        "agent": {"version": "3.3.987.0", "connected": false}});
    scene.account.seed(&json!({"nodes": [node]}));
    let output = scene.probe(&stand_in()).run();
    output.assert_status(2).assert_stderr(&format!(
        "ssm-prefs: StartSession {0}: TargetNotConnected: {0} is not connected.; `ssm-agentcheck check --instance-id {0}` says why\n",
        scene.node
    ));
}

#[test]
fn a_verdict_that_nobody_reads_is_not_fine() {
    let scene = Scene::new(WHOLE, &[]);
    let output = scene.probe(&stand_in()).stdout_closed().run();
    output
        .assert_status(2)
        .assert_complains("the session has ended; run again");
    scene.assert_nothing_is_left();
}

#[test]
fn what_may_not_be_read_is_neither_found_nor_lost() {
    for (service, operation, place, hint) in [
        ("s3", "GetObject", "s3", "who may not s3:ListBucket"),
        ("logs", "GetLogEvents", "logs", "AccessDeniedException"),
    ] {
        let scene = Scene::new(WHOLE, &[]);
        scene.account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let output = scene.probe(&stand_in()).args(scene.roles()).run();
        output.assert_status(2).assert_stderr("");
        let (record, ids) = reported(&output);
        assert_eq!(ids, ["prefs.probe.transcript_unknown"], "{operation}");
        assert_eq!(record["verdict"], "unknown");
        assert_eq!(record[place]["state"], "unread");
        let detail = record[place]["detail"].as_str().unwrap();
        assert!(detail.contains(hint), "{detail}");
        scene.assert_nothing_is_left();
    }
}

#[test]
fn a_look_that_fails_is_repeated() {
    for (service, operation) in [("s3", "GetObject"), ("logs", "GetLogEvents")] {
        let scene = Scene::new(WHOLE, &[]);
        // One more than a look tries.
        scene.account.fault(
            json!({"service": service, "operation": operation, "kind": "error", "times": 3}),
        );
        let output = scene.probe(&stand_in()).run();
        output.assert_status(0).assert_stderr("");
    }
}

#[test]
fn a_session_that_is_not_begun_is_an_error_and_one_whose_answer_is_lost_is_ended() {
    let scene = Scene::new(WHOLE, &[]);
    let denied = json!({"service": "ssm", "operation": "StartSession", "kind": "denied"});
    scene.account.fault(denied);
    let output = scene.probe(&stand_in()).run();
    output.assert_status(2).assert_complains("StartSession i-");
    assert_eq!(output.stdout, "");
    assert!(scene.account.sessions().is_empty());

    let lost = json!({"service": "ssm", "operation": "StartSession", "kind": "error", "status": 500, "when": "after", "times": 2});
    scene.account.fault(lost);
    let output = scene.probe(&stand_in()).run();
    output.assert_status(2).assert_complains("StartSession i-");
    let sessions = scene.account.sessions();
    assert_eq!(sessions.len(), 2, "the SDK has tried twice");
    assert!(sessions.iter().all(|session| !session["ended"].is_null()));

    let once = json!({"service": "ssm", "operation": "StartSession", "kind": "error", "status": 500, "when": "after"});
    scene.account.fault(once);
    scene.probe(&stand_in()).run().assert_status(0);
    let sessions = scene.account.sessions();
    assert_eq!(sessions.len(), 4, "the second try has worked");
    assert!(sessions.iter().all(|session| !session["ended"].is_null()));

    let kept =
        json!({"service": "ssm", "operation": "TerminateSession", "kind": "denied", "times": -1});
    scene.account.fault(kept);
    let output = scene.probe(&scene.plugin(NEW, "exit 1")).run();
    let (_, ids) = reported(output.assert_status(2));
    assert_eq!(ids, ["prefs.probe.not_opened", "prefs.probe.not_ended"]);
}

/// The question is asked on a terminal, which python3 makes; what is typed answers it.
#[test]
fn asks_on_a_terminal_and_not_when_said_so() {
    let script = r"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.write(terminal, sys.argv[1].encode() + b'\n')
try:
    while chunk := os.read(terminal, 4096):
        sys.stdout.write(chunk.decode(errors='replace'))
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";
    for (answer, more, status, n_sessions) in [
        ("n", &[][..], 2, 0),
        ("", &[], 2, 0),
        ("y", &[], 0, 1),
        ("n", &["--yes"], 0, 1),
    ] {
        let scene = Scene::new(WHOLE, &[]);
        let output = scene.account.tool("/usr/bin/python3").args(["-c", script]);
        let output = output
            .args([
                answer,
                EXE,
                "probe",
                "--node",
                &scene.node,
                "-o",
                "json",
                "--jq",
                ".kind",
            ])
            .args(more)
            .env("PATH", format!("{}:/usr/bin:/bin", stand_in()))
            .run();
        output.assert_status(status);
        let asked = output.stdout.contains("Open a session on i-");
        assert_eq!(asked, more.is_empty(), "{}", output.stdout);
        assert_eq!(
            scene.account.sessions().len(),
            n_sessions,
            "{}",
            output.stdout
        );
    }
}
