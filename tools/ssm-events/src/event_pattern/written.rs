//! A pattern as a field of a file.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Pattern;

/// A pattern that was understood as it was read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Value")]
#[schemars(with = "Value")]
pub(crate) struct EventPattern(pub(crate) Pattern);

impl TryFrom<Value> for EventPattern {
    type Error = String;

    fn try_from(value: Value) -> Result<EventPattern, String> {
        let pattern = Pattern::parse(&value.to_string());
        pattern
            .map(EventPattern)
            .map_err(|error| format!("Event pattern is not valid. Reason: {}", error.reason))
    }
}
