//! Service control policies that keep sessions from being logged, or from starting: what the tools say with the organization's
//! records, and what the session then does.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

const NODE: &str = "i-0a000000000000001";

/// What a service control policy denies, what the tools then find, and what the session loses.
const DENIED: [(&str, &[&str], Loss); 5] = [
    (
        "s3:PutObject",
        &["prefs.role.s3_put", "role.s3_log.denied"],
        Loss::Bucket,
    ),
    (
        "kms:GenerateDataKey",
        &["prefs.role.s3_kms", "role.s3_kms.denied"],
        Loss::Bucket,
    ),
    (
        "logs:PutLogEvents",
        &["prefs.role.logs_write", "role.cloudwatch_log.denied"],
        Loss::LogGroup,
    ),
    (
        "kms:Decrypt",
        &[
            "prefs.role.kms_decrypt",
            "prefs.role.s3_kms",
            "role.kms.denied",
            "role.s3_kms.denied",
        ],
        Loss::Session,
    ),
    (
        "ssmmessages:OpenDataChannel",
        &["role.channel.denied"],
        Loss::Session,
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Nothing,
    Bucket,
    LogGroup,
    Session,
}

#[test]
fn service_control_policies_bind_the_roles_of_nodes() {
    let (management, account) = rolled_out();
    // Without one that denies, nothing is found and nothing is lost.
    assert_eq!(found(&management, &account), Vec::<String>::new());
    assert_eq!(lost(&account), Loss::Nothing);
    for (action, ids, loss) in DENIED {
        let policy = create_policy(&management, action);
        let attach = |verb: &str| {
            management.aws(&[
                "organizations",
                verb,
                "--policy-id",
                &policy,
                "--target-id",
                account.id(),
            ]);
        };
        attach("attach-policy");
        assert_eq!(found(&management, &account), ids, "{action}");
        assert_eq!(lost(&account), loss, "{action}");
        attach("detach-policy");
    }
    an_account_of_another_organization_is_not_judged_by_it(&account);
}

fn an_account_of_another_organization_is_not_judged_by_it(account: &Account) {
    let entity = json!({"kind": "entity", "id": "r-1234", "type": "root", "name": "Root", "parent": null, "path": "Root",
        "management": false, "policies": []});
    std::fs::write(account.home().join("organization"), entity.to_string()).unwrap();
    let said = format!("{} is not in the organization", account.id());
    let found = prefs_check(account).assert_status(1).records();
    let unknown = found.iter().find(|one| one["id"] == "prefs.roles.unknown");
    let text = unknown.unwrap()["message"].to_string();
    assert!(text.contains(&said), "{text}");
    let refused = role_check(account);
    refused.assert_status(2).assert_complains(&said);
}

fn exe(tool: &str) -> std::path::PathBuf {
    repository().join("target/debug").join(tool)
}

/// Returns the management account of an organization and a member of it with a node, preferences and the role that they need.
fn rolled_out() -> (Account, Account) {
    let (management, account) = (Sandbox::start().account(), Sandbox::start().account());
    let suffix = management.id()[8..].to_owned();
    management.seed(&json!({
        "accounts": [{"id": management.id(), "name": "management"}, {"id": account.id(), "name": "member"}],
        "organization": {"management_account": management.id(), "id": format!("o-org{suffix}"), "root_id": format!("r-{suffix}"),
            "ous": [{"id": format!("ou-{suffix}-workloads"), "name": "workloads", "accounts": [account.id()]}]},
        "roles": [{"account": account.id(), "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}],
        "nodes": [{"account": account.id(), "region": "us-east-1", "instance_id": NODE, "profile": "node",
            "agent": {"version": "3.3.987.0"}}],
    }));
    let run = |tool: &str, verb: &str, stdin: String, prefs: bool| {
        let flags: &[&str] = if prefs { &["--prefs", "prefs"] } else { &[] };
        let output = account
            .tool(exe(tool))
            .args([verb])
            .args(flags)
            .stdin(stdin)
            .run();
        output.assert_status(0);
        output.stdout
    };
    let plan = run("ssm-prefs", "plan", DESIRED_PREFERENCES.to_owned(), false);
    run("ssm-prefs", "apply", plan, false);
    let shown = run("ssm-prefs", "show", String::new(), false);
    std::fs::write(account.home().join("prefs"), shown).unwrap();
    let plan = run("ssm-role", "plan", DESIRED_ROLES.to_owned(), true);
    run("ssm-role", "apply", plan, false);
    (management, account)
}

const DESIRED_ROLES: &str = r#"{"instance_profiles": {"grant_preferences": true}}"#;
const DESIRED_PREFERENCES: &str = r#"{"kms_key": {"alias": "alias/sessions", "create": true},
    "s3": {"bucket": "sessions-{account}-{region}", "create": true},
    "cloudwatch": {"log_group": "/sessions", "create": true}}"#;

fn create_policy(management: &Account, action: &str) -> String {
    let document = json!({"Version": "2012-10-17", "Statement": [{"Sid": "No", "Effect": "Deny", "Action": action, "Resource": "*"}]});
    let answer = management.aws(&[
        "organizations",
        "create-policy",
        "--name",
        &action.replace(':', "-"),
        "--description",
        "",
        "--type",
        "SERVICE_CONTROL_POLICY",
        "--content",
        &document.to_string(),
    ]);
    let id = &answer["Policy"]["PolicySummary"]["Id"];
    id.as_str().unwrap().to_owned()
}

/// Returns the ids of what both checks find of roles, each once.
fn found(management: &Account, account: &Account) -> Vec<String> {
    let shown = management.tool(exe("ssm-scp")).args(["show"]).run();
    shown.assert_status(0);
    std::fs::write(account.home().join("organization"), shown.stdout).unwrap();
    let mut records = prefs_check(account).records();
    let of_roles = role_check(account);
    of_roles.assert_stderr("");
    records.extend(of_roles.records());
    let about_policies = |one: &&Value| {
        let id = one["id"].as_str().unwrap();
        id.starts_with("prefs.role") || (id.starts_with("role.") && one["severity"] != "info")
    };
    let found: Vec<&Value> = records.iter().filter(about_policies).collect();
    for one in &found {
        let told = format!("{} {}", one["message"], one["fix"]);
        assert!(
            told.contains("(No) of") && told.contains("the administrators of the organization"),
            "{one}"
        );
    }
    let mut ids: Vec<String> = found
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

fn prefs_check(account: &Account) -> Output {
    let roles = account.tool(exe("ssm-role")).args(["show"]).run().stdout;
    std::fs::write(account.home().join("roles"), roles).unwrap();
    let files = ["--roles", "roles", "--organization", "organization"];
    let run = account.tool(exe("ssm-prefs")).args(["check"]).args(files);
    run.stdin(DESIRED_PREFERENCES).run()
}

fn role_check(account: &Account) -> Output {
    let shown = account.tool(exe("ssm-prefs")).args(["show"]).run().stdout;
    std::fs::write(account.home().join("prefs"), shown).unwrap();
    let files = ["--prefs", "prefs", "--organization", "organization"];
    let run = account.tool(exe("ssm-role")).args(["check"]).args(files);
    run.stdin(DESIRED_ROLES).run()
}

/// Starts a session and returns what it loses.
fn lost(account: &Account) -> Loss {
    let session = account.session(NODE);
    let written = |place: &str| session[place]["written"] == true;
    match (session["status"].as_str(), written("s3"), written("logs")) {
        (Some("Terminated"), true, true) => Loss::Nothing,
        (Some("Terminated"), false, true) => Loss::Bucket,
        (Some("Terminated"), true, false) => Loss::LogGroup,
        (Some("Failed"), ..) => Loss::Session,
        _ => panic!("{session}"),
    }
}
