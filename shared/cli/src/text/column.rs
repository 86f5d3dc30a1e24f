//! One column of a table: its cells, out of records.

use std::borrow::Cow;

use serde_json::Value;
use textwrap::core::display_width;

use super::plain;
use crate::visible;

/// Columns that a text is cut to before other columns are left out.
const SHORTEST: usize = 12;

/// Columns that a reason is wrapped at before details are left out.
const NARROWEST: usize = 24;

/// Columns that the name of somebody is wrapped at before details are left out.
const NARROWEST_NAME: usize = 20;

/// Lines of a cell with IDs: of more there is only said how many they are.
const MOST_LINES: usize = 5;

/// Columns that a reason is wrapped at before it is left out who or what it is about.
const NARROWEST_OF_SUBJECT: usize = 6;

/// A title, where in the record its cell is - the first that is there - and how it is shown.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    at: &'static [&'static str],
    shown: Shown,
    is_subject: bool,
    is_place: bool,
    /// Where a record says that it holds nothing of this: an empty list is not "none" there.
    unread: Option<&'static str>,
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
    /// The role of a setting that is off without one, cut where the terminal is too narrow.
    Setting,
    /// Seconds as hours, minutes and seconds.
    Duration,
    /// How many there are.
    Count,
    /// Items, or the values of an object, with commas between them, cut where the terminal is too narrow.
    List,
    /// IDs, each as a whole: they begin alike, so that one that is cut is any of them.
    Ids,
    /// Wrapped where the terminal is too narrow.
    Wrapped,
    /// A reason, which is what somebody looks for: never left out or cut, but wrapped where the terminal is too narrow.
    Reason,
    /// A word of ours, without underscores.
    Words,
}

pub(super) const fn column(
    title: &'static str,
    at: &'static [&'static str],
    shown: Shown,
) -> Column {
    Column {
        title,
        at,
        shown,
        is_subject: false,
        is_place: false,
        unread: None,
    }
}

impl Column {
    /// Returns the column as one of who or what a row is about: details are left out before.
    pub(super) const fn subject(self) -> Column {
        Column {
            is_subject: true,
            ..self
        }
    }

    /// Returns the column as one of the account or region of a row: where rows are of several, all others are left out before.
    pub(super) const fn place(self) -> Column {
        Column {
            is_place: true,
            ..self
        }
    }

    /// Returns the column as one of what was not read where this field of the record is true.
    pub(super) const fn unless(self, unread: &'static str) -> Column {
        Column {
            unread: Some(unread),
            ..self
        }
    }

    /// Returns whether others are left out before this one.
    pub(super) fn is_subject(&self) -> bool {
        self.is_subject
    }

    /// Returns whether it says of which account or region a row is.
    pub(super) fn is_place(&self) -> bool {
        self.is_place
    }

    /// Returns the cell of a record, `-` where there is nothing.
    pub(super) fn cell(&self, record: &Value) -> String {
        let says_unread = |at| record.pointer(at) == Some(&Value::Bool(true));
        let text = match self.unread.is_some_and(says_unread) {
            true => String::new(),
            false => self.text(record),
        };
        match text.is_empty() {
            true => "-".to_owned(),
            false => text,
        }
    }

    fn text(&self, record: &Value) -> String {
        let mut values = self.at.iter().filter_map(|at| record.pointer(at));
        let Some(value) = values.find(|value| !value.is_null()) else {
            return String::new();
        };
        let text = plain(value);
        match (self.shown, value) {
            (Shown::Tail, _) => text.rsplit('/').next().unwrap_or_default().to_owned(),
            (Shown::Account, _) => text.split(':').nth(4).unwrap_or_default().to_owned(),
            (Shown::Setting, setting) => match (&setting["role"], &setting["status"]) {
                (Value::String(role), _) => visible(role).into_owned(),
                (_, Value::Null) => String::new(),
                _ => "off".to_owned(),
            },
            (Shown::Words, _) => text.replace('_', " "),
            (Shown::Count, Value::Array(items)) => items.len().to_string(),
            (Shown::List | Shown::Ids | Shown::Reason, Value::Array(items)) => {
                let items: Vec<Cow<str>> = items.iter().map(plain).collect();
                items.join(", ")
            }
            (Shown::List, Value::Object(fields)) => match fields.is_empty() {
                true => "-".to_owned(),
                false => fields
                    .values()
                    .map(plain)
                    .collect::<Vec<Cow<str>>>()
                    .join(", "),
            },
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

    /// Returns whether another column is left out in place of this one.
    pub(super) fn is_reason(&self) -> bool {
        self.shown == Shown::Reason
    }

    /// Returns whether it may be narrower than its cells.
    pub(super) fn is_flexible(&self) -> bool {
        self.least(usize::MAX, 0) < usize::MAX
    }

    /// Returns how narrow cells of so many columns, the widest word of which has `word`, may become before another column is left out.
    pub(super) fn least(&self, width: usize, word: usize) -> usize {
        match self.shown {
            Shown::Tail if self.is_subject => width.min(NARROWEST_NAME),
            Shown::Cut | Shown::List | Shown::Setting | Shown::Tail | Shown::Wrapped => {
                width.min(SHORTEST)
            }
            Shown::Ids => width.min(word),
            Shown::Reason => width.min(NARROWEST),
            _ => width,
        }
    }

    /// Returns how narrow such cells may become before a column of who or what the row is about is left out.
    pub(super) fn least_of_subject(&self, width: usize, word: usize) -> usize {
        match self.shown {
            Shown::Reason => width.min(NARROWEST_OF_SUBJECT),
            Shown::Tail => width.min(SHORTEST),
            _ => self.least(width, word),
        }
    }

    /// Returns whether a cell that is too wide goes on in the next line.
    fn is_wrapped(&self) -> bool {
        match self.shown {
            Shown::Ids | Shown::Wrapped | Shown::Reason => true,
            Shown::Tail => self.is_subject,
            _ => false,
        }
    }

    /// Returns the lines of a cell in a column that is so wide.
    pub(super) fn lines(&self, cell: &str, width: usize) -> Vec<String> {
        if display_width(cell) <= width {
            return vec![cell.to_owned()];
        }
        if !self.is_wrapped() {
            return vec![cut(cell, width)];
        }
        let options = textwrap::Options::new(width)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(cell, options).into_iter();
        let mut lines: Vec<String> = lines.map(Cow::into_owned).collect();
        if self.shown == Shown::Ids && lines.len() > MOST_LINES {
            let rest = lines.split_off(MOST_LINES - 1).join(" ");
            lines.push(cut(
                &format!("and {} more", rest.split(", ").count()),
                width + 1,
            ));
        }
        lines
    }
}

/// Returns as much of a text as fits, with a sign that there is more.
fn cut(text: &str, width: usize) -> String {
    let mut n_columns = 0;
    let fits = |c: &char| {
        n_columns += display_width(c.encode_utf8(&mut [0; 4]));
        n_columns < width
    };
    let begin: String = text.chars().take_while(fits).collect();
    format!("{}…", begin.trim_end())
}
