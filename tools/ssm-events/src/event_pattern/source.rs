//! The text of a pattern as values that know their place.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a text is not an event pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: Event pattern is not valid. Reason: {reason}")]
pub(crate) struct PatternError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) reason: String,
}

/// The whole text, in which every value's place is known.
#[derive(Clone, Copy)]
pub(super) struct Source<'t>(pub(super) &'t str);

impl<'t> Source<'t> {
    pub(super) fn refuse<T>(self, at: &RawValue, reason: &str) -> Result<T, PatternError> {
        // Values borrow from the text, so that the distance of their addresses is their place in it.
        let offset = (at.get().as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize);
        let before = self.0.get(..offset).unwrap_or(self.0);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Err(PatternError {
            line,
            column,
            reason: reason.to_owned(),
        })
    }

    pub(super) fn string(self, value: &RawValue) -> Option<String> {
        serde_json::from_str(value.get()).ok()
    }

    pub(super) fn elements(self, value: &'t RawValue) -> Result<Vec<&'t RawValue>, PatternError> {
        serde_json::from_str(value.get()).or_else(|error| self.refuse(value, &error.to_string()))
    }

    pub(super) fn members(
        self,
        value: &'t RawValue,
    ) -> Result<Vec<(String, &'t RawValue)>, PatternError> {
        let mut deserializer = serde_json::Deserializer::from_str(value.get());
        serde::Deserializer::deserialize_map(&mut deserializer, Members)
            .or_else(|error| self.refuse(value, &error.to_string()))
    }
}

/// Members in their order, doubles included.
struct Members;

impl<'t> Visitor<'t> for Members {
    type Value = Vec<(String, &'t RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
