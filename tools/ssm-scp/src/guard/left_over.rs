//! Parts that a guard had and no longer has: what it says now fits into fewer policies. Pure.

use std::collections::BTreeSet;

use iam_policy::{Effect, Policy, Statement, one_or_many};
use serde_json::Value;

use super::{Part, session_records, written};

/// Returns whether a policy may be such a part by its name, which has a number beyond those of the parts that are there.
pub(crate) fn is_beyond(policy_name: &str, n_parts: usize, name: &str) -> bool {
    numbered(name).is_some_and(|(of, number)| of == policy_name && number > n_parts.max(1))
}

/// Returns the guard that a policy would be a part of by its name.
pub(crate) fn guard_of_part(name: &str) -> Option<&str> {
    numbered(name)
        .filter(|(_, number)| *number > 1)
        .map(|(of, _)| of)
}

/// Returns a name without the number at its end, and the number.
fn numbered(name: &str) -> Option<(&str, usize)> {
    let (of, number) = name.rsplit_once('-')?;
    // As `render` writes it: a name that a person chose may have another number at its end.
    // No guard has a hundred parts: a year is none of them.
    let is_ours = !of.is_empty() && !number.starts_with(['0', '+']) && number.len() < 3;
    number
        .parse()
        .ok()
        .filter(|_| is_ours)
        .map(|number| (of, number))
}

/// Returns whether a policy has nothing in it but statements as `render` writes them after the first one of a guard. Other
/// people's policies have such names and Sids, too. A guard that only keeps records is written just so as well: these statements
/// are of this guard where its own parts have them.
pub(crate) fn is_part(document: &Value, parts: &[Part]) -> bool {
    let Some(policy) = Policy::parse(&document.to_string()).draft else {
        return false;
    };
    let ours: Vec<&str> = parts.iter().flat_map(sids).collect();
    let kept: Vec<(&str, Vec<&str>)> = session_records::written().collect();
    let kept = || kept.iter();
    let others = written();
    let mut statements = policy.statements.iter();
    statements.len() > 0
        && statements.all(|statement| {
            let sid = statement.sid.as_ref().map_or("", |sid| &sid.value);
            let of_records = kept().filter(|(kept, _)| ours.contains(kept));
            let mut known = others.iter().chain(of_records);
            known.any(|(known, actions)| *known == sid && denies(statement, actions))
        })
}

/// Returns the Sids of a part.
fn sids(part: &Part) -> impl Iterator<Item = &str> {
    let statements = one_or_many(&part.document["Statement"]).iter();
    statements.filter_map(|statement| statement["Sid"].as_str())
}

/// Returns whether a statement denies these actions, in any order, and no other.
fn denies(statement: &Statement, actions: &[&str]) -> bool {
    let own = statement.actions.values.iter();
    let own: BTreeSet<String> = own.map(|one| one.value.to_ascii_lowercase()).collect();
    let actions = actions.iter().map(|action| action.to_ascii_lowercase());
    statement.effect == Effect::Deny && !statement.actions.negated && own == actions.collect()
}

#[cfg(test)]
mod tests {
    use iam_policy::MAX_SCP_CHARACTERS;
    use serde_json::{Value, json};

    use super::{guard_of_part, is_beyond, is_part};
    use crate::guard::{Part, render};
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
            ("guard-2024", 1, false),
            ("guardian-2", 1, false),
        ] {
            assert_eq!(is_beyond("guard", n_parts, name), expected, "{name}");
        }
        for (name, expected) in [
            ("guard", None),
            ("guard-1", None),
            ("guard-2", Some("guard")),
            ("guard-eu-12", Some("guard-eu")),
            ("guard-2026", None),
            ("-2", None),
        ] {
            assert_eq!(guard_of_part(name), expected, "{name}");
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
        let known: Vec<bool> = parts
            .iter()
            .map(|part| is_part(&part.document, &parts))
            .collect();
        assert!(
            !known[0] && known[1..].iter().all(|known| *known),
            "{known:?}"
        );
        let by_hand = json!({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}});
        assert!(!is_part(&by_hand, &parts));
    }

    fn guard(fields: Value) -> Vec<Part> {
        let mut desired = json!({"policy_name": "baseline", "targets": ["r-abcd"], "exempt_principals": ["arn:aws:iam::*:role/ops"]});
        let object = desired.as_object_mut().unwrap();
        object.extend(fields.as_object().unwrap().clone());
        let desired: Desired = serde_json::from_value(desired).unwrap();
        render(&desired, MAX_SCP_CHARACTERS).unwrap()
    }

    #[test]
    fn a_policy_of_another_team_is_no_part_whatever_its_sid() {
        let parts = guard(json!({}));
        let trails = json!(["cloudtrail:DeleteTrail", "cloudtrail:StopLogging"]);
        for (sid, actions) in [
            ("ProtectCloudTrail", trails.clone()),
            ("ProtectTrails", trails),
            ("ProtectPreferences", json!("ssm:*")),
        ] {
            let document = json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", "Action": actions,
                "Resource": "*"}]});
            assert!(!is_part(&document, &parts), "{sid}");
        }
    }

    #[test]
    fn another_guard_that_only_keeps_records_is_no_part() {
        let records = json!({"exempt_principals": ["arn:aws:iam::*:role/keeper"], "trails": ["organization"]});
        let second = guard(json!({"ways": [], "protect_records": records.clone()}));
        let document = &second[0].document;
        assert!(!is_part(document, &guard(json!({}))));
        // What this guard says of them itself was in a part of its own.
        assert!(is_part(
            document,
            &guard(json!({"protect_records": records}))
        ));
    }
}
