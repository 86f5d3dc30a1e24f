//! What roles may do by their documents, inline policies for preferences, and profiles for instances without one.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox};

use super::{CORE, column, run, tool, undo_of};

const ASSIGN: &str = r#"{"assign_profile": {}}"#;

pub(super) fn prefs(account: &Account) -> Value {
    let id = account.id();
    let key = |name: &str| format!("arn:aws:kms:us-east-1:{id}:key/{name}");
    let (of_sessions, of_bucket) = (key("1234abcd-12ab-34cd-56ef-1234567890ab"), key("b"));
    let inputs = json!({"s3BucketName": "transcripts", "s3KeyPrefix": "ssm", "cloudWatchLogGroupName": "/ssm/sessions",
        "kmsKeyId": of_sessions});
    let version = json!({"version": "1", "content": {"inputs": inputs}});
    let encryption = json!({"algorithm": "aws:kms", "kms_key": of_bucket, "kms_alias": null, "bucket_key": true});
    let policy = json!({"state": "present", "value": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{id}:root")}, "Action": "kms:*", "Resource": "*"}]}});
    json!({"kind": "preferences", "target": {"account": id, "region": "us-east-1"},
        "bucket_encryption": {"transcripts": {"state": "present", "value": encryption}},
        "bucket_policies": {"transcripts": {"state": "absent"}},
        "key_policies": {of_sessions.as_str(): policy, of_bucket.as_str(): policy},
        "document": {"state": "present", "value": {"default": version, "latest": version}}})
}

/// Runs a verb with the preferences on stdin and the desired state in a file, as in a pipe.
pub(super) fn with_prefs(account: &Account, verb: &str, desired: &str) -> Output {
    let path = account.home().join("role.json");
    std::fs::write(&path, desired).unwrap();
    let arguments = [verb, "-f", path.to_str().unwrap(), "--prefs", "-"];
    tool(account, &arguments)
        .stdin(prefs(account).to_string())
        .run()
}

/// Three bare instances, and one whose role is a custom one.
pub(super) fn estate() -> Account {
    let account = Sandbox::start().account();
    let id = account.id().to_owned();
    let node = |number: usize, profile: Value, state: &str| {
        json!({"account": id, "region": "us-east-1", "state": state,
        "instance_id": format!("i-{number:017x}"), "profile": profile})
    };
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "inline": {"own": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*"], "Resource": "*"}]}}}],
        "nodes": [node(1, Value::Null, "running"), node(2, Value::Null, "stopped"), node(3, Value::Null, "terminated"),
            node(4, json!("web"), "running")],
    }));
    account
}

fn verdicts(record: &Value, feature: &str) -> Vec<String> {
    let permissions = record["roles"][0]["permissions"].as_array().unwrap();
    let of_feature = permissions.iter().filter(|one| one["feature"] == feature);
    of_feature
        .map(|one| one["verdict"].as_str().unwrap().to_owned())
        .collect()
}

fn profile_of(account: &Account, instance_id: &str) -> Value {
    let filter = format!("Name=instance-id,Values={instance_id}");
    let found = account.aws(&[
        "ec2",
        "describe-iam-instance-profile-associations",
        "--filters",
        &filter,
    ]);
    found["IamInstanceProfileAssociations"][0]["IamInstanceProfile"]["Arn"].clone()
}

