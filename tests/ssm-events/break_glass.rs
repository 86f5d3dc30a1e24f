//! `check --routes`: each use of a principal for emergencies is open until somebody acknowledges it, and sessions lack their ticket.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output};

use crate::{DESIRED, account, tool};

pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/break-glass";

pub(super) struct Scene {
    pub(super) account: Account,
}

impl Scene {
    /// An account whose alerts are as desired, and whose event history has these records.
    pub(super) fn new(records: &[Value]) -> Scene {
        let account = account();
        let plan = tool(&account, &["plan"]).stdin(DESIRED).run();
        tool(&account, &["apply"])
            .stdin(plan.stdout)
            .run()
            .assert_status(0);
        account.start_trail();
        let scene = Scene { account };
        scene.add(records);
        scene
    }

    pub(super) fn add(&self, records: &[Value]) {
        let at = |record: &Value| json!({"account": self.account.id(), "region": record["awsRegion"], "record": record});
        let records: Vec<Value> = records.iter().map(at).collect();
        self.account.seed(&json!({"cloudtrail_records": records}));
    }

    fn file(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.account.home().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    }

    pub(super) fn check(&self, routes: &Value, acknowledged: &Value, more: &[&str]) -> Output {
        let mut whole = json!({"destinations": {"ops": {"slack_webhook": {"env": "WEBHOOK"}}}, "default": ["ops"]});
        whole
            .as_object_mut()
            .unwrap()
            .extend(routes.as_object().unwrap().clone());
        let routes = self.file("routes.json", &whole);
        let acknowledged = self.file("acknowledged.json", acknowledged);
        let flags = [
            "check",
            "--routes",
            routes.to_str().unwrap(),
            "--acknowledged",
            acknowledged.to_str().unwrap(),
        ];
        tool(&self.account, &[&flags[..], more].concat())
            .stdin(DESIRED)
            .run()
    }
}

fn break_glass() -> Value {
    json!({"break_glass": {"principals": ["arn:aws:iam::*:role/break-glass"], "to": ["ops"]}})
}

/// A call of a role some days ago.
pub(super) fn used(id: &str, role: &str, days: i64, more: &Value) -> Value {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    let mut record = json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": id, "eventVersion": "1.11",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333", "readOnly": false,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/anna"),
            "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::111122223333:role/{role}")}}},
        "requestParameters": {"target": "i-0a"}, "responseElements": {"sessionId": format!("anna-{id}")}});
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

pub(super) fn ids(output: &Output) -> Vec<String> {
    let findings = output.records().into_iter();
    let text = |finding: Value| {
        format!(
            "{} {}",
            finding["id"].as_str().unwrap(),
            finding["resource"].as_str().unwrap()
        )
    };
    findings.map(text).collect()
}

fn entry(more: &Value) -> Value {
    let mut entry = json!({"who": "berta", "when": jiff::Timestamp::now().to_string(), "why": "INC-4711: the bastion was down"});
    entry
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    entry
}

#[test]
fn a_use_is_open_until_somebody_acknowledges_it() {
    let old = used("", "break-glass", 80, &json!({"eventName": "SendCommand"}));
    let old_name = format!("{ROLE} {}", old["eventTime"].as_str().unwrap());
    let denied = used(
        "e-denied",
        "break-glass",
        2,
        &json!({"errorCode": "AccessDenied"}),
    );
    let scene = Scene::new(&[
        used("e-1", "break-glass", 1, &json!({})),
        old.clone(),
        denied,
        used("e-ops", "Ops", 1, &json!({})),
    ]);
    let open = scene.check(&break_glass(), &json!([]), &[]);
    open.assert_status(1).assert_stderr("");
    let used = "events.break_glass.used";
    assert_eq!(
        ids(&open),
        [
            format!("{used} {old_name}"),
            format!("{used} e-denied"),
            format!("{used} e-1")
        ]
    );
    let finding = &open.records()[2];
    assert_eq!(
        (&finding["severity"], &finding["target"]["account"]),
        (&json!("error"), &json!(scene.account.id()))
    );
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains(ROLE)
            && message.contains("anna")
            && message.contains("StartSession on i-0a"),
        "{message}"
    );
    // By event ID; a record that has none, by principal and time.
    let by_id = entry(&json!({"event_id": "e-1"}));
    let by_time = entry(&json!({"principal": ROLE, "time": old["eventTime"]}));
    let part = scene.check(&break_glass(), &json!([by_id, by_time]), &[]);
    part.assert_status(1).assert_stderr(&format!(
        "ssm-events: {}/us-east-1: 2 uses of break-glass principals acknowledged\n",
        scene.account.id()
    ));
    assert_eq!(ids(&part), [format!("{used} e-denied")]);
    let rest = entry(&json!({"event_id": "e-denied"}));
    scene
        .check(&break_glass(), &json!([by_id, by_time, rest]), &[])
        .assert_status(0);
    // A shorter window sees less, and says so by its flag only.
    let short = scene.check(&break_glass(), &json!([]), &["--since", "3d"]);
    assert_eq!(
        ids(&short),
        [format!("{used} e-denied"), format!("{used} e-1")]
    );
    // Without the flag nothing more is read than before.
    scene.account.forget_calls();
    tool(&scene.account, &["check"])
        .stdin(DESIRED)
        .run()
        .assert_status(0);
    assert!(
        scene
            .account
            .operations()
            .iter()
            .all(|one| !one.ends_with("LookupEvents"))
    );
    assert!(
        scene.account.problems().is_empty(),
        "{:?}",
        scene.account.problems()
    );
}

