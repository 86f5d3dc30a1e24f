//! One column of a table: its cells, out of records.

use std::borrow::Cow;

use serde_json::Value;

use super::plain;

/// A title, where in the record its cell is - the first that is there - and how it is shown.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    at: &'static [&'static str],
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Whole,
    /// Cut where the terminal is too narrow.
    Cut,
    /// What is behind the last slash, such as the name in the ARN of a role.
    Tail,
    /// The account of an ARN.
    Account,
    /// Seconds as hours, minutes and seconds.
    Duration,
    /// How many there are.
    Count,
    /// Items with commas between them, cut where the terminal is too narrow.
    List,
    /// A word of ours, without underscores.
    Words,
}

pub(super) const fn column(
    title: &'static str,
    at: &'static [&'static str],
    shown: Shown,
) -> Column {
    Column { title, at, shown }
}

impl Column {
    /// Returns the cell of a record, `-` where there is nothing.
    pub(super) fn cell(&self, record: &Value) -> String {
        let mut values = self.at.iter().filter_map(|at| record.pointer(at));
        let Some(value) = values.find(|value| !value.is_null()) else {
            return "-".to_owned();
        };
        let text = plain(value);
        match (self.shown, value) {
            (Shown::Tail, _) => text.rsplit('/').next().unwrap_or_default().to_owned(),
            (Shown::Account, _) => match text.split(':').nth(4) {
                None | Some("") => "-".to_owned(),
                Some(account) => account.to_owned(),
            },
            (Shown::Words, _) => text.replace('_', " "),
            (Shown::Count, Value::Array(items)) => items.len().to_string(),
            (Shown::List, Value::Array(items)) if items.is_empty() => "-".to_owned(),
            (Shown::List, Value::Array(items)) => items
                .iter()
                .map(plain)
                .collect::<Vec<Cow<str>>>()
                .join(", "),
            (Shown::Duration, seconds) => seconds.as_i64().map_or_else(
                || text.into_owned(),
                |seconds| {
                    format!(
                        "{}:{:02}:{:02}",
                        seconds / 3600,
                        seconds / 60 % 60,
                        seconds % 60
                    )
                },
            ),
            _ => text.into_owned(),
        }
    }

    /// Returns whether its cells are cut where the terminal is too narrow.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.shown, Shown::Cut | Shown::List | Shown::Tail)
    }
}
