//! The ways onto nodes: what a guard closes by name, what it says that it leaves open, and what then happens on the local AWS.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{Home, Output, Run, offline};

use super::{EXE, Organization, ids, organization, run};

/// What a guard with all its ways left open once: each of them leads to a shell or to root.
const WAYS_AROUND: [&str; 18] = [
    "ssm:UpdateMaintenanceWindowTask",
    "ssm:UpdateMaintenanceWindowTarget",
    "ssm:RegisterTargetWithMaintenanceWindow",
    "ssm:StartChangeRequestExecution",
    "ssm:GetAccessToken",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
    "ssm:CreateDocument",
    "ssm-quicksetup:CreateConfigurationManager",
    "ssm-quicksetup:UpdateConfigurationManager",
    "ssm-quicksetup:UpdateConfigurationDefinition",
    "ec2:ModifyInstanceAttribute",
    "ec2:GetPasswordData",
    "ec2:CreateReplaceRootVolumeTask",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "eks:AccessKubernetesApi",
    "events:PutTargets",
    "scheduler:CreateSchedule",
];

pub(crate) fn desired(fields: &Value) -> String {
    let mut desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["r-abcd"]});
    for (key, value) in fields.as_object().unwrap() {
        desired[key] = value.clone();
    }
    desired.to_string()
}

fn gaps(desired: &str) -> Output {
    let output = offline(EXE).args(["gaps", "-f", "-"]).stdin(desired).run();
    output.assert_status(0);
    output
}

