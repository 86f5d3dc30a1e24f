//! An evaluator of its own for the random cases, by the letter of AWS's pages and as simple as it can be.

use organization::Organization;
use serde_json::Value;

use crate::model::PrincipalPolicies;

/// What a request has beside who asks for what: a resource, `*` where the action knows none, and a value of which the judgement
/// knows nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'c> {
    pub(super) resource: &'c str,
    pub(super) region: &'c str,
}

/// Wildcards by the letter of AWS's page, one character after the other.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            glob(&pattern[1..], text) || (!text.is_empty() && glob(pattern, &text[1..]))
        }
        (Some(b'?'), Some(_)) => glob(&pattern[1..], &text[1..]),
        (Some(one), Some(other)) if one == other => glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn covers(pattern: &Value, text: &str) -> bool {
    let pattern = pattern.as_str().unwrap().to_ascii_lowercase();
    glob(pattern.as_bytes(), text.to_ascii_lowercase().as_bytes())
}

fn arn_covers(pattern: &str, arn: &str) -> bool {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, arn) = (parts(pattern), parts(arn));
    pattern.len() == 6
        && pattern
            .iter()
            .zip(&arn)
            .all(|(one, other)| glob(one.as_bytes(), other.as_bytes()))
}

fn applies(
    statement: &Value,
    who: &PrincipalPolicies,
    action: &str,
    circumstances: Circumstances<'_>,
) -> bool {
    let named = |element: &str, is_covered: &dyn Fn(&Value) -> bool| {
        let patterns = statement.get(element)?;
        Some(
            patterns
                .as_array()
                .map_or_else(|| is_covered(patterns), |all| all.iter().any(is_covered)),
        )
    };
    let is_of_action = |pattern: &Value| covers(pattern, action);
    let is_of_resource = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap();
        pattern == "*" || arn_covers(pattern, circumstances.resource)
    };
    for (element, not, is_covered) in [
        (
            "Action",
            "NotAction",
            &is_of_action as &dyn Fn(&Value) -> bool,
        ),
        ("Resource", "NotResource", &is_of_resource),
    ] {
        let is_named = named(element, is_covered);
        if !is_named.unwrap_or_else(|| !named(not, is_covered).unwrap()) {
            return false;
        }
    }
    let Some(conditions) = statement["Condition"].as_object() else {
        return true;
    };
    let account = who.arn.split(':').nth(4).unwrap();
    let mut conditions = conditions.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().unwrap().iter();
        keys.map(move |(key, values)| (operator, key, values))
    });
    conditions.all(|(operator, key, values)| {
        let given = match key.as_str() {
            "aws:PrincipalArn" => Some(who.arn.as_str()),
            "aws:PrincipalAccount" => Some(account),
            "aws:RequestedRegion" => Some(circumstances.region),
            _ => who.tags.get("team").map(String::as_str),
        };
        let values: Vec<&str> = match values {
            Value::Array(values) => values.iter().map(|one| one.as_str().unwrap()).collect(),
            one => vec![one.as_str().unwrap()],
        };
        let equal = |value: &&str| {
            given.is_some_and(|given| match operator.as_str() {
                "ArnLike" | "ArnNotLike" => arn_covers(value, given),
                "StringLike" => glob(value.as_bytes(), given.as_bytes()),
                _ => *value == given,
            })
        };
        values.iter().any(equal) != operator.contains("Not")
    })
}

pub(super) fn says(
    documents: &[&Value],
    effect: &str,
    who: &PrincipalPolicies,
    action: &str,
    circumstances: Circumstances<'_>,
) -> bool {
    let statements = documents.iter().flat_map(|document| {
        let statements = &document["Statement"];
        statements
            .as_array()
            .map_or(std::slice::from_ref(statements), Vec::as_slice)
    });
    let mut statements = statements.filter(|statement| statement["Effect"] == effect);
    statements.any(|statement| applies(statement, who, action, circumstances))
}

/// Returns whether every level from an account up allows and none denies.
pub(super) fn passes(
    organization: &Organization,
    account: &str,
    who: &PrincipalPolicies,
    action: &str,
    circumstances: Circumstances<'_>,
) -> bool {
    let mut next = Some(account.to_owned());
    while let Some(id) = next {
        let entity = organization
            .entities
            .iter()
            .find(|one| one.id == id)
            .unwrap();
        let documents: Vec<&Value> = organization
            .policies
            .iter()
            .filter(|policy| entity.policies.contains(&policy.name))
            .map(|policy| &policy.document)
            .collect();
        let says = |effect: &str| says(&documents, effect, who, action, circumstances);
        if says("Deny") || !says("Allow") {
            return false;
        }
        next = entity.parent.clone();
    }
    true
}
