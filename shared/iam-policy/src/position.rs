//! Where something stands in a policy's text: line and column for an editor, a JSON path for a script.

use std::fmt;

/// A place in a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Line, the first is 1.
    pub line: usize,
    /// Column in characters, the first is 1.
    pub column: usize,
    /// JSON path such as `$.Statement[0].Action[1]`.
    pub path: String,
}

impl Position {
    /// Returns the path of a member below this place; a key that is not a plain word is quoted.
    pub(crate) fn member(path: &str, key: &str) -> String {
        let plain = !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !key.as_bytes()[0].is_ascii_digit();
        if plain {
            format!("{path}.{key}")
        } else {
            format!("{path}[{key:?}]")
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {} column {} ({})",
            self.line, self.column, self.path
        )
    }
}

/// A value and where it stands. Two are equal when their values are: the same policy may be laid out in many ways.
#[derive(Clone, Debug, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it begins.
    pub position: Position,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Located<T>) -> bool {
        self.value == other.value
    }
}

impl<T> Located<T> {
    /// Returns the value with its place.
    pub(crate) fn new(value: T, position: &Position) -> Located<T> {
        Located {
            value,
            position: position.clone(),
        }
    }
}
