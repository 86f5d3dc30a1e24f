//! Who may assume a role, as its trust policy says. Pure.

use iam_policy::one_or_many;
use serde_json::Value;

/// Whether a service may assume a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A statement allows it.
    Yes,
    /// No statement speaks of the service.
    No,
    /// The policy is not there, or has conditions, exceptions or denials that decide.
    #[default]
    Unknown,
}

/// Returns whether `policy` lets a service such as `ec2.amazonaws.com` assume the role. It says no only where that is certain.
pub(crate) fn trusts(policy: &Value, service: &str) -> Trust {
    let statements = one_or_many(&policy["Statement"]);
    let speaking = statements
        .iter()
        .filter(|statement| assumes(statement) && may_name(statement, service));
    let mut answer = match statements {
        [] => Trust::Unknown,
        _ => Trust::No,
    };
    for statement in speaking {
        let is_plain = statement["Effect"] == "Allow"
            && statement.get("Condition").is_none()
            && statement.get("NotPrincipal").is_none()
            && services(statement).any(|name| is_service(name, service));
        match is_plain {
            true if answer == Trust::No => answer = Trust::Yes,
            true => {}
            false => answer = Trust::Unknown,
        }
    }
    answer
}

fn assumes(statement: &Value) -> bool {
    let is_assume = |action: &Value| {
        let action = action.as_str().unwrap_or_default().to_ascii_lowercase();
        // A wildcard in the middle is rare enough to be taken for one that covers it.
        action == "sts:assumerole" || action.contains('*')
    };
    statement.get("NotAction").is_some() || one_or_many(&statement["Action"]).iter().any(is_assume)
}

/// Returns whether a statement may be about a service: everybody is, and so is a name of the service in another form.
fn may_name(statement: &Value, service: &str) -> bool {
    let is_everybody = |principal: &Value| one_or_many(principal).iter().any(|one| one == "*");
    let label = service.split('.').next().unwrap_or_default();
    let is_alike = |name: &str| name == "*" || name.split('.').next() == Some(label);
    statement.get("NotPrincipal").is_some()
        || is_everybody(&statement["Principal"])
        || is_everybody(&statement["Principal"]["AWS"])
        || services(statement).any(is_alike)
}

fn services(statement: &Value) -> impl Iterator<Item = &str> {
    let names = one_or_many(&statement["Principal"]["Service"]).iter();
    names.filter_map(Value::as_str)
}

/// In China, EC2 has the name `ec2.amazonaws.com.cn`, too.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>
fn is_service(name: &str, service: &str) -> bool {
    let rest = name.strip_prefix(service);
    rest.is_some_and(|rest| rest.is_empty() || rest == ".cn")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Trust, trusts};

    fn allow(principal: Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    }

    #[test]
    fn no_is_said_only_where_it_is_certain() {
        let ec2 = allow(json!({"Service": "ec2.amazonaws.com"}));
        let mut with_condition = ec2.clone();
        with_condition["Condition"] =
            json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
        let mut deny = ec2.clone();
        deny["Effect"] = json!("Deny");
        let mut federated = ec2.clone();
        federated["Action"] = json!("sts:TagSession");
        for (statements, expected) in [
            (json!(ec2), Trust::Yes),
            (
                json!([allow(
                    json!({"Service": ["ssm.amazonaws.com", "ec2.amazonaws.com.cn"]})
                )]),
                Trust::Yes,
            ),
            // The hybrid role reused.
            (
                json!([allow(json!({"Service": "ssm.amazonaws.com"}))]),
                Trust::No,
            ),
            (
                json!([allow(json!({"AWS": "arn:aws:iam::111122223333:root"}))]),
                Trust::No,
            ),
            (json!([federated]), Trust::No),
            (json!([with_condition]), Trust::Unknown),
            (json!([ec2, deny]), Trust::Unknown),
            (json!([allow(json!("*"))]), Trust::Unknown),
            (
                json!([allow(json!({"Service": "ec2.eu-central-1.amazonaws.com"}))]),
                Trust::Unknown,
            ),
            (json!([]), Trust::Unknown),
        ] {
            let policy = json!({"Version": "2012-10-17", "Statement": statements});
            assert_eq!(trusts(&policy, "ec2.amazonaws.com"), expected, "{policy}");
        }
        assert_eq!(trusts(&Value::Null, "ec2.amazonaws.com"), Trust::Unknown);
    }
}
