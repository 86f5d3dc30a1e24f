//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list; the tests
//! of the verbs hold each record to it.

use records::Preferences;
use records::{Definitions, Schemas};
use schemars::SchemaGenerator;

use crate::model::{Action, Desired, Probe};

pub(crate) const SCHEMAS: Schemas = Schemas {
    version: 1,
    definitions,
    example: Some(include_str!("example.json")),
    of_verbs: &[],
};

fn definitions(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("preferences", generator.subschema_for::<Preferences>()),
        ("probe", generator.subschema_for::<Probe>()),
    ];
    definitions.extend(records::of_managing::<Action>(generator));
    definitions
}
