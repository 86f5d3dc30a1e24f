//! Resource control policies: what they close is closed for the judgement, too, and the local AWS decides alike.

use serde_json::{Value, json};
use testbed::Account;

use super::{EXE, Organization, desired, organization, run};

/// Attaches a resource control policy that denies to assume a role, whoever asks, and returns the role.
fn close(account: &Account, member: &Account, unit: &str) -> String {
    let role = format!("arn:aws:iam::{}:role/ops", member.id());
    let content = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Closed", "Effect": "Deny", "Principal": "*",
        "Action": "sts:AssumeRole", "Resource": role}]});
    let root = account.aws(&["organizations", "list-roots"])["Roots"][0]["Id"].clone();
    let of_type = ["--policy-type", "RESOURCE_CONTROL_POLICY"];
    let enable = ["organizations", "enable-policy-type", "--root-id"];
    account.aws(&[&enable[..], &[root.as_str().unwrap()], &of_type].concat());
    // AWS attaches it everywhere when the type is enabled, the local AWS to the root alone.
    // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    let full = [
        "organizations",
        "attach-policy",
        "--policy-id",
        "p-RCPFullAWSAccess",
        "--target-id",
    ];
    for target in [unit, member.id()] {
        account.aws(&[&full[..], &[target]].concat());
    }
    let create = ["organizations", "create-policy", "--description", ""];
    let of_type = ["--type", "RESOURCE_CONTROL_POLICY"];
    let named = ["--name", "perimeter", "--content", &content.to_string()];
    let made = account.aws(&[&create[..], &of_type, &named].concat());
    let id = made["Policy"]["PolicySummary"]["Id"].as_str().unwrap();
    let attach = ["organizations", "attach-policy", "--policy-id", id];
    account.aws(&[&attach[..], &["--target-id", unit]].concat());
    role
}

/// Returns whether AWS lets the management account assume a role.
fn may_assume(account: &Account, role: &str) -> bool {
    let assume = [
        "sts",
        "assume-role",
        "--role-session-name",
        "tester",
        "--role-arn",
    ];
    let tried = account.aws_cli(None).args(assume).args([role]).run();
    assert!(
        tried.status == 0 || tried.stderr.contains("AccessDenied"),
        "{}",
        tried.stderr
    );
    tried.status == 0
}

#[test]
fn a_break_glass_role_that_nobody_may_assume_is_no_way_in() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let role = format!("arn:aws:iam::{}:role/ops", member.id());
    account.seed(&json!({"enforce_iam": [member.id()]}));
    assert!(may_assume(&account, &role));
    close(&account, &member, &unit);
    assert!(!may_assume(&account, &role));

    let management = format!("arn:aws:iam::{}:role/dev", account.id());
    let question = ["simulate", "--action", "sts:AssumeRole", "--principal"];
    let ask = |resource: &str| -> Value {
        let run = account.tool(EXE).args(question).args([&management]);
        run.args(["--resource", resource]).run().json()
    };
    let answer = ask(&role);
    assert_eq!(answer["answer"], "denied", "{answer}");
    assert_eq!(
        (&answer["policy"], &answer["sid"]),
        (&json!("perimeter"), &json!("Closed"))
    );
    let other = ask(&role.replace("/ops", "/dev"));
    assert_eq!(other["answer"], "allowed", "{other}");

    let plan = run(&account, "plan", &desired(&[&unit]));
    let refused = run(&account, "apply", &plan.stdout);
    refused.assert_status(2);
    let risks = refused.records();
    let risk = risks
        .iter()
        .find(|risk| risk["resource"] == json!(format!("break_glass:{}", member.id())));
    assert!(risk.is_some(), "{} {}", refused.stdout, refused.stderr);
    let message = risk.unwrap()["message"].as_str().unwrap();
    let by = "sts:AssumeRole is denied by Closed of perimeter (resource control policy)";
    assert!(message.contains(by), "{message}");

    let impact = run(&account, "impact", &desired(&[&unit]));
    impact.assert_status(1);
    let records = impact.records();
    let named = records.iter().find(|one| one["kind"] == "finding").unwrap();
    assert_eq!(named["message"], risk.unwrap()["message"]);
    let of_role = records.iter().find(|one| one["principal"] == json!(role));
    let of_role = of_role.unwrap();
    assert_eq!(of_role["class"], "not_assumable");
    assert!(of_role["why"].as_str().unwrap().contains(by), "{of_role}");
}

#[test]
fn show_prints_them_and_a_saved_organization_answers_alike() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let role = close(&account, &member, &unit);
    let shown = account.tool(EXE).args(["show"]).run();
    shown.assert_status(0).assert_stderr("");
    let records = shown.records();
    let policy = records
        .iter()
        .find(|record| record["name"] == "perimeter")
        .unwrap();
    assert_eq!(policy["policy_type"], "resource_control_policy");
    let entity = records
        .iter()
        .find(|record| record["id"] == json!(unit))
        .unwrap();
    let names = entity["resource_control_policies"].as_array().unwrap();
    assert!(names.contains(&json!("perimeter")), "{entity}");
    assert!(
        !entity["policies"]
            .as_array()
            .unwrap()
            .contains(&json!("perimeter"))
    );

    let saved = account.home().join("organization.jsonl");
    std::fs::write(&saved, &shown.stdout).unwrap();
    let principal = format!("arn:aws:iam::{}:role/dev", account.id());
    let question = [
        "simulate",
        "--action",
        "sts:AssumeRole",
        "--resource",
        &role,
        "--principal",
        &principal,
    ];
    let live = account.tool(EXE).args(question).run();
    let offline = testbed::offline(EXE).args(question);
    let offline = offline
        .args(["--organization", saved.to_str().unwrap()])
        .run();
    assert_eq!(live.stdout, offline.stdout);
    assert_eq!(offline.json()["answer"], "denied");
    let text = account.tool(EXE).args(["show", "-o", "text"]).run();
    assert!(
        text.stdout.contains("; for resources: perimeter"),
        "{}",
        text.stdout
    );
}
