//! What a role may do, from its policy documents as `ssm-role show` prints them. Cautious: a condition or an element
//! that is not understood makes the answer unknown, never a yes or a no.

use iam_policy::{
    Arn, Compiled, Context, Decision, Policies, Policy, Principal, Request, decide, denies,
};
use serde_json::Value;

/// A role and its identity policies.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    documents: Vec<Value>,
}

/// Whether a role may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    Unknown,
}

/// Returns every role named in records that hold a `roles` list; other records carry none.
pub(crate) fn roles(records: &[Value]) -> Vec<Role> {
    let listed = records
        .iter()
        .filter_map(|record| record["roles"].as_array())
        .flatten();
    let roles = listed.filter_map(|role| {
        let attached = role["attached_policies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let attached = attached.iter().map(|policy| policy["document"].clone());
        let inline = role["inline_policies"]
            .as_object()
            .into_iter()
            .flat_map(|policies| policies.values().cloned());
        Some(Role {
            arn: role["arn"].as_str()?.to_owned(),
            documents: attached.chain(inline).collect(),
        })
    });
    let mut roles: Vec<Role> = roles.collect();
    roles.sort_by(|a, b| a.arn.cmp(&b.arn));
    roles.dedup_by(|a, b| a.arn == b.arn);
    roles
}

impl Role {
    /// Returns whether the role's own policies allow an action on a resource. Boundaries and SCPs are not seen here.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Verdict {
        let Some(identity) = self.identity() else {
            return Verdict::Unknown;
        };
        let identity: Vec<&Compiled> = identity.iter().collect();
        let policies = Policies {
            identity: Some(&identity),
            ..Policies::default()
        };
        verdict(&decide(&policies, &request(&self.arn, action, resource)))
    }

    /// Returns the policies ready to be asked, or `None` when one of them cannot be understood.
    fn identity(&self) -> Option<Vec<Compiled>> {
        self.documents.iter().map(ready).collect()
    }
}

fn ready(document: &Value) -> Option<Compiled> {
    let policy = Policy::parse(&document.to_string()).policy().ok()?;
    Compiled::new("", &policy).ok()
}

/// Nothing is known of the session, so that a condition leaves the answer open.
fn request(principal: &str, action: &str, resource: &str) -> Request {
    let context = Context::partial().with("aws:PrincipalArn", principal);
    let mut request = Request::new(action, resource, context);
    request.principal = Some(Principal::Aws {
        arn: principal.to_owned(),
        session: None,
    });
    request
}

fn verdict(decision: &Decision<'_>) -> Verdict {
    match decision.verdict {
        iam_policy::Verdict::Allowed => Verdict::Allowed,
        iam_policy::Verdict::Denied => Verdict::Denied,
        iam_policy::Verdict::Unknown => Verdict::Unknown,
    }
}

/// Returns whether a key policy lets a role use the key: by name, or by leaving it to the account's IAM policies. Other
/// than with buckets, an IAM policy alone is not enough.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>
pub(crate) fn may_use_key(
    role: &Role,
    policy: Option<&Value>,
    action: &str,
    key_arn: &str,
) -> Verdict {
    let (Some(key), Some(identity)) = (policy.and_then(ready), role.identity()) else {
        return Verdict::Unknown;
    };
    let identity: Vec<&Compiled> = identity.iter().collect();
    let account_of = |arn: &str| Arn::parse(arn).map_or("", |arn| arn.account).to_owned();
    let (partition, account) = (
        Arn::parse(&role.arn).map_or("aws", |arn| arn.partition),
        account_of(&role.arn),
    );
    let by_key = |principal: &str| {
        let policies = Policies {
            identity: Some(&[]),
            resource: Some(&key),
            ..Policies::default()
        };
        verdict(&decide(&policies, &request(principal, action, key_arn)))
    };
    let asked = request(&role.arn, action, key_arn);
    let all = identity.iter().copied().chain(std::iter::once(&key));
    let refused: Vec<Verdict> = all
        .filter_map(|policy| denies(policy, &asked))
        .map(|said| verdict(&said))
        .collect();
    if refused.contains(&Verdict::Denied) {
        return Verdict::Denied;
    }
    let named = by_key(&role.arn);
    let delegated = by_key(&format!("arn:{partition}:iam::{account}:root"));
    let own = role.may(action, key_arn);
    // A key of another account asks for both: its own policy and the role's. While the key is still an alias, it is
    // one of this account.
    let foreign = key_arn.starts_with("arn:") && account_of(key_arn) != account;
    let with_own = both(either(named, delegated), own);
    let granted = if foreign {
        with_own
    } else {
        either(named, with_own)
    };
    match granted {
        Verdict::Allowed if !refused.is_empty() => Verdict::Unknown,
        granted => granted,
    }
}

