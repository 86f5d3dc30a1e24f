//! Who is exempt, and whoever applies: cases 08, 13, 51 to 54 and 68 of the table of lock-outs. What is dangerous is refused by name
//! with nothing written, what is harmless is applied; `impact` says the same of each role and user.

use serde_json::{Value, json};
use testbed::{Account, Run};

use super::Organization;
use crate::{EXE, READER};

/// What an administrator of policies may do whom the management account names.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html>
const DELEGATED: [&str; 6] = [
    "organizations:AttachPolicy",
    "organizations:CreatePolicy",
    "organizations:DeletePolicy",
    "organizations:Describe*",
    "organizations:DetachPolicy",
    "organizations:List*",
];

/// Lets an account administer the policies of the organization.
fn delegate(organization: &Organization, account: &Account) {
    let root = format!("arn:aws:iam::{}:root", account.id());
    let content = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Delegated", "Effect": "Allow",
        "Principal": {"AWS": root}, "Action": DELEGATED, "Resource": "*"}]});
    let put = ["organizations", "put-resource-policy", "--content"];
    let content = content.to_string();
    organization
        .management
        .aws(&[&put[..], &[&content]].concat());
}

/// Prepares a run of the tool by somebody of an account.
fn by(account: &Account, keys: &Value) -> Run {
    let run = account.tool(EXE);
    let run = match keys["SessionToken"].as_str() {
        Some(token) => run.env("AWS_SESSION_TOKEN", token),
        None => run,
    };
    run.env("AWS_ACCESS_KEY_ID", keys["AccessKeyId"].as_str().unwrap())
        .env(
            "AWS_SECRET_ACCESS_KEY",
            keys["SecretAccessKey"].as_str().unwrap(),
        )
}

fn user(account: &Account, name: &str) -> Value {
    account.aws(&["iam", "create-user", "--user-name", name]);
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    let attach = ["iam", "attach-user-policy", "--user-name", name];
    account.aws(&[&attach[..], &["--policy-arn", administrator]].concat());
    let made = account.aws(&["iam", "create-access-key", "--user-name", name]);
    made["AccessKey"].clone()
}

#[test]
fn whoever_applies_in_an_account_that_is_bound_keeps_access() {
    let organization = Organization::make();
    let a = &organization.a;
    delegate(&organization, a);
    organization.role(a, "Dev", true, None);
    let ann = user(a, "ann");
    let mut desired = organization.guard();
    desired["targets"] = json!([a.id()]);
    let planned = a.tool(EXE).args(["plan"]).stdin(desired.to_string()).run();
    planned.assert_status(0);
    let is_refused = |keys: &Value, who: &str| {
        a.forget_calls();
        let refused = by(a, keys).args(["apply"]).stdin(&planned.stdout).run();
        refused.assert_status(2);
        let records = refused.records();
        let risks: Vec<&str> = records
            .iter()
            .map(|risk| risk["resource"].as_str().unwrap())
            .collect();
        assert_eq!(risks, ["caller"], "{who}: {}", refused.stderr);
        let message = records[0]["message"].as_str().unwrap();
        let expected = format!("you, arn:aws:iam::{}:{who}, would lose access", a.id());
        assert!(message.starts_with(&expected), "{message}");
        assert!(a.writes().is_empty());
    };
    // 51: a user of the account.
    is_refused(&ann, "user/ann");
    // 54: a role that is not exempt; IAM knows its path.
    is_refused(&a.assume("ssm/Dev"), "role/ssm/Dev");
    // 53: the exempt role, whose path could not be read: it counts as one without a path, which is not exempt.
    let exempt = a.assume("ssm/BreakGlass");
    a.fault(json!({"service": "iam", "operation": "GetRole", "kind": "denied", "times": -1}));
    is_refused(&exempt, "role/BreakGlass");
    a.clear_faults();
    // 52: the same where it can.
    let applied = by(a, &exempt).args(["apply"]).stdin(&planned.stdout).run();
    applied.assert_status(0);
    let filter = ["--filter", "SERVICE_CONTROL_POLICY", "--target-id", a.id()];
    let attached = ["organizations", "list-policies-for-target"];
    let attached = a.aws(&[&attached[..], &filter].concat());
    let policies = attached["Policies"].as_array().unwrap();
    assert!(
        policies.iter().any(|policy| policy["Name"] == "guard"),
        "{attached}"
    );
}

/// Returns who is still in by `impact`, in A and in B.
fn still_in(organization: &Organization, desired: &Value) -> Vec<String> {
    let run = organization.management.tool(EXE).args(["impact"]);
    let output = run.args(READER).stdin(desired.to_string()).run();
    output.assert_status(0);
    let records = output.records().into_iter();
    let still_in = records.filter(|record| record["class"] == "still_in");
    let arns = still_in.map(|record| record["principal"].as_str().unwrap().to_owned());
    arns.map(|arn| arn.rsplit(':').next().unwrap().to_owned())
        .collect()
}

#[test]
fn an_exemption_must_be_of_somebody_below_the_guard() {
    let organization = Organization::make();
    // 13: an account that is not in the organization.
    let mut desired = organization.guard();
    desired["exempt_accounts"] = json!(["999999999999"]);
    desired["exempt_principals"] = json!([]);
    assert_eq!(still_in(&organization, &desired), [""; 0]);
    let plan = organization.plan(&desired);
    assert_eq!(
        organization.refused(&[&plan], &READER),
        ["break_glass:A", "break_glass:B"]
    );
    // 68: every user, while there is none ..
    let everybody = "arn:aws:iam::*:user/*";
    let mut desired = organization.guard();
    desired["exempt_principals"] = json!([everybody]);
    let users = desired.clone();
    assert_eq!(still_in(&organization, &users), [""; 0]);
    let of_users = organization.plan(&users);
    let unmatched = format!("unmatched:{everybody}");
    assert_eq!(
        organization.refused(&[&of_users], &READER),
        [&unmatched, "break_glass:A", "break_glass:B"]
    );
    // 08: the role exists in the management account only.
    organization.role(&organization.management, "OnlyHere", true, None);
    desired["exempt_principals"] = json!(["arn:aws:iam::*:role/ssm/OnlyHere"]);
    assert_eq!(still_in(&organization, &desired), [""; 0]);
    let plan = organization.plan(&desired);
    assert_eq!(
        organization.refused(&[&plan], &READER),
        [
            "unmatched:arn:aws:iam::*:role/ssm/OnlyHere",
            "break_glass:A",
            "break_glass:B"
        ]
    );
    // .. and once each account has one.
    user(&organization.a, "ann");
    user(&organization.b, "bob");
    assert_eq!(still_in(&organization, &users), ["user/ann", "user/bob"]);
    assert_eq!(
        organization.refused(&[&of_users], &READER),
        Vec::<String>::new()
    );
}
