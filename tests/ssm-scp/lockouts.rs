//! Plans that would lock somebody out, each by another way, and harmless ones beside them: what `apply` refuses, by name, with
//! nothing written. The organization is that of the cases: management M, unit W with accounts A and B, unit S with C.

mod contradictions;
mod judged_alike;
mod on_the_way;
mod who_is_left;

use serde_json::{Value, json};
use testbed::{Account, Sandbox};

use super::{EXE, READER};

struct Organization {
    management: Account,
    a: Account,
    b: Account,
    c: Account,
    workloads: String,
    other: String,
}

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const EXEMPT: &str = "arn:aws:iam::*:role/ssm/BreakGlass";

impl Organization {
    /// Makes the organization with a break-glass role in A and B, which trusts the management account.
    fn make() -> Organization {
        let account = || Sandbox::start().account();
        let (management, a, b, c) = (account(), account(), account(), account());
        let suffix = management.id()[8..].to_owned();
        let unit = |name: &str| format!("ou-{suffix}-{name}");
        let (workloads, other) = (unit("workloads"), unit("sandboxes"));
        let named = |one: &Account, name: &str| json!({"id": one.id(), "name": name});
        management.seed(&json!({
            "accounts": [named(&management, "M"), named(&a, "A"), named(&b, "B"), named(&c, "C")],
            "organization": {"management_account": management.id(), "id": format!("o-org{suffix}"),
                "root_id": format!("r-{suffix}"), "ous": [
                    {"id": workloads, "name": "W", "accounts": [a.id(), b.id()]},
                    {"id": other, "name": "S", "accounts": [c.id()]}]},
        }));
        let organization = Organization {
            management,
            a,
            b,
            c,
            workloads,
            other,
        };
        for account in [&organization.a, &organization.b] {
            organization.role(account, "BreakGlass", true, None);
        }
        organization
    }

    /// Makes a role below /ssm/ that trusts the management account, or whom the trust policy says.
    fn role(&self, account: &Account, name: &str, may: bool, trust: Option<Value>) {
        let root = format!("arn:aws:iam::{}:root", self.management.id());
        let trust = trust.unwrap_or(json!({"AWS": root}));
        let policies: Value = if may {
            json!({"everything": serde_json::from_str::<Value>(EVERYTHING).unwrap()})
        } else {
            json!({})
        };
        account.seed(&json!({"roles": [{"account": account.id(), "name": name, "path": "/ssm/", "inline": policies,
            "trust": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}]}}]}));
    }

    fn plan(&self, desired: &Value) -> Value {
        let run = self.management.tool(EXE).args(["plan"]);
        let output = run.stdin(desired.to_string()).run();
        output.assert_status(0);
        output.json()
    }

    fn guard(&self) -> Value {
        json!({"policy_name": "guard", "exempt_principals": [EXEMPT], "targets": [self.workloads]})
    }

    /// Applies plans and returns the risks for which they are refused, of A and B by their letters.
    #[track_caller]
    fn refused(&self, plans: &[&Value], arguments: &[&str]) -> Vec<String> {
        let lines: Vec<String> = plans.iter().map(|plan| plan.to_string()).collect();
        self.management.forget_calls();
        let run = self.management.tool(EXE).args(["apply"]).args(arguments);
        let output = run.stdin(lines.join("\n")).run();
        let records = output.records();
        let risks = records
            .iter()
            .filter(|record| record["id"] == "scp.lockout.risk");
        let risks: Vec<String> = risks
            .map(|risk| risk["resource"].as_str().unwrap().to_owned())
            .collect();
        match risks.is_empty() {
            true => output.assert_status(0),
            false => {
                assert!(self.management.writes().is_empty(), "{risks:?}");
                output.assert_status(2)
            }
        };
        let named = |risk: String| risk.replace(self.a.id(), "A").replace(self.b.id(), "B");
        risks.into_iter().map(named).collect()
    }

    fn policy(&self, name: &str, document: &str) -> String {
        let kind = ["--type", "SERVICE_CONTROL_POLICY", "--description", ""];
        let named = ["--name", name, "--content", document];
        let created = self
            .management
            .aws(&[&["organizations", "create-policy"], &kind[..], &named].concat());
        let id = &created["Policy"]["PolicySummary"]["Id"];
        id.as_str().unwrap().to_owned()
    }

    fn attach(&self, verb: &str, policy: &str, target: &str) {
        let which = ["--policy-id", policy, "--target-id", target];
        self.management
            .aws(&[&["organizations", verb], &which[..]].concat());
    }
}

/// Returns the document of the guard in a plan.
fn document(plan: &mut Value) -> &mut Value {
    &mut plan["changes"][0]["to"]["document"]
}

fn with_statement(plan: &Value, statement: Value) -> Value {
    let mut plan = plan.clone();
    let statements = document(&mut plan)["Statement"].as_array_mut().unwrap();
    statements.push(statement);
    plan
}

