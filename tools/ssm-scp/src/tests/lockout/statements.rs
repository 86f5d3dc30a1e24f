//! Statements by name beside a guard that spares the break-glass role, and what they risk: what is dangerous is named by its
//! meaning, what is harmless has no risk.

use serde_json::{Value, json};

use super::cases::{ADMIN, ALL, NODES, SESSIONS, both, but, check, deny, guard, on_w, only, with};
use super::scene::{BREAK_GLASS, C, W, attach, create};

#[test]
fn what_a_statement_denies_is_named_by_its_meaning() {
    let elsewhere = json!({"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}});
    let global = json!({"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "organizations:*"], "Resource": "*", "Condition": elsewhere});
    for (name, kinds, statement) in [
        ("16 everything", &ALL[..], deny(json!("*"), Value::Null)),
        (
            "17 all but Systems Manager",
            &[
                "break_glass",
                "assume_role",
                "logging",
                "repair",
                "assign_access",
                "other",
            ],
            json!({"Effect": "Deny", "NotAction": ["ssm:*", "ssmmessages:*", "ec2messages:*"], "Resource": "*"}),
        ),
        (
            "18 iam, sts, kms",
            &["assume_role", "logging", "other"],
            deny(json!(["iam:*", "sts:*", "kms:*"]), Value::Null),
        ),
        (
            "19 agents",
            &["nodes_offline"],
            deny(json!(["ssmmessages:*", "ec2messages:*"]), Value::Null),
        ),
        (
            "26 from one address",
            &["break_glass"],
            deny(
                json!(SESSIONS),
                json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.1/32"}}),
            ),
        ),
        (
            "69 sts:AssumeRole",
            &["assume_role"],
            deny(json!("sts:AssumeRole"), Value::Null),
        ),
        (
            "session tags",
            &["assume_role"],
            deny(json!("sts:TagSession"), Value::Null),
        ),
        (
            "federation",
            &["assume_role"],
            deny(json!("sts:AssumeRoleWith*"), Value::Null),
        ),
        (
            "sts but for those exempt",
            &["assume_role"],
            deny(json!("sts:AssumeRole"), but(&[BREAK_GLASS, ADMIN])),
        ),
        (
            "an action beside the agents'",
            &["other"],
            deny(json!("sts:GetCallerIdentity"), Value::Null),
        ),
        (
            "a service that no list has",
            &["other"],
            deny(json!("newservice:DoIt"), Value::Null),
        ),
        (
            "one action of agents",
            &["nodes_offline"],
            deny(json!("ssm:GetDocument"), Value::Null),
        ),
        (
            "agents among others",
            &["nodes_offline", "other"],
            deny(json!("ssm:Desc*"), Value::Null),
        ),
        (
            "ssm but for break-glass",
            &["nodes_offline"],
            deny(json!("ssm:*"), but(&[BREAK_GLASS])),
        ),
        (
            "everything but for break-glass",
            &["nodes_offline", "assume_role", "logging"],
            deny(json!("*"), but(&[BREAK_GLASS])),
        ),
        (
            "everything but for break-glass and the nodes of today",
            &["nodes_offline", "assume_role", "logging"],
            deny(json!("*"), but(&[BREAK_GLASS, NODES])),
        ),
        (
            "nodes by their name",
            &["nodes_offline"],
            deny(json!("ssmmessages:*"), only(&[NODES])),
        ),
        (
            "nodes that may come",
            &["nodes_offline"],
            deny(json!("ssmmessages:*"), only(&["arn:aws:iam::*:role/web-*"])),
        ),
        (
            "logs of nodes by their name",
            &["logging"],
            deny(json!("s3:*"), only(&[NODES])),
        ),
        (
            "logs",
            &["logging"],
            deny(json!("logs:PutLogEvents"), Value::Null),
        ),
        (
            "transcripts without a header",
            &["logging"],
            deny(
                json!("s3:PutObject"),
                json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}),
            ),
        ),
        (
            "no way to take policies back",
            &["repair"],
            deny(json!("organizations:DetachPolicy"), Value::Null),
        ),
        (
            "IAM Identity Center",
            &["assign_access", "other"],
            deny(json!(["sso:*", "identitystore:*"]), Value::Null),
        ),
        (
            "no role for anybody by IAM Identity Center",
            &["assign_access"],
            deny(json!("sso:CreateAccountAssignment"), Value::Null),
        ),
        (
            "leaving, for everybody",
            &["other"],
            deny(json!("organizations:LeaveOrganization"), Value::Null),
        ),
        (
            "iam but for who may not",
            &["other"],
            deny(json!("iam:*"), but(&["arn:aws:iam::*:role/dev"])),
        ),
        (
            "ec2",
            &["break_glass", "other"],
            deny(json!("ec2:*"), Value::Null),
        ),
        (
            "reading objects",
            &["other"],
            deny(json!("s3:GetObject"), Value::Null),
        ),
        (
            "other Regions",
            &["break_glass", "nodes_offline", "logging", "conditional"],
            global,
        ),
        (
            "by a tag",
            &["break_glass"],
            deny(
                json!(SESSIONS),
                json!({"StringNotEquals": {"aws:PrincipalTag/team": "ops"}}),
            ),
        ),
        (
            "without MFA",
            &["break_glass"],
            deny(
                json!(SESSIONS),
                json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
            ),
        ),
        (
            "action in other case",
            &["break_glass"],
            deny(json!("SSM:startsession"), Value::Null),
        ),
        (
            "whoever is no service",
            &ALL,
            deny(
                json!("*"),
                json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}),
            ),
        ),
        (
            "25 wildcard where none is one",
            &["break_glass"],
            deny(
                json!(SESSIONS),
                json!({"StringNotEquals": {"aws:PrincipalArn": BREAK_GLASS}}),
            ),
        ),
    ] {
        check(name, &both(kinds), |_| with(statement.clone()));
    }
}

