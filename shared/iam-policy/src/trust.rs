//! Who may assume a role, as its trust policy says. Pure.

use serde_json::{Value, json};

use crate::arn::Arn;
use crate::compiled::Compiled;
use crate::evaluate::{Verdict, allows};
use crate::model::{Policy, one_or_many};
use crate::pattern::glob;
use crate::request::{Context, Principal, Request};

/// What lets somebody be a role, services by the first.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
const ASSUMING: [&str; 3] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
];

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
        .filter(|statement| is_about(statement, ASSUMING[0]) && may_name(statement, service));
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

/// Who is let in by a statement of a trust policy, besides services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrant<'p> {
    /// Anybody, or anybody but some.
    Anybody,
    /// A user, role, session or account, by its ARN or ID as it is written.
    Aws(&'p str),
    /// Whoever an identity provider vouches for.
    Federated,
}

/// Returns whom the statements of a trust policy allow to assume the role, whatever others deny. Services are not people.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
pub fn entrants(policy: &Value) -> impl Iterator<Item = Entrant<'_>> {
    entrants_by(policy, &ASSUMING)
}

/// As [`entrants`], by one of these actions.
fn entrants_by<'p>(policy: &'p Value, actions: &'p [&'p str]) -> impl Iterator<Item = Entrant<'p>> {
    let statements = one_or_many(&policy["Statement"]).iter();
    let allowing = statements.filter(|statement| {
        statement["Effect"] == "Allow" && actions.iter().any(|action| is_about(statement, action))
    });
    allowing.flat_map(|statement| {
        let principal = &statement["Principal"];
        let is_open = is_everybody(principal) || statement.get("NotPrincipal").is_some();
        let names = one_or_many(&principal["AWS"])
            .iter()
            .filter_map(Value::as_str);
        let federated = one_or_many(&principal["Federated"]).first();
        let anybody = is_open.then_some(Entrant::Anybody).into_iter();
        let named = names.filter(|name| *name != "*").map(Entrant::Aws);
        anybody
            .chain(named)
            .chain(federated.map(|_| Entrant::Federated))
    })
}

/// Returns whether anybody besides services may assume a role, by its trust policy. `comes` says of the ARN of a user, role,
/// session or account, or of the ID of an account, as it is written, whether anybody comes in by it. What IAM shows as another ID,
/// `AROA..`, has been deleted.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user.html>
pub fn is_for_people(policy: &Value, comes: impl Fn(&str) -> bool) -> bool {
    // One way in may be closed to everybody and another one open.
    let is_closed = |action: &str| {
        let mut statements = one_or_many(&policy["Statement"]).iter();
        statements.any(|statement| {
            statement["Effect"] == "Deny"
                && is_everybody(&statement["Principal"])
                && statement.get("Condition").is_none()
                && is_about(statement, action)
        })
    };
    let is_somebody = |entrant: Entrant<'_>| match entrant {
        Entrant::Anybody | Entrant::Federated => true,
        Entrant::Aws(name) => {
            let is_account = name.bytes().all(|byte| byte.is_ascii_digit());
            (is_account || Arn::parse(name).is_some()) && comes(name)
        }
    };
    ASSUMING.iter().any(|action| {
        !is_closed(action) && entrants_by(policy, std::slice::from_ref(action)).any(is_somebody)
    })
}

/// Returns whether tags may be passed when the role is assumed, as far as its trust policy goes: a session then has more tags than
/// the role. <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>
#[must_use]
pub fn takes_session_tags(policy: &Value) -> bool {
    let mut statements = one_or_many(&policy["Statement"]).iter();
    statements
        .any(|statement| statement["Effect"] == "Allow" && is_about(statement, "sts:tagsession"))
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

/// Returns whether a statement is about an action, in lower case.
fn is_about(statement: &Value, action: &str) -> bool {
    let covers = |element: &str| {
        let patterns = one_or_many(&statement[element]).iter();
        let mut patterns = patterns.filter_map(Value::as_str);
        patterns.any(|pattern| glob(&pattern.to_ascii_lowercase(), action))
    };
    match statement.get("NotAction") {
        Some(_) => !covers("NotAction"),
        None => covers("Action"),
    }
}

fn is_everybody(principal: &Value) -> bool {
    let is_star = |one: &Value| one == "*";
    is_star(principal) || one_or_many(&principal["AWS"]).iter().any(is_star)
}

/// Returns whether a statement may be about a service: everybody is, and so is a name of the service in another form.
fn may_name(statement: &Value, service: &str) -> bool {
    let label = service.split('.').next().unwrap_or_default();
    let is_alike = |name: &str| name == "*" || name.split('.').next() == Some(label);
    statement.get("NotPrincipal").is_some()
        || is_everybody(&statement["Principal"])
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

    use super::{Trust, TrustSource, is_for_people, takes_session_tags, trusts};

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

    const ROOT: &str = "arn:aws:iam::111122223333:root";

    #[track_caller]
    fn check(trust: Value, expected: bool) {
        let gone = [
            "arn:aws:iam::111122223333:role/gone",
            "444455556666",
            "arn:aws:iam::444455556666:root",
        ];
        let comes = |name: &str| !gone.contains(&name);
        assert_eq!(is_for_people(&trust, comes), expected, "{trust}");
    }

    fn one(principal: Value) -> Value {
        json!({"Statement": allow(principal)})
    }

    #[test]
    fn a_role_lets_in_whom_it_trusts_if_they_exist() {
        check(one(json!("*")), true);
        check(one(json!({"AWS": ROOT})), true);
        check(one(json!({"AWS": ["999988887777"]})), true);
        for closed in ["444455556666", "arn:aws:iam::444455556666:root"] {
            check(one(json!({"AWS": closed})), false);
            check(one(json!({"AWS": [closed, ROOT]})), true);
        }
        check(
            one(json!({"AWS": "arn:aws:iam::111122223333:role/ops"})),
            true,
        );
        check(
            one(json!({"AWS": "arn:aws:iam::111122223333:role/gone"})),
            false,
        );
        check(one(json!({"AWS": "AROAEXAMPLEID"})), false);
        check(one(json!({"Service": "ec2.amazonaws.com"})), false);
        let mut but_some = one(json!(null));
        but_some["Statement"]["NotPrincipal"] = json!({"AWS": ROOT});
        check(but_some, true);
        let federated = json!({"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/AWSSSO_x_DO_NOT_DELETE"}}]});
        check(federated.clone(), true);
        // One way in that is closed to everybody leaves the other.
        let closed = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"});
        let statements = [federated["Statement"][0].clone(), closed];
        check(json!({"Statement": statements}), true);
        let tags_only = json!({"Statement": [{"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"AWS": "*"}}]});
        check(tags_only, false);
    }

    #[test]
    fn a_role_that_denies_everybody_lets_nobody_in() {
        let mut deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*"});
        check(json!({"Statement": [allow(json!("*")), deny]}), false);
        deny["Action"] = json!("sts:Assume*");
        check(json!({"Statement": [allow(json!("*")), deny]}), false);
        deny["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}});
        check(json!({"Statement": [allow(json!("*")), deny]}), true);
    }

    #[test]
    fn tags_are_passed_where_the_trust_policy_allows_it() {
        let mut trust = one(json!({"AWS": ROOT}));
        assert!(!takes_session_tags(&trust));
        trust["Statement"]["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
        assert!(takes_session_tags(&trust));
        trust["Statement"]["Action"] = json!("sts:*");
        assert!(takes_session_tags(&trust));
        trust["Statement"]["Effect"] = json!("Deny");
        assert!(!takes_session_tags(&trust));
    }
}
