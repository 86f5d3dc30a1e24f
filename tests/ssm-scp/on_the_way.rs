//! Plans that are refused for what happens between two of their changes, and exemptions by tag.

use serde_json::json;
use testbed::Account;

use super::{Organization, document};
use crate::READER;

/// A guard that another one replaces: what is denied before and after is denied in between.
#[test]
fn no_guard_is_off_while_another_takes_its_place() {
    let organization = Organization::make();
    let mut older = organization.guard();
    older["policy_name"] = json!("older");
    let older = organization.plan(&older);
    assert_eq!(
        organization.refused(&[&older], &READER),
        Vec::<String>::new()
    );
    let attached = |attached: bool| json!({"policy_name": "older", "target_id": organization.workloads, "attached": attached});
    let detach = json!({"id": "detach", "action": "detach_policy", "resource": organization.workloads,
        "from": attached(true), "to": attached(false), "why": ""});
    let plan = organization.plan(&organization.guard());
    let with = |place: usize| {
        let mut plan = plan.clone();
        let changes = plan["changes"].as_array_mut().unwrap();
        changes.insert(place, detach.clone());
        plan
    };
    assert_eq!(
        organization.refused(&[&with(1)], &READER),
        ["guard_off:A", "guard_off:B"]
    );
    // In two plans on one stdin it is the same.
    let mut alone = plan.clone();
    alone["changes"] = json!([detach]);
    assert_eq!(
        organization.refused(&[&alone, &plan], &READER),
        ["guard_off:A", "guard_off:B"]
    );
    assert_eq!(
        organization.refused(&[&plan, &alone], &READER),
        Vec::<String>::new()
    );
}

#[test]
fn nobody_is_locked_out_by_a_change_that_a_later_one_takes_back() {
    let organization = Organization::make();
    let all = json!({"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Deny", "Action": "*", "Resource": "*"}]});
    organization.policy("all", &all.to_string());
    let change = |verb: &str, is_attached: bool| {
        let state = |attached: bool| json!({"policy_name": "all", "target_id": organization.workloads, "attached": attached});
        json!({"id": verb, "action": format!("{verb}_policy"), "resource": organization.workloads,
            "from": state(!is_attached), "to": state(is_attached), "why": ""})
    };
    let mut plan = organization.plan(&organization.guard());
    plan["changes"] = json!([change("attach", true), change("detach", false)]);
    let risks = organization.refused(&[&plan], &READER);
    for risk in ["midway:break_glass:A", "midway:nodes_offline:B"] {
        assert!(risks.contains(&risk.to_owned()), "{risk} in {risks:?}");
    }
}

/// IAM says which tags a role has, so that an exemption by tag is judged like one by name.
#[test]
fn a_role_that_is_exempt_by_a_tag_must_have_it() {
    let organization = Organization::make();
    let mut plan = organization.plan(&organization.guard());
    let condition = json!({"StringNotEquals": {"aws:PrincipalTag/team": "ops"}});
    *document(&mut plan) = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Untagged", "Effect": "Deny",
        "Action": ["ssm:StartSession", "ssm:SendCommand"], "Resource": "*", "Condition": condition}]});
    let tag = |account: &Account| {
        let tags = ["--role-name", "BreakGlass", "--tags", "Key=Team,Value=ops"];
        account.aws(&[&["iam", "tag-role"], &tags[..]].concat());
    };
    assert_eq!(
        organization.refused(&[&plan], &READER),
        ["break_glass:A", "break_glass:B"]
    );
    tag(&organization.a);
    assert_eq!(organization.refused(&[&plan], &READER), ["break_glass:B"]);
    tag(&organization.b);
    assert_eq!(
        organization.refused(&[&plan], &READER),
        Vec::<String>::new()
    );
}
