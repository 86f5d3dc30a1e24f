//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use schemars::{Schema, SchemaGenerator};

use crate::format::Rules;
use crate::matching::Explained;
use crate::model::{Action, Desired};
use crate::report::{Command, Refused, Session};
use crate::send;

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("plan", generator.subschema_for::<toolio::Plan<Action>>()),
        (
            "result",
            generator.subschema_for::<toolio::ResultRecord<Action>>(),
        ),
        ("finding", generator.subschema_for::<toolio::Finding>()),
        ("explanation", generator.subschema_for::<Explained>()),
        ("delivery", send::schema(generator)),
        ("session", generator.subschema_for::<Session>()),
        ("command", generator.subschema_for::<Command>()),
        ("refused", generator.subschema_for::<Refused>()),
        ("rules", generator.subschema_for::<Rules>()),
    ]
}
