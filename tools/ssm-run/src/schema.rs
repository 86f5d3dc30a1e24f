//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use schemars::{Schema, SchemaGenerator};
use toolio::Unreachable;

use crate::model::{Command, Invocation, PatchState};

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("node", generator.subschema_for::<reach::Node>()),
        ("command", generator.subschema_for::<Command>()),
        ("invocation", generator.subschema_for::<Invocation>()),
        ("patch_state", generator.subschema_for::<PatchState>()),
        ("unreachable", generator.subschema_for::<Unreachable>()),
    ]
}
