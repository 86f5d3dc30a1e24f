//! Who decides, by the policies that bear on one need.

#[path = "judgement_tests/organization.rs"]
mod organization;

use iam_policy::Verdict::{self, Allowed, Denied, Unknown};
use records::{Reading, Target};
use serde_json::{Value, json};

use super::{Side, judge};
use crate::{Bucket, BucketEncryption, Key, LogGroup, Need, Preferences, Role, needs};

const ROLE: &str = "arn:aws:iam::111122223333:role/node";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/k";

fn need(preferences: &Preferences, action: &str) -> Need {
    let target = Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    let mut needs = needs("aws", &target, preferences).into_iter();
    needs.find(|need| need.action == action).unwrap()
}

fn role(statements: &Value, boundary: Option<&Value>) -> Role {
    let policy = json!({ "Statement": statements });
    let boundary = boundary.map(|statements| json!({ "Statement": statements }));
    Role::new(
        ROLE,
        [("own", &policy)],
        boundary.as_ref().map(|document| ("boundary", document)),
    )
}

fn key(arn: &str, statements: Value) -> Key {
    Key {
        arn: Some(arn.to_owned()),
        alias: None,
        policy: Reading::Present(json!({ "Statement": statements })),
    }
}

fn session_key(key: Key) -> Preferences {
    Preferences {
        keys: vec![key],
        ..Preferences::default()
    }
}