#[test]
fn what_acknowledges_nothing_leaves_the_use_open() {
    let record = used("e-1", "break-glass", 1, &json!({}));
    let scene = Scene::new(std::slice::from_ref(&record));
    let before = "2020-01-01T00:00:00Z";
    for entry in [
        entry(&json!({"event_id": "e-2"})),
        entry(
            &json!({"principal": ROLE.replace("break-glass", "other"), "time": record["eventTime"]}),
        ),
        entry(&json!({"principal": ROLE, "time": before})),
        // Which of several in that second would not be said.
        entry(&json!({"principal": ROLE, "time": record["eventTime"]})),
        // Nobody can have looked at it before it happened.
        entry(&json!({"event_id": "e-1", "when": before})),
        entry(&json!({"event_id": "e-1", "when": "2020-01-01"})),
    ] {
        scene
            .check(&break_glass(), &json!([entry]), &[])
            .assert_status(1);
    }
}

#[test]
fn an_acknowledgement_says_who_when_and_why_and_of_what() {
    let scene = Scene::new(&[]);
    let without = |name: &str| {
        let mut entry = entry(&json!({"event_id": "e-1"}));
        entry.as_object_mut().unwrap().remove(name);
        entry
    };
    for (entry, said) in [
        (without("who"), "$[0]: missing field `who`"),
        (without("when"), "$[0]: missing field `when`"),
        (without("why"), "$[0]: missing field `why`"),
        (
            without("event_id"),
            "$[0]: expected either event_id, or principal and time",
        ),
        (
            entry(&json!({"event_id": "e-1", "principal": ROLE})),
            "expected either event_id, or principal and time",
        ),
        (
            entry(&json!({"principal": ROLE})),
            "expected either event_id, or principal and time",
        ),
        (
            entry(&json!({"event_id": "e-1", "who": " "})),
            "$[0].who: it is empty: an acknowledgement says who, when and why",
        ),
        (
            entry(&json!({"event_id": "e-1", "when": "yesterday"})),
            "$[0].when: expected a day such as 2026-11-29",
        ),
        (
            entry(&json!({"event_id": "e-1", "when": "2999-01-01"})),
            "$[0].when: it has not come yet",
        ),
        (
            entry(&json!({"event_id": "e-1", "when": "2999-01-01T00:00:00Z"})),
            "$[0].when: it has not come yet",
        ),
    ] {
        scene.account.forget_calls();
        let refused = scene.check(&break_glass(), &json!([entry]), &[]);
        refused.assert_status(2).assert_complains(said);
        assert!(
            refused.stderr.contains(" at line 1 column "),
            "{}",
            refused.stderr
        );
        assert!(
            scene.account.calls().is_empty(),
            "bad input fails before the first call"
        );
    }
}

#[test]
fn a_history_that_cannot_be_read_to_its_end_is_a_gap_and_never_fine() {
    let scene = Scene::new(&[used("e-1", "break-glass", 1, &json!({}))]);
    let denied = |after: u32| json!({"service": "cloudtrail", "operation": "LookupEvents", "kind": "denied", "times": -1, "after": after});
    scene.account.fault(denied(0));
    let none = scene.check(&break_glass(), &json!([]), &[]);
    none.assert_status(2);
    assert_eq!(ids(&none), ["events.history.unread event history"]);
    assert!(none.stdout.contains("LookupEvents"), "{}", none.stdout);
    scene.account.clear_faults();
    scene.account.fault(denied(3));
    let part = scene.check(&break_glass(), &json!([]), &[]);
    part.assert_status(2);
    assert_eq!(
        ids(&part),
        [
            "events.break_glass.used e-1",
            "events.history.unread event history"
        ]
    );
}

#[test]
fn a_session_without_its_ticket_is_a_finding() {
    let with = |id: &str, reason: &str| {
        used(
            id,
            "Ops",
            1,
            &json!({"requestParameters": {"target": "i-0a", "reason": reason}}),
        )
    };
    let scene = Scene::new(&[
        with("e-1", "OPS-17 look at the disk"),
        with("e-2", "look at the disk"),
        used("e-3", "Ops", 1, &json!({})),
        used("e-4", "Ops", 1, &json!({"errorCode": "AccessDenied"})),
    ]);
    let found = scene.check(&json!({"reason_pattern": "[A-Z]+-[0-9]+"}), &json!([]), &[]);
    found.assert_status(1).assert_stderr("");
    let id = "events.session.without_reason";
    assert_eq!(ids(&found), [format!("{id} e-2"), format!("{id} e-3")]);
    let records = found.records();
    let message = |index: usize| records[index]["message"].as_str().unwrap();
    assert!(
        message(0)
            .contains("has the reason 'look at the disk', in which nothing matches [A-Z]+-[0-9]+"),
        "{}",
        message(0)
    );
    assert!(message(1).contains("has no reason"), "{}", message(1));
    // Only the starts of sessions are asked for.
    let lookups = scene
        .account
        .operations()
        .into_iter()
        .filter(|one| one.ends_with("LookupEvents"));
    assert_eq!(lookups.count(), 1);
    let nothing = scene.check(&json!({}), &json!([]), &[]);
    nothing
        .assert_status(2)
        .assert_complains("it has neither break_glass nor reason_pattern");
}

#[test]
fn a_time_before_the_history_is_refused() {
    let scene = Scene::new(&[]);
    let fine = scene.check(&break_glass(), &json!([]), &["--since", "90d"]);
    fine.assert_status(0).assert_stderr("");
    assert_eq!(fine.stdout, "");
    for (since, said) in [
        ("400d", "the event history has 90 days only"),
        ("2999-01-01T00:00:00Z", "this time has not come yet"),
    ] {
        scene.account.forget_calls();
        scene
            .check(&break_glass(), &json!([]), &["--since", since])
            .assert_status(2)
            .assert_complains(said);
        assert!(scene.account.calls().is_empty(), "{since}");
    }
}
