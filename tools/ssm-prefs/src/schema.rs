//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use schemars::{Schema, SchemaGenerator};

use crate::model::{Action, Desired, PreferencesRecord};

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        (
            "preferences",
            generator.subschema_for::<PreferencesRecord>(),
        ),
        ("plan", generator.subschema_for::<toolio::Plan<Action>>()),
        (
            "result",
            generator.subschema_for::<toolio::ResultRecord<Action>>(),
        ),
        ("finding", generator.subschema_for::<toolio::Finding>()),
    ]
}
