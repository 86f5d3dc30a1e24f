//! What `apply` is taken through: one row for each way that a tool changes an account, every action among them.

use serde_json::{Value, json};
use testbed::Account;

use super::scene::{Row, applied, apply, tool};

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

pub(super) const PREFS_CREATE: Row = Row {
    tool: "ssm-prefs",
    prepare: |_| (prefs(30, 15), vec![]),
    kept: RECORDS,
};

pub(super) const PREFS_CHANGE: Row = Row {
    tool: "ssm-prefs",
    prepare: |account| {
        let mut before = prefs(30, 15);
        before["cloudwatch"]["encrypted"] = json!(false);
        applied(account, "ssm-prefs", &before, &[]);
        (prefs(60, 20), vec![])
    },
    kept: &[],
};

/// Records of before stay as they are, and what is locked meanwhile stays locked; the settings go back.
pub(super) const PREFS_PROTECT: Row = Row {
    tool: "ssm-prefs",
    prepare: |account| {
        let desired = |days: u32| {
            let mut desired = prefs(30, 15);
            desired["s3"]["object_lock"] = json!({"mode": "governance", "days": days});
            desired
        };
        applied(account, "ssm-prefs", &desired(10), &[]);
        let bucket = format!("promises-{}-us-east-1", account.id());
        let object = ["--bucket", &bucket, "--key", "ops-1.log"];
        let put = ["s3api", "put-object", "--checksum-algorithm", "SHA256"];
        account.aws(&[&put[..], &object].concat());
        let mut desired = desired(20);
        desired["s3"]["legal_hold"] = json!(["ops-1"]);
        desired["kms_key"]["administrators"] = json!(["arn:aws:iam::{account}:role/keys"]);
        desired["cloudwatch"]["deletion_protection"] = json!(true);
        (desired, vec![])
    },
    kept: &[],
};

/// Somebody has turned off what `plan` turns on again.
pub(super) const PREFS_DRIFT: Row = Row {
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
        let retention = to("put_retention_policy");
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
            drift(
                "put_retention_policy",
                &retention["resource"],
                retention["to"].clone(),
                json!({"retention_days": null}),
            ),
        ];
        let drift = json!({"kind": "plan", "tool": "ssm-prefs", "target": plan["target"], "changes": changes});
        tool(account, "ssm-prefs")
            .args(["apply"])
            .stdin(drift.to_string())
            .run()
            .assert_status(0);
        // Which no plan does, and no undo.
        let bucket = format!("promises-{}-us-east-1", account.id());
        account.aws(&["s3api", "delete-public-access-block", "--bucket", &bucket]);
        (prefs(30, 15), vec![])
    },
    kept: &["public_access_block"],
};

fn prefs(expire_days: u32, idle: u32) -> Value {
    json!({"kms_key": {"alias": "alias/sessions", "create": true},
        "s3": {"bucket": "promises-{account}-{region}", "create": true, "expire_days": expire_days},
        "cloudwatch": {"log_group": "/sessions", "create": true, "retention_days": if idle == 15 { 30 } else { 60 }},
        "idle_timeout_minutes": idle})
}

pub(super) const ROLE_CREATE: Row = Row {
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

pub(super) const SCP_CREATE: Row = Row {
    tool: "ssm-scp",
    prepare: |account| {
        let unit = organization(account);
        (guard(&[&unit], "ops"), vec![])
    },
    kept: &[],
};

/// The policy type is off, and turning it on cannot be taken back: that would detach every policy for good.
pub(super) const SCP_ENABLE: Row = Row {
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

pub(super) const SCP_CHANGE: Row = Row {
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

pub(super) const EVENTS_CREATE: Row = Row {
    tool: "ssm-events",
    prepare: |account| (events(account, "ssm-activity"), vec![]),
    kept: &["create_bucket", "public_access_block", "bucket_policy"],
};

pub(super) const EVENTS_CHANGE: Row = Row {
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

/// Somebody has stopped the trail, opened its bucket, and taken from the role and the queue what the target needs.
pub(super) const EVENTS_DRIFT: Row = Row {
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
        let bucket = desired["trail"]["bucket"].as_str().unwrap();
        for operation in ["delete-bucket-policy", "delete-public-access-block"] {
            account.aws(&["s3api", operation, "--bucket", bucket]);
        }
        (desired, vec![])
    },
    // Which no undo opens again.
    kept: &["public_access_block"],
};

pub(super) const FUNCTION_CREATE: Row = Row {
    tool: "ssm-events",
    prepare: |account| (function(account, "one"), vec![]),
    kept: &[],
};

pub(super) const FUNCTION_CHANGE: Row = Row {
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

/// Somebody has taken from the function its queue, and from the rule the permission to invoke it.
pub(super) const FUNCTION_DRIFT: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        let desired = function(account, "one");
        applied(account, "ssm-events", &desired, &[]);
        let name = ["--function-name", "ssm-events"];
        let queue = ["lambda", "delete-function-event-invoke-config"];
        account.aws(&[&queue[..], &name].concat());
        let permission = ["lambda", "remove-permission"];
        let statement = ["--statement-id", "ssm-events"];
        account.aws(&[&permission[..], &name, &statement].concat());
        (desired, vec![])
    },
    kept: &[],
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

pub(super) const AGENTS_CREATE: Row = Row {
    tool: "ssm-agentcheck",
    prepare: |_| (json!({"association": {}}), vec![]),
    kept: &[],
};

pub(super) const AGENTS_CHANGE: Row = Row {
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

pub(super) const ROWS: [&Row; 16] = [
    &PREFS_CREATE,
    &PREFS_CHANGE,
    &PREFS_DRIFT,
    &PREFS_PROTECT,
    &ROLE_CREATE,
    &SCP_CREATE,
    &SCP_ENABLE,
    &SCP_CHANGE,
    &EVENTS_CREATE,
    &EVENTS_CHANGE,
    &EVENTS_DRIFT,
    &FUNCTION_CREATE,
    &FUNCTION_CHANGE,
    &FUNCTION_DRIFT,
    &AGENTS_CREATE,
    &AGENTS_CHANGE,
];
