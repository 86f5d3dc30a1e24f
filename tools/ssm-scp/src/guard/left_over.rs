//! Parts that a guard had and no longer has: what it says now fits into fewer policies. Pure.

use iam_policy::Policy;
use serde_json::Value;

/// Returns whether a policy may be such a part by its name, which has a number beyond those of the parts that are there.
pub(crate) fn is_beyond(policy_name: &str, n_parts: usize, name: &str) -> bool {
    let rest = name.strip_prefix(policy_name);
    let number = rest.and_then(|rest| rest.strip_prefix('-'));
    // As `render` writes it: a name that a person chose may have another number at its end.
    let number = number.filter(|number| !number.starts_with(['0', '+']));
    let number: Option<usize> = number.and_then(|number| number.parse().ok());
    number.is_some_and(|number| number > n_parts.max(1))
}

/// Returns whether a policy has nothing in it but statements that a guard may have after its first one. Another guard of such a
/// name begins with that one.
pub(crate) fn is_part(document: &Value) -> bool {
    let Some(policy) = Policy::parse(&document.to_string()).draft else {
        return false;
    };
    let mut statements = policy.statements.iter();
    statements.len() > 0
        && statements.all(|statement| {
            let sid = statement.sid.as_ref().map(|sid| sid.value.as_str());
            sid.is_some_and(|sid| sid.starts_with("Protect") || sid == "OnlyAllowedDocuments")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_beyond, is_part};
    use crate::guard::render;
    use crate::model::Desired;

    #[test]
    fn a_part_is_known_by_its_number() {
        for (name, n_parts, expected) in [
            ("guard", 1, false),
            ("guard-1", 1, false),
            ("guard-2", 1, true),
            ("guard-2", 2, false),
            ("guard-3", 2, true),
            ("guard-02", 1, false),
            ("guard-+2", 1, false),
            ("guard-2024-q1", 1, false),
            ("guardian-2", 1, false),
        ] {
            assert_eq!(is_beyond("guard", n_parts, name), expected, "{name}");
        }
    }

    /// Whatever a divided guard says, each of its parts but the first is known, and no first one is.
    #[test]
    fn a_part_is_known_by_its_statements() {
        let desired = json!({"policy_name": "guard", "targets": ["r-abcd"],
            "exempt_principals": ["arn:aws:iam::*:role/ops", "arn:aws:iam::*:user/ann"],
            "allowed_documents": ["SSM-SessionManagerRunShell"], "protect_preferences": true, "protect_dhmc": {},
            "protect_exempt_roles": true, "protect_records": {"exempt_principals": ["arn:aws:iam::*:role/keeper"],
                "buckets": ["b-*"], "keys": ["arn:aws:kms:*:*:key/1"], "log_groups": ["/s"], "trails": ["organization"], "rules": ["sessions"]}});
        let desired: Desired = serde_json::from_value(desired).unwrap();
        let parts = render(&desired, 1_100).unwrap();
        assert!(parts.len() > 3, "{}", parts.len());
        let known: Vec<bool> = parts.iter().map(|part| is_part(&part.document)).collect();
        assert!(
            !known[0] && known[1..].iter().all(|known| *known),
            "{known:?}"
        );
        let by_hand = json!({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}});
        assert!(!is_part(&by_hand));
    }
}
