//! What `apply` promises, over every action of every tool: an answer that is lost is no loss, a call that fails once is taken up
//! again, reads that are behind are waited for; and after each of these the undo leads back. A kill after each write is
//! `killing.rs`. A new action without a row fails `every_action_has_a_row`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

use super::bin;

/// One plan of a tool, and what has to be there before it.
struct Row {
    tool: &'static str,
    /// Seeds and drifts the account; returns the desired state, and what goes behind `plan`.
    prepare: fn(&Account) -> (Value, Vec<String>),
    /// What undo keeps on purpose, as part of the ids of changes.
    kept: &'static [&'static str],
}

const RECORDS: &[&str] = &[
    "create_key",
    "create_bucket",
    "public_access_block",
    "bucket_encryption",
    "bucket_versioning",
    "bucket_policy",
    "bucket_lifecycle",
    "log_group",
    "retention",
];

const PREFS_CREATE: Row = Row {
    tool: "ssm-prefs",
    prepare: |_| (prefs(30, 15), vec![]),
    kept: RECORDS,
};

const PREFS_CHANGE: Row = Row {
    tool: "ssm-prefs",
    prepare: |account| {
        let mut before = prefs(30, 15);
        before["cloudwatch"]["encrypted"] = json!(false);
        applied(account, "ssm-prefs", &before, &[]);
        (prefs(60, 20), vec![])
    },
    kept: &[],
};

/// Somebody has turned off what `plan` turns on again.
const PREFS_DRIFT: Row = Row {
    tool: "ssm-prefs",
    prepare: |account| {
        let plan = applied(account, "ssm-prefs", &prefs(30, 15), &[]);
        let to = |action: &str| {
            let changes = plan["changes"].as_array().unwrap();
            changes
                .iter()
                .find(|change| change["action"] == action)
                .unwrap()
                .clone()
        };
        let (key, policy) = (to("create_key"), to("put_bucket_policy"));
        let mut weaker = key["to"]["policy"].clone();
        weaker["Statement"].as_array_mut().unwrap().pop();
        let drift = |action: &str, resource: &Value, from: Value, to: Value| json!({"id": format!("{action}:x"), "action": action, "resource": resource, "from": from, "to": to, "why": "drift"});
        let changes = [
            drift(
                "disable_key_rotation",
                &key["resource"],
                json!({"rotation": true}),
                json!({"rotation": false}),
            ),
            drift(
                "put_key_policy",
                &key["resource"],
                json!({"policy": key["to"]["policy"]}),
                json!({"policy": weaker}),
            ),
            drift(
                "put_bucket_versioning",
                &policy["resource"],
                json!({"versioning": true}),
                json!({"versioning": false}),
            ),
            drift(
                "delete_bucket_policy",
                &policy["resource"],
                policy["to"].clone(),
                json!({"policy": null}),
            ),
        ];
        let drift = json!({"kind": "plan", "tool": "ssm-prefs", "target": plan["target"], "changes": changes});
        tool(account, "ssm-prefs")
            .args(["apply"])
            .stdin(drift.to_string())
            .run()
            .assert_status(0);
        (prefs(30, 15), vec![])
    },
    kept: &[],
};

fn prefs(expire_days: u32, idle: u32) -> Value {
    json!({"kms_key": {"alias": "alias/sessions", "create": true},
        "s3": {"bucket": "promises-{account}-{region}", "create": true, "expire_days": expire_days},
        "cloudwatch": {"log_group": "/sessions", "create": true, "retention_days": if idle == 15 { 30 } else { 60 }},
        "idle_timeout_minutes": idle})
}

const ROLE_CREATE: Row = Row {
    tool: "ssm-role",
    prepare: |account| {
        let id = account.id();
        let node = |number: usize, profile: Value| json!({"account": id, "region": "us-east-1", "instance_id": format!("i-{number:017x}"), "profile": profile});
        account.seed(&json!({
            "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true}],
            "nodes": [node(1, Value::Null), node(2, json!("web"))],
        }));
        let inputs = json!({"s3BucketName": "transcripts", "s3KeyPrefix": "ssm", "cloudWatchLogGroupName": "/ssm/sessions",
            "kmsKeyId": format!("arn:aws:kms:us-east-1:{id}:key/1234abcd-12ab-34cd-56ef-1234567890ab")});
        let version = json!({"version": "1", "content": {"inputs": inputs}});
        let record = json!({"kind": "preferences", "target": {"account": id, "region": "us-east-1"},
            "document": {"state": "present", "value": {"default": version, "latest": version}}});
        let path = account.home().join("prefs.json");
        std::fs::write(&path, record.to_string()).unwrap();
        let desired =
            json!({"default_host_management": {}, "instance_profiles": {}, "assign_profile": {}});
        (
            desired,
            vec!["--prefs".to_owned(), path.to_str().unwrap().to_owned()],
        )
    },
    kept: &[],
};

