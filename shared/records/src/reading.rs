//! Something that was looked for, and may not have been readable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that was looked for: found, known to be absent, or unknown because it could not be read.
///
/// Unknown is never a pass and never a failure: `AccessDenied` on a read must not be taken for "absent".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", content = "value", rename_all = "lowercase")]
pub enum Reading<T> {
    /// It is there.
    Present(T),
    /// It is not there.
    #[default]
    Absent,
    /// It could not be read; the text says why.
    Unknown(String),
}

impl<T> Reading<T> {
    /// Returns the value if it is there.
    pub fn present(&self) -> Option<&T> {
        match self {
            Reading::Present(value) => Some(value),
            Reading::Absent | Reading::Unknown(_) => None,
        }
    }

    /// Returns the value, `None` when it is known to be absent.
    ///
    /// # Errors
    /// It could not be read; the text says why.
    pub fn known(&self) -> Result<Option<&T>, &str> {
        match self {
            Reading::Present(value) => Ok(Some(value)),
            Reading::Absent => Ok(None),
            Reading::Unknown(reason) => Err(reason),
        }
    }

    /// Returns the reading of what a value is turned into.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Reading<U> {
        self.and_then(|value| Reading::Present(convert(value)))
    }

    /// Returns what a value leads to, which may be absent or unknown itself.
    pub fn and_then<U>(self, convert: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self {
            Reading::Present(value) => convert(value),
            Reading::Absent => Reading::Absent,
            Reading::Unknown(reason) => Reading::Unknown(reason),
        }
    }
}
