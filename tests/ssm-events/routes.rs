//! `send --routes`: which rule decides, what is muted, and what a mistake in the file says.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Run, Slack, offline};

use crate::EXE;
use crate::sending::statuses;

/// Three webhooks, and a file of routes to them.
pub(super) struct Scene {
    pub(super) slacks: [Slack; 3],
    pub(super) home: Home,
}

const NAMES: [&str; 3] = ["ops", "security", "night"];

impl Scene {
    pub(super) fn new() -> Scene {
        Scene {
            slacks: [Slack::start(), Slack::start(), Slack::start()],
            home: Home::create(),
        }
    }

    pub(super) fn file(&self, text: &str) -> PathBuf {
        let path = self.home.path().join("routes.json");
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn routes(&self, more: &Value) -> PathBuf {
        self.file(&routes(more).to_string())
    }

    pub(super) fn tool(&self, routes: &PathBuf, more: &[&str]) -> Run {
        let mut run = offline(EXE)
            .args(["send"])
            .args(["--routes"])
            .args([routes])
            .args(more);
        for (name, slack) in NAMES.iter().zip(&self.slacks) {
            run = run.env(&name.to_uppercase(), slack.url());
        }
        run
    }

    pub(super) fn send(&self, routes: &PathBuf, input: &str) -> Output {
        let spool = self.home.path().join("spool");
        let flags = ["--interval", "0", "--retry-for", "0", "--spool"];
        let flags = [&flags[..], &[spool.to_str().unwrap()]].concat();
        self.tool(routes, &flags).stdin(input).run()
    }

    /// Returns how many messages each destination has.
    pub(super) fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|index: usize| self.slacks[index].messages().len())
    }
}

pub(super) fn routes(more: &Value) -> Value {
    let destination = |name: &str| json!({"slack_webhook": {"env": name.to_uppercase()}});
    let mut routes = json!({"default": ["ops"], "destinations":
        {"ops": destination("ops"), "security": destination("security"), "night": destination("night")}});
    routes
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    routes
}

pub(super) fn record(more: &Value) -> String {
    let mut record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": "e-1",
        "eventTime": "2026-11-24T10:00:00Z", "awsRegion": "eu-central-1", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Ops/anna",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Ops"}}},
        "requestParameters": {"target": "i-0a", "reason": "OPS-17"}});
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    format!("{record}\n")
}

