//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list; the tests
//! of the verbs hold each record to it.

use records::{Definitions, Entity, PolicyDocument, Schemas};
use schemars::SchemaGenerator;

use crate::gaps::Gap;
use crate::impact::{Impact, ImpactCounts};
use crate::model::Action;
use crate::model::Desired;
use crate::replay::DeniedCall;
use crate::simulate::Simulation;

pub(crate) const SCHEMAS: Schemas = Schemas {
    version: 1,
    definitions,
    example: Some(include_str!("example.json")),
    of_verbs: &[],
};

fn definitions(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("entity", generator.subschema_for::<Entity>()),
        ("policy", generator.subschema_for::<PolicyDocument>()),
        ("simulation", generator.subschema_for::<Simulation>()),
        ("denied_call", generator.subschema_for::<DeniedCall>()),
        ("impact", generator.subschema_for::<Impact>()),
        ("impact_counts", generator.subschema_for::<ImpactCounts>()),
        ("gap", generator.subschema_for::<Gap>()),
    ];
    definitions.extend(records::of_managing::<Action>(generator));
    definitions
}
