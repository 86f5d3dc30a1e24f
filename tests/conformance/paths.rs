//! The wire as the schema has it: each kind with the path of every field, whatever its types are called.

use std::collections::BTreeSet;

use serde_json::Value;

/// Returns lines such as `node.agent.version` and `plan.changes[].id`, in alphabetical order.
pub(crate) fn paths(schema: &Value) -> Vec<String> {
    let mut found = BTreeSet::new();
    for kind in schema["anyOf"].as_array().into_iter().flatten() {
        let name = kind["$ref"].as_str().and_then(|to| to.rsplit('/').next());
        walk(
            schema,
            kind,
            name.unwrap_or_default(),
            &mut Vec::new(),
            &mut found,
        );
    }
    found.into_iter().collect()
}

/// `within` are the references on the way here: a type that holds itself ends there.
fn walk<'s>(
    schema: &'s Value,
    node: &'s Value,
    path: &str,
    within: &mut Vec<&'s str>,
    found: &mut BTreeSet<String>,
) {
    found.insert(path.to_owned());
    if let Some(reference) = node["$ref"].as_str() {
        let target = reference
            .strip_prefix('#')
            .and_then(|to| schema.pointer(to));
        if let (Some(target), false) = (target, within.contains(&reference)) {
            within.push(reference);
            walk(schema, target, path, within, found);
            within.pop();
        }
    }
    for (key, inner) in node["properties"].as_object().into_iter().flatten() {
        walk(schema, inner, &format!("{path}.{key}"), within, found);
    }
    for (keyword, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
        if node[keyword].is_object() {
            walk(
                schema,
                &node[keyword],
                &format!("{path}{suffix}"),
                within,
                found,
            );
        }
    }
    for keyword in ["anyOf", "oneOf"] {
        for inner in node[keyword].as_array().into_iter().flatten() {
            walk(schema, inner, path, within, found);
        }
    }
}
