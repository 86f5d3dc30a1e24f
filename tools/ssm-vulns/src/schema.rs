//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use records::{Definitions, Schemas};
use schemars::SchemaGenerator;

use crate::model::record::{Difference, Foreign, Gap, Match, Patched, SbomFile};

pub(crate) const SCHEMAS: Schemas = Schemas {
    version: 1,
    definitions,
    example: None,
    of_verbs: &[],
};

fn definitions(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("match", generator.subschema_for::<Match<'_>>()),
        ("gap", generator.subschema_for::<Gap>()),
        ("sbom", generator.subschema_for::<SbomFile<'_>>()),
        (
            "patch_difference",
            generator.subschema_for::<Difference<'_>>(),
        ),
        ("foreign_packages", generator.subschema_for::<Foreign<'_>>()),
        ("patch_state", generator.subschema_for::<Patched>()),
        ("finding", generator.subschema_for::<records::Finding>()),
        // What is read.
        (
            "invocation",
            generator.subschema_for::<records::Invocation>(),
        ),
    ];
    definitions.extend(records::of_reading(generator));
    definitions
}