#[test]
fn dangerous_plans_are_refused_by_name() {
    let organization = Organization::make();
    let plan = organization.plan(&organization.guard());
    let denied = |actions: Value| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let not_actions = json!({"Effect": "Deny", "NotAction": ["ssm:*", "ssmmessages:*", "ec2messages:*"], "Resource": "*"});
    let from_one_address = json!({"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.1/32"}}});
    let guard_protects = json!({"Effect": "Deny", "Action": ["iam:DeleteRole", "iam:UpdateAssumeRolePolicy"],
        "Resource": "arn:aws:iam::*:role/ssm/BreakGlass"});
    for (statement, expected) in [
        (
            not_actions,
            &[
                "break_glass:A",
                "assume_role:A",
                "logging:A",
                "repair:A",
                "assign_access:A",
                "other:A",
                "break_glass:B",
                "assume_role:B",
                "logging:B",
                "repair:B",
                "assign_access:B",
                "other:B",
            ][..],
        ),
        (
            denied(json!(["iam:*", "sts:*", "kms:*"])),
            &[
                "assume_role:A",
                "logging:A",
                "other:A",
                "assume_role:B",
                "logging:B",
                "other:B",
            ],
        ),
        (
            denied(json!(["ssmmessages:*", "ec2messages:*"])),
            &["nodes_offline:A", "nodes_offline:B"],
        ),
        (
            denied(json!(["ssm:UpdateInstanceInformation"])),
            &["nodes_offline:A", "nodes_offline:B"],
        ),
        (
            denied(json!("sts:AssumeRole")),
            &["assume_role:A", "assume_role:B"],
        ),
        (denied(json!("s3:PutObject")), &["logging:A", "logging:B"]),
        (from_one_address, &["break_glass:A", "break_glass:B"]),
        (guard_protects, &["beyond_repair:A", "beyond_repair:B"]),
    ] {
        let edited = with_statement(&plan, statement.clone());
        assert_eq!(
            organization.refused(&[&edited], &READER),
            expected,
            "{statement}"
        );
    }
    // An account that a template has left in the exemptions.
    let mut left = organization.guard();
    left["exempt_accounts"] = json!(["000000000000"]);
    left["exempt_principals"] = json!([]);
    let left = organization.plan(&left);
    assert_eq!(
        organization.refused(&[&left], &READER),
        ["break_glass:A", "break_glass:B"]
    );
    // 36: to accept that of A accepts nothing of B.
    let of_a = format!("break_glass:{}", organization.a.id());
    let accepting = [&READER[..], &["--accept", &of_a]].concat();
    assert_eq!(
        organization.refused(&[&left], &accepting),
        ["break_glass:B"]
    );
    // One plan after the other, each with other exemptions: together they spare nobody.
    organization.role(&organization.a, "Other", true, None);
    organization.role(&organization.b, "Other", true, None);
    let other = organization.plan(
        &json!({"policy_name": "other", "targets": [organization.workloads],
        "exempt_principals": ["arn:aws:iam::*:role/ssm/Other"]}),
    );
    assert_eq!(
        organization.refused(&[&plan, &other], &READER),
        ["break_glass:A", "break_glass:B"]
    );
    // 31: nor do they in one plan.
    let mut joined = plan.clone();
    let changes = joined["changes"].as_array_mut().unwrap();
    changes.extend(other["changes"].as_array().unwrap().iter().cloned());
    assert_eq!(
        organization.refused(&[&joined], &READER),
        ["break_glass:A", "break_glass:B"]
    );
    // Whoever is exempt, with the policy that allows everything gone nobody may do anything.
    let mut detached = plan.clone();
    let changes = detached["changes"].as_array_mut().unwrap();
    changes.push(json!({"id": "detach", "action": "detach_policy", "resource": organization.workloads,
        "from": {"policy_name": "FullAWSAccess", "target_id": organization.workloads, "attached": true},
        "to": {"policy_name": "FullAWSAccess", "target_id": organization.workloads, "attached": false}, "why": ""}));
    let risks = organization.refused(&[&detached], &READER);
    assert!(
        risks.contains(&"break_glass:A".to_owned())
            && risks.contains(&"nodes_offline:B".to_owned()),
        "{risks:?}"
    );
    // To accept what was not read in one account accepts nothing of another.
    let unread = format!("unread:{}", organization.a.id());
    assert_eq!(
        organization.refused(&[&plan], &["--accept", &unread]),
        ["unread:B"]
    );
    // Harmless: the same plan twice, which is done once.
    assert_eq!(
        organization.refused(&[&plan, &plan], &READER),
        Vec::<String>::new()
    );
}

