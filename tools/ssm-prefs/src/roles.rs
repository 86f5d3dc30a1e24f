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

impl Role {
    /// Returns whether the role's own policies allow an action on a resource. Boundaries and SCPs are not seen here.
    pub(crate) fn may(&self, action: &str, resource: &str) -> Verdict {
        let mut verdict = Verdict::Denied;
        for document in &self.documents {
            if document.is_null() {
                return Verdict::Unknown;
            }
            for statement in statements(document) {
                let unclear = ["NotAction", "NotResource", "Condition"]
                    .iter()
                    .any(|key| !statement[*key].is_null());
                let concerned = (statement["Action"].is_null()
                    || covers(&statement["Action"], action, true))
                    && (statement["Resource"].is_null()
                        || covers(&statement["Resource"], resource, false));
                match (concerned, statement["Effect"].as_str(), unclear) {
                    (false, ..) => {}
                    (true, Some("Deny"), false) => return Verdict::Denied,
                    (true, Some("Allow"), false) if verdict == Verdict::Denied => {
                        verdict = Verdict::Allowed
                    }
                    (true, Some("Allow"), true) if verdict == Verdict::Allowed => {}
                    (true, Some("Allow"), false) => {}
                    (true, ..) => verdict = Verdict::Unknown,
                }
            }
        }
        verdict
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
    let account = role.arn.split(':').nth(4).unwrap_or_default();
    let mut delegated = false;
    for statement in statements(policy) {
        if statement["Effect"] != "Allow" || !covers(&statement["Action"], action, true) {
            continue;
        }
        let named = any(&statement["Principal"]["AWS"], |principal| {
            principal == role.arn.as_str()
        }) || statement["Principal"] == "*"
            || statement["Principal"]["AWS"] == "*";
        if named {
            return if statement["Condition"].is_null() {
                Verdict::Allowed
            } else {
                Verdict::Unknown
            };
        }
        delegated |= any(&statement["Principal"]["AWS"], |principal| {
            let principal = principal.as_str().unwrap_or_default();
            principal == account || principal.ends_with(&format!(":iam::{account}:root"))
        });
    }
    if delegated {
        role.may(action, key_arn)
    } else {
        Verdict::Denied
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
}
