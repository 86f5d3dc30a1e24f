//! Plans that say one thing and mean another, and acceptances that name no risk: cases 02, 15, 22, 23, 34, 35, 37, 47 to 50, 56, 57,
//! 60, 64 to 66 of the table of lock-outs. Nothing is written.

use serde_json::{Value, json};

use super::{EXEMPT, Organization, document, with_statement};
use crate::{EXE, READER};

/// Applies a text and expects exit status 2, no writes, and these words.
#[track_caller]
fn is_refused(organization: &Organization, plan: &str, arguments: &[&str], words: &str) {
    organization.management.forget_calls();
    let run = organization.management.tool(EXE).args(["apply"]);
    let output = run.args(arguments).stdin(plan).run();
    output.assert_status(2);
    assert!(
        !words.is_empty() && organization.management.writes().is_empty(),
        "{plan}"
    );
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains(words), "'{words}' is not in {said}");
}

fn relabelled(plan: &Value, from: &str, to: &str) -> String {
    let mut plan = plan.clone();
    let changes = plan["changes"].as_array_mut().unwrap();
    let change = changes.iter_mut().find(|change| change["action"] == from);
    change.unwrap()["action"] = json!(to);
    plan.to_string()
}

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard());
    // 47, 48: what is to be made is called what takes away.
    is_refused(
        &organization,
        &relabelled(&plan, "create_policy", "delete_policy"),
        &READER,
        "contradict each other",
    );
    is_refused(
        &organization,
        &relabelled(&plan, "attach_policy", "detach_policy"),
        &READER,
        "contradict each other",
    );
    // 49: one of the two is not what somebody has read.
    let twice = plan.to_string().replacen('{', "{\"changes\":[],", 1);
    is_refused(&organization, &twice, &READER, "changes");
    // 64: an account was not looked at when the plan was made.
    let unreachable = json!({"kind": "unreachable", "tool": "ssm-scp", "error": "AccessDenied",
        "target": {"account": organization.a.id(), "region": "global"}});
    is_refused(
        &organization,
        &format!("{plan}\n{unreachable}"),
        &READER,
        "AccessDenied",
    );
    // 65: a document as the API has it.
    let mut text = plan.clone();
    let inner = document(&mut text).to_string();
    *document(&mut text) = json!(inner);
    is_refused(
        &organization,
        &text.to_string(),
        &READER,
        "a policy is an object",
    );
}

/// 66: each change by itself says what it does, and the last one takes all of it.
#[test]
fn a_policy_that_the_plan_itself_updates_is_judged_by_its_last_document() {
    let organization = Organization::make();
    let mut plan = organization.plan(&organization.guard());
    let made = plan["changes"][0].clone();
    let all = json!([{"Sid": "All", "Effect": "Deny", "Action": "*", "Resource": "*"}]);
    let mut update = made.clone();
    update["id"] = json!("update_policy");
    update["action"] = json!("update_policy");
    update["from"] = made["to"].clone();
    update["to"]["document"]["Statement"] = all;
    plan["changes"].as_array_mut().unwrap().push(update);
    let risks = organization.refused(&[&plan], &READER);
    for risk in ["break_glass:A", "nodes_offline:B", "assume_role:A"] {
        assert!(risks.contains(&risk.to_owned()), "{risk} in {risks:?}");
    }
}

/// 34: harmless as it may be, what is not understood is not applied.
#[test]
fn a_field_that_no_plan_has_is_refused() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard());
    let edits: [fn(&mut Value) -> &mut Value; 3] = [
        |plan| plan,
        |plan| &mut plan["changes"][0],
        |plan| &mut plan["changes"][0]["to"],
    ];
    for edit in edits {
        let mut plan = plan.clone();
        edit(&mut plan)["comment"] = json!("reviewed by ann");
        is_refused(&organization, &plan.to_string(), &READER, "comment");
    }
}

/// 35: by its account, and, where somebody has edited that, by what it is about.
#[test]
fn a_plan_of_another_organization_is_refused() {
    let (organization, other) = (Organization::make(), Organization::make());
    let mut plan = other.plan(&other.guard());
    let text = plan.to_string();
    is_refused(&organization, &text, &READER, "plan is for account");
    plan["target"]["account"] = json!(organization.management.id());
    is_refused(&organization, &plan.to_string(), &READER, &other.workloads);
    // 50: with the keys of an account that the plan is not for.
    let run = organization.a.tool(EXE).args(["apply"]).args(READER);
    let refused = run.stdin(text).run();
    refused
        .assert_status(2)
        .assert_complains("plan is for account");
    assert!(organization.a.writes().is_empty());
}

