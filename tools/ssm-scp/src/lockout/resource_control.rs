//! What resource control policies do to the ways in: they govern who may assume a role, whatever its trust policy says. Pure.
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>

use iam_policy::{Compiled, Context, Entrant, Request, Verdict, denies, entrants};
use serde_json::Value;

use super::who::Traits;
use crate::model::PrincipalPolicies;
use crate::principal_arn;
use crate::simulate::why;

/// An organization that no policy is likely to name.
const ANOTHER: &str = "o-q7zkw4q7zkw4";

/// Returns why nobody whom a role trusts may assume it, if that is so. What depends on more than who asks is not such a reason: of
/// people who do not exist yet nothing else is known.
pub(super) fn closes(
    policies: &[&Compiled],
    role: &PrincipalPolicies,
    traits: &Traits,
) -> Option<String> {
    let trust = role.trust.as_deref()?;
    let mut denied = None;
    for (action, context) in attempts(trust, traits) {
        let request = Request::new(action, &role.arn, context);
        let mut denials = policies
            .iter()
            .filter_map(|policy| denies(policy, &request));
        let denial = denials.find(|denial| denial.verdict == Verdict::Denied)?;
        denied.get_or_insert_with(|| {
            format!("{action} is {} (resource control policy)", why(&denial))
        });
    }
    denied
}

/// Returns how those come in whom a trust policy names, and what is known of them.
fn attempts(trust: &Value, traits: &Traits) -> impl Iterator<Item = (&'static str, Context)> {
    let unnamed = || Context::partial().with("aws:PrincipalIsAWSService", "false");
    entrants(trust).flat_map(move |entrant| match entrant {
        Entrant::Federated => vec![
            ("sts:AssumeRoleWithSAML", unnamed()),
            ("sts:AssumeRoleWithWebIdentity", unnamed()),
        ],
        Entrant::Anybody => vec![("sts:AssumeRole", unnamed())],
        Entrant::Aws(name) => {
            let (account, context) = match principal_arn::account(name) {
                Some(account) if !name.ends_with(":root") => {
                    (account, principal_arn::context(name))
                }
                Some(account) => (account, unnamed().with("aws:PrincipalAccount", account)),
                // An account by its ID.
                None => (name, unnamed().with("aws:PrincipalAccount", name)),
            };
            let contexts = within(context, account, traits).into_iter();
            contexts.map(|one| ("sts:AssumeRole", one)).collect()
        }
    })
}

/// Returns what is known of somebody of an account with what they have of an organization: of this one, or of none or another.
fn within(context: Context, account: &str, traits: &Traits) -> Vec<Context> {
    if !traits.knows_members() {
        return vec![context];
    }
    let membership = traits.membership(&format!("arn:aws:iam::{account}:root"));
    if !membership.is_empty() {
        let mut member = context;
        for (key, value) in membership {
            member.set(key, vec![value.clone()]);
        }
        return vec![member];
    }
    let (mut alone, mut of_another) = (context.clone(), context);
    for (key, value) in [
        ("aws:PrincipalOrgID", ANOTHER.to_owned()),
        ("aws:PrincipalOrgPaths", format!("{ANOTHER}/r-q7zk/")),
    ] {
        alone.set(key, Vec::new());
        of_another.set(key, vec![value]);
    }
    vec![alone, of_another]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use iam_policy::{Compiled, Policy};
    use serde_json::{Value, json};

    use super::{Traits, closes};
    use crate::model::PrincipalPolicies;

    const ACCOUNT: &str = "111122223333";

    #[track_caller]
    fn check(statement: Value, trusted: Value, expected: Option<&str>) {
        let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let policy = Compiled::new("perimeter", &Policy::parse(&document).policy().unwrap());
        let role = PrincipalPolicies {
            arn: format!("arn:aws:iam::{ACCOUNT}:role/ssm/BreakGlass"),
            unique_id: None,
            policies: Vec::new(),
            boundary: None,
            trust: Some(
                json!({"Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}]}).into(),
            ),
            tags: BTreeMap::new(),
        };
        let closed = closes(&[&policy.unwrap()], &role, &Traits::default());
        assert_eq!(closed.as_deref(), expected, "{document}");
    }

    fn deny(condition: Value) -> Value {
        json!({"Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*", "Condition": condition})
    }

    #[test]
    fn a_role_is_closed_where_everybody_whom_it_trusts_is_denied() {
        let management = json!({"AWS": "arn:aws:iam::100000000001:root"});
        let by = "sts:AssumeRole is denied by Perimeter of perimeter (resource control policy)";
        let from = |account: &str| json!({"StringNotEquals": {"aws:PrincipalAccount": account}});
        check(deny(json!({})), management.clone(), Some(by));
        check(deny(from("999988887777")), management.clone(), Some(by));
        check(deny(from("100000000001")), management.clone(), None);
        let two = json!({"AWS": ["100000000001", "arn:aws:iam::999988887777:role/hub"]});
        check(deny(from("100000000001")), two.clone(), None);
        check(deny(from("200000000002")), two, Some(by));
        // The usual perimeter: of the organization nothing is known here, so that nothing is said.
        let organization = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
        check(deny(organization), management.clone(), None);
        let mut other = deny(json!({}));
        other["Action"] = json!("kms:*");
        check(other, management, None);
    }

    #[test]
    fn federated_people_come_in_by_actions_of_their_own() {
        let saml =
            json!({"Federated": "arn:aws:iam::111122223333:saml-provider/AWSSSO_x_DO_NOT_DELETE"});
        let mut statement = deny(json!({}));
        statement["Action"] = json!("sts:AssumeRole");
        check(statement, saml.clone(), None);
        let by =
            "sts:AssumeRoleWithSAML is denied by Perimeter of perimeter (resource control policy)";
        check(deny(json!({})), saml, Some(by));
    }
}
