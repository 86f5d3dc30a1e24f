//! What this tool reads and prints, for `--generate schema`. Every record that can be on stdout is in this list; the tests
//! of the verbs hold each record to it.

use records::{Definitions, LogIntegrity, RecordedCommand, RecordedSession, RefusedCall, Schemas};
use schemars::SchemaGenerator;

use crate::alerts::model::{Action, Alerts, Desired};
use crate::commands::r#match::Explained;
use crate::commands::send::{Delivered, Routed};
use crate::records::format::Rules;
use crate::routing::{Acknowledgement, Routes};

pub(crate) const SCHEMAS: Schemas = Schemas {
    version: 1,
    definitions,
    example: Some(include_str!("example.json")),
    of_verbs: &[
        ("send", include_str!("../../../scripts/send.d/routes.json")),
        (
            "check",
            include_str!("../../../scripts/send.d/acknowledged.json"),
        ),
    ],
};

fn definitions(generator: &mut SchemaGenerator) -> Definitions {
    let mut definitions = vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("rules", generator.subschema_for::<Rules>()),
        ("routes", generator.subschema_for::<Routes>()),
        (
            "acknowledgements",
            generator.subschema_for::<Vec<Acknowledgement>>(),
        ),
        ("alerts", generator.subschema_for::<Alerts>()),
        ("explanation", generator.subschema_for::<Explained>()),
        ("routing", generator.subschema_for::<Routed>()),
        ("delivery", generator.subschema_for::<Delivered>()),
        ("session", generator.subschema_for::<RecordedSession>()),
        ("command", generator.subschema_for::<RecordedCommand>()),
        ("refused", generator.subschema_for::<RefusedCall>()),
        ("log_integrity", generator.subschema_for::<LogIntegrity>()),
    ];
    definitions.extend(records::of_managing::<Action>(generator));
    definitions
}