fn bucket(policy: Reading<Value>) -> Preferences {
    Preferences {
        buckets: vec![Bucket {
            name: "logs".to_owned(),
            prefix: "sessions".to_owned(),
            must_be_encrypted: true,
            encryption: BucketEncryption::Key {
                algorithm: "aws:kms".to_owned(),
                key: key(KEY, delegation()),
                has_bucket_key: true,
            },
            policy,
            is_foreign: false,
            owner: None,
        }],
        ..Preferences::default()
    }
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

fn of(principal: &str, mut statement: Value) -> Value {
    statement["Principal"] = json!({ "AWS": principal });
    statement
}

fn delegation() -> Value {
    of("arn:aws:iam::111122223333:root", allow("kms:*"))
}

#[track_caller]
fn check(role: &Role, need: &Need, verdict: Verdict, side: Side) {
    let judgement = judge(role, need);
    assert_eq!(
        (judgement.verdict, judgement.side),
        (verdict, side),
        "{judgement:?}"
    );
}

#[track_caller]
fn check_key(own: &Value, policy: Value, verdict: Verdict, side: Side) {
    let need = need(&session_key(key(KEY, policy)), "kms:Decrypt");
    check(&role(own, None), &need, verdict, side);
}

#[test]
fn a_key_needs_its_own_policy_and_the_roles_unless_it_names_the_role() {
    let (may, may_not) = (allow("kms:*"), allow("s3:*"));
    let other = of("arn:aws:iam::111122223333:role/other", allow("kms:*"));
    check_key(&may, delegation(), Allowed, Side::Identity);
    check_key(&may_not, delegation(), Denied, Side::Identity);
    check_key(&may, other.clone(), Denied, Side::KeyPolicy);
    check_key(&may_not, other, Denied, Side::KeyPolicy);
    check_key(
        &may_not,
        of(ROLE, allow("kms:Decrypt")),
        Allowed,
        Side::Identity,
    );
    check_key(
        &may_not,
        of(ROLE, allow("kms:Encrypt")),
        Denied,
        Side::KeyPolicy,
    );
    let twelve_digits = of("111122223333", allow("kms:*"));
    check_key(&may, twelve_digits, Allowed, Side::Identity);
    let denied = json!([delegation(), of("*", deny("kms:Decrypt"))]);
    check_key(&may, denied, Denied, Side::KeyPolicy);
    check_key(
        &json!([may, deny("kms:Decrypt")]),
        delegation(),
        Denied,
        Side::Identity,
    );
}

#[test]
fn the_account_is_delegated_to_under_the_conditions_that_the_role_meets() {
    let mut for_one = delegation();
    for_one["Condition"] = json!({"StringEquals": {"aws:PrincipalArn": ROLE}});
    check_key(&allow("kms:*"), for_one, Allowed, Side::Identity);
    let mut for_another = delegation();
    for_another["Condition"] =
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other"}});
    check_key(&allow("kms:*"), for_another, Denied, Side::KeyPolicy);
    let mut at_night = delegation();
    at_night["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    check_key(&allow("kms:*"), at_night, Unknown, Side::KeyPolicy);
}

#[test]
fn a_key_of_another_account_needs_both() {
    let foreign = "arn:aws:kms:eu-central-1:999988887777:key/k";
    let named = of(ROLE, allow("kms:*"));
    let need = |policy| need(&session_key(key(foreign, policy)), "kms:Decrypt");
    check(
        &role(&allow("s3:*"), None),
        &need(named.clone()),
        Denied,
        Side::Identity,
    );
    check(
        &role(&allow("kms:*"), None),
        &need(named),
        Allowed,
        Side::Identity,
    );
    let unnamed = of("arn:aws:iam::999988887777:root", allow("kms:*"));
    check(
        &role(&allow("kms:*"), None),
        &need(unnamed),
        Denied,
        Side::KeyPolicy,
    );
}

#[test]
fn what_was_not_read_is_unknown_unless_the_role_is_denied_anyway() {
    let unread = |arn: &str| Key {
        policy: Reading::Unknown("AccessDenied".to_owned()),
        ..key(arn, json!([]))
    };
    let here = need(&session_key(unread(KEY)), "kms:Decrypt");
    check(
        &role(&allow("kms:*"), None),
        &here,
        Unknown,
        Side::KeyPolicy,
    );
    let ungranted = role(&allow("s3:*"), None);
    check(&ungranted, &here, Unknown, Side::KeyPolicy);
    assert!(judge(&ungranted, &here).is_ungranted);
    check(&role(&deny("kms:*"), None), &here, Denied, Side::Identity);
    let foreign = "arn:aws:kms:eu-central-1:999988887777:key/k";
    let there = need(&session_key(unread(foreign)), "kms:Decrypt");
    check(&ungranted, &there, Denied, Side::Identity);
    let bucket = bucket(Reading::Unknown("AccessDenied".to_owned()));
    let put = need(&bucket, "s3:PutObject");
    check(
        &role(&allow("s3:*"), None),
        &put,
        Unknown,
        Side::BucketPolicy,
    );
    check(&role(&deny("s3:*"), None), &put, Denied, Side::Identity);
}

#[test]
fn a_boundary_bounds_what_a_key_policy_names() {
    let bounded = role(&allow("kms:*"), Some(&allow("s3:*")));
    let by_name = need(
        &session_key(key(KEY, of(ROLE, allow("kms:*")))),
        "kms:Decrypt",
    );
    check(&bounded, &by_name, Denied, Side::Boundary);
    let by_account = need(&session_key(key(KEY, delegation())), "kms:Decrypt");
    check(&bounded, &by_account, Denied, Side::Boundary);
    assert!(!judge(&bounded, &by_account).is_ungranted);
}

#[test]
fn a_bucket_policy_forbids_and_allows() {
    let put = |statements: Value| {
        need(
            &bucket(Reading::Present(json!({ "Statement": statements }))),
            "s3:PutObject",
        )
    };
    let (may, may_not) = (role(&allow("s3:*"), None), role(&allow("kms:*"), None));
    let no_policy = need(&bucket(Reading::Absent), "s3:PutObject");
    check(&may, &no_policy, Allowed, Side::Identity);
    check(&may_not, &no_policy, Denied, Side::Identity);
    check(
        &may,
        &put(json!([of("*", deny("s3:*"))])),
        Denied,
        Side::BucketPolicy,
    );
    check(
        &may_not,
        &put(json!([of(ROLE, allow("s3:PutObject"))])),
        Allowed,
        Side::Identity,
    );
    let mut plain_http = of("*", deny("s3:*"));
    plain_http["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
    check(&may, &put(json!([plain_http])), Allowed, Side::Identity);
    let mut elsewhere = of("*", deny("s3:*"));
    elsewhere["Condition"] = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}});
    check(&may, &put(json!([elsewhere])), Unknown, Side::BucketPolicy);
}

