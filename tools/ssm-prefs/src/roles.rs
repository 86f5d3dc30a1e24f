//! What a role may do, from its policy documents as `ssm-role show` prints them. Cautious: a condition or an element
//! that is not understood makes the answer unknown, never a yes or a no.

use serde_json::Value;

use crate::policies::{any, matches_pattern, statements};

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

/// What statements say, before it becomes a verdict. The order of statements carries no meaning.
#[derive(Clone, Copy, Debug, Default)]
struct Says {
    allows: bool,
    may_allow: bool,
    denies: bool,
    may_deny: bool,
}

impl Says {
    fn add(&mut self, effect: &Value, clear: bool) {
        match (effect.as_str(), clear) {
            (Some("Allow"), true) => self.allows = true,
            (Some("Allow"), false) => self.may_allow = true,
            (Some("Deny"), true) => self.denies = true,
            _ => self.may_deny = true,
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Says { denies: true, .. } => Verdict::Denied,
            Says {
                allows: false,
                may_allow: false,
                ..
            } => Verdict::Denied,
            Says {
                allows: true,
                may_deny: false,
                ..
            } => Verdict::Allowed,
            _ => Verdict::Unknown,
        }
    }
}

impl Role {
    /// Returns whether the role's own policies allow an action on a resource. Boundaries and SCPs are not seen here.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Verdict {
        self.says(action, resource).verdict()
    }

    fn says(&self, action: &str, resource: &str) -> Says {
        let mut says = Says::default();
        for document in &self.documents {
            if document.is_null() {
                (says.may_allow, says.may_deny) = (true, true);
            }
            for statement in statements(document) {
                let unclear = ["NotAction", "NotResource", "Condition"]
                    .iter()
                    .any(|key| !statement[*key].is_null());
                let concerned = (statement["Action"].is_null()
                    || covers(&statement["Action"], action, true))
                    && (statement["Resource"].is_null()
                        || covers(&statement["Resource"], resource, false));
                if concerned {
                    says.add(&statement["Effect"], !unclear);
                }
            }
        }
        says
    }
}

fn covers(patterns: &Value, text: &str, ignore_case: bool) -> bool {
    any(patterns, |pattern| {
        let pattern = pattern.as_str().unwrap_or_default();
        if ignore_case {
            matches_pattern(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
        } else {
            // A policy may name a wider or a narrower resource than the one asked for, such as a prefix in a bucket.
            matches_pattern(pattern, text)
        }
    })
}

/// Returns whether a key policy lets a role use the key: by name, or by leaving it to the account's IAM policies.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>
pub(crate) fn may_use_key(
    role: &Role,
    policy: Option<&Value>,
    action: &str,
    key_arn: &str,
) -> Verdict {
    let Some(policy) = policy else {
        return Verdict::Unknown;
    };
    let account_of = |arn: &str| arn.split(':').nth(4).unwrap_or_default().to_owned();
    let account = account_of(&role.arn);
    let (mut of_role, mut of_account) = (Says::default(), Says::default());
    for statement in statements(policy) {
        if !statement["Action"].is_null() && !covers(&statement["Action"], action, true) {
            continue;
        }
        let clear = ["NotAction", "NotPrincipal", "Condition"]
            .iter()
            .all(|key| statement[*key].is_null());
        let principals = &statement["Principal"]["AWS"];
        let named = any(principals, |principal| principal == role.arn.as_str())
            || statement["Principal"] == "*"
            || any(principals, |principal| principal == "*");
        let account_named = any(principals, |principal| {
            let principal = principal.as_str().unwrap_or_default();
            principal == account || principal.ends_with(&format!(":iam::{account}:root"))
        });
        // An allowance of the account leaves the answer to IAM; a denial of it binds everybody in the account.
        if named
            || !statement["NotPrincipal"].is_null()
            || (account_named && statement["Effect"] != "Allow")
        {
            of_role.add(&statement["Effect"], clear);
        } else if account_named {
            of_account.add(&statement["Effect"], clear);
        }
    }
    let identity = role.says(action, key_arn);
    // A key of another account asks for both: its own policy and the role's. While the key is still an alias, it is
    // one of this account.
    let foreign = key_arn.starts_with("arn:") && account_of(key_arn) != account;
    let mut says = Says {
        denies: of_role.denies || identity.denies,
        may_deny: of_role.may_deny || identity.may_deny,
        allows: of_role.allows && !foreign,
        may_allow: of_role.may_allow && !foreign,
    };
    let delegates = of_account.allows || (foreign && of_role.allows);
    let may_delegate = delegates || of_account.may_allow || (foreign && of_role.may_allow);
    says.allows |= delegates && identity.allows;
    says.may_allow |= may_delegate && (identity.allows || identity.may_allow);
    says.verdict()
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
        assert_eq!(verdict(json!([])), Verdict::Denied);
        let both = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "kms:Dec*", "Resource": "*"}]);
        assert_eq!(verdict(both), Verdict::Denied);
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let conditional = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}});
        assert_eq!(verdict(conditional), Verdict::Unknown);
        let not_action = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert_eq!(verdict(not_action), Verdict::Unknown);
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