#[test]
fn to_be_exempt_is_not_to_get_in() {
    let organization = Organization::make();
    organization.role(&organization.b, "NoPolicy", false, None);
    organization.role(
        &organization.b,
        "OfInstances",
        true,
        Some(json!({"Service": "ec2.amazonaws.com"})),
    );
    let gone = format!("arn:aws:iam::{}:role/gone", organization.b.id());
    organization.role(&organization.b, "OfNobody", true, None);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
        "Condition": {}}, {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]});
    organization.b.aws(&[
        "iam",
        "update-assume-role-policy",
        "--role-name",
        "OfNobody",
        "--policy-document",
        &trust.to_string(),
    ]);
    let mut desired = organization.guard();
    for (name, class) in [
        ("NoPolicy", "exempt"),
        ("OfInstances", "not_assumable"),
        ("OfNobody", "not_assumable"),
    ] {
        let only_in_b = format!("arn:aws:iam::{}:role/ssm/{name}", organization.b.id());
        let in_a = format!("arn:aws:iam::{}:role/ssm/BreakGlass", organization.a.id());
        desired["exempt_principals"] = json!([in_a, only_in_b]);
        let plan = organization.plan(&desired);
        assert_eq!(
            organization.refused(&[&plan], &READER),
            ["break_glass:B"],
            "{name}, {gone}"
        );
        let (risks, classes) = organization.impact(&desired);
        assert_eq!(risks, ["break_glass:B"], "{name}");
        assert_eq!(classes[&format!("B:role/ssm/{name}")], class);
        assert_eq!(classes["A:role/ssm/BreakGlass"], "still_in");
    }
    let plan = organization.plan(&organization.guard());
    assert_eq!(
        organization.refused(&[&plan], &READER),
        Vec::<String>::new()
    );
    let (risks, _) = organization.impact(&organization.guard());
    assert_eq!(risks, Vec::<String>::new());
}

#[test]
fn denials_add_up_over_what_is_attached_already() {
    let organization = Organization::make();
    organization.role(&organization.a, "OldOps", true, None);
    organization.role(&organization.b, "OldOps", true, None);
    let mut older = organization.guard();
    older["policy_name"] = json!("older");
    older["exempt_principals"] = json!(["arn:aws:iam::*:role/ssm/OldOps"]);
    let older = organization.plan(&older);
    assert_eq!(
        organization.refused(&[&older], &READER),
        Vec::<String>::new()
    );
    let renamed = organization.plan(&organization.guard());
    assert_eq!(
        organization.refused(&[&renamed], &READER),
        ["break_glass:A", "break_glass:B"]
    );
}

#[test]
fn the_order_of_changes_hides_nothing() {
    let organization = Organization::make();
    let unattached = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Old", "Effect": "Deny", "Action": "ssm:StartSession",
        "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": [EXEMPT]}}}]});
    organization.policy("guard", &unattached.to_string());
    let mut plan = organization.plan(&organization.guard());
    let deny_all = json!({"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Deny", "Action": "*", "Resource": "*"}]});
    *document(&mut plan) = deny_all;
    let in_order = organization.refused(&[&plan], &READER);
    plan["changes"].as_array_mut().unwrap().reverse();
    let reversed = organization.refused(&[&plan], &READER);
    assert_eq!(in_order, reversed);
    for risk in [
        "break_glass:A",
        "nodes_offline:A",
        "assume_role:B",
        "logging:B",
        "other:B",
    ] {
        assert!(
            in_order.contains(&risk.to_owned()),
            "{risk} in {in_order:?}"
        );
    }
}

#[test]
fn an_allow_that_is_narrowed_locks_out() {
    let organization = Organization::make();
    let allow = organization.policy("allow", EVERYTHING);
    organization.attach("attach-policy", &allow, &organization.workloads);
    organization.attach("detach-policy", "p-FullAWSAccess", &organization.workloads);
    let state = |document: Value| json!({"name": "allow", "description": "", "document": document});
    let narrow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
    let mut plan = organization.plan(&organization.guard());
    plan["changes"] = json!([{"id": "update", "action": "update_policy", "resource": "allow",
        "from": state(serde_json::from_str(EVERYTHING).unwrap()), "to": state(narrow), "why": ""}]);
    let risks = organization.refused(&[&plan], &READER);
    assert!(
        risks.contains(&"break_glass:A".to_owned())
            && risks.contains(&"nodes_offline:A".to_owned()),
        "{risks:?}"
    );
}

/// Organizations takes texts that no evaluator understands; they say nothing about accounts elsewhere.
#[test]
fn a_policy_that_is_not_understood_leaves_open_only_what_is_below_it() {
    let organization = Organization::make();
    let odd = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::${Account}:role/admin"}}}]});
    let odd = organization.policy("odd", &odd.to_string());
    organization.attach("attach-policy", &odd, &organization.other);
    let plan = organization.plan(&organization.guard());
    organization.attach("attach-policy", &odd, organization.b.id());
    let here = organization.refused(&[&plan], &READER);
    assert_eq!(here, ["unjudged:B"]);
    organization.attach("detach-policy", &odd, organization.b.id());
    assert_eq!(
        organization.refused(&[&plan], &READER),
        Vec::<String>::new()
    );
}