const SCP_CREATE: Row = Row {
    tool: "ssm-scp",
    prepare: |account| {
        let unit = organization(account);
        (guard(&[&unit], "ops"), vec![])
    },
    kept: &[],
};

/// The policy type is off, and turning it on cannot be taken back: that would detach every policy for good.
const SCP_ENABLE: Row = Row {
    tool: "ssm-scp",
    prepare: |account| {
        account.aws(&[
            "organizations",
            "create-organization",
            "--feature-set",
            "ALL",
        ]);
        let root = account.aws(&["organizations", "list-roots"])["Roots"][0]["Id"].clone();
        let mut desired = guard(&[root.as_str().unwrap()], "ops");
        desired["enable_policy_type"] = json!(true);
        (desired, vec![])
    },
    kept: &["enable_policy_type"],
};

const SCP_CHANGE: Row = Row {
    tool: "ssm-scp",
    prepare: |account| {
        let unit = organization(account);
        applied(account, "ssm-scp", &guard(&[&unit], "ops"), &[]);
        let root = format!("r-{}", &account.id()[8..]);
        (guard(&[&unit, &root], "other"), vec![])
    },
    kept: &[],
};

fn organization(account: &Account) -> String {
    let suffix = &account.id()[8..];
    let unit = format!("ou-{suffix}-workloads");
    account.seed(&json!({
        "accounts": [{"id": account.id(), "name": "management"}],
        "organization": {"management_account": account.id(), "id": format!("o-org{suffix}"),
            "root_id": format!("r-{suffix}"), "ous": [{"id": unit, "name": "workloads", "accounts": []}]},
    }));
    unit
}

fn guard(targets: &[&str], role: &str) -> Value {
    json!({"policy_name": "guard", "exempt_principals": [format!("arn:aws:iam::*:role/{role}")], "targets": targets})
}

const EVENTS_CREATE: Row = Row {
    tool: "ssm-events",
    prepare: |account| (events(account, "ssm-activity"), vec![]),
    kept: &["create_bucket", "public_access_block", "bucket_policy"],
};

const EVENTS_CHANGE: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        applied(account, "ssm-events", &events(account, "ssm-activity"), &[]);
        let mut desired = events(account, "ssm-activity");
        desired["webhook"] = json!({"env": "OTHER_WEBHOOK"});
        desired["events"] = json!(["StartSession"]);
        desired["trail"]["prefix"] = json!("other");
        (desired, vec![])
    },
    // The URL that a destination had is a secret that nobody kept.
    kept: &["update_api_destination", "bucket_policy"],
};

/// Somebody has stopped the trail, and taken from the role and the queue what the target needs.
const EVENTS_DRIFT: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        let desired = events(account, "ssm-activity");
        let plan = applied(account, "ssm-events", &desired, &[]);
        let to = |action: &str| {
            let changes = plan["changes"].as_array().unwrap();
            let found = changes.iter().find(|change| change["action"] == action);
            found.unwrap().clone()
        };
        let (role, queue, trail) = (to("create_role"), to("create_queue"), to("create_trail"));
        let mut shorter = queue["to"].clone();
        shorter["retention_seconds"] = json!(60);
        let drift = |action: &str, resource: &Value, from: Value, to: Value| {
            json!({"id": format!("{action}:x"), "action": action, "resource": resource, "from": from, "to": to,
                "why": "drift"})
        };
        let logging = |is_on: bool| json!({"logging": is_on});
        let changes = [
            drift(
                "stop_logging",
                &trail["resource"],
                logging(true),
                logging(false),
            ),
            drift(
                "set_queue_attributes",
                &queue["resource"],
                queue["to"].clone(),
                shorter,
            ),
            drift(
                "put_role_policy",
                &role["resource"],
                json!({"policy": role["to"]["policy"]}),
                json!({"policy": null}),
            ),
        ];
        let drift = json!({"kind": "plan", "tool": "ssm-events", "target": plan["target"], "changes": changes});
        apply(account, "ssm-events", &drift).assert_status(0);
        (desired, vec![])
    },
    kept: &[],
};

const FUNCTION_CREATE: Row = Row {
    tool: "ssm-events",
    prepare: |account| (function(account, "one"), vec![]),
    kept: &[],
};

