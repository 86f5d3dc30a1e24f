//! The policy document: rendered from the desired state, and compared by what it means. The console reformats what it
//! saves, so a comparison of texts would see drift where there is none.

use serde_json::{Map, Value, json};

use crate::model::Desired;

/// Quota "Maximum size of a service control policy": 10,240 characters since 2026-05-15, 5,120 before. White space
/// counts when the policy is saved through the API, which is why only minified documents are written.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const MAX_DOCUMENT_CHARACTERS: usize = 10_240;

/// Returns the document.
///
/// # Errors
/// It would be longer than Organizations takes.
pub(crate) fn render(desired: &Desired) -> anyhow::Result<Value> {
    let actions: Vec<&str> = desired
        .actions
        .0
        .iter()
        .map(|action| action.0.as_str())
        .collect();
    let exempt: Vec<&str> = desired
        .exempt_principals
        .0
        .iter()
        .map(|one| one.0.as_str())
        .collect();
    // Several values of a negated operator mean "none of them matches": exactly a list of exemptions.
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "OnlyExemptPrincipals",
            "Effect": "Deny",
            "Action": actions,
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": exempt}},
        }],
    });
    let n_characters = document.to_string().chars().count();
    anyhow::ensure!(
        n_characters <= MAX_DOCUMENT_CHARACTERS,
        "$.exempt_principals: the policy comes to {n_characters} characters, but it may have {MAX_DOCUMENT_CHARACTERS}: \
         join principals by a pattern such as role/team/*"
    );
    Ok(document)
}

/// Returns whether two documents mean the same.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    normal(left) == normal(right)
}

/// Rewrites a document into one form: lists where a single value may stand, sorted, actions and keys in lower case,
/// no Sid. The order of keys in an object does not matter to `==`.
fn normal(document: &Value) -> Value {
    let Value::Object(fields) = document else {
        return document.clone();
    };
    let mut normalised = Map::new();
    for (key, value) in fields {
        let value = match key.as_str() {
            "Statement" => sorted(list(value).iter().map(statement).collect()),
            _ => value.clone(),
        };
        normalised.insert(key.clone(), value);
    }
    Value::Object(normalised)
}

fn statement(statement: &Value) -> Value {
    let Value::Object(fields) = statement else {
        return statement.clone();
    };
    let mut normalised = Map::new();
    for (key, value) in fields {
        let value = match key.as_str() {
            "Sid" => continue,
            "Action" | "NotAction" => sorted(list(value).iter().map(lower).collect()),
            "Resource" | "NotResource" => sorted(list(value)),
            "Condition" => condition(value),
            _ => value.clone(),
        };
        normalised.insert(key.clone(), value);
    }
    Value::Object(normalised)
}

fn condition(condition: &Value) -> Value {
    let mut normalised = Map::new();
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        // IAM treats the two spellings alike, wildcards included.
        let operator = match operator.as_str() {
            "ArnEquals" => "ArnLike",
            "ArnNotEquals" => "ArnNotLike",
            other => other,
        };
        let values = keys.as_object().into_iter().flatten();
        let values: Map<String, Value> = values
            .map(|(key, value)| (key.to_ascii_lowercase(), sorted(list(value))))
            .collect();
        normalised.insert(operator.to_owned(), Value::Object(values));
    }
    Value::Object(normalised)
}

fn lower(value: &Value) -> Value {
    value.as_str().map_or_else(
        || value.clone(),
        |text| Value::String(text.to_ascii_lowercase()),
    )
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        single => vec![single.clone()],
    }
}

fn sorted(mut values: Vec<Value>) -> Value {
    values.sort_by_key(Value::to_string);
    values.dedup();
    Value::Array(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::same;

    #[test]
    fn sees_through_spelling_but_not_through_meaning() {
        let ours = json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Deny",
            "Action": ["ssm:StartSession", "ssm:SendCommand"], "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::1:role/a"]}}}]});
        let console = json!({"Statement": {"Resource": ["*"], "Effect": "Deny",
            "Action": ["ssm:sendcommand", "ssm:startsession"],
            "Condition": {"ArnNotEquals": {"AWS:principalarn": "arn:aws:iam::1:role/a"}}}, "Version": "2012-10-17"});
        assert!(same(&ours, &console));
        for (pointer, value) in [
            ("/Statement/0/Effect", json!("Allow")),
            ("/Statement/0/Action", json!("ssm:StartSession")),
            (
                "/Statement/0/Condition/ArnNotLike/aws:PrincipalArn",
                json!("arn:aws:iam::1:role/A"),
            ),
        ] {
            let mut other = ours.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert!(!same(&ours, &other), "{pointer}");
        }
    }
}
