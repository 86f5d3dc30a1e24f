//! What a role may do, from its policy documents as `ssm-role show` prints them. Cautious: a condition or an element
//! that is not understood makes the answer unknown, never a yes or a no.

use iam_policy::{
    Arn, Compiled, Context, Policies, Policy, Principal, Request, Verdict, decide, denies,
};
use records::{HostManagement, Target, Unreachable};
use serde_json::Value;

/// A role and its identity policies.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    documents: Vec<Value>,
}

/// The roles of nodes, each of the account and region that it was shown for.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeRoles {
    records: Vec<HostManagement>,
    unreachable: Vec<Unreachable>,
}

impl NodeRoles {
    pub(crate) fn new(records: Vec<HostManagement>, unreachable: Vec<Unreachable>) -> NodeRoles {
        NodeRoles {
            records,
            unreachable,
        }
    }

    /// Returns the roles of the nodes of an account and region, and those of records that do not say where.
    ///
    /// # Errors
    /// No record is of there; the text says why.
    pub(crate) fn at(&self, target: &Target) -> Result<Vec<Role>, String> {
        let is_here =
            |record: &&HostManagement| record.target.as_ref().is_none_or(|there| there == target);
        let here: Vec<&HostManagement> = self.records.iter().filter(is_here).collect();
        if here.is_empty() {
            let unread = self.unreachable.iter().find(|one| one.target == *target);
            return Err(unread.map_or_else(
                || "no record is of this account and region".to_owned(),
                |one| one.error.clone(),
            ));
        }
        Ok(roles(here))
    }
}

/// Returns every role that records hold, each once.
pub(crate) fn roles<'r>(records: impl IntoIterator<Item = &'r HostManagement>) -> Vec<Role> {
    let listed = records.into_iter().flat_map(|record| &record.roles);
    let mut roles: Vec<Role> = listed
        .map(|role| {
            let attached = role.attached_policies.iter().map(|policy| &policy.document);
            Role {
                arn: role.arn.clone(),
                documents: attached
                    .chain(role.inline_policies.values())
                    .cloned()
                    .collect(),
            }
        })
        .collect();
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
        decide(&policies, &request(&self.arn, action, resource)).verdict
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
        decide(&policies, &request(principal, action, key_arn)).verdict
    };
    let asked = request(&role.arn, action, key_arn);
    let all = identity.iter().copied().chain(std::iter::once(&key));
    let refused: Vec<Verdict> = all
        .filter_map(|policy| denies(policy, &asked))
        .map(|said| said.verdict)
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

    use super::{Role, Verdict, may_use_key};

    fn role(policies: &serde_json::Value) -> Role {
        let role = json!({"arn": "arn:aws:iam::111122223333:role/r", "inline_policies": policies});
        let record = serde_json::from_value(json!({"roles": [role]})).unwrap();
        super::roles([&record]).remove(0)
    }

    fn verdict(statement: serde_json::Value) -> Verdict {
        role(&json!({"p": {"Statement": statement}}))
            .may("kms:Decrypt", "arn:aws:kms:eu-central-1:111122223333:key/k")
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
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let role = &role(&json!({"p": {"Statement": all}}));
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
        let role = &role(&json!({}));
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
