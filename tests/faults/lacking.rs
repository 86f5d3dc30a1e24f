//! One action less than `apply` needs: whichever it is, the change that needs it is failed and names it, or nothing is written at
//! all; what was done can be undone, and the exit status is 2. An undo that lacks one goes on where it stopped. No action of a policy for
//! `apply` is left out: what no row here needs has a case in `elsewhere`.

#[path = "lacking_elsewhere.rs"]
mod elsewhere;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{Account, Output, offline, repository};

use self::elsewhere::Case;
use super::bin;
use super::rows::{
    AGENTS_CHANGE, AGENTS_CREATE, EVENTS_CHANGE, EVENTS_CREATE, EVENTS_DRIFT, FUNCTION_CHANGE,
    FUNCTION_CREATE, FUNCTION_DRIFT, PREFS_CHANGE, PREFS_CREATE, PREFS_DRIFT, PREFS_PROTECT,
    ROLE_CREATE, SCP_CHANGE, SCP_CREATE, SCP_ENABLE,
};
use super::scene::{Row, Scene, run_of};

/// Calls whose action has another name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
const NAMED_OTHERWISE: [(&str, &str); 9] = [
    ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("s3:PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    (
        "s3:GetBucketLifecycleConfiguration",
        "s3:GetLifecycleConfiguration",
    ),
    (
        "s3:PutBucketLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    (
        "s3:GetObjectLockConfiguration",
        "s3:GetBucketObjectLockConfiguration",
    ),
    (
        "s3:PutObjectLockConfiguration",
        "s3:PutBucketObjectLockConfiguration",
    ),
    ("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3:HeadBucket", "s3:ListBucket"),
];

/// Actions that AWS asks for beside that of a call.
const BESIDE: [&str; 3] = ["iam:CreateServiceLinkedRole", "iam:PassRole", "kms:Decrypt"];

/// A profile that is in use is replaced for nodes that are named.
const ROLE_REPLACE: Row = Row {
    tool: "ssm-role",
    prepare: |account| {
        let id = account.id();
        account.seed(&json!({
            "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true}],
            "nodes": [{"account": id, "region": "us-east-1", "instance_id": "i-00000000000000001", "profile": "web"}],
        }));
        let node = json!({"kind": "node", "instance_id": "i-00000000000000001", "platform": {}, "tags": {},
            "target": {"account": id, "region": "us-east-1"}, "managed_by": "instance-profile"});
        let path = account.home().join("nodes.json");
        std::fs::write(&path, node.to_string()).unwrap();
        let named = ["--nodes".to_owned(), path.to_str().unwrap().to_owned()];
        (json!({"assign_profile": {"replace": true}}), named.to_vec())
    },
    kept: &[],
};

/// Agents are never downgraded, so their updates stay.
const AGENTS_UPDATE: Row = Row {
    tool: "ssm-agentcheck",
    prepare: |account| {
        let node = json!({"account": account.id(), "region": "us-east-1", "instance_id": "mi-00000000000000001",
            "agent": {"version": "3.1.1.0", "run_command": "Success"}});
        account.seed(&json!({"nodes": [node]}));
        (json!({"update": {}}), vec![])
    },
    kept: &["update"],
};

/// The URL is in a parameter that a key of the account encrypts.
const EVENTS_PARAMETER: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        account.start_trail();
        let key = account.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].clone();
        let parameter =
            json!({"Name": "/slack", "Type": "SecureString", "KeyId": key, "Value": URL});
        let parameter = parameter.to_string();
        account.aws(&["ssm", "put-parameter", "--cli-input-json", &parameter]);
        (json!({"webhook": {"parameter": "/slack"}}), vec![])
    },
    kept: &[],
};

/// The same in Secrets Manager.
const EVENTS_SECRET: Row = Row {
    tool: "ssm-events",
    prepare: |account| {
        account.start_trail();
        let key = account.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].clone();
        let secret = json!({"Name": "slack", "KmsKeyId": key, "SecretString": URL});
        let secret = secret.to_string();
        let create = ["secretsmanager", "create-secret"];
        account.aws(&[&create[..], &["--cli-input-json", &secret]].concat());
        (json!({"webhook": {"secret": "slack"}}), vec![])
    },
    kept: &[],
};