const FUNCTION_CHANGE: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        let before = function(account, "one");
        applied(account, "ssm-events", &before, &[]);
        let mut desired = function(account, "two");
        desired["function"]["time_zone"] = json!("Europe/Berlin");
        (desired, vec![])
    },
    // Nobody kept the package that was there before.
    kept: &["update_function_code"],
};

/// A package that is never run: `code` makes it differ.
fn function(account: &Account, code: &str) -> Value {
    let path = account.home().join(format!("{code}.zip"));
    let script =
        "import sys, zipfile\nzipfile.ZipFile(sys.argv[2], 'w').writestr('bootstrap', sys.argv[1])";
    let python = testbed::repository().join(".venv/bin/python");
    let run = account.tool(python).args(["-c", script, code]);
    run.args([&path]).run().assert_status(0);
    let url = "https://hooks.slack.com/services/T0/B0/canary-webhook";
    account.call(
        "AmazonSSM.PutParameter",
        &json!({"Name": "/slack", "Type": "SecureString", "Value": url, "Overwrite": true}),
    );
    json!({"webhook": {"parameter": "/slack"}, "role_name": "ssm-events-function", "function": {"zip": path}})
}

fn events(account: &Account, rule: &str) -> Value {
    json!({"rule_name": rule, "webhook": {"env": "WEBHOOK"},
        "trail": {"name": "audit", "home_region": "us-east-1", "bucket": format!("promises-trail-{}", account.id())}})
}

const AGENTS_CREATE: Row = Row {
    tool: "ssm-agentcheck",
    prepare: |_| (json!({"association": {}}), vec![]),
    kept: &[],
};

const AGENTS_CHANGE: Row = Row {
    tool: "ssm-agentcheck",
    prepare: |account| {
        applied(account, "ssm-agentcheck", &json!({"association": {}}), &[]);
        (
            json!({"association": {"schedule_expression": "rate(1 day)"}}),
            vec![],
        )
    },
    kept: &[],
};

const ROWS: [&Row; 14] = [
    &PREFS_CREATE,
    &PREFS_CHANGE,
    &PREFS_DRIFT,
    &ROLE_CREATE,
    &SCP_CREATE,
    &SCP_ENABLE,
    &SCP_CHANGE,
    &EVENTS_CREATE,
    &EVENTS_CHANGE,
    &EVENTS_DRIFT,
    &FUNCTION_CREATE,
    &FUNCTION_CHANGE,
    &AGENTS_CREATE,
    &AGENTS_CHANGE,
];

fn tool(account: &Account, tool: &str) -> testbed::Run {
    account
        .tool(bin(tool))
        .env(
            "WEBHOOK",
            "https://hooks.slack.com/services/T0/B0/canary-one",
        )
        .env(
            "OTHER_WEBHOOK",
            "https://hooks.slack.com/services/T0/B0/canary-two",
        )
}

fn plan(account: &Account, name: &str, desired: &Value, arguments: &[String]) -> Value {
    let path = account.home().join("desired.json");
    std::fs::write(&path, desired.to_string()).unwrap();
    let run = tool(account, name).args(["plan", "-f", path.to_str().unwrap()]);
    let planned = run.args(arguments).run();
    planned.assert_status(0);
    planned.json()
}

fn apply(account: &Account, name: &str, plan: &Value) -> Output {
    let run = tool(account, name).args(["apply"]).stdin(plan.to_string());
    match name {
        // Nobody lives in these organizations, so the guard against locking somebody out has nobody to find.
        "ssm-scp" => run.args([
            "--accept",
            "unmatched:arn:aws:iam::*:role/ops",
            "--accept",
            "unmatched:arn:aws:iam::*:role/other",
            "--accept",
            "unread",
        ]),
        _ => run,
    }
    .run()
}

fn applied(account: &Account, name: &str, desired: &Value, arguments: &[String]) -> Value {
    let plan = plan(account, name, desired, arguments);
    apply(account, name, &plan).assert_status(0);
    plan
}

/// A fresh account in which the row's plan is to be carried out.
struct Scene {
    row: &'static Row,
    account: Account,
    desired: Value,
    arguments: Vec<String>,
    plan: Value,
}

impl Scene {
    fn of(row: &'static Row) -> Scene {
        let account = Sandbox::start().account();
        let (desired, arguments) = (row.prepare)(&account);
        let plan = plan(&account, row.tool, &desired, &arguments);
        account.forget_calls();
        Scene {
            row,
            account,
            desired,
            arguments,
            plan,
        }
    }