#[test]
fn a_bucket_of_another_account_needs_both() {
    let put = |policy| {
        let mut of_another = bucket(policy);
        of_another.buckets[0].is_foreign = true;
        need(&of_another, "s3:PutObject")
    };
    let stating = |statements| put(Reading::Present(json!({ "Statement": statements })));
    let (may, may_not) = (role(&allow("s3:*"), None), role(&allow("kms:*"), None));
    let whole = of("arn:aws:iam::111122223333:root", allow("s3:PutObject"));
    let named = of(ROLE, allow("s3:PutObject"));
    for policy in [&whole, &named] {
        check(&may, &stating(json!([policy])), Allowed, Side::Identity);
        check(&may_not, &stating(json!([policy])), Denied, Side::Identity);
    }
    let other = of("arn:aws:iam::444455556666:root", allow("s3:*"));
    check(&may, &stating(json!([other])), Denied, Side::BucketPolicy);
    check(&may, &put(Reading::Absent), Denied, Side::BucketPolicy);
    let unread = || put(Reading::Unknown("denied".to_owned()));
    check(&may, &unread(), Unknown, Side::BucketPolicy);
    check(&may_not, &unread(), Denied, Side::Identity);
    let but = of("*", deny("s3:PutObject"));
    check(
        &may,
        &stating(json!([whole, but])),
        Denied,
        Side::BucketPolicy,
    );
    let mut elsewhere = whole.clone();
    elsewhere["Condition"] = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}});
    check(
        &may,
        &stating(json!([elsewhere])),
        Unknown,
        Side::BucketPolicy,
    );
}

#[test]
fn only_a_bucket_of_another_account_needs_the_permission_for_the_acl() {
    let target = "111122223333/eu-central-1".parse().unwrap();
    for is_foreign in [false, true] {
        let mut preferences = bucket(Reading::Absent);
        preferences.buckets[0].is_foreign = is_foreign;
        let needs = needs("aws", &target, &preferences);
        let has_acl = needs.iter().any(|need| need.action == "s3:PutObjectAcl");
        assert_eq!(has_acl, is_foreign);
    }
}

/// The agent says how to encrypt only where it may read that.
#[test]
fn the_header_depends_on_what_the_agent_may_read() {
    let mut wants_header = of("*", deny("s3:PutObject"));
    wants_header["Condition"] =
        json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}});
    let policy = Reading::Present(json!({ "Statement": [wants_header] }));
    let put = need(&bucket(policy), "s3:PutObject");
    check(&role(&allow("s3:*"), None), &put, Allowed, Side::Identity);
    check(
        &role(&allow("s3:PutObject"), None),
        &put,
        Denied,
        Side::BucketPolicy,
    );
}

#[test]
fn groups_are_looked_for_only_by_who_streams_or_must_see_encryption() {
    let with = |must_be_encrypted, is_streamed| {
        let preferences = Preferences {
            log_groups: vec![LogGroup {
                name: "/ssm".to_owned(),
                must_be_encrypted,
                is_streamed,
            }],
            ..Preferences::default()
        };
        let target = Target {
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let needs = needs("aws", &target, &preferences);
        needs.iter().map(|need| need.action).collect::<Vec<_>>()
    };
    let writes = ["logs:CreateLogStream", "logs:PutLogEvents"];
    assert_eq!(with(false, false), writes);
    for (must_be_encrypted, is_streamed) in [(true, false), (false, true)] {
        assert_eq!(
            with(must_be_encrypted, is_streamed)[0],
            "logs:DescribeLogGroups"
        );
    }
}

#[test]
fn a_policy_that_is_not_understood_decides_nothing() {
    let broken = json!({"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"BoolLike": {"a": "b"}}}});
    let role = Role::new(ROLE, [("broken", &broken)], None);
    let judgement = judge(
        &role,
        &need(&session_key(key(KEY, delegation())), "kms:Decrypt"),
    );
    assert_eq!(judgement.verdict, Unknown);
    assert_eq!(judgement.statement.unwrap().policy, "broken");
}
