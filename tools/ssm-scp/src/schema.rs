//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list.

use schemars::{Schema, SchemaGenerator};
use toolio::{Finding, Plan, ResultRecord};

use crate::desired::Desired;
use crate::hierarchy::{Entity, PolicyDocument};
use crate::impact::Impact;
use crate::model::Action;
use crate::replay::DeniedCall;
use crate::simulate::Simulation;

/// Names the records for `--generate schema`.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("plan", generator.subschema_for::<Plan<Action>>()),
        ("result", generator.subschema_for::<ResultRecord<Action>>()),
        ("finding", generator.subschema_for::<Finding>()),
        ("entity", generator.subschema_for::<Entity>()),
        ("policy", generator.subschema_for::<PolicyDocument>()),
        ("simulation", generator.subschema_for::<Simulation>()),
        ("denied_call", generator.subschema_for::<DeniedCall>()),
        ("impact", generator.subschema_for::<Impact>()),
    ]
}