/// Each rule alone, a record that it fits and one that it does not, and why.
#[test]
fn each_condition_of_a_rule_decides() {
    let scene = Scene::new();
    let night = json!({"from": "20:00", "to": "06:00", "time_zone": "Europe/Berlin"});
    let cases = [
        (
            json!({"pattern": {"eventName": ["StartSession"]}}),
            json!({}),
            json!({"eventName": "SendCommand"}),
            "pattern: $.eventName does not match",
        ),
        (
            json!({"accounts": ["111122223333"]}),
            json!({}),
            json!({"recipientAccountId": "444455556666"}),
            "accounts: 444455556666 is not one of them",
        ),
        (
            json!({"principals": ["arn:aws:iam::*:role/Op*"]}),
            json!({}),
            json!({"userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}}),
            "principals: arn:aws:iam::111122223333:root is not arn:aws:iam::*:role/Op*",
        ),
        (
            json!({"severities": ["error"]}),
            json!({"errorCode": "AccessDenied"}),
            json!({}),
            "severities: it is info",
        ),
        (
            json!({"severities": ["warning"]}),
            json!({"errorCode": "InvalidTarget"}),
            json!({}),
            "severities: it is info",
        ),
        (
            json!({"hours": night}),
            json!({"eventTime": "2026-11-24T19:00:00Z"}),
            json!({}),
            "hours: it was Tuesday 11:00 CET",
        ),
        (
            json!({"hours": night}),
            json!({"eventTime": "2026-11-24T19:00:00Z"}),
            json!({"eventTime": "yesterday"}),
            "hours: 'yesterday' is not a time that can be judged",
        ),
    ];
    for (condition, fits, other, why) in cases {
        let mut rule = json!({"name": "one", "to": ["security"]});
        rule.as_object_mut()
            .unwrap()
            .extend(condition.as_object().unwrap().clone());
        let file = scene.routes(&json!({"rules": [rule]}));
        let explained = scene
            .tool(&file, &["--explain"])
            .stdin([record(&fits), record(&other)].concat())
            .run();
        explained.assert_status(0).assert_stderr("");
        let [yes, no] = &explained.records()[..] else {
            panic!("{}", explained.stdout)
        };
        assert_eq!(
            (&yes["decided_by"], &yes["to"], &yes["rule"]),
            (&json!("rule"), &json!(["security"]), &json!("one")),
            "{condition}"
        );
        assert_eq!(
            (&no["decided_by"], &no["to"]),
            (&json!("default"), &json!(["ops"])),
            "{condition}"
        );
        assert_eq!(no["rules"][0]["because"], json!([why]), "{condition}");
        assert_eq!(
            yes["rules"][0],
            json!({"rule": "one", "matched": true, "because": []})
        );
    }
}

#[test]
fn the_first_rule_that_fits_decides_and_what_none_fits_goes_to_the_default() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"rules": [
        {"name": "denied", "severities": ["error"], "to": ["security", "ops"]},
        {"name": "sessions", "pattern": {"eventName": ["StartSession"]}, "to": ["night"]},
        {"name": "all", "to": ["security"], "accounts": ["444455556666"]}]}));
    let input = [
        record(&json!({"eventID": "e-1", "errorCode": "AccessDenied"})),
        record(&json!({"eventID": "e-2"})),
        record(&json!({"eventID": "e-3", "eventName": "SendCommand"})),
    ];
    let sent = scene.send(&file, &input.concat());
    sent.assert_status(0).assert_stderr("");
    assert_eq!(scene.counts(), [2, 1, 1]);
    let mut lines: Vec<String> = sent
        .records()
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["event_id"].as_str().unwrap(),
                one["destination"].as_str().unwrap()
            )
        })
        .collect();
    lines.sort();
    assert_eq!(lines, ["e-1 ops", "e-1 security", "e-2 night", "e-3 ops"]);
    let again = scene.send(&file, &input.concat());
    assert!(
        statuses(&again)
            .iter()
            .all(|one| one.ends_with("duplicate")),
        "{}",
        again.stdout
    );
    assert_eq!(scene.counts(), [2, 1, 1], "each destination once");
    // --explain sends nothing, and says of the rules behind the one that decides what they would have said.
    let explained = scene.tool(&file, &["--explain"]).stdin(&*input[0]).run();
    assert_eq!(explained.json()["rule"], "denied");
    assert_eq!(explained.json()["rules"][1]["matched"], true);
    assert_eq!(scene.counts(), [2, 1, 1]);
}

#[test]
fn a_muted_record_is_counted_said_and_not_missing() {
    let scene = Scene::new();
    let mute = |expires: &str| {
        let mute = json!({"reason": "the nightly patch run", "expires": expires});
        let rule =
            json!({"name": "patching", "principals": ["arn:aws:iam::*:role/Ops"], "mute": mute});
        scene.routes(&json!({"rules": [rule]}))
    };
    let input = [
        record(&json!({"eventID": "e-1"})),
        record(&json!({"eventID": "e-2"})),
    ]
    .concat();
    let muted = scene.send(&mute("2999-12-31"), &input);
    muted
        .assert_status(0)
        .assert_stderr("ssm-events: 2 records muted by rule 'patching': the nightly patch run\n");
    assert_eq!(statuses(&muted), ["e-1 muted", "e-2 muted"]);
    assert_eq!(
        muted.records()[0]["note"],
        "rule 'patching': the nightly patch run"
    );
    assert_eq!(scene.counts(), [0, 0, 0]);
    // What was muted on purpose did not get lost on its way.
    let log = scene.home.path().join("spool/deliveries.jsonl");
    let reconcile = [
        "reconcile",
        "--exit-code",
        "--delivered",
        log.to_str().unwrap(),
    ];
    let missing = offline(EXE).args(reconcile).stdin(&*input).run();
    missing.assert_status(0).assert_stderr("");
    assert_eq!(missing.stdout, "");
    // When the mute has ended, or the rule is gone, the same records are sent.
    let sent = scene.send(&mute("2026-01-01"), &input);
    sent.assert_status(0);
    assert_eq!(scene.counts(), [2, 0, 0]);
    let explained = scene
        .tool(&mute("2026-01-01"), &["--explain"])
        .stdin(record(&json!({})))
        .run();
    assert_eq!(
        explained.json()["rules"][0]["because"],
        json!(["mute: it ended on 2026-01-01"])
    );
}

