//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use reach::Node;
use schemars::{Schema, SchemaGenerator};
use toolio::{Finding, Plan, ResultRecord, Unreachable};

use crate::model::Desired;
use crate::update::Action;

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("node", generator.subschema_for::<Node>()),
        ("finding", generator.subschema_for::<Finding>()),
        ("plan", generator.subschema_for::<Plan<Action>>()),
        ("result", generator.subschema_for::<ResultRecord<Action>>()),
        ("unreachable", generator.subschema_for::<Unreachable>()),
    ]
}