    fn apply(&self, plan: &Value) -> Output {
        apply(&self.account, self.row.tool, plan)
    }

    /// Returns the writes so far: service, operation, and the how-many-th of its name.
    fn writes(&self) -> Vec<(String, String, usize)> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let writes = self.account.writes();
        let writes = writes.iter().map(|call| {
            let word = |key: &str| call[key].as_str().unwrap().to_owned();
            let number = seen.entry(word("operation")).or_default();
            *number += 1;
            (word("service"), word("operation"), *number - 1)
        });
        writes.collect()
    }

    /// Everything that the plan was for is to do again, but for what undo keeps.
    #[track_caller]
    fn assert_is_back(&self, what: &str) {
        let again = plan(&self.account, self.row.tool, &self.desired, &self.arguments);
        let ids = |plan: &Value| -> BTreeSet<String> {
            let changes = plan["changes"].as_array().unwrap().iter();
            let ids = changes.map(|change| change["id"].as_str().unwrap().to_owned());
            ids.filter(|id| !self.row.kept.iter().any(|kept| id.contains(kept)))
                .collect()
        };
        assert_eq!(ids(&again), ids(&self.plan), "{} {what}", self.row.tool);
    }

    /// Everything that the plan was for is done.
    #[track_caller]
    fn assert_is_done(&self, what: &str) {
        let again = plan(&self.account, self.row.tool, &self.desired, &self.arguments);
        assert_eq!(again["changes"], json!([]), "{} {what}", self.row.tool);
    }
}

fn words(output: &Output, key: &str) -> Vec<String> {
    let record = output.json();
    let results = record["results"].as_array().unwrap();
    results
        .iter()
        .map(|one| one[key].as_str().unwrap().to_owned())
        .collect()
}

/// Goes through the row without a fault; returns the writes of `apply` and those of the undo.
fn undisturbed(row: &'static Row) -> [Vec<(String, String, usize)>; 2] {
    let scene = Scene::of(row);
    let applied = scene.apply(&scene.plan);
    applied.assert_status(0);
    let forward = scene.writes();
    assert!(!forward.is_empty(), "{}: nothing to do", row.tool);
    scene.assert_is_done("without a fault");
    scene.account.forget_calls();
    scene.apply(&applied.json()["undo"]).assert_status(0);
    let back = scene.writes();
    scene.assert_is_back("without a fault");
    [forward, back]
}

/// Takes one row through every fault at every write, forward and back.
fn keeps_its_promises(row: &'static Row) {
    let [forward, back] = undisturbed(row);
    for write in &forward {
        lost_answer(row, write);
        failing_once(row, write);
    }
    for write in &back {
        lost_answer_of_undo(row, write);
        failing_once_in_undo(row, write);
    }
    let long = std::env::var_os("LONG").is_some();
    let seconds: &[u64] = if long { &[2, 10, 45] } else { &[10] };
    for seconds in seconds {
        stale(row, *seconds, &forward, &back);
    }
}

type Write = (String, String, usize);

/// The answer of one write is lost, and the SDK sends it again.
fn lost_answer(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    scene.lose(write);
    let applied = scene.apply(&scene.plan);
    let what = format!("{write:?}: {}", applied.stdout);
    applied.assert_status(0);
    assert!(
        words(&applied, "status")
            .iter()
            .all(|word| ["done", "unchanged"].contains(&word.as_str())),
        "{what}"
    );
    scene.account.clear_faults();
    scene.assert_is_done(&what);
    scene.apply(&applied.json()["undo"]).assert_status(0);
    scene.assert_is_back(&what);
}

fn lost_answer_of_undo(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    let undo = scene.apply(&scene.plan).json()["undo"].clone();
    scene.account.forget_calls();
    scene.lose(write);
    let undone = scene.apply(&undo);
    undone.assert_status(0);
    scene.account.clear_faults();
    scene.assert_is_back(&format!("{write:?}: {}", undone.stdout));
}

/// One write is denied once; the same plan again goes on, and both undos, the later first, lead back.
fn failing_once(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    scene.deny(write);
    let first = scene.apply(&scene.plan);
    scene.account.clear_faults();
    let again = scene.apply(&scene.plan);
    let what = format!("{write:?}: {} then {}", first.stdout, again.stdout);
    again.assert_status(0);
    scene.assert_is_done(&what);
    for result in [&again, &first] {
        let undo = &result.json()["undo"];
        if !undo.is_null() {
            let undone = scene.apply(undo);
            assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
        }
    }
    scene.assert_is_back(&what);
}

