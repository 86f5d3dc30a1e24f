//! For each rule of the linter, a policy that it looks at and must be silent about: what comes closest to its mistake and is
//! none. `tests/tables.rs` has the mistakes.

use iam_policy::{MAX_SCP_CHARACTERS, PolicyType, Rule, Severity, lint};

const SCP: PolicyType = PolicyType::ServiceControl {
    max_characters: MAX_SCP_CHARACTERS,
};
use PolicyType::{Identity, Resource, ResourceControl as Rcp};

/// An ID, what the policy is for, and its statements.
type NearMiss = (&'static str, PolicyType, &'static str);

const NEAR_MISSES: &[NearMiss] = &[
    (
        "json.syntax",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/\u0061\"]}"}"#,
    ),
    (
        "json.duplicate_key",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
            "StringLike": {"aws:PrincipalTag/a": "x"}, "StringNotLike": {"aws:PrincipalTag/a": "y"}}}"#,
    ),
    (
        "element.unknown",
        SCP,
        r#"{"Sid": "All", "Effect": "Deny", "Action": "s3:DeleteObject", "NotResource": "arn:aws:s3:::b/*", "Condition": {}}"#,
    ),
    (
        "element.missing",
        Resource,
        r#"{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}"#,
    ),
    (
        "element.conflict",
        SCP,
        r#"{"Effect": "Deny", "Action": "s3:DeleteBucket", "NotResource": "arn:aws:s3:::scratch"}"#,
    ),
    (
        "element.type",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["*"], "Condition": {
            "Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"aws:MultiFactorAuthAge": [3600]}}}"#,
    ),
    (
        "element.forbidden",
        Rcp,
        r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "NotResource": "arn:aws:s3:::public/*"}"#,
    ),
    (
        "element.empty",
        Identity,
        r#"{"Sid": "", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}"#,
    ),
    (
        "version.old",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#,
    ),
    (
        "effect.unknown",
        SCP,
        r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#,
    ),
    (
        "sid.invalid",
        Resource,
        r#"{"Sid": "with blanks, which keys and buckets take", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#,
    ),
    (
        "action.invalid",
        SCP,
        r#"{"Effect": "Deny", "Action": ["s*:Delete?ucket*", "execute-api:*", "SSM:startsession"], "Resource": "*"}"#,
    ),
    (
        "action.unknown",
        SCP,
        r#"{"Effect": "Deny", "Action": ["ssm:startSESSION", "ssm:*Session", "kms:GenerateDataKey*"], "Resource": "*"}"#,
    ),
    (
        "action.service",
        SCP,
        r#"{"Effect": "Deny", "Action": ["SSM:StartSession", "ssm*:Delete*", "ssm-quicksetup:*"], "Resource": "*"}"#,
    ),
    (
        "resource.invalid",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*", "arn:*:s3:::c/${aws:username}", "a*"]}"#,
    ),
    (
        "resource.impossible",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": ["arn:aws:ssm:*::document/AWS-RunShellScript",
            "arn:aws:ssm:*:111122223333:document/Own", "arn:aws-cn:ssm:cn-north-1::document/AWS-*", "arn:*:ec2:us-gov-west-1:*:instance/*"]}"#,
    ),
    (
        "resource.type",
        Identity,
        r#"{"Effect": "Allow", "Action": ["ssm:SendCommand", "ssm:ListCommands"], "Resource": ["arn:aws:s3:::logs",
            "arn:aws:ssm:*:*:document/*", "arn:aws:ec2:*:*:*"]}"#,
    ),
    (
        "action.resource",
        SCP,
        r#"{"Effect": "Deny", "Action": ["ssm:SendCommand", "ssm:TerminateSession"], "Resource": ["arn:aws:ec2:*:*:instance/*",
            "arn:aws:ssm:*:*:session/*"], "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ops"}}}"#,
    ),
    (
        "principal.negated",
        Resource,
        r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::public/*", "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ops"}}}"#,
    ),
    (
        "resource.loose",
        SCP,
        r#"{"Effect": "Deny", "Action": ["ec2:StopInstances", "ssm:GetParameter"], "Resource": ["arn:aws:ec2:*", "arn:aws:ec2:*:*:*",
            "arn:aws:ec2:*:*:instance/i-*", "arn:aws:ssm:*:*:parameter/a*"]}"#,
    ),
    (
        "guard.open_nodes",
        SCP,
        r#"[{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"],
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ops"}}},
            {"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "arn:aws:ecs:*:*:task/*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ops"}}}]"#,
    ),
    (
        "guard.request_exempt",
        SCP,
        r#"{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*", "Condition": {
            "StringNotEquals": {"aws:PrincipalAccount": "111122223333"}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}}"#,
    ),
    (
        "operator.unknown",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
            "foranyvalue:stringlikeifexists": {"aws:PrincipalOrgPaths": "o-abc/*"}}}"#,
    ),
    (
        "condition_key.unknown",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*", "Condition": {
            "StringEquals": {"AWS:principalarn": "x", "token.actions.githubusercontent.com:sub": "repo:a/b", "ssm:resourceTag/a": "b"}}}"#,
    ),
    (
        "condition_key.absent",
        Identity,
        r#"{"Effect": "Allow", "Action": ["ssm:StartSession", "ssm:ListCommands"], "Resource": "*", "Condition": {
            "BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}}"#,
    ),
    (
        "condition_key.type",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
            "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"},
            "Null": {"aws:CurrentTime": "false"}}}"#,
    ),
    (
        "operator.value",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
            "IpAddress": {"aws:SourceIp": ["2001:db8::/32", "203.0.113.7"]}, "DateLessThan": {"aws:CurrentTime": "2027-01"},
            "ArnLike": {"aws:SourceArn": "arn:aws:sns:*:${aws:PrincipalAccount}:*"}}}"#,
    ),
    (
        "operator.literal_wildcard",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
            "StringEquals": {"aws:PrincipalTag/a": "${*}"}, "StringLike": {"aws:PrincipalTag/b": "c*"},
            "ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}}}"#,
    ),
    (
        "operator.if_exists",
        Identity,
        r#"{"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": "*", "Condition": {
            "StringEquals": {"aws:RequestTag/team": "ops"}, "ForAllValues:StringEquals": {"aws:TagKeys": "team"}}}"#,
    ),
    (
        "variable.invalid",
        Identity,
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/${$}/$5"}"#,
    ),
    (
        "placeholder.left",
        SCP,
        r#"{"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": ["arn:aws:lambda:*:*:function:exchange-media:$LATEST",
            "arn:aws:lambda:*:*:function:get-instance-id:${aws:PrincipalTag/a}"]}"#,
    ),
    (
        "principal_arn.never",
        SCP,
        r#"{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": [
            "arn:aws:iam::${aws:PrincipalAccount}:role/Admin", "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Ops_*",
            "arn:aws:sts::111122223333:federated-user/ann"]}}}"#,
    ),
    (
        "guard.inverted",
        SCP,
        r#"{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}"#,
    ),
    (
        "guard.nobody_exempt",
        SCP,
        r#"{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*", "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Ops_*"]}}}"#,
    ),
    (
        "guard.everybody_exempt",
        SCP,
        r#"{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*", "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/o*", "arn:aws:iam::*:user/*"]}}}"#,
    ),
    (
        "guard.takeable",
        SCP,
        r#"{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*", "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/ops", "arn:aws:iam::111122223333:user/ann"]}}}"#,
    ),
    (
        "agents.denied",
        SCP,
        r#"{"Effect": "Deny", "Action": ["ssm:StartSession", "ssm:Send*", "ssm:DescribeInstanceInformation"], "Resource": "*", "Condition": {
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ops"}}}"#,
    ),
    (
        "service.not_governed",
        Rcp,
        r#"{"Effect": "Deny", "Principal": "*", "Action": ["S3:*", "logs:PutLogEvents", "sts:AssumeRole"], "Resource": "*"}"#,
    ),
    (
        "allow.list",
        SCP,
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
    ),
    (
        "ssm.send_command_on_session_document",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*:111122223333:document/SSM-SessionManagerRunShellScript"}"#,
    ),
    (
        "ssm.missing_document",
        Identity,
        r#"[{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ec2:*:*:instance/*",
            "Condition": {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}},
            {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"}]"#,
    ),
    (
        "ssm.missing_command_document",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*::document/AWS-*"]}"#,
    ),
    (
        "ssm.document_access_check",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"}"#,
    ),
    (
        "ssm.foreign_sessions",
        Identity,
        r#"[{"Effect": "Allow", "Action": "ssm:TerminateSession", "Resource": "arn:aws:ssm:*:*:session/${aws:userid}-*"},
            {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]"#,
    ),
    (
        "ssm.tag_condition_on_document",
        Identity,
        r#"{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"],
            "Condition": {"StringEqualsIfExists": {"ssm:resourceTag/team": "ops"}}}"#,
    ),
    (
        "ssm.kms_side",
        Identity,
        r#"{"Effect": "Allow", "Action": ["ssm:StartSession", "kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}"#,
    ),
];

fn check((id, policy_type, statements): &NearMiss) {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
    let problems = lint(&text, *policy_type);
    let found = problems.iter().find(|problem| problem.rule.id() == *id);
    assert_eq!(found, None, "{text}");
    // What is not understood says nothing about the rule.
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<String> = errors.map(ToString::to_string).collect();
    assert_eq!(errors, [""; 0], "{id}: {text}");
}

#[test]
fn no_rule_speaks_of_what_is_none_of_its_mistakes() {
    NEAR_MISSES.iter().for_each(check);
}

/// One character less than the mistake, which no constant can write.
#[test]
fn a_policy_as_long_as_its_quota_is_not_too_long() {
    let head = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::"#;
    let tail = r#""}}"#;
    for (length, is_found) in [(MAX_SCP_CHARACTERS, false), (MAX_SCP_CHARACTERS + 1, true)] {
        let name = "b".repeat(length - head.len() - tail.len());
        let problems = lint(&format!("{head}{name}{tail}"), SCP);
        let found = problems
            .iter()
            .any(|problem| problem.rule == Rule::Size && problem.severity == Severity::Error);
        assert_eq!(found, is_found, "{length}");
    }
}

#[test]
fn every_rule_has_a_near_miss() {
    let missing: Vec<&str> = Rule::ALL
        .iter()
        .filter(|rule| **rule != Rule::Size)
        .map(|rule| rule.id())
        .filter(|id| !NEAR_MISSES.iter().any(|(of, ..)| of == id))
        .collect();
    assert!(missing.is_empty(), "no near miss of {missing:?}");
    for (id, ..) in NEAR_MISSES {
        assert!(Rule::of_id(id).is_some(), "no rule {id}");
    }
}