fn names(output: &Output) -> BTreeSet<String> {
    let records = output.records();
    let names = records.iter().map(|gap| gap["gap"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// Returns the names of all ways, from the schema that the tool prints.
pub(crate) fn ways() -> Vec<String> {
    let printed = offline(EXE).args(["--generate", "schema"]).run();
    let schema: Value = serde_json::from_str(&printed.stdout).unwrap();
    let ways = schema["$defs"]["Way"]["oneOf"].as_array().unwrap();
    let names = ways.iter().map(|way| way["const"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// Everything that a guard can close.
fn closed() -> Value {
    json!({"ways": ways(), "allowed_documents": ["SSM-SessionManagerRunShell"], "protect_preferences": true,
        "protect_exempt_roles": true, "protect_records": {"exempt_principals": ["arn:aws:iam::*:role/keeper"],
            "buckets": ["sessions-*"], "keys": ["arn:aws:kms:*:111122223333:key/*"], "log_groups": ["/sessions"],
            "trails": ["all"], "rules": ["ssm"]}})
}

#[test]
fn each_way_that_is_named_is_closed_and_no_other() {
    let all: BTreeSet<String> = ways().into_iter().collect();
    for way in &all {
        let found = names(&gaps(&desired(&json!({"ways": [way]}))));
        let open: BTreeSet<String> = all.difference(&[way.clone()].into()).cloned().collect();
        assert_eq!(
            found.intersection(&all).cloned().collect::<BTreeSet<_>>(),
            open,
            "{way}"
        );
    }
}

#[test]
fn gaps_names_what_else_is_open_until_it_is_closed() {
    let mut fields = closed();
    assert_eq!(gaps(&desired(&fields)).stdout, "");
    for (field, gap) in [
        ("allowed_documents", "session_documents"),
        ("protect_records", "session_records"),
        ("protect_exempt_roles", "exempt_principals"),
    ] {
        let value = fields[field].take();
        let mut without = fields.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(names(&gaps(&desired(&without))), [gap.to_owned()].into());
        fields[field] = value;
    }
    let preferences = names(&gaps(&desired(&json!({}))));
    assert!(preferences.contains("preferences"));
    let protected = names(&gaps(&desired(&json!({"protect_preferences": true}))));
    assert!(!protected.contains("preferences"));
    let text = offline(EXE)
        .args(["gaps", "-f", "-", "-o", "text"])
        .stdin(desired(&json!({})))
        .run();
    let row = "open    user_data: user data, which can run as root at every start\n        by ec2:ModifyInstanceAttribute\n        fix: add \"user_data\" to ways";
    assert!(text.stdout.contains(row), "{}", text.stdout);
}

#[test]
fn the_ways_around_a_guard_are_denied_to_everybody_else() {
    let home = Home::create();
    let path = home.path().join("guard.json");
    std::fs::write(&path, desired(&closed())).unwrap();
    let mut run: Run = offline(EXE).args([
        "simulate",
        "--guard",
        path.to_str().unwrap(),
        "--principal",
        "arn:aws:iam::111122223333:role/Dev",
    ]);
    for action in WAYS_AROUND {
        run = run.args(["--action", action]);
    }
    let output = run.args(["--expect", "deny"]).run();
    output.assert_status(0);
    assert_eq!(output.records().len(), WAYS_AROUND.len());
}

#[test]
fn any_action_of_aws_can_be_denied_but_those_that_agents_need() {
    for (actions, complaint) in [
        (
            json!([
                "ec2:ModifyInstanceAttribute",
                "cloudshell:CreateEnvironment"
            ]),
            None,
        ),
        (
            json!(["SSM:updatemaintenancewindowtask", "ssm-quicksetup:*"]),
            None,
        ),
        (
            json!(["ssm:StartSesion"]),
            Some("did you mean ssm:StartSession?"),
        ),
        (
            json!(["ssmm:StartSession"]),
            Some("did you mean ssm:StartSession?"),
        ),
        (
            json!(["cloudshell:Paint"]),
            Some("'cloudshell:Paint' is not among AWS's actions of"),
        ),
        (json!(["StartSession"]), Some("expected SERVICE:ACTION")),
        (json!(["ec2:*"]), Some("reaches beyond access to nodes")),
        (json!(["ssm:*"]), Some("which agents need")),
        (
            json!(["ssm:updateinstanceinformation"]),
            Some("which agents need"),
        ),
        (
            json!(["ssmmessages:OpenDataChannel"]),
            Some("which agents need"),
        ),
    ] {
        let input = desired(&json!({"actions": actions}));
        let output = offline(EXE).args(["render"]).stdin(input).run();
        match complaint {
            None => output.assert_status(0),
            Some(complaint) => output.assert_status(2).assert_complains(complaint),
        };
    }
}

#[test]
fn names_of_documents_and_records_are_held_to_what_they_can_be() {
    let keeper = "arn:aws:iam::*:role/keeper";
    let records = |field: &str, name: &str| json!({"protect_records": {"exempt_principals": [keeper], field: [name]}});
    for (fields, complaint) in [
        (
            json!({"allowed_documents": []}),
            "nobody could start a session",
        ),
        (
            json!({"allowed_documents": ["SSM-*"]}),
            "a name without wildcards",
        ),
        (
            json!({"allowed_documents": ["<document>"]}),
            "is a placeholder",
        ),
        (
            json!({"protect_records": {"exempt_principals": [keeper]}}),
            "at least one bucket, key",
        ),
        (
            json!({"protect_records": {"exempt_principals": [], "buckets": ["sessions"]}}),
            "nobody in the accounts could change",
        ),
        (records("buckets", "YOUR_BUCKET"), "is a placeholder"),
        (records("buckets", "sessions-{account}"), "is a placeholder"),
        (
            records("buckets", "Sessions"),
            "is not the name of a bucket",
        ),
        (records("buckets", "*"), "is every bucket there is"),
        (records("keys", "alias/sessions"), "is not the ARN of a key"),
        (
            records("keys", "arn:aws:kms:*:*:key/*"),
            "is every key there is",
        ),
        (
            records("keys", "arn:aws:kms:us-east-1:111122223333:key/key-id"),
            "is a placeholder",
        ),
        (
            records("log_groups", "a:b"),
            "is not the name of a log group",
        ),
        (records("trails", "<trail>"), "is a placeholder"),
        (records("rules", "**"), "is every rule there is"),
        (
            json!({"exempt_just_in_time": true, "ways": ["access_requests"]}),
            "$.exempt_just_in_time",
        ),
    ] {
        let output = offline(EXE).args(["render"]).stdin(desired(&fields)).run();
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "", "{fields}");
    }
}

#[test]
fn render_plan_and_check_say_what_a_guard_leaves_open() {
    let Organization { account, unit, .. } = organization();
    let input = desired(&json!({"targets": [unit]}));
    let open = "this guard leaves open 9 of 11 ways by Systems Manager, 7 of 7 by EC2";
    let just_in_time = "just-in-time node access does not work under this guard";
    for verb in ["render", "plan"] {
        let output = run(&account, verb, &input);
        output.assert_status(0).assert_complains(open);
        output.assert_complains(just_in_time);
    }
    let found = run(&account, "check", &input);
    let found = ids(&found);
    for id in ["scp.guard.open", "scp.just_in_time.denied"] {
        assert!(found.contains(&id.to_owned()), "{id} in {found:?}");
    }
    // With everything closed and just-in-time access let through nothing is left to say.
    let mut fields = closed();
    fields["exempt_just_in_time"] = json!(true);
    fields["ways"]
        .as_array_mut()
        .unwrap()
        .retain(|way| way != "access_requests" && way != "automations");
    let reported = offline(EXE).args(["render"]).stdin(desired(&fields)).run();
    reported
        .assert_status(0)
        .assert_complains("this guard leaves open 2 of 11 ways by Systems Manager; ssm-scp gaps");
    assert!(
        !reported.stderr.contains("just-in-time"),
        "{}",
        reported.stderr
    );
    fields["ways"]
        .as_array_mut()
        .unwrap()
        .push(json!("automations"));
    let reported = offline(EXE).args(["render"]).stdin(desired(&fields)).run();
    reported.assert_complains(
        "requests of just-in-time node access that somebody has to approve do not work",
    );
}

#[test]
fn gaps_of_an_organization_are_those_of_all_policies_above_each_account() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let plan = run(&account, "plan", &desired(&json!({"targets": [unit]})));
    run(&account, "apply", &plan.stdout).assert_status(0);
    let content = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "ec2:ModifyInstance*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:GetPasswordData", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}]});
    let kind = ["--description", "", "--type", "SERVICE_CONTROL_POLICY"];
    let named = ["--name", "ec2", "--content", &content.to_string()];
    let made = account.aws(&[&["organizations", "create-policy"], &kind[..], &named].concat());
    let policy = made["Policy"]["PolicySummary"]["Id"].as_str().unwrap();
    let root = format!("r-{}", &account.id()[8..]);
    let attach = ["organizations", "attach-policy", "--policy-id", policy];
    account.aws(&[&attach[..], &["--target-id", &root]].concat());
    account.forget_calls();
    let live = account.tool(EXE).args(["gaps"]).run();
    live.assert_status(0);
    assert!(account.writes().is_empty());
    let found = names(&live);
    for (gap, is_open) in [("sessions", false), ("user_data", false), ("volumes", true)] {
        assert_eq!(found.contains(gap), is_open, "{gap}");
    }
    let records = live.records();
    let of = |name: &str| records.iter().find(|gap| gap["gap"] == name).unwrap();
    assert_eq!(of("volumes")["accounts"], json!([member.id()]));
    assert_eq!(of("volumes")["answer"], "open");
    assert_eq!(of("password_data")["answer"], "unknown");
    let saved = account.home().join("organization.jsonl");
    std::fs::write(&saved, account.tool(EXE).args(["show"]).run().stdout).unwrap();
    let saved = ["--organization", saved.to_str().unwrap()];
    let offline = offline(EXE).args(["gaps"]).args(saved).run();
    assert_eq!(offline.stdout, live.stdout);
    // A desired state joins what is there.
    let joined = testbed::offline(EXE).args(["gaps", "-f", "-"]).args(saved);
    let joined = joined
        .stdin(desired(&json!({"ways": ["volumes"], "targets": [unit]})))
        .run();
    let joined = names(&joined);
    assert!(!joined.contains("volumes") && joined.contains("sessions"));
}

#[test]
fn the_examples_of_the_page_are_sound() {
    let page = testbed::repository().join("docs/guard.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page.split("```json\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (example, _) = block.split_once("```").unwrap();
        let rendered = offline(EXE).args(["render", "-q"]).stdin(example).run();
        rendered.assert_status(0).assert_stderr("");
        let linted = offline(EXE).args(["lint"]).stdin(&rendered.stdout).run();
        linted.assert_status(0).assert_stderr("");
    }
}
