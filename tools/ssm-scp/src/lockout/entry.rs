//! Whether anybody can become a principal: a role that only a service may assume lets nobody in. Pure.

use std::collections::BTreeSet;

use iam_policy::{Arn, glob, one_or_many};
use serde_json::Value;

use crate::model::PrincipalPolicies;

/// The principals that were read, by account.
pub(crate) struct Known<'a> {
    pub(crate) accounts: BTreeSet<&'a str>,
    pub(crate) arns: BTreeSet<&'a str>,
}

impl Known<'_> {
    /// Returns whether a person may become a principal: users sign in, a role has to trust somebody who exists and is no service.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    pub(crate) fn may_become(&self, principal: &PrincipalPolicies) -> bool {
        let Some(trust) = &principal.trust else {
            return true;
        };
        let statements = one_or_many(&trust["Statement"]);
        let of = |effect: &'static str| {
            let statements = statements.iter();
            statements.filter(move |statement| statement["Effect"] == effect)
        };
        let is_closed = of("Deny").any(|statement| {
            let everybody = is_everybody(&statement["Principal"]);
            everybody && statement.get("Condition").is_none() && assumes(statement)
        });
        !is_closed
            && of("Allow")
                .any(|statement| assumes(statement) && self.is_somebody(&statement["Principal"]))
    }

    fn is_somebody(&self, principal: &Value) -> bool {
        if is_everybody(principal) || !one_or_many(&principal["Federated"]).is_empty() {
            return true;
        }
        let named = one_or_many(&principal["AWS"]);
        named
            .iter()
            .filter_map(Value::as_str)
            .any(|name| self.exists(name))
    }

    /// Returns whether there may be a principal of that name. What IAM shows as an ID, `AROA..`, has been deleted.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user.html>
    fn exists(&self, name: &str) -> bool {
        if name == "*" || name.bytes().all(|b| b.is_ascii_digit()) {
            return true;
        }
        let Some(arn) = Arn::parse(name) else {
            return false;
        };
        let is_of_iam = arn.resource.starts_with("role/") || arn.resource.starts_with("user/");
        !is_of_iam || !self.accounts.contains(arn.account) || self.arns.contains(name)
    }
}

fn is_everybody(principal: &Value) -> bool {
    let is_star = |value: &Value| value == "*";
    is_star(principal) || one_or_many(&principal["AWS"]).iter().any(is_star)
}

fn assumes(statement: &Value) -> bool {
    const ASSUMING: [&str; 3] = [
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
    ];
    let covers = |element: &str, action: &str| {
        let patterns = one_or_many(&statement[element]);
        let mut patterns = patterns.iter().filter_map(Value::as_str);
        patterns.any(|pattern| glob(&pattern.to_ascii_lowercase(), action))
    };
    let is_about = |action: &&str| match statement.get("NotAction") {
        Some(_) => !covers("NotAction", action),
        None => covers("Action", action),
    };
    ASSUMING.iter().any(is_about)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Known;
    use crate::model::PrincipalPolicies;

    const ACCOUNT: &str = "111122223333";

    #[track_caller]
    fn check(trust: Option<Value>, expected: bool) {
        let known = Known {
            accounts: [ACCOUNT].into(),
            arns: ["arn:aws:iam::111122223333:role/ops"].into(),
        };
        let principal = PrincipalPolicies {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/BreakGlass"),
            policies: Vec::new(),
            boundary: None,
            trust: trust.clone(),
        };
        assert_eq!(known.may_become(&principal), expected, "{trust:?}");
    }

    fn allow(principal: Value) -> Option<Value> {
        Some(
            json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}),
        )
    }

    #[test]
    fn a_role_lets_in_whom_it_trusts_if_they_exist() {
        check(None, true);
        check(allow(json!("*")), true);
        check(
            allow(json!({"AWS": "arn:aws:iam::111122223333:root"})),
            true,
        );
        check(allow(json!({"AWS": ["999988887777"]})), true);
        check(
            allow(json!({"AWS": "arn:aws:iam::111122223333:role/ops"})),
            true,
        );
        check(
            allow(json!({"AWS": "arn:aws:iam::111122223333:role/gone"})),
            false,
        );
        // Nobody has looked into that account.
        check(
            allow(json!({"AWS": "arn:aws:iam::999988887777:role/gone"})),
            true,
        );
        check(allow(json!({"AWS": "AROAEXAMPLEID"})), false);
        check(allow(json!({"Service": "ec2.amazonaws.com"})), false);
        let federated = json!({"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/AWSSSO_x_DO_NOT_DELETE"}}]});
        check(Some(federated), true);
        let tags_only = json!({"Statement": [{"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"AWS": "*"}}]});
        check(Some(tags_only), false);
    }

    #[test]
    fn a_role_that_denies_everybody_lets_nobody_in() {
        let mut trust = allow(json!("*")).unwrap();
        let allow = trust["Statement"].take();
        let mut deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*"});
        check(Some(json!({"Statement": [allow, deny]})), false);
        deny["Action"] = json!("sts:Assume*");
        check(Some(json!({"Statement": [allow, deny]})), false);
        deny["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}});
        check(Some(json!({"Statement": [allow, deny]})), true);
    }
}
