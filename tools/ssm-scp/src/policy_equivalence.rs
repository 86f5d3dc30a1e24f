//! Compares documents by what they mean: the console reformats what it saves, so a comparison of texts would see drift
//! where there is none.

use serde_json::{Map, Value};

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