fn failing_once_in_undo(row: &'static Row, write: &Write) {
    let scene = Scene::of(row);
    let undo = scene.apply(&scene.plan).json()["undo"].clone();
    scene.account.forget_calls();
    scene.deny(write);
    let first = scene.apply(&undo);
    scene.account.clear_faults();
    let again = scene.apply(&undo);
    let what = format!("{write:?}: {} then {}", first.stdout, again.stdout);
    assert_eq!(again.status, 0, "{what}");
    scene.assert_is_back(&what);
}

/// Every read is behind for some time after every write, forward and back.
fn stale(row: &'static Row, seconds: u64, forward: &[Write], back: &[Write]) {
    let scene = Scene::of(row);
    let services: BTreeSet<&str> = forward
        .iter()
        .chain(back)
        .map(|(service, ..)| service.as_str())
        .collect();
    for service in services {
        scene.account.fault(json!({"service": service, "kind": "stale", "milliseconds": seconds * 1000, "times": -1}));
    }
    let applied = scene.apply(&scene.plan);
    let what = format!("{seconds} s behind: {}{}", applied.stdout, applied.stderr);
    assert_eq!(applied.status, 0, "{what}");
    let undone = scene.apply(&applied.json()["undo"]);
    assert_eq!(undone.status, 0, "{what}, undone: {}", undone.stdout);
    scene.account.clear_faults();
    scene.assert_is_back(&what);
}

impl Scene {
    fn lose(&self, (service, operation, n_before): &Write) {
        self.account.fault(
            json!({"service": service, "operation": operation, "after": n_before, "kind": "drop",
            "when": "after", "times": 1}),
        );
    }

    fn deny(&self, (service, operation, n_before): &Write) {
        self.account
            .fault(json!({"service": service, "operation": operation, "after": n_before, "kind": "denied", "times": 1}));
    }
}

#[test]
fn making_preferences() {
    keeps_its_promises(&PREFS_CREATE);
}

#[test]
fn changing_preferences() {
    keeps_its_promises(&PREFS_CHANGE);
}

#[test]
fn mending_preferences() {
    keeps_its_promises(&PREFS_DRIFT);
}

#[test]
fn making_roles() {
    keeps_its_promises(&ROLE_CREATE);
}

#[test]
fn making_guards() {
    keeps_its_promises(&SCP_CREATE);
}

#[test]
fn enabling_guards() {
    keeps_its_promises(&SCP_ENABLE);
}

#[test]
fn changing_guards() {
    keeps_its_promises(&SCP_CHANGE);
}

#[test]
fn making_alerts() {
    keeps_its_promises(&EVENTS_CREATE);
}

#[test]
fn changing_alerts() {
    keeps_its_promises(&EVENTS_CHANGE);
}

#[test]
fn mending_alerts() {
    keeps_its_promises(&EVENTS_DRIFT);
}

#[test]
fn making_functions() {
    keeps_its_promises(&FUNCTION_CREATE);
}

#[test]
fn changing_functions() {
    keeps_its_promises(&FUNCTION_CHANGE);
}

#[test]
fn making_associations() {
    keeps_its_promises(&AGENTS_CREATE);
}

#[test]
fn changing_associations() {
    keeps_its_promises(&AGENTS_CHANGE);
}

/// Actions that no row here can have, each with the reason.
const EXEMPT: &[(&str, &str)] = &[(
    "update_agent",
    "agents are never downgraded, so there is no way back",
)];

#[test]
fn every_action_has_a_row() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in ROWS {
        let scene = Scene::of(row);
        let applied = scene.apply(&scene.plan).json();
        let of_undo = applied["undo"]["changes"].as_array().into_iter().flatten();
        let changes = scene.plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .chain(of_undo);
        let actions = changes.map(|change| change["action"].as_str().unwrap().to_owned());
        seen.entry(row.tool).or_default().extend(actions);
    }
    let mut missing = Vec::new();
    for (tool, seen) in seen {
        let schema = testbed::offline(bin(tool))
            .args(["--generate", "schema"])
            .run();
        let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
        let action = &schema["$defs"]["Action"];
        let variants = action["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| &one["const"]);
        let listed = action["enum"].as_array().into_iter().flatten();
        for name in variants.chain(listed).filter_map(Value::as_str) {
            let is_exempt = EXEMPT.iter().any(|(exempt, _)| *exempt == name);
            if !seen.contains(name) && !is_exempt {
                missing.push(format!("{tool} {name}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "actions without a row");
}