#[test]
fn harmless_statements_have_no_risk() {
    let protected = json!({"Effect": "Deny", "Action": "iam:DeleteRole", "Resource": BREAK_GLASS, "Condition": but(&[BREAK_GLASS])});
    for (name, statement) in [
        (
            "only TLS",
            deny(
                json!("s3:*"),
                json!({"Bool": {"aws:SecureTransport": "false"}}),
            ),
        ),
        (
            "agents of who is none",
            deny(json!("ssmmessages:*"), only(&["arn:aws:iam::*:role/dev"])),
        ),
        (
            "keys of nodes that use none",
            deny(json!("kms:*"), only(&[NODES])),
        ),
        (
            "leaving, but for break-glass",
            deny(
                json!("organizations:LeaveOrganization"),
                but(&[BREAK_GLASS]),
            ),
        ),
        (
            "IAM Identity Center, but for break-glass",
            deny(json!(["sso:*", "identitystore:*"]), but(&[BREAK_GLASS])),
        ),
        (
            "organizations, but for break-glass",
            deny(json!("organizations:*"), but(&[BREAK_GLASS])),
        ),
        (
            "iam, but for those who may",
            deny(json!("iam:*"), but(&[BREAK_GLASS, ADMIN])),
        ),
        ("break-glass protected but from itself", protected),
        (
            "more of sessions",
            deny(json!("ssm:St*Session"), but(&[BREAK_GLASS])),
        ),
        (
            "another account",
            deny(
                json!("*"),
                json!({"StringEquals": {"aws:PrincipalAccount": C}}),
            ),
        ),
        (
            "services alone",
            deny(
                json!("*"),
                json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}),
            ),
        ),
    ] {
        check(name, &[], |_| with(statement.clone()));
    }
}

/// What is denied on one bucket leaves the others; a condition may be about all of them, whichever statement comes first.
#[test]
fn the_gravest_doubt_counts_in_either_order() {
    let mut bucket = deny(json!("s3:PutObject"), but(&[BREAK_GLASS]));
    bucket["Resource"] = json!("arn:aws:s3:::audit/*");
    let header = json!({"Null": {"s3:x-amz-server-side-encryption": "true"}});
    let without_header = deny(json!("s3:PutObject"), header);
    let office = json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let mut role = deny(json!("iam:DeleteRole"), but(&[BREAK_GLASS]));
    role["Resource"] = json!("arn:aws:iam::*:role/ssm/*");
    let elsewhere = deny(json!("iam:DeleteRole"), office);
    for (kind, one, other) in [
        ("logging", bucket, without_header),
        ("conditional", role, elsewhere),
    ] {
        for statements in [[&one, &other], [&other, &one]] {
            let statements = json!(statements);
            let as_one = json!([guard(&[BREAK_GLASS]), statements[0], statements[1]]);
            check(kind, &both(&[kind]), |_| on_w(as_one.clone()));
            check(kind, &both(&[kind]), |_| {
                let mut changes = with(statements[0].clone());
                let second = json!([statements[1]]);
                changes.extend([create("second", second), attach("second", W)]);
                changes
            });
        }
    }
}

/// A pattern that covers all resources of a type is not less than `*`.
#[test]
fn what_is_lost_on_every_resource_is_lost() {
    for (name, actions, resource, expected) in [
        (
            "every role",
            json!(["sts:AssumeRole"]),
            "arn:aws:iam::*:role/*",
            "assume_role",
        ),
        (
            "every key",
            json!(["kms:GenerateDataKey", "kms:Decrypt"]),
            "arn:aws:kms:*:*:key/*",
            "logging",
        ),
        (
            "every object",
            json!(["s3:PutObject"]),
            "arn:aws:s3:::*",
            "logging",
        ),
        (
            "one bucket",
            json!(["s3:PutObject"]),
            "arn:aws:s3:::audit/*",
            "",
        ),
    ] {
        let expected = match expected {
            "" => Vec::new(),
            kind => both(&[kind]),
        };
        check(name, &expected, |_| {
            let mut statement = deny(actions.clone(), but(&[BREAK_GLASS]));
            statement["Resource"] = json!(resource);
            with(statement)
        });
    }
    // Of other things in IAM something is left, of roles nothing, to nobody who may change them.
    check("every role, among all of IAM", &both(&["other"]), |_| {
        let mut statement = deny(json!("iam:*"), but(&["arn:aws:iam::*:role/dev"]));
        statement["Resource"] = json!("arn:aws:iam::*:role/*");
        with(statement)
    });
}