#[test]
fn a_principal_for_emergencies_goes_to_its_own_channel_and_cannot_be_muted() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"break_glass": {"principals": ["arn:aws:iam::*:role/break-glass"], "to": ["security"]},
        "rules": [{"name": "quiet", "mute": {"reason": "all"}}]}));
    let used = record(&json!({"userIdentity": {"type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/break-glass/anna"}}));
    scene.send(&file, &used).assert_status(0).assert_stderr("");
    assert_eq!(scene.counts(), [0, 1, 0]);
    let message = scene.slacks[1].messages()[0].to_string();
    assert!(
        message.contains(":rotating_light:")
            && message.contains("a principal for emergencies was used"),
        "{message}"
    );
    let explained = scene.tool(&file, &["--explain"]).stdin(used).run();
    assert_eq!(explained.json()["decided_by"], "break_glass");
    assert_eq!(explained.json()["severity"], "error");
}

#[test]
fn a_session_without_the_required_reason_is_marked() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"reason_pattern": "[A-Z]+-[0-9]+", "rules":
        [{"name": "unsure", "severities": ["warning"], "to": ["security"]}]}));
    let without = record(
        &json!({"eventID": "e-2", "requestParameters": {"target": "i-0a", "reason": "a look"}}),
    );
    scene
        .send(&file, &[record(&json!({})), without.clone()].concat())
        .assert_status(0);
    assert_eq!(scene.counts(), [1, 1, 0]);
    let marked = |message: &Value| {
        message
            .to_string()
            .contains("nothing in the reason matches [A-Z]+-[0-9]+")
    };
    assert!(marked(&scene.slacks[1].messages()[0]) && !marked(&scene.slacks[0].messages()[0]));
    assert!(
        scene.slacks[1].messages()[0]["text"]
            .as_str()
            .unwrap()
            .starts_with(":warning: ")
    );
    // By a flag, without routes.
    let format = [
        "format",
        "--to",
        "slack",
        "--reason-pattern",
        "[A-Z]+-[0-9]+",
    ];
    assert!(marked(
        &offline(EXE).args(format).stdin(without).run().json()
    ));
    offline(EXE)
        .args(["format", "--to", "slack", "--reason-pattern", "("])
        .stdin("")
        .run()
        .assert_status(2)
        .assert_complains("is not a regular expression");
}

#[test]
fn a_destination_that_is_down_holds_up_no_other() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security", "night"]}));
    scene.slacks[1].always(Reply::Status(503, "down"));
    let input: String = (0..5)
        .map(|n| record(&json!({"eventID": format!("e-{n}")})))
        .collect();
    let sent = scene.send(&file, &input);
    sent.assert_status(2)
        .assert_complains("5 messages are held in")
        .assert_complains("security (Slack): HTTP 503 down");
    assert_eq!(scene.counts(), [5, 0, 5]);
    // An event that reached two of three is still missing.
    let log = scene.home.path().join("spool/deliveries.jsonl");
    let reconcile = [
        "reconcile",
        "--exit-code",
        "--delivered",
        log.to_str().unwrap(),
    ];
    offline(EXE)
        .args(reconcile)
        .stdin(record(&json!({"eventID": "e-0"})))
        .run()
        .assert_status(1);
    scene.slacks[1].always(Reply::Ok);
    scene.send(&file, "").assert_status(0).assert_stderr("");
    assert_eq!(scene.counts(), [5, 5, 5]);
    offline(EXE)
        .args(reconcile)
        .stdin(record(&json!({"eventID": "e-0"})))
        .run()
        .assert_status(0);
}

#[test]
fn what_waits_for_a_destination_that_is_no_longer_there_is_said() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"default": ["security"]}));
    scene.slacks[1].always(Reply::Status(503, "down"));
    scene.send(&file, &record(&json!({}))).assert_status(2);
    let mut fewer = routes(&json!({}));
    fewer["destinations"]
        .as_object_mut()
        .unwrap()
        .remove("security");
    let fewer = scene.file(&fewer.to_string());
    let left = scene.send(&fewer, "");
    left.assert_status(2)
        .assert_complains("1 message is held in")
        .assert_complains("for the destination 'security', which this run does not have");
    scene.slacks[1].always(Reply::Ok);
    scene.send(&scene.routes(&json!({})), "").assert_status(0);
    assert_eq!(scene.counts(), [0, 1, 0], "nothing is lost");
}

#[test]
fn a_message_that_no_rule_can_be_asked_about_goes_to_the_default() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"rules": [{"name": "quiet", "mute": {"reason": "all"}}]}));
    let message = offline(EXE)
        .args(["format", "--to", "slack"])
        .stdin(record(&json!({})))
        .run()
        .stdout;
    scene.send(&file, &message).assert_status(0);
    assert_eq!(scene.counts(), [1, 0, 0]);
}
