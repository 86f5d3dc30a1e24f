//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list; the tests
//! of the verbs hold each record to it.

use records::{Definitions, Schemas};
use schemars::SchemaGenerator;

use records::{Command, Invocation, PatchState};

pub(crate) const SCHEMAS: Schemas = Schemas {
    version: 1,
    definitions,
    example: None,
    of_verbs: &[],
};

fn definitions(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("node", generator.subschema_for::<records::Node>()),
        ("command", generator.subschema_for::<Command>()),
        ("invocation", generator.subschema_for::<Invocation>()),
        ("patch_state", generator.subschema_for::<PatchState>()),
    ];
    definitions.extend(records::of_reading(generator));
    definitions
}