const URL: &str = "https://hooks.slack.com/services/T0/B0/canary-webhook";

/// Returns the actions that a policy for `apply` has.
fn allowed(tool: &str) -> BTreeSet<String> {
    let printed = offline(bin(tool)).args(["--generate", "permissions"]).run();
    let has = |list: &Value, word: &str| list.as_array().unwrap().iter().any(|one| one == word);
    let rows = printed.records();
    let of_apply = rows
        .iter()
        .filter(|row| row["when"] == "always" && has(&row["verbs"], "apply"));
    let actions = of_apply.flat_map(|row| row["actions"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// Returns the actions that the calls so far needed, as far as each call has one of its own.
fn needed(account: &Account) -> BTreeSet<String> {
    let operations = account.operations().into_iter();
    let actions = operations.map(|operation| {
        let other = NAMED_OTHERWISE.iter().find(|(call, _)| *call == operation);
        other.map_or(operation, |(_, action)| (*action).to_owned())
    });
    actions.chain(BESIDE.map(str::to_owned)).collect()
}

fn names(text: &str, action: &str) -> bool {
    let (_, operation) = action.split_once(':').unwrap();
    text.contains(action) || text.contains(operation) || {
        let mut others = NAMED_OTHERWISE.iter();
        // HEAD has no body that could name the action.
        others.any(|(call, one)| *one == action && text.contains(&call[3..]))
    }
}

/// Returns whether a run needed the action that it lacked, and says what is wrong with how it ended, if anything is. More is read
/// than every plan needs: a read that is refused does not matter where no change is about what it reads.
fn judged(output: &Output, action: &str) -> Result<bool, String> {
    if output.refused.is_empty() || output.status == 0 {
        return Ok(false);
    }
    let record = output.records().into_iter();
    let result = record.into_iter().find(|record| record["kind"] == "result");
    let results = result.iter().flat_map(|result| {
        let results = result["results"].as_array();
        results.into_iter().flatten()
    });
    let failed: Vec<&Value> = results.filter(|one| one["status"] == "failed").collect();
    let printed = format!("{}{}", output.stdout, output.stderr);
    let is_named = match &result {
        Some(_) => failed
            .iter()
            .any(|one| names(one["error"].as_str().unwrap_or_default(), action)),
        None => names(&printed, action),
    };
    if output.status != 2 {
        Err(format!("exit status {}: {printed}", output.status))
    } else if !is_named {
        Err(format!("named by no failed change: {printed}"))
    } else {
        Ok(true)
    }
}

fn denied(row: &'static Row, action: &str) -> Result<bool, String> {
    let scene = Scene::of(row);
    let run = run_of(&scene.account, row.tool, &scene.plan);
    let output = run.without(action).run();
    if !judged(&output, action)? {
        return Ok(false);
    }
    let records = output.records();
    let undo = records.iter().map(|record| &record["undo"]);
    for undo in undo.filter(|undo| undo.is_object()) {
        let undone = scene.apply(undo);
        if undone.status != 0 {
            return Err(format!("not undone: {}{}", output.stdout, undone.stdout));
        }
    }
    scene.assert_is_back(&format!("without {action}: {}", output.stdout));
    Ok(true)
}

fn denied_in_undo(row: &'static Row, action: &str) -> Result<bool, String> {
    let scene = Scene::of(row);
    let undo = scene.apply(&scene.plan).json()["undo"].clone();
    let run = run_of(&scene.account, row.tool, &undo);
    let output = run.without(action).run();
    if !judged(&output, action)? {
        return Ok(false);
    }
    let again = scene.apply(&undo);
    if again.status != 0 {
        return Err(format!("not undone: {}{}", output.stdout, again.stdout));
    }
    scene.assert_is_back(&format!("undone without {action}: {}", output.stdout));
    Ok(true)
}

/// Takes each action of a tool away until one of the rows needs it; those that none does are the ones of the cases.
fn hold(subject: &Subject) {
    let Subject { tool, rows, cases } = *subject;
    let mut left = allowed(tool);
    let mut wrong = Vec::new();
    for row in rows {
        let scene = Scene::of(row);
        let applied = scene.apply(&scene.plan);
        applied.assert_status(0);
        let forward = needed(&scene.account);
        scene.account.forget_calls();
        let undo = &applied.json()["undo"];
        let back = match undo {
            Value::Null => BTreeSet::new(),
            undo => {
                scene.apply(undo).assert_status(0);
                needed(&scene.account)
            }
        };
        type Way = fn(&'static Row, &str) -> Result<bool, String>;
        for (actions, way) in [(forward, denied as Way), (back, denied_in_undo as Way)] {
            for action in actions
                .into_iter()
                .filter(|one| left.contains(one))
                .collect::<Vec<_>>()
            {
                match way(row, &action) {
                    Ok(true) => {
                        left.remove(&action);
                    }
                    Ok(false) => {}
                    Err(what) => wrong.push(format!("{tool} apply without {action}: {what}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let of_cases = cases.iter().map(|(action, _)| (*action).to_owned());
    assert_eq!(
        left,
        of_cases.collect(),
        "{tool}: needed by no row, by a case"
    );
    for (action, case) in cases {
        case(action);
    }
}

/// The rows of a tool, and the cases for what they do not need.
struct Subject {
    tool: &'static str,
    rows: &'static [&'static Row],
    cases: &'static [Case],
}

const PREFERENCES: Subject = Subject {
    tool: "ssm-prefs",
    rows: &[&PREFS_CREATE, &PREFS_CHANGE, &PREFS_DRIFT, &PREFS_PROTECT],
    cases: &[(
        "kms:ScheduleKeyDeletion",
        elsewhere::an_alias_that_somebody_takes,
    )],
};

const ROLES: Subject = Subject {
    tool: "ssm-role",
    rows: &[&ROLE_CREATE, &ROLE_REPLACE],
    cases: &[],
};

const GUARDS: Subject = Subject {
    tool: "ssm-scp",
    rows: &[&SCP_CREATE, &SCP_ENABLE, &SCP_CHANGE],
    cases: &[
        (
            "iam:GetAccountAuthorizationDetails",
            elsewhere::a_member_whose_principals_are_unread,
        ),
        (
            "iam:GetRole",
            elsewhere::an_administrator_whose_path_is_unread,
        ),
    ],
};

const ALERTS: Subject = Subject {
    tool: "ssm-events",
    rows: &[
        &EVENTS_CREATE,
        &EVENTS_CHANGE,
        &EVENTS_DRIFT,
        &FUNCTION_CREATE,
        &FUNCTION_CHANGE,
        &FUNCTION_DRIFT,
        &EVENTS_PARAMETER,
        &EVENTS_SECRET,
    ],
    cases: &[],
};

const AGENTS: Subject = Subject {
    tool: "ssm-agentcheck",
    rows: &[&AGENTS_CREATE, &AGENTS_CHANGE, &AGENTS_UPDATE],
    cases: &[(
        "ssm:CancelCommand",
        elsewhere::an_update_that_somebody_interrupts,
    )],
};

#[test]
fn preferences() {
    hold(&PREFERENCES);
}

#[test]
fn roles() {
    hold(&ROLES);
}

#[test]
fn guards() {
    hold(&GUARDS);
}

#[test]
fn alerts() {
    hold(&ALERTS);
}

#[test]
fn agents() {
    hold(&AGENTS);
}

#[test]
fn every_tool_that_applies_is_held() {
    let tools = std::fs::read_dir(repository().join("tools")).unwrap();
    let tools = tools.map(|tool| tool.unwrap().file_name().into_string().unwrap());
    let applies: BTreeSet<String> = tools.filter(|tool| !allowed(tool).is_empty()).collect();
    let held = [PREFERENCES, ROLES, GUARDS, ALERTS, AGENTS].map(|one| one.tool.to_owned());
    assert_eq!(applies, BTreeSet::from(held));
}
