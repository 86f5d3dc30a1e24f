//! The resource policies that provisioning writes, and how a statement is added to a policy that is already there.

use cli::Target;
use iam_policy::glob;
use serde_json::{Value, json};
use transcripts::DESTROYS_KEY;

const LOGS_SID: &str = "AllowCloudWatchLogs";
const TLS_SID: &str = "DenyInsecureTransport";
const ADMINISTRATORS_SID: &str = "DenyDestructionToOthers";

/// Returns the policy of a new key: the account administers it through IAM, CloudWatch Logs may encrypt with it.
///
/// Without the first statement IAM policies have no effect on the key and nobody may be able to manage it.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
pub(crate) fn key_policy(
    partition: &str,
    target: &Target,
    log_group: Option<&str>,
    administrators: Option<&[String]>,
) -> Value {
    let mut statements = vec![json!({
        "Sid": "EnableIAMUserPermissions",
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:{partition}:iam::{}:root", target.account) },
        "Action": "kms:*",
        "Resource": "*",
    })];
    statements.extend(log_group.map(|name| logs_statement(partition, target, name)));
    statements
        .extend(administrators.map(|names| administrators_statement(partition, target, names)));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Leaves the root user in, who can give the key back when the last of the others is gone: nobody but AWS could else.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>
fn administrators_statement(partition: &str, target: &Target, administrators: &[String]) -> Value {
    let mut exempt = vec![format!("arn:{partition}:iam::{}:root", target.account)];
    exempt.extend(administrators.iter().cloned());
    json!({
        "Sid": ADMINISTRATORS_SID,
        "Effect": "Deny",
        "Principal": { "AWS": "*" },
        "Action": DESTROYS_KEY,
        "Resource": "*",
        "Condition": { "ArnNotLike": { "aws:PrincipalArn": exempt } },
    })
}

/// Returns the key policy with the statement that names the administrators, or `None` when it is there.
pub(crate) fn with_administrators(
    policy: &Value,
    partition: &str,
    target: &Target,
    administrators: &[String],
) -> Option<Value> {
    let wanted = administrators_statement(partition, target, administrators);
    let statements = statements(policy);
    let is_there = statements.contains(&wanted);
    (!is_there).then(|| with_statement(policy, &statements, wanted))
}

/// Returns the description of a key that this tool makes, by which a run goes on with what an earlier one left.
pub(crate) fn key_description(alias: &str) -> String {
    format!("Session Manager sessions, {alias}")
}

/// The encryption context condition binds the grant to one log group.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>
fn logs_statement(partition: &str, target: &Target, log_group: &str) -> Value {
    let Target { account, region } = target;
    json!({
        "Sid": LOGS_SID,
        "Effect": "Allow",
        "Principal": { "Service": format!("logs.{region}.{}", domain(partition)) },
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": { "ArnEquals": {
            "kms:EncryptionContext:aws:logs:arn": format!("arn:{partition}:logs:{region}:{account}:log-group:{log_group}"),
        } },
    })
}

/// Returns the end of the names of services in a partition. In a template that is known only where the stack is.
fn domain(partition: &str) -> String {
    match partition == cloudformation::partition() {
        true => cloudformation::url_suffix(),
        false => awsdata::suffix_of(partition).to_owned(),
    }
}

