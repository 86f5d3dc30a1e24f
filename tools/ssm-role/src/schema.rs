//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use schemars::{Schema, SchemaGenerator};
use toolio::{Finding, Plan, ResultRecord, Unreachable};

use crate::model::{Action, Desired};
use crate::show::HostManagement;

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        (
            "host_management",
            generator.subschema_for::<HostManagement>(),
        ),
        ("plan", generator.subschema_for::<Plan<Action>>()),
        ("result", generator.subschema_for::<ResultRecord<Action>>()),
        ("finding", generator.subschema_for::<Finding>()),
        ("unreachable", generator.subschema_for::<Unreachable>()),
    ]
}
