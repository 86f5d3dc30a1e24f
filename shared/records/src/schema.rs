//! The JSON Schema of what a tool reads and prints: one document with an `$id` that names its version.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{Finding, Plan, ResultRecord, Unreachable};

/// Records by their kind, and what else a tool reads, each with its schema.
pub type Definitions = Vec<(&'static str, Schema)>;

/// What a tool reads and prints.
#[derive(Clone, Copy, Debug)]
pub struct Schemas {
    /// Part of the document's `$id`. It stays when fields and kinds are added, and goes up when one is renamed, removed or
    /// gets another meaning.
    pub version: u32,
    /// Makes the definitions.
    pub definitions: fn(&mut SchemaGenerator) -> Definitions,
    /// A desired state with all of its fields, as JSON. `//` in front of a key is one that cannot be there with the others.
    pub example: Option<&'static str>,
    /// Files beside the desired state, each by the verb that reads it: text with comments.
    pub of_verbs: &'static [(&'static str, &'static str)],
}

impl Schemas {
    /// Returns the document: any of the tool's records, each under its kind in `$defs`.
    #[must_use]
    pub fn document(&self, tool: &str) -> Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let named = (self.definitions)(&mut generator);
        let mut definitions = generator.take_definitions(true);
        let mut any_of = Vec::new();
        for (name, schema) in named {
            any_of.push(json!({ "$ref": format!("#/$defs/{name}") }));
            definitions.insert(name.to_owned(), schema.to_value());
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": format!("urn:{tool}:records:{}", self.version),
            "title": tool,
            "anyOf": any_of,
            "$defs": definitions,
        })
    }
}

/// Returns what every tool prints that asks more than one account or region.
pub fn of_reading(generator: &mut SchemaGenerator) -> Definitions {
    vec![("unreachable", generator.subschema_for::<Unreachable>())]
}

/// Returns what every tool prints that manages state, and [`of_reading`]. `A` is its list of actions.
pub fn of_managing<A: JsonSchema>(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("plan", generator.subschema_for::<Plan<A>>()),
        ("result", generator.subschema_for::<ResultRecord<A>>()),
        ("finding", generator.subschema_for::<Finding>()),
    ];
    definitions.extend(of_reading(generator));
    definitions
}

#[cfg(test)]
mod tests {
    use super::{Schemas, of_managing};

    #[test]
    fn the_document_names_its_version_and_each_record() {
        let schemas = Schemas {
            version: 3,
            definitions: of_managing::<String>,
            example: None,
            of_verbs: &[],
        };
        let document = schemas.document("tool-x");
        assert_eq!(document["$id"], "urn:tool-x:records:3");
        let kinds = document["anyOf"].as_array().unwrap();
        let kinds = kinds.iter().map(|one| one["$ref"].as_str().unwrap());
        let names: Vec<&str> = kinds
            .map(|kind| kind.strip_prefix("#/$defs/").unwrap())
            .collect();
        assert_eq!(names, ["plan", "result", "finding", "unreachable"]);
        for name in names {
            assert!(document["$defs"][name].is_object(), "{name}");
        }
    }
}
