//! What the organization adds: service control policies bind the role, resource control policies what it uses.

use std::sync::Arc;

use iam_policy::Verdict::{self, Allowed, Denied, Unknown};
use organization::Organization;
use records::{Reading, Target};
use serde_json::{Value, json};

use super::{KEY, ROLE, allow, bucket, check, delegation, deny, key, need, of, role, session_key};
use crate::judgement::{Side, judge};
use crate::{Above, LogGroup, Need, Preferences, Role};

const ACCOUNT: &str = "111122223333";
const ARCHIVE: &str = "444455556666";
const MANAGEMENT: &str = "999988887777";

/// Returns what is above the account of the role. The unit over it has the service control policies, and each account in
/// `resource_control` the resource control policy beside it.
fn above(service_control: &[Value], resource_control: &[(&str, Value)]) -> Arc<Above> {
    let mut records = Vec::new();
    let mut add = |name: &str, policy_type: &str, statement: &Value, target: &str| {
        let statements = json!({"Version": "2012-10-17", "Statement": [statement]});
        records.push(json!({"kind": "policy", "policy_type": policy_type, "id": "p-1", "name": name, "aws_managed": false,
            "n_characters": 1, "document": statements, "attached_to": [target]}));
    };
    let named = |index: usize| format!("scp{index}");
    for (index, statement) in service_control.iter().enumerate() {
        add(&named(index), "service_control_policy", statement, "ou-1");
    }
    for (account, statement) in resource_control {
        let name = format!("rcp of {account}");
        add(&name, "resource_control_policy", statement, account);
    }
    let scps: Vec<String> = (0..service_control.len()).map(named).collect();
    let open = ["open"];
    add("open", "service_control_policy", &allow("*"), "r-1");
    records.push(json!({"kind": "entity", "id": "r-1", "type": "root", "name": "Root", "parent": null, "path": "Root",
        "management": false, "policies": open, "organization_id": "o-abcdefghij"}));
    records.push(json!({"kind": "entity", "id": "ou-1", "type": "organizational_unit", "name": "u", "parent": "r-1", "path": "Root/u",
        "management": false, "policies": scps}));
    for (account, parent) in [(ACCOUNT, "ou-1"), (ARCHIVE, "r-1"), (MANAGEMENT, "r-1")] {
        let own = resource_control.iter().filter(|(one, _)| *one == account);
        let own: Vec<String> = own.map(|(one, _)| format!("rcp of {one}")).collect();
        records.push(json!({"kind": "entity", "id": account, "type": "account", "name": account, "parent": parent, "path": account,
            "management": account == MANAGEMENT, "policies": open, "resource_control_policies": own}));
    }
    let organization = Arc::new(Organization::from_records(records).unwrap().judge());
    Arc::new(Above::of(&organization, ACCOUNT).unwrap())
}

/// Returns a role that may do everything by its own policies.
fn under(above: &Arc<Above>) -> Role {
    role(&allow("*"), None).under(above)
}

fn everybody(statement: Value) -> Value {
    let mut statement = statement;
    statement["Principal"] = json!("*");
    statement
}

fn of_log_group(action: &str) -> Need {
    let preferences = Preferences {
        log_groups: vec![LogGroup {
            name: "/ssm".to_owned(),
            must_be_encrypted: true,
            is_streamed: true,
        }],
        ..Preferences::default()
    };
    need(&preferences, action)
}

#[test]
fn service_control_policies_bind_a_role_whoever_else_allows() {
    let check_under = |own: &Value, scps: &[Value], policy: &Value, verdict, side| {
        let need = need(&session_key(key(KEY, policy.clone())), "kms:Decrypt");
        check(
            &role(own, None).under(&above(scps, &[])),
            &need,
            verdict,
            side,
        );
    };
    let (may, may_not) = (allow("kms:*"), allow("s3:*"));
    let names_the_role = of(ROLE, allow("kms:Decrypt"));
    let closed = [allow("*"), deny("kms:Decrypt")];
    for policy in [&delegation(), &names_the_role] {
        let under = |scps: &[Value], verdict, side| check_under(&may, scps, policy, verdict, side);
        under(&[allow("*")], Allowed, Side::Identity);
        under(&closed, Denied, Side::ServiceControl);
        // Each level has to allow it.
        under(&[allow("s3:*")], Denied, Side::ServiceControl);
    }
    let only_s3 = [allow("s3:*")];
    check_under(
        &may_not,
        &only_s3,
        &names_the_role,
        Denied,
        Side::ServiceControl,
    );
}

