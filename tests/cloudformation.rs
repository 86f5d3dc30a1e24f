//! What a stack makes of a rendered template is what `apply` makes of the same desired state: both are done in accounts of
//! their own, and the tools see no difference.

#[path = "cloudformation/alike.rs"]
mod alike;

use serde_json::{Value, json};
use testbed::{Account, Sandbox};

use crate::alike::{
    WEBHOOK, answers, apply, assert_alike, assert_nothing_to_do, delete, deploy, python, refused,
    render, reported, run, shown, template, update,
};

const PREFERENCES: &str = r#"{
    "kms_key": {"alias": "alias/sessions", "create": true, "administrators": ["arn:aws:iam::{account}:role/keys"]},
    "s3": {"bucket": "logs-{account}-{region}", "prefix": "p", "create": true, "expire_days": 400,
        "object_lock": {"mode": "governance", "days": 30}},
    "cloudwatch": {"log_group": "/sessions/{region}", "create": true, "retention_days": 400, "deletion_protection": true},
    "idle_timeout_minutes": 20, "shell_profile": {"linux": "echo ${USER:-${HOME}}"}, "shell": "bash"}"#;

/// The region of an account that makes what has no region.
const HOME: &str = "us-east-1";
const OTHER: &str = "eu-central-1";
const REGIONS: [&str; 4] = ["--region", HOME, "--region", OTHER];

fn accounts() -> (Account, Account) {
    (Sandbox::start().account(), Sandbox::start().account())
}

#[test]
fn preferences_of_a_stack_are_those_of_apply() {
    let (stack, applied) = accounts();
    deploy(&stack, HOME, &template("ssm-prefs", &[], PREFERENCES), &[]);
    assert_nothing_to_do(&stack, "ssm-prefs", &[], PREFERENCES);
    apply(&applied, "ssm-prefs", &[], PREFERENCES);
    let show = |account: &Account| shown(account, "ssm-prefs", &[], "");
    assert_eq!(show(&stack), show(&applied));
    // What no plan looks at.
    let bucket = json!({ "Bucket": "logs-ACCOUNT-us-east-1" });
    let key = json!({ "KeyId": "alias/sessions" });
    let calls = [
        ("kms", "describe_key", key.clone()),
        ("logs", "describe_log_groups", json!({})),
        ("s3", "get_bucket_encryption", bucket.clone()),
        ("s3", "get_bucket_lifecycle_configuration", bucket.clone()),
        ("s3", "get_bucket_policy", bucket),
    ];
    assert_alike(&stack, &applied, &calls);
    let key_policy = |account: &Account| {
        let key = &answers(account, &[("kms", "describe_key", key.clone())])[0];
        let given = json!({ "KeyId": key["KeyMetadata"]["KeyId"], "PolicyName": "default" });
        reported(
            account,
            &answers(account, &[("kms", "get_key_policy", given)])[0],
        )
    };
    assert_eq!(key_policy(&stack), key_policy(&applied));
}

#[test]
fn other_preferences_come_into_force_with_the_stack() {
    let account = Sandbox::start().account();
    let other = PREFERENCES.replace("400", "30").replace("20,", "15,");
    for (desired, is_first) in [(PREFERENCES, true), (&*other, false)] {
        let template = template("ssm-prefs", &[], desired);
        match is_first {
            true => deploy(&account, HOME, &template, &[]),
            false => update(&account, HOME, &template),
        }
        assert_nothing_to_do(&account, "ssm-prefs", &[], desired);
    }
    // The default version is the latest: sessions use what the console shows.
    let shown = shown(&account, "ssm-prefs", &[], "");
    assert_eq!(shown[0]["versions_differ"], Value::Null);
    assert_eq!(shown[0]["document"]["value"]["latest"]["version"], "2");
}

#[test]
fn what_holds_records_outlives_its_stack() {
    let account = Sandbox::start().account();
    deploy(
        &account,
        HOME,
        &template("ssm-prefs", &[], PREFERENCES),
        &[],
    );
    delete(&account, HOME);
    assert_eq!(
        shown(&account, "ssm-prefs", &[], "")[0]["document"],
        json!({ "state": "absent" })
    );
    let bucket = json!({ "Bucket": "logs-ACCOUNT-us-east-1" });
    let left = [
        ("kms", "describe_key", json!({ "KeyId": "alias/sessions" })),
        ("s3", "get_bucket_policy", bucket),
        ("logs", "describe_log_groups", json!({})),
    ];
    let left = answers(&account, &left);
    assert_eq!(left[0]["KeyMetadata"]["KeyState"], "Enabled");
    assert_eq!(left[2]["logGroups"].as_array().unwrap().len(), 1);
}

