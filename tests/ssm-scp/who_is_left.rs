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
        message.to_owned()
    };
    // What is read of the account shows the path of the caller's role, too.
    let impact = |keys: &Value| {
        let output = by(a, keys)
            .args(["impact"])
            .stdin(desired.to_string())
            .run();
        let records = output.records();
        let mut risks = records.iter().filter(|one| one["resource"] == "caller");
        risks
            .next()
            .map(|one| one["message"].as_str().unwrap().to_owned())
    };
    // 51: a user of the account.
    is_refused(&ann, "user/ann");
    // 54: a role that is not exempt; IAM knows its path.
    let developer = a.assume("ssm/Dev");
    let message = is_refused(&developer, "role/ssm/Dev");
    assert_eq!(impact(&developer), Some(message));
    // 53: the exempt role, whose path could not be read: it counts as one without a path, which is not exempt.
    let exempt = a.assume("ssm/BreakGlass");
    a.fault(json!({"service": "iam", "operation": "GetRole", "kind": "denied", "times": -1}));
    let message = is_refused(&exempt, "role/BreakGlass");
    assert!(
        message.contains("; whether that role has a path is not known: GetRole BreakGlass: "),
        "{message}"
    );
    a.clear_faults();
    assert_eq!(impact(&exempt), None);
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

/// Returns who is still in by `impact`, in A and in B, and holds its risks to those for which the plan is refused.
#[track_caller]
fn still_in(organization: &Organization, desired: &Value, refused: &[String]) -> Vec<String> {
    let (risks, classes) = organization.impact(desired);
    assert_eq!(risks, refused);
    let still_in = classes.into_iter().filter(|(_, class)| class == "still_in");
    still_in
        .map(|(arn, _)| arn.rsplit(':').next().unwrap().to_owned())
        .collect()
}

#[test]
fn an_exemption_must_be_of_somebody_below_the_guard() {
    let organization = Organization::make();
    let is_refused = |desired: &Value, expected: &[&str]| {
        let plan = organization.plan(desired);
        let refused = organization.refused(&[&plan], &READER);
        assert_eq!(refused, expected);
        assert_eq!(still_in(&organization, desired, &refused), [""; 0]);
        plan
    };
    // 13: an account that is not in the organization.
    let mut desired = organization.guard();
    desired["exempt_accounts"] = json!(["999999999999"]);
    desired["exempt_principals"] = json!([]);
    is_refused(&desired, &["break_glass:A", "break_glass:B"]);
    // 68: every user, while there is none ..
    let everybody = "arn:aws:iam::*:user/*";
    let mut desired = organization.guard();
    desired["exempt_principals"] = json!([everybody]);
    let users = desired.clone();
    let unmatched = format!("unmatched:{everybody}");
    let of_users = is_refused(&users, &[&unmatched, "break_glass:A", "break_glass:B"]);
    // 08: the role exists in the management account only.
    organization.role(&organization.management, "OnlyHere", true, None);
    desired["exempt_principals"] = json!(["arn:aws:iam::*:role/ssm/OnlyHere"]);
    let unmatched = "unmatched:arn:aws:iam::*:role/ssm/OnlyHere";
    is_refused(&desired, &[unmatched, "break_glass:A", "break_glass:B"]);
    // .. and once each account has one.
    user(&organization.a, "ann");
    user(&organization.b, "bob");
    let nobody: [String; 0] = [];
    assert_eq!(organization.refused(&[&of_users], &READER), nobody);
    assert_eq!(
        still_in(&organization, &users, &nobody),
        ["user/ann", "user/bob"]
    );
}