#[test]
fn resource_control_policies_govern_what_a_role_uses() {
    let bucket = bucket(Reading::Absent);
    let key = session_key(key(KEY, delegation()));
    for (action, need) in [
        ("s3:PutObject", need(&bucket, "s3:PutObject")),
        (
            "s3:GetEncryptionConfiguration",
            need(&bucket, "s3:GetEncryptionConfiguration"),
        ),
        ("kms:GenerateDataKey", need(&bucket, "kms:GenerateDataKey")),
        ("kms:Decrypt", need(&key, "kms:Decrypt")),
        (
            "logs:DescribeLogGroups",
            of_log_group("logs:DescribeLogGroups"),
        ),
        ("logs:PutLogEvents", of_log_group("logs:PutLogEvents")),
    ] {
        let denied = everybody(deny(action));
        let governed = |statement: &Value, account: &str, verdict, side| {
            let above = above(&[allow("*")], &[(account, statement.clone())]);
            check(&under(&above), &need, verdict, side);
        };
        governed(&denied, ACCOUNT, Denied, Side::ResourceControl);
        // Those of other accounts, and of the management account, are about other resources.
        governed(&denied, ARCHIVE, Allowed, Side::Identity);
        governed(&denied, MANAGEMENT, Allowed, Side::Identity);
        let mut spared = denied.clone();
        spared["Condition"] =
            json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/node"}});
        governed(&spared, ACCOUNT, Allowed, Side::Identity);
        let mut perhaps = denied.clone();
        perhaps["Condition"] = json!({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}});
        governed(&perhaps, ACCOUNT, Unknown, Side::ResourceControl);
        // What AWS does not let them govern they do not govern.
        let other = everybody(deny("ssmmessages:*"));
        governed(&other, ACCOUNT, Allowed, Side::Identity);
    }
    let channel = Need::plain(
        records::Feature::Channel,
        "ssmmessages:OpenDataChannel",
        Some("*"),
    );
    let above = above(
        &[allow("*")],
        &[(ACCOUNT, everybody(deny("ssmmessages:*")))],
    );
    check(&under(&above), &channel, Allowed, Side::Identity);
}

/// The perimeter of AWS's samples lets the organization's own roles in, and keeps those of others out.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html>
#[test]
fn a_perimeter_around_the_organization_is_harmless_to_its_own_roles() {
    let need = need(&bucket(Reading::Absent), "s3:PutObject");
    for (key, id, verdict) in [
        ("aws:PrincipalOrgID", "o-abcdefghij", Allowed),
        ("aws:PrincipalOrgID", "o-another000", Denied),
        ("aws:ResourceOrgID", "o-abcdefghij", Allowed),
        ("aws:PrincipalOrgPaths", "o-abcdefghij/r-1/ou-1/", Allowed),
        ("aws:PrincipalOrgPaths", "o-abcdefghij/r-1/ou-2/", Denied),
        ("aws:ResourceAccount", ACCOUNT, Allowed),
    ] {
        let mut perimeter = everybody(deny("s3:*"));
        perimeter["Condition"] = json!({"StringNotEqualsIfExists": {key: id}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
        let above = above(&[allow("*")], &[(ACCOUNT, perimeter)]);
        let side = match verdict {
            Allowed => Side::Identity,
            _ => Side::ResourceControl,
        };
        check(&under(&above), &need, verdict, side);
    }
}

#[test]
fn the_account_that_owns_the_resource_decides_whose_policies_govern_it() {
    let target: Target = "111122223333/eu-central-1".parse().unwrap();
    let let_in = of("arn:aws:iam::111122223333:root", allow("s3:*"));
    let put = |owner: Option<&str>| {
        let mut archive = bucket(Reading::Present(json!({"Statement": [let_in.clone()]})));
        archive.buckets[0].is_foreign = true;
        archive.buckets[0].owner = owner.map(str::to_owned);
        let mut needs = crate::needs("aws", &target, &archive).into_iter();
        needs.find(|need| need.action == "s3:PutObject").unwrap()
    };
    let closed = everybody(deny("s3:PutObject"));
    let governed = |governed: &str, owner: Option<&str>, verdict: Verdict, side| {
        let above = above(&[allow("*")], &[(governed, closed.clone())]);
        check(&under(&above), &put(owner), verdict, side);
    };
    governed(ARCHIVE, Some(ARCHIVE), Denied, Side::ResourceControl);
    governed(ACCOUNT, Some(ARCHIVE), Allowed, Side::Identity);
    governed(MANAGEMENT, Some(MANAGEMENT), Allowed, Side::Identity);
    // Of whom the bucket is not known, one of them may be about it.
    governed(ARCHIVE, None, Unknown, Side::ResourceControl);
    let harmless = above(
        &[allow("*")],
        &[(ARCHIVE, everybody(deny("s3:DeleteObject")))],
    );
    check(&under(&harmless), &put(None), Allowed, Side::Identity);
    // A policy that nobody understands may deny it.
    let odd = above(&[allow("*")], &[(ARCHIVE, json!({"Effect": "deny"}))]);
    for owner in [None, Some(ARCHIVE)] {
        check(&under(&odd), &put(owner), Unknown, Side::ResourceControl);
    }
    // What governs an account of another organization is not known.
    let elsewhere = judge(&under(&harmless), &put(Some("123456789012")));
    assert_eq!(
        (elsewhere.verdict, elsewhere.side),
        (Unknown, Side::ResourceControl)
    );
    assert_eq!(
        elsewhere.unread.as_deref(),
        Some("123456789012 is not in the organization")
    );
}