#[test]
fn a_stack_takes_over_nothing_that_is_there_and_leaves_nothing_behind() {
    let account = Sandbox::start().account();
    let only_document = r#"{"idle_timeout_minutes": 10}"#;
    apply(&account, "ssm-prefs", &[], only_document);
    // CloudFormation could not take back what is protected from deletion.
    let preferences = PREFERENCES.replace(r#", "deletion_protection": true"#, "");
    let failed = refused(&account, &template("ssm-prefs", &[], &preferences), &[]);
    assert!(
        failed.iter().any(|why| why.starts_with("Preferences: ")),
        "{failed:?}"
    );
    assert_nothing_to_do(&account, "ssm-prefs", &[], only_document);
    let left = [
        ("logs", "describe_log_groups", json!({})),
        ("s3", "list_buckets", json!({})),
    ];
    let left = answers(&account, &left);
    assert_eq!(left[0]["logGroups"], json!([]));
    assert_eq!(left[1]["Buckets"], json!([]));
    let (account, nodes) = (
        Sandbox::start().account(),
        r#"{"default_host_management": {}}"#,
    );
    apply(&account, "ssm-role", &[], nodes);
    let other = template(
        "ssm-role",
        &[],
        r#"{"default_host_management": {"role_name": "Nodes"}}"#,
    );
    let failed = refused(&account, &other, &[("HomeRegion", HOME)]);
    assert!(
        failed.iter().any(|why| why.starts_with("HostManagement: ")),
        "{failed:?}"
    );
    assert_nothing_to_do(&account, "ssm-role", &[], nodes);
}

#[test]
fn host_management_of_stacks_in_two_regions_is_that_of_apply() {
    let (stack, applied) = accounts();
    let desired = r#"{"default_host_management": {"role_name": "Nodes"}}"#;
    let document = stack.home().join("document.json");
    std::fs::write(&document, render("ssm-prefs", &[], PREFERENCES).stdout).unwrap();
    let prefs = ["--prefs", document.to_str().unwrap()];
    let template = template("ssm-role", &prefs, desired);
    // The home region is first: the others put their policies on its role.
    for region in [HOME, OTHER] {
        deploy(&stack, region, &template, &[("HomeRegion", HOME)]);
    }
    // A plan is made with the preferences that each account and region has.
    let records = |account: &Account| {
        for region in REGIONS.chunks(2) {
            apply(account, "ssm-prefs", region, PREFERENCES);
        }
        let show = [&["show"], &REGIONS[..]].concat();
        let shown = run(account, "ssm-prefs", &show, "");
        let path = account.home().join("prefs.jsonl");
        std::fs::write(&path, shown.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let path = records(&stack);
    let arguments = [&REGIONS[..], &["--prefs", &path]].concat();
    assert_nothing_to_do(&stack, "ssm-role", &arguments, desired);
    let path = records(&applied);
    let arguments = [&REGIONS[..], &["--prefs", &path]].concat();
    apply(&applied, "ssm-role", &arguments, desired);
    let show = |account: &Account| shown(account, "ssm-role", &REGIONS, "");
    assert_eq!(show(&stack), show(&applied));
    let policy =
        json!({ "RoleName": "Nodes", "PolicyName": "SessionManagerPreferences-eu-central-1" });
    let calls = [
        ("iam", "get_role", json!({ "RoleName": "Nodes" })),
        ("iam", "get_role_policy", policy),
    ];
    assert_alike(&stack, &applied, &calls);
    // The home region is last: a role with policies of others cannot be deleted.
    for region in [OTHER, HOME] {
        delete(&stack, region);
    }
    let show = shown(&stack, "ssm-role", &REGIONS, "");
    for place in show.as_array().unwrap() {
        let off = json!({ "status": "Default", "role": null });
        assert_eq!(place["default_host_management"], off);
    }
}

#[test]
fn alerts_of_stacks_through_an_api_destination_are_those_of_apply() {
    let (stack, applied) = accounts();
    let desired = r#"{"webhook": {"env": "WEBHOOK"}, "events": ["StartSession", "GetConnectionStatus"],
        "status_events": ["command"], "trail": {"name": "audit", "home_region": "us-east-1", "bucket": "audit-{account}"}}"#;
    let template = template("ssm-events", &[], desired);
    for region in [HOME, OTHER] {
        deploy(&stack, region, &template, &[("WebhookUrl", WEBHOOK)]);
    }
    assert_nothing_to_do(&stack, "ssm-events", &REGIONS, desired);
    apply(&applied, "ssm-events", &REGIONS, desired);
    let show = |account: &Account| shown(account, "ssm-events", &REGIONS, desired);
    assert_eq!(show(&stack), show(&applied));
    let name = json!({ "Name": "ssm-activity" });
    let role = json!({ "RoleName": "ssm-events-to-slack" });
    let calls = [
        ("iam", "get_role", role),
        ("events", "describe_connection", name.clone()),
        ("events", "describe_api_destination", name),
        (
            "s3",
            "get_public_access_block",
            json!({ "Bucket": "audit-ACCOUNT" }),
        ),
    ];
    assert_alike(&stack, &applied, &calls);
    for region in [OTHER, HOME] {
        delete(&stack, region);
    }
    let show = shown(&stack, "ssm-events", &REGIONS, desired);
    let state = |place: usize, part: &str| show[place]["observed"][part]["state"].clone();
    for (part, left) in [("queue", "present"), ("rule", "absent"), ("role", "absent")] {
        assert_eq!(
            (state(0, part), state(1, part)),
            (json!(left), json!(left)),
            "{part}"
        );
    }
    let at_home = (state(0, "bucket"), state(0, "trail"));
    assert_eq!(at_home, (json!("present"), json!("absent")));
}

#[test]
fn a_secret_is_read_by_the_stack() {
    let account = Sandbox::start().account();
    let desired = r#"{"webhook": {"secret": "slack"}, "events": ["StartSession"]}"#;
    let given = json!({ "Name": "slack", "SecretString": WEBHOOK });
    answers(&account, &[("secretsmanager", "create_secret", given)]);
    let template = template("ssm-events", &[], desired);
    deploy(&account, HOME, &template, &[("HomeRegion", HOME)]);
    assert_nothing_to_do(&account, "ssm-events", &[], desired);
}

#[test]
fn alerts_of_a_stack_through_a_function_are_those_of_apply() {
    let (stack, applied) = accounts();
    let zip = package(&stack, &format!("code-{}-{HOME}", stack.id()));
    let desired = json!({"webhook": {"parameter": "/slack"}, "events": ["StartSession"],
        "function": {"zip": zip, "time_zone": "Europe/Berlin"}})
    .to_string();
    let template = template("ssm-events", &[], &desired);
    let parameters = [
        ("HomeRegion", HOME),
        ("CodeBucketPrefix", &*format!("code-{}", stack.id())),
        ("CodeKey", "v1/function.zip"),
    ];
    deploy(&stack, HOME, &template, &parameters);
    assert_nothing_to_do(&stack, "ssm-events", &[], &desired);
    apply(&applied, "ssm-events", &[], &desired);
    let show = |account: &Account| shown(account, "ssm-events", &[], &desired);
    assert_eq!(show(&stack), show(&applied));
    let given = json!({ "FunctionName": "ssm-events" });
    let calls = [("lambda", "get_function_configuration", given)];
    assert_alike(&stack, &applied, &calls);
}

/// Packs what passes for the function, as nothing starts it, and puts it into a bucket for the stack.
fn package(account: &Account, bucket: &str) -> String {
    let path = account.home().join("function.zip");
    let path = path.to_str().unwrap();
    let code = "import boto3, sys, zipfile
_, path, bucket = sys.argv
with zipfile.ZipFile(path, 'w') as archive:
    archive.writestr('bootstrap', '#!/bin/sh')
s3 = boto3.client('s3')
s3.create_bucket(Bucket=bucket)
s3.upload_file(path, bucket, 'v1/function.zip')";
    python(account, &["-c", code, path, bucket], "");
    path.to_owned()
}

#[test]
fn refuses_layers_in_one_template() {
    let account = Sandbox::start().account();
    let layers = account.home().join("prefs");
    std::fs::create_dir(&layers).unwrap();
    std::fs::write(layers.join("all.json"), PREFERENCES).unwrap();
    let one = r#"{"for": {"region": "eu-central-1"}, "reason": "x", "desired": {"idle_timeout_minutes": 5}}"#;
    std::fs::write(layers.join("eu.json"), one).unwrap();
    let refused = render(
        "ssm-prefs",
        &["--cloudformation", "-f", layers.to_str().unwrap()],
        "",
    );
    refused.assert_status(2).assert_stderr(
        "ssm-prefs: eu-central-1 has its own desired preferences: what is the same everywhere has no overrides; pass one file\n",
    );
    assert_eq!(refused.stdout, "");
}
