//! Whether the policy of a VPC endpoint surely refuses what agents ask for first. Pure.

use iam_policy::{glob, one_or_many};
use serde_json::Value;

/// Returns whether no statement can allow the action, whoever asks and on whatever: what an endpoint's policy does not allow
/// does not get through, and conditions only take away.
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>
pub(crate) fn refuses(policy: &str, action: &str) -> bool {
    // What cannot be read says nothing.
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return false;
    };
    let statements = one_or_many(&policy["Statement"]);
    let may_allow = |statement: &Value| {
        let names_it = |pattern: &Value| {
            let pattern = pattern.as_str().unwrap_or("*").to_ascii_lowercase();
            glob(&pattern, &action.to_ascii_lowercase())
        };
        statement["Effect"] == "Allow"
            && (statement.get("NotAction").is_some()
                || one_or_many(&statement["Action"]).iter().any(names_it))
    };
    !statements.is_empty() && !statements.iter().any(may_allow)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::refuses;

    #[test]
    fn only_a_policy_without_any_way_in_refuses() {
        let allow = |actions: serde_json::Value| json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "*"});
        for (statement, expected) in [
            (allow(json!("*")), false),
            (allow(json!(["ssm:GetParameter", "SSM:Update*"])), false),
            (allow(json!("ssm:UpdateInstanceInformatio?")), false),
            (allow(json!("ssm:GetParameter*")), true),
            (allow(json!(["s3:*", "ssm:Describe*"])), true),
            (
                json!({"Effect": "Allow", "Principal": "*", "NotAction": "ssm:PutParameter", "Resource": "*"}),
                false,
            ),
            (
                json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}),
                true,
            ),
        ] {
            for statements in [json!(statement), json!([statement])] {
                let policy = json!({"Statement": statements}).to_string();
                assert_eq!(
                    refuses(&policy, "ssm:UpdateInstanceInformation"),
                    expected,
                    "{policy}"
                );
            }
        }
        assert!(!refuses("{}", "ssm:UpdateInstanceInformation"));
        assert!(!refuses("not JSON", "ssm:UpdateInstanceInformation"));
    }
}
