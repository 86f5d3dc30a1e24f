//! Who may assume a role, as its trust policy says. Pure.

use serde_json::{Value, json};

use crate::compiled::Compiled;
use crate::evaluate::{Verdict, allows};
use crate::model::{Policy, one_or_many};
use crate::request::{Context, Principal, Request};

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

/// In which place of whose account a service assumes a role, as conditions against confused deputies ask.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html>
#[derive(Clone, Copy, Debug)]
pub struct TrustSource<'a> {
    /// Such as `aws`.
    pub partition: &'a str,
    /// The account's ID.
    pub account: &'a str,
    /// The region's code.
    pub region: &'a str,
}

/// Returns whether `policy` lets a service such as `ec2.amazonaws.com` assume the role, from `source` if that is known. It says no
/// only where that is certain.
#[must_use]
pub fn trusts(policy: &Value, service: &str, source: Option<TrustSource<'_>>) -> Trust {
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
            && (statement.get("Condition").is_none()
                || source.is_some_and(|source| is_met(statement, service, source)))
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

/// Returns whether anybody besides services may be let in by a trust policy: users and roles, or those whom an identity provider
/// vouches for.
#[must_use]
pub fn is_for_people(policy: &Value) -> bool {
    one_or_many(&policy["Statement"]).iter().any(|statement| {
        let principal = &statement["Principal"];
        statement["Effect"] == "Allow"
            && (statement.get("NotPrincipal").is_some()
                || principal.is_string()
                || principal.get("AWS").is_some()
                || principal.get("Federated").is_some())
    })
}

/// Whether the conditions of a statement are surely met: Systems Manager says for which account and resource it asks. Which
/// resource that is is not known: a pattern that matches two names that nobody has matches any.
fn is_met(statement: &Value, service: &str, source: TrustSource<'_>) -> bool {
    let TrustSource {
        partition,
        account,
        region,
    } = source;
    if service != "ssm.amazonaws.com" {
        return false;
    }
    let alone = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let Ok(compiled) = Policy::parse(&alone)
        .policy()
        .and_then(|policy| Compiled::new("trust", &policy))
    else {
        return false;
    };
    ["managed-instance/q7zkw4", "q7zkw4/q7"].iter().all(|name| {
        let resource = format!("arn:{partition}:ssm:{region}:{account}:{name}");
        let context = Context::partial()
            .with("aws:SourceAccount", account)
            .with("aws:SourceArn", resource);
        let request = Request {
            principal: Some(Principal::Service(service.to_owned())),
            ..Request::on_unknown_resource("sts:AssumeRole", context)
        };
        allows(&compiled, &request) == Verdict::Allowed
    })
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

    use super::{Trust, TrustSource, trusts};

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
            assert_eq!(
                trusts(&policy, "ec2.amazonaws.com", None),
                expected,
                "{policy}"
            );
        }
        assert_eq!(
            trusts(&Value::Null, "ec2.amazonaws.com", None),
            Trust::Unknown
        );
    }

    #[test]
    fn conditions_against_confused_deputies_are_judged_where_the_source_is_known() {
        let source = TrustSource {
            partition: "aws",
            account: "111122223333",
            region: "eu-central-1",
        };
        // As the guide for hybrid activations has it.
        let guide = json!({
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnEquals": {"aws:SourceArn": "arn:aws:ssm:eu-central-1:111122223333:*"},
        });
        let other_account = json!({"StringEquals": {"aws:SourceAccount": "444455556666"}});
        let some_resources =
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:ssm:*:111122223333:managed-instance/*"}});
        let another_key = json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}});
        for (condition, service, source, expected) in [
            (&guide, "ssm.amazonaws.com", Some(source), Trust::Yes),
            (&guide, "ssm.amazonaws.com", None, Trust::Unknown),
            // EC2 is not known to say for which resource it asks.
            (&guide, "ec2.amazonaws.com", Some(source), Trust::Unknown),
            (
                &other_account,
                "ssm.amazonaws.com",
                Some(source),
                Trust::Unknown,
            ),
            (
                &some_resources,
                "ssm.amazonaws.com",
                Some(source),
                Trust::Unknown,
            ),
            (
                &another_key,
                "ssm.amazonaws.com",
                Some(source),
                Trust::Unknown,
            ),
        ] {
            let mut statement = allow(json!({"Service": service}));
            statement["Condition"] = condition.clone();
            let policy = json!({"Statement": [statement]});
            assert_eq!(trusts(&policy, service, source), expected, "{policy}");
        }
    }
}