fn either(left: Verdict, right: Verdict) -> Verdict {
    match (left, right) {
        (Verdict::Allowed, _) | (_, Verdict::Allowed) => Verdict::Allowed,
        (Verdict::Denied, Verdict::Denied) => Verdict::Denied,
        _ => Verdict::Unknown,
    }
}

fn both(left: Verdict, right: Verdict) -> Verdict {
    match (left, right) {
        (Verdict::Denied, _) | (_, Verdict::Denied) => Verdict::Denied,
        (Verdict::Allowed, Verdict::Allowed) => Verdict::Allowed,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Verdict, may_use_key, roles};

    fn verdict(statement: serde_json::Value) -> Verdict {
        let record = json!({"roles": [{"arn": "arn:aws:iam::111122223333:role/r",
            "inline_policies": {"p": {"Statement": statement}}}]});
        roles(&[record])[0].may("kms:Decrypt", "arn:aws:kms:eu-central-1:111122223333:key/k")
    }

    #[test]
    fn allow_deny_and_silence() {
        assert_eq!(
            verdict(json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})),
            Verdict::Allowed
        );
        let other = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        assert_eq!(verdict(other), Verdict::Denied);
        let both = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "kms:Dec*", "Resource": "*"}]);
        assert_eq!(verdict(both), Verdict::Denied);
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let conditional = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}});
        assert_eq!(verdict(conditional), Verdict::Unknown);
        let unknown_operator = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"BoolLike": {"a": "true"}}});
        assert_eq!(verdict(unknown_operator), Verdict::Unknown);
    }

    #[test]
    fn a_key_policy_without_the_account_shuts_iam_out() {
        let record = json!({"roles": [{"arn": "arn:aws:iam::111122223333:role/r",
            "inline_policies": {"p": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}}]});
        let role = &roles(&[record])[0];
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/other"}, "Action": "kms:*"}});
        assert_eq!(
            may_use_key(role, Some(&policy), "kms:Decrypt", "k"),
            Verdict::Denied
        );
    }

    #[test]
    fn the_order_of_statements_does_not_matter() {
        let plain = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"});
        let conditional = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}});
        for both in [json!([plain, conditional]), json!([conditional, plain])] {
            assert_eq!(verdict(both), Verdict::Allowed);
        }
        let denied = json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}});
        for both in [json!([plain, denied]), json!([denied, plain])] {
            assert_eq!(verdict(both), Verdict::Unknown);
        }
    }

    #[test]
    fn a_denial_in_the_key_policy_counts() {
        let arn = "arn:aws:iam::111122223333:role/r";
        let record = json!({"roles": [{"arn": arn, "inline_policies": {}}]});
        let role = &roles(&[record])[0];
        let key = "arn:aws:kms:eu-central-1:111122223333:key/k";
        let allow = json!({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:*"});
        let deny = json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt"});
        let judge = |statements: serde_json::Value, key: &str| {
            let policy = json!({ "Statement": statements });
            may_use_key(role, Some(&policy), "kms:Decrypt", key)
        };
        assert_eq!(judge(json!([allow]), key), Verdict::Allowed);
        assert_eq!(judge(json!([allow, deny]), key), Verdict::Denied);
        let foreign = "arn:aws:kms:eu-central-1:999988887777:key/k";
        assert_eq!(judge(json!([allow]), foreign), Verdict::Denied);
    }
}
