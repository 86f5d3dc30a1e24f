//! JSON Schema 2020-12 as far as the tools print it. A keyword that is not known here is an error, never a pass.
//!
//! The crate `jsonschema` would do, but what it depends on shares crates with the AWS SDK and sets other features of them:
//! with it among the dependencies of tests each SDK crate is compiled twice, minutes of them, and the binaries that tests
//! run are others than those that ship.

use serde_json::Value;

/// Keywords that say nothing about what is valid; `format` is one of them by default.
/// <https://json-schema.org/draft/2020-12/json-schema-validation#section-7>
const ANNOTATIONS: [&str; 7] = [
    "$defs",
    "$id",
    "$schema",
    "default",
    "description",
    "format",
    "title",
];

/// Returns what is wrong with a value, each with its path; `document` holds what `$ref` refers to.
///
/// # Panics
/// The schema has a keyword that is not known here.
pub(super) fn complaints(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let keywords = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return found.push(format!("{path}: nothing is valid here")),
        schema => schema.as_object().expect("a schema is an object"),
    };
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            "$ref" => {
                let target = rule.as_str().and_then(|to| to.strip_prefix('#'));
                let target = target.and_then(|to| document.pointer(to));
                let target = target.unwrap_or_else(|| panic!("{rule} leads nowhere"));
                check(document, target, value, path, found);
            }
            "type" => {
                let is_one = |name: &Value| is_of_type(value, name.as_str().unwrap_or_default());
                if !each(rule).iter().any(is_one) {
                    found.push(format!("{path}: not of type {rule}"));
                }
            }
            "const" if value != rule => found.push(format!("{path}: not {rule}")),
            "enum" if !each(rule).contains(value) => found.push(format!("{path}: none of {rule}")),
            "required" => {
                let is_missing = |key: &&Value| {
                    let key = key.as_str().unwrap_or_default();
                    value
                        .as_object()
                        .is_some_and(|object| !object.contains_key(key))
                };
                let missing = each(rule).iter().filter(is_missing);
                found.extend(missing.map(|key| format!("{path}: lacks {key}")));
            }
            "properties" => {
                for (key, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(inner) = value.get(key) {
                        check(document, rule, inner, &format!("{path}.{key}"), found);
                    }
                }
            }
            "additionalProperties" => {
                let named = &schema["properties"];
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if named.get(key).is_none() {
                        check(document, rule, inner, &format!("{path}.{key}"), found);
                    }
                }
            }
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, inner, &format!("{path}[{index}]"), found);
                }
            }
            "minimum" if number(value) < number(rule) => {
                found.push(format!("{path}: below {rule}"))
            }
            "maximum" if number(value) > number(rule) => {
                found.push(format!("{path}: above {rule}"))
            }
            "anyOf" | "oneOf" => {
                let tried = each(rule).iter().map(|one| {
                    let mut complaints = Vec::new();
                    check(document, one, value, path, &mut complaints);
                    complaints
                });
                let tried: Vec<Vec<String>> = tried.collect();
                let n_valid = tried
                    .iter()
                    .filter(|complaints| complaints.is_empty())
                    .count();
                if n_valid > 1 && keyword == "oneOf" {
                    found.push(format!("{path}: valid by {n_valid} of oneOf"));
                } else if n_valid == 0 {
                    // The alternative that is left last is the one that was meant.
                    let meant = tried.into_iter().max_by_key(|complaints| {
                        let path = complaints[0].split(": ").next();
                        path.map_or(0, |path| path.matches(['.', '[']).count())
                    });
                    found.extend(meant.into_iter().flatten());
                }
            }
            "uniqueItems" => {
                let items = each(value);
                let is_twice = |(index, item)| items[..index].contains(item);
                if items.iter().enumerate().any(is_twice) {
                    found.push(format!("{path}: the same item twice"));
                }
            }
            "const" | "enum" | "minimum" | "maximum" => {}
            other if ANNOTATIONS.contains(&other) => {}
            other => panic!("{path}: the tests do not know the keyword {other}"),
        }
    }
}

/// Returns the items of a list, or the one that stands without brackets.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("the tests do not know the type {other}"),
    }
}

/// What is not a number is neither below nor above anything.
fn number(value: &Value) -> Option<f64> {
    Some(value.as_f64().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::complaints;

    fn of(schema: Value, value: Value) -> String {
        complaints(&schema, &schema, &value).join("; ")
    }

    #[test]
    fn each_keyword_passes_and_refuses() {
        let cases = [
            (json!({"type": "string"}), json!("a"), json!(1)),
            (
                json!({"type": ["integer", "null"]}),
                json!(null),
                json!(1.5),
            ),
            (json!({"type": "integer"}), json!(1.0), json!("1")),
            (json!({"const": "a"}), json!("a"), json!("b")),
            (json!({"enum": [1, 2]}), json!(2), json!(3)),
            (json!({"required": ["a"]}), json!({"a": null}), json!({})),
            (
                json!({"properties": {"a": {"type": "null"}}}),
                json!({"b": 1}),
                json!({"a": 1}),
            ),
            (
                json!({"properties": {"a": true}, "additionalProperties": false}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (
                json!({"additionalProperties": {"type": "string"}}),
                json!({"a": ""}),
                json!({"a": 1}),
            ),
            (
                json!({"items": {"type": "string"}}),
                json!([]),
                json!(["", 1]),
            ),
            (json!({"minimum": 1}), json!(1), json!(0)),
            (json!({"maximum": 1}), json!("x"), json!(2)),
            (
                json!({"anyOf": [{"type": "null"}, {"minimum": 1}]}),
                json!(null),
                json!(0),
            ),
            (
                json!({"oneOf": [{"minimum": 1}, {"minimum": 5}]}),
                json!(2),
                json!(6),
            ),
            (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1])),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}),
                json!(1),
                json!(2),
            ),
        ];
        for (schema, good, bad) in cases {
            assert_eq!(of(schema.clone(), good), "", "{schema}");
            assert_ne!(of(schema.clone(), bad), "", "{schema}");
        }
    }

    #[test]
    fn the_path_is_that_of_the_alternative_that_was_meant() {
        let schema = json!({"properties": {"a": {"anyOf": [
            {"type": "null"},
            {"type": "array", "items": {"properties": {"b": {"type": "string"}}}},
        ]}}});
        assert_eq!(
            of(schema, json!({"a": [{"b": 1}]})),
            "$.a[0].b: not of type \"string\""
        );
    }

    #[test]
    #[should_panic(expected = "the tests do not know the keyword patternProperties")]
    fn an_unknown_keyword_is_no_pass() {
        of(json!({"patternProperties": {}}), json!({}));
    }
}