/// 60: AWS's own policy is neither planned nor, where a plan is edited, written.
#[test]
fn the_policy_of_aws_is_left_alone() {
    let organization = Organization::make();
    let mut desired = organization.guard();
    desired["policy_name"] = json!("FullAWSAccess");
    let run = organization.management.tool(EXE).args(["plan"]);
    let refused = run.stdin(desired.to_string()).run();
    refused
        .assert_status(2)
        .assert_complains("FullAWSAccess is a policy of AWS and cannot be changed");
    let mut plan = organization.plan(&organization.guard());
    let allow: Value = serde_json::from_str(super::EVERYTHING).unwrap();
    let mut after = allow.clone();
    after["Statement"][0]["Action"] = json!("s3:*");
    let state = |document: Value| json!({"name": "FullAWSAccess", "description": "Allows access to every operation", "document": document});
    plan["changes"] = json!([{"id": "update", "action": "update_policy", "resource": "FullAWSAccess",
        "from": state(allow), "to": state(after), "why": ""}]);
    is_refused(&organization, &plan.to_string(), &READER, "break_glass:");
}

/// 37: a wildcard, nothing, and the beginning of a name.
#[test]
fn an_acceptance_that_names_no_risk_accepts_none() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard());
    let denied = json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"});
    let plan = with_statement(&plan, denied).to_string();
    for accepted in [
        "*",
        "all",
        "",
        "assume_role",
        "assume_role:",
        "assume_role:*",
    ] {
        let arguments = [&READER[..], &["--accept", accepted]].concat();
        let said = format!("assume_role:{}", organization.a.id());
        is_refused(&organization, &plan, &arguments, &said);
    }
}

#[test]
fn an_exemption_that_exempts_nobody_is_refused() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard());
    // 02: the names in ARNs are compared letter by letter.
    let shouted: Value = plan
        .to_string()
        .replace("arn:aws:iam::*", "ARN:aws:iam::*")
        .parse()
        .unwrap();
    // 22: a service control policy takes no NotPrincipal.
    let mut of_principals = plan.clone();
    document(&mut of_principals)["Statement"][0]["NotPrincipal"] = json!({"AWS": EXEMPT});
    // 23: the key is known in any case, and so is that nobody is exempt.
    let mut nobody = plan.clone();
    for statement in document(&mut nobody)["Statement"].as_array_mut().unwrap() {
        statement["Condition"] =
            json!({"ArnNotLike": {"aws:principalarn": ["arn:aws:iam::*:role/nobody"]}});
    }
    for edited in [shouted, nobody] {
        is_refused(&organization, &edited.to_string(), &READER, "break_glass:");
    }
    let said = "a service control policy has no Principal";
    is_refused(&organization, &of_principals.to_string(), &READER, said);
    // 15: the role is gone when the plan is applied.
    for account in [&organization.a, &organization.b] {
        let role = ["--role-name", "BreakGlass"];
        let policy = ["--policy-name", "everything"];
        account.aws(&[&["iam", "delete-role-policy"], &role[..], &policy].concat());
        account.aws(&[&["iam", "delete-role"], &role[..]].concat());
    }
    let risks = organization.refused(&[&plan], &READER);
    assert!(risks.contains(&"break_glass:A".to_owned()), "{risks:?}");
}

#[test]
fn answers_that_are_cut_or_never_come_leave_the_plan_unapplied() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard()).to_string();
    // 56: of account B.
    organization.b.fault(json!({"service": "iam", "operation": "GetAccountAuthorizationDetails", "kind": "cut", "times": -1}));
    let unread = format!("unread:{}", organization.b.id());
    is_refused(&organization, &plan, &READER, &unread);
    organization.b.clear_faults();
    // 57: of the organization.
    organization.management.fault(
        json!({"service": "organizations", "operation": "ListAccountsForParent", "kind": "error",
        "status": 500, "code": "ServiceException", "times": -1}),
    );
    is_refused(&organization, &plan, &READER, "ListAccountsForParent");
}