#[test]
fn a_custom_policy_is_judged_by_what_it_says() {
    let account = estate();
    account.forget_calls();
    let record = run(&account, "show", "").json();
    assert_eq!(verdicts(&record, "register"), ["allowed"]);
    assert_eq!(verdicts(&record, "channel"), vec!["allowed"; 4]);
    let permission = &record["roles"][0]["permissions"][1];
    assert_eq!(
        permission["by"],
        json!({"layer": "identity", "policy": "own", "sid": null, "path": "$.Statement[0]"})
    );
    let instances = &record["instances"];
    assert_eq!(column(instances, "role"), json!([null, null, "web"]));
    run(&account, "check", r#"{"instance_profiles": {}}"#).assert_status(0);
    let plan = run(&account, "plan", r#"{"instance_profiles": {}}"#).json();
    assert_eq!(plan["changes"], json!([]));
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn a_boundary_is_read_and_named() {
    let account = estate();
    let document = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}"#;
    let created = account.aws(&[
        "iam",
        "create-policy",
        "--policy-name",
        "fence",
        "--policy-document",
        document,
    ]);
    let arn = created["Policy"]["Arn"].as_str().unwrap();
    account.aws(&[
        "iam",
        "put-role-permissions-boundary",
        "--role-name",
        "web",
        "--permissions-boundary",
        arn,
    ]);
    account.aws(&[
        "iam",
        "attach-role-policy",
        "--role-name",
        "web",
        "--policy-arn",
        CORE,
    ]);
    let record = run(&account, "show", "").json();
    assert_eq!(record["roles"][0]["boundary"]["arn"], arn);
    assert_eq!(record["roles"][0]["has_core"], true);
    assert_eq!(verdicts(&record, "channel"), vec!["denied"; 4]);
    let output = run(&account, "check", r#"{"instance_profiles": {}}"#);
    output.assert_status(1);
    let finding = output.json();
    assert_eq!(finding["id"], "role.channel.denied");
    assert!(finding["message"].as_str().unwrap().contains(arn));
    // No policy on the role helps against a boundary.
    let plan = run(&account, "plan", r#"{"instance_profiles": {}}"#).json();
    assert_eq!(plan["changes"], json!([]));
}

#[test]
fn what_the_preferences_need_is_granted_once_and_taken_back() {
    let account = estate();
    let desired = r#"{"instance_profiles": {}}"#;
    let found = with_prefs(&account, "check", desired);
    found.assert_status(1);
    let ids: Vec<Value> = found
        .records()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    let expected = [
        "role.s3_log.denied",
        "role.s3_kms.denied",
        "role.cloudwatch_log.denied",
        "role.kms.denied",
    ];
    assert_eq!(json!(ids), json!(expected));
    let plan = with_prefs(&account, "plan", desired);
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    with_prefs(&account, "check", desired).assert_status(0);
    assert_eq!(
        with_prefs(&account, "plan", desired).json()["changes"],
        json!([])
    );
    account.forget_calls();
    let again = run(&account, "apply", &plan.stdout);
    again.assert_status(0);
    assert_eq!(
        column(&again.json()["results"], "status"),
        json!(["unchanged"])
    );
    assert!(account.writes().is_empty());
    run(&account, "apply", &undo_of(&applied)).assert_status(0);
    let left = account.aws(&["iam", "list-role-policies", "--role-name", "web"]);
    assert_eq!(left["PolicyNames"], json!(["own"]));
    assert!(account.problems().is_empty());
}

#[test]
fn preferences_of_another_region_are_no_answer() {
    let account = estate();
    let path = account.home().join("role.json");
    std::fs::write(&path, "{}").unwrap();
    let mut prefs = prefs(&account);
    prefs["target"]["region"] = json!("eu-central-1");
    let arguments = ["check", "-f", path.to_str().unwrap(), "--prefs", "-"];
    let output = tool(&account, &arguments).stdin(prefs.to_string()).run();
    output
        .assert_status(2)
        .assert_complains("no preferences of ");
}

#[test]
fn the_role_of_dhmc_is_made_with_its_inline_policy_and_undone_whole() {
    let account = estate();
    let desired = r#"{"default_host_management": {}}"#;
    let plan = with_prefs(&account, "plan", desired);
    let actions = column(&plan.json()["changes"], "action");
    let expected = ["create_role", "put_role_policy", "update_service_setting"];
    assert_eq!(actions, json!(expected));
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    let again = run(&account, "apply", &plan.stdout);
    again.assert_status(0);
    assert_eq!(
        column(&again.json()["results"], "status"),
        json!(["unchanged", "unchanged", "unchanged"])
    );
    with_prefs(&account, "check", desired).assert_status(0);
    run(&account, "apply", &undo_of(&applied)).assert_status(0);
    let roles = account.aws(&["iam", "list-roles"]);
    assert_eq!(column(&roles["Roles"], "RoleName"), json!(["web"]));
}

#[test]
fn a_refused_setting_explains_pass_role() {
    let account = estate();
    let plan = run(&account, "plan", r#"{"default_host_management": {}}"#);
    account.fault(json!({"service": "ssm", "operation": "UpdateServiceSetting", "kind": "denied", "times": -1}));
    let result = run(&account, "apply", &plan.stdout);
    result.assert_status(2);
    let error = result.json()["results"][1]["error"].to_string();
    assert!(error.contains("iam:PassRole"), "{error}");
}

#[test]
fn bare_instances_get_a_profile_and_undo_takes_it_off() {
    let account = estate();
    let plan = run(&account, "plan", ASSIGN);
    let actions = column(&plan.json()["changes"], "action");
    let expected = [
        "create_role",
        "create_instance_profile",
        "associate_instance_profile",
        "associate_instance_profile",
    ];
    assert_eq!(actions, json!(expected));
    let check = run(&account, "check", ASSIGN);
    check.assert_status(1);
    assert_eq!(check.json()["id"], "role.profile.missing");
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    let arn = format!(
        "arn:aws:iam::{}:instance-profile/ssm-role/SSMManagedInstance",
        account.id()
    );
    assert_eq!(profile_of(&account, "i-00000000000000001"), arn);
    assert_eq!(
        profile_of(&account, "i-00000000000000004"),
        format!("arn:aws:iam::{}:instance-profile/web", account.id())
    );
    run(&account, "check", ASSIGN).assert_status(0);
    assert_eq!(run(&account, "plan", ASSIGN).json()["changes"], json!([]));
    account.forget_calls();
    let again = run(&account, "apply", &plan.stdout);
    again.assert_status(0);
    assert_eq!(
        column(&again.json()["results"], "status"),
        json!(vec!["unchanged"; 4])
    );
    assert!(account.writes().is_empty());
    run(&account, "apply", &undo_of(&applied)).assert_status(0);
    assert_eq!(profile_of(&account, "i-00000000000000001"), Value::Null);
    let profiles = account.aws(&["iam", "list-instance-profiles"]);
    assert_eq!(
        column(&profiles["InstanceProfiles"], "InstanceProfileName"),
        json!(["web"])
    );
    let roles = account.aws(&["iam", "list-roles"]);
    assert_eq!(column(&roles["Roles"], "RoleName"), json!(["web"]));
    assert!(account.problems().is_empty());
}

#[test]
fn a_profile_that_ec2_does_not_know_yet_is_waited_for() {
    let account = estate();
    let plan = run(&account, "plan", ASSIGN);
    account.fault(json!({"service": "ec2", "operation": "AssociateIamInstanceProfile", "kind": "error", "status": 400,
        "code": "InvalidParameterValue", "message": "Invalid IAM Instance Profile", "times": 2}));
    run(&account, "apply", &plan.stdout).assert_status(0);
}

#[test]
fn nodes_from_a_pipe_narrow_the_plan() {
    let account = estate();
    let path = account.home().join("role.json");
    std::fs::write(&path, ASSIGN).unwrap();
    let node = json!({"kind": "node", "instance_id": "i-00000000000000002",
        "target": {"account": account.id(), "region": "us-east-1"}, "platform": {}, "managed_by": "none", "tags": {}});
    let arguments = ["plan", "-f", path.to_str().unwrap(), "--nodes", "-"];
    let plan = tool(&account, &arguments).stdin(node.to_string()).run();
    plan.assert_status(0);
    let resources = column(&plan.json()["changes"], "resource");
    let id = account.id();
    assert_eq!(
        resources[2],
        format!("arn:aws:ec2:us-east-1:{id}:instance/i-00000000000000002")
    );
    assert_eq!(resources.as_array().unwrap().len(), 3);
    // Nodes of another region are none of this one.
    let mut elsewhere = node;
    elsewhere["target"]["region"] = json!("eu-central-1");
    let plan = tool(&account, &arguments)
        .stdin(elsewhere.to_string())
        .run();
    assert_eq!(plan.json()["changes"], json!([]));
}

#[test]
fn a_profile_in_use_is_replaced_only_for_named_nodes() {
    let account = estate();
    account.aws(&[
        "iam",
        "delete-role-policy",
        "--role-name",
        "web",
        "--policy-name",
        "own",
    ]);
    let path = account.home().join("role.json");
    let desired = r#"{"assign_profile": {"replace": true}}"#;
    std::fs::write(&path, desired).unwrap();
    run(&account, "plan", desired)
        .assert_status(2)
        .assert_complains("name them with --nodes");
    let node = json!({"kind": "node", "instance_id": "i-00000000000000004",
        "target": {"account": account.id(), "region": "us-east-1"}, "platform": {}, "managed_by": "instance-profile", "tags": {}});
    let arguments = ["plan", "-f", path.to_str().unwrap(), "--nodes", "-"];
    let plan = tool(&account, &arguments).stdin(node.to_string()).run();
    plan.assert_status(0);
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    let arn = |name: &str| format!("arn:aws:iam::{}:instance-profile/{name}", account.id());
    assert_eq!(
        profile_of(&account, "i-00000000000000004"),
        arn("ssm-role/SSMManagedInstance")
    );
    run(&account, "apply", &undo_of(&applied)).assert_status(0);
    assert_eq!(profile_of(&account, "i-00000000000000004"), arn("web"));
}

#[test]
fn undo_keeps_a_profile_that_another_instance_uses() {
    let account = estate();
    let applied = run(&account, "apply", &run(&account, "plan", ASSIGN).stdout);
    let mut undo = applied.json()["undo"].clone();
    // Somebody undoes only the role and the profile.
    let changes = undo["changes"].as_array_mut().unwrap();
    changes.retain(|change| change["action"] == "delete_instance_profile");
    let result = run(&account, "apply", &undo.to_string());
    result.assert_status(2);
    let error = result.json()["results"][0]["error"].to_string();
    assert!(
        error.contains("has the profile: take it off first"),
        "{error}"
    );
}

#[test]
fn plans_that_reach_further_are_refused() {
    let account = Sandbox::start().account();
    let id = account.id().to_owned();
    let change = |action: &str, resource: String, from: Value, to: Value| {
        json!({"kind": "plan", "tool": "ssm-role", "target": {"account": id, "region": "us-east-1"},
            "changes": [{"id": "a", "action": action, "resource": resource, "from": from, "to": to, "why": ""}]})
    };
    let role = format!("arn:aws:iam::{id}:role/web");
    for (plan, complaint) in [
        (
            change(
                "put_role_policy",
                role.clone(),
                Value::Null,
                json!({"policy_name": "admin", "document": {}}),
            ),
            "ssm-role writes no inline policy but SessionManagerPreferences-us-east-1 here",
        ),
        (
            change(
                "delete_instance_profile",
                format!("arn:aws:iam::{id}:instance-profile/web"),
                json!({"path": "/", "role": "web"}),
                Value::Null,
            ),
            "only a profile under /ssm-role/ is made or deleted",
        ),
        (
            change(
                "associate_instance_profile",
                "arn:aws:ec2:us-east-1:999999999999:instance/i-00000000000000001".to_owned(),
                Value::Null,
                json!({"profile_arn": "x"}),
            ),
            "is not a instance of account",
        ),
    ] {
        let output = tool(&account, &["apply"]).stdin(plan.to_string()).run();
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
    assert!(account.calls().is_empty());
}
