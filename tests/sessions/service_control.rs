//! Policies of an organization that keep sessions from being logged, or from starting: what the tools say with the organization's
//! records, and what the session then does.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

pub(crate) const SERVICE_CONTROL: &str = "SERVICE_CONTROL_POLICY";
pub(crate) const RESOURCE_CONTROL: &str = "RESOURCE_CONTROL_POLICY";
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
        let statement = json!({"Sid": "No", "Effect": "Deny", "Action": action, "Resource": "*"});
        let policy = create_policy(&management, SERVICE_CONTROL, &statement);
        attach(&management, "attach-policy", &policy, account.id());
        assert_eq!(found(&management, &account), ids, "{action}");
        assert_eq!(lost(&account), loss, "{action}");
        attach(&management, "detach-policy", &policy, account.id());
    }
    an_account_of_another_organization_is_not_judged_by_it(&account);
}

/// What resource control policies deny to the roles of nodes is denied whatever these, the key and the bucket allow. Systems Manager
/// has no resources that they govern.
#[test]
fn resource_control_policies_govern_what_the_roles_of_nodes_use() {
    let (management, account) = rolled_out();
    enable_resource_control(&management, &[account.id()]);
    let organization = format!("o-org{}", &management.id()[8..]);
    let node = json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/node"}});
    let perimeter = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    let of_resources = DENIED
        .iter()
        .filter(|(action, ..)| !action.starts_with("ssm"));
    let denied = of_resources.map(|(action, ids, loss)| (json!(action), node.clone(), *ids, *loss));
    let all = json!(["s3:*", "kms:*", "logs:*"]);
    let harmless = [
        (all, perimeter, &[][..], Loss::Nothing),
        (
            json!("s3:DeleteObject"),
            node.clone(),
            &[][..],
            Loss::Nothing,
        ),
    ];
    for (action, condition, ids, loss) in denied.chain(harmless) {
        let statement = json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": condition});
        let policy = create_policy(&management, RESOURCE_CONTROL, &statement);
        attach(&management, "attach-policy", &policy, account.id());
        assert_eq!(found(&management, &account), ids, "{action}");
        assert_eq!(lost(&account), loss, "{action}");
        attach(&management, "detach-policy", &policy, account.id());
    }
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

pub(crate) fn create_policy(management: &Account, policy_type: &str, statement: &Value) -> String {
    let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    // Each has a name of its own.
    let name = format!("p{}", management.calls().len());
    let create = ["organizations", "create-policy", "--description", ""];
    let of_type = [
        "--type",
        policy_type,
        "--name",
        &name,
        "--content",
        &document,
    ];
    let answer = management.aws(&[&create[..], &of_type].concat());
    let id = &answer["Policy"]["PolicySummary"]["Id"];
    id.as_str().unwrap().to_owned()
}

pub(crate) fn attach(management: &Account, verb: &str, policy: &str, target: &str) {
    let words = [
        "organizations",
        verb,
        "--policy-id",
        policy,
        "--target-id",
        target,
    ];
    management.aws(&words);
}

/// Turns resource control policies on. AWS attaches its own everywhere then, the local AWS to the root alone.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
pub(crate) fn enable_resource_control(management: &Account, accounts: &[&str]) {
    let roots = management.aws(&["organizations", "list-roots"]);
    let root = roots["Roots"][0]["Id"].as_str().unwrap();
    let enable = ["organizations", "enable-policy-type", "--root-id", root];
    management.aws(&[&enable[..], &["--policy-type", RESOURCE_CONTROL]].concat());
    let listed = management.aws(&[
        "organizations",
        "list-organizational-units-for-parent",
        "--parent-id",
        root,
    ]);
    let units = listed["OrganizationalUnits"].as_array().unwrap().iter();
    let units: Vec<&str> = units.map(|unit| unit["Id"].as_str().unwrap()).collect();
    for target in units.iter().chain(accounts) {
        attach(management, "attach-policy", "p-RCPFullAWSAccess", target);
    }
}

/// Returns the IDs of what both checks find of roles, each once.
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
        let reported = format!("{} {}", one["message"], one["fix"]);
        assert!(
            reported.contains("(No) of")
                && reported.contains("the administrators of the organization"),
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