/// Returns the key policy with the statement for CloudWatch Logs in place, or `None` when it grants that already.
pub(crate) fn with_logs_statement(
    policy: &Value,
    partition: &str,
    target: &Target,
    log_group: &str,
) -> Option<Value> {
    let wanted = logs_statement(partition, target, log_group);
    let service = &wanted["Principal"]["Service"];
    let arn = &wanted["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"];
    let grants = |statement: &Value| {
        let service_named = any(&statement["Principal"]["Service"], |value| value == service);
        let conditions = statement["Condition"].as_object();
        let bound_to_another = conditions.is_some_and(|operators| {
            operators
                .values()
                .filter_map(|keys| keys.get("kms:EncryptionContext:aws:logs:arn"))
                .any(|bound| {
                    !any(bound, |bound| {
                        glob(
                            bound.as_str().unwrap_or_default(),
                            arn.as_str().unwrap_or_default(),
                        )
                    })
                })
        });
        statement["Effect"] == "Allow" && service_named && !bound_to_another
    };
    let statements = statements(policy);
    if statements.iter().any(grants) {
        return None;
    }
    let mut wanted = wanted;
    if let Some(mine) = statements.iter().find(|mine| mine["Sid"] == LOGS_SID) {
        match bound_groups(mine, &wanted) {
            // Another log group may hold records under this key; without the grant nobody could read them.
            Some(mut groups) => {
                let bound =
                    &mut wanted["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"];
                groups.push(bound.clone());
                *bound = Value::Array(groups);
            }
            // Somebody else's statement of the same name stays as it is.
            None => {
                if let Some(wanted) = wanted.as_object_mut() {
                    wanted.shift_remove("Sid");
                }
            }
        }
    }
    Some(with_statement(policy, &statements, wanted))
}

/// Returns the log groups that a statement of this tool grants the key for; `None` when it is not one of its own.
fn bound_groups(statement: &Value, wanted: &Value) -> Option<Vec<Value>> {
    let mut rest = statement.clone();
    let bound = rest.pointer_mut("/Condition/ArnEquals/kms:EncryptionContext:aws:logs:arn")?;
    let groups = match &*bound {
        Value::Array(groups) => groups.clone(),
        group => vec![group.clone()],
    };
    *bound = wanted["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"].clone();
    (rest == *wanted).then_some(groups)
}

/// Returns the bucket policy with plain HTTP denied, or `None` when it is denied already.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>
pub(crate) fn with_tls_statement(
    policy: Option<&Value>,
    partition: &str,
    bucket: &str,
) -> Option<Value> {
    let empty = json!({ "Version": "2012-10-17", "Statement": [] });
    let policy = policy.unwrap_or(&empty);
    let statements = statements(policy);
    let denies = |statement: &Value| {
        let everybody = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
        let secure = &statement["Condition"]["Bool"]["aws:SecureTransport"];
        statement["Effect"] == "Deny" && everybody && (secure == "false" || secure == &json!(false))
    };
    if statements.iter().any(denies) {
        return None;
    }
    let wanted = json!({
        "Sid": TLS_SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [format!("arn:{partition}:s3:::{bucket}"), format!("arn:{partition}:s3:::{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    Some(with_statement(policy, &statements, wanted))
}

/// Replaces the statement with the same Sid, or appends; everything else in the policy stays.
fn with_statement(policy: &Value, statements: &[Value], wanted: Value) -> Value {
    let mut kept: Vec<Value> = statements
        .iter()
        .filter(|statement| wanted["Sid"].is_null() || statement["Sid"] != wanted["Sid"])
        .cloned()
        .collect();
    kept.push(wanted);
    let mut policy = policy.clone();
    policy["Statement"] = Value::Array(kept);
    policy
}

/// Returns the statements of a policy, which may be one object or a list.
pub(crate) fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        statement => vec![statement.clone()],
    }
}

/// Returns whether a value, or any value of a list, satisfies the test.
pub(crate) fn any(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(test),
        value => test(value),
    }
}

#[cfg(test)]
mod tests {
    use cli::Target;

    use super::key_policy;

    #[test]
    fn cloudwatch_logs_is_named_as_in_its_partition() {
        for (partition, region, service) in [
            ("aws", "eu-central-1", "logs.eu-central-1.amazonaws.com"),
            ("aws-cn", "cn-north-1", "logs.cn-north-1.amazonaws.com.cn"),
            (
                "aws-eusc",
                "eusc-de-east-1",
                "logs.eusc-de-east-1.amazonaws.eu",
            ),
            ("aws-iso", "us-iso-east-1", "logs.us-iso-east-1.c2s.ic.gov"),
        ] {
            let target: Target = format!("111122223333/{region}").parse().unwrap();
            let policy = key_policy(partition, &target, Some("/sessions"), None);
            assert_eq!(policy["Statement"][1]["Principal"]["Service"], service);
        }
    }
}
