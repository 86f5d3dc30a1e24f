//! `show --operators`: the roles of people who start sessions, and what ssm-prefs makes of them.

use serde_json::{Value, json};
use testbed::{Account, Sandbox, repository};

use super::tool;

/// Returns an account with roles of people and of services, some of which may start sessions.
fn estate() -> Account {
    let account = Sandbox::start().account();
    let id = account.id();
    let starts = |resource: &str| {
        json!({"start": {"Version": "2012-10-17", "Statement":
            [{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": resource}]}})
    };
    let people = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{id}:root")}}]});
    let sso = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Principal": {"Federated": format!("arn:aws:iam::{id}:saml-provider/AWSSSO")}}]});
    let role = |name: &str, trust: &Value, inline: Value| json!({"account": id, "name": name, "trust": trust, "inline": inline});
    account.seed(&json!({"roles": [
        role("everything", &people, starts("*")),
        role("some-nodes", &people, starts("arn:aws:ec2:us-east-1:*:instance/i-0000000000000000a")),
        {"account": id, "name": "AWSReservedSSO_Ops_0123456789abcdef", "path": "/aws-reserved/sso.amazonaws.com/", "trust": sso,
            "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        role("reader", &people, json!({"read": {"Version": "2012-10-17", "Statement":
            [{"Effect": "Allow", "Action": "ssm:Describe*", "Resource": "*"}]}})),
        role("function", &json!("lambda.amazonaws.com"), starts("*")),
    ]}));
    account
}

fn names(record: &Value) -> Vec<&str> {
    let roles = record["roles"].as_array().unwrap().iter();
    roles.map(|role| role["role"].as_str().unwrap()).collect()
}

#[test]
fn roles_of_people_who_may_start_sessions_are_printed() {
    let account = estate();
    account.forget_calls();
    let arguments = ["show", "--region", "us-east-1,eu-central-1", "--operators"];
    let shown = tool(&account, &arguments).run();
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    assert_eq!(records.len(), 2);
    for record in &records {
        assert_eq!(record["of_operators"], true);
        assert_eq!(
            names(record),
            [
                "AWSReservedSSO_Ops_0123456789abcdef",
                "everything",
                "some-nodes"
            ]
        );
    }
    let sso = &records[0]["roles"][0];
    assert_eq!(
        sso["attached_policies"][0]["document"]["Statement"][0]["Action"],
        "*"
    );
    // An account has its roles once, whatever the number of its regions.
    let asked = account.operations();
    let lists = asked
        .iter()
        .filter(|call| *call == "iam:GetAccountAuthorizationDetails");
    assert_eq!(lists.count(), 1);
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn named_roles_are_printed_whatever_they_may_do() {
    let account = estate();
    let arn = format!("arn:aws:iam::{}:role/everything", account.id());
    let shown = tool(&account, &["show", "--operators", "reader", &arn]).run();
    shown.assert_status(0).assert_stderr("");
    assert_eq!(names(&shown.json()), ["everything", "reader"]);
    let missing = tool(&account, &["show", "--operators", "nobody"]).run();
    missing
        .assert_status(2)
        .assert_complains("no role nobody that people may assume");
    assert_eq!(missing.stdout, "");
}

#[test]
fn operators_that_could_not_be_read_are_not_taken_for_none() {
    let account = estate();
    account.fault(
        json!({"service": "iam", "operation": "GetAccountAuthorizationDetails", "kind": "denied", "times": -1}),
    );
    let shown = tool(&account, &["show", "--operators"]).run();
    shown
        .assert_status(2)
        .assert_complains("GetAccountAuthorizationDetails");
    assert_eq!(shown.stdout, "");
    account.clear_faults();

    let empty = Sandbox::start().account();
    let none = tool(&empty, &["show", "--operators"]).run();
    none.assert_status(0);
    assert_eq!(none.json()["roles"], json!([]));
}

#[test]
fn ssm_prefs_judges_the_operators_that_are_printed() {
    let account = estate();
    let prefs = |verb: &str, stdin: String, more: &[&str]| {
        let run = account
            .tool(repository().join("target/debug/ssm-prefs"))
            .args([&[verb], more].concat());
        run.stdin(stdin).run()
    };
    let desired = r#"{"kms_key": {"alias": "alias/sessions", "create": true}}"#;
    let plan = prefs("plan", desired.to_owned(), &[]);
    prefs("apply", plan.stdout, &[]).assert_status(0);
    let shown = tool(&account, &["show", "--operators"]).run();
    let path = account.home().join("prefs.json");
    std::fs::write(&path, desired).unwrap();
    let arguments = ["-f", path.to_str().unwrap(), "--operators", "/dev/stdin"];
    let found = prefs("check", shown.stdout.clone(), &arguments);
    found.assert_status(1);
    let refused: Vec<String> = found
        .records()
        .iter()
        .filter(|finding| finding["id"] == "prefs.operator.kms_generate_data_key")
        .map(|finding| finding["resource"].as_str().unwrap().to_owned())
        .collect();
    let arn = |name: &str| format!("arn:aws:iam::{}:role/{name}", account.id());
    assert_eq!(refused, [arn("everything"), arn("some-nodes")]);
    let arguments = ["-f", path.to_str().unwrap(), "--roles", "/dev/stdin"];
    prefs("check", shown.stdout, &arguments)
        .assert_status(2)
        .assert_complains("pass them with --operators");
}
