//! Tables of the records that lists are made of: a row each, as wide as the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement};
use serde_json::Value;

use super::plain;
use crate::screen::Screen;

/// A title, and where in the record its cell is.
type Column = (&'static str, &'static [&'static str]);

/// Columns by the kind of a record. A cell is the first of its pointers that is there; the last column is cut first.
const TABLES: [(&str, &[Column]); 1] = [(
    "node",
    &[
        ("NODE", &["/instance_id"]),
        ("NAME", &["/tags/Name"]),
        ("STATE", &["/state"]),
        ("PING", &["/agent/ping"]),
        ("AGENT", &["/agent/version"]),
        ("IMDS", &["/imds/tokens"]),
        ("MANAGED BY", &["/managed_by"]),
        ("ACCOUNT", &["/target/account"]),
        ("REGION", &["/target/region"]),
        ("PLATFORM", &["/platform/name", "/platform/type"]),
    ],
)];

/// Records of one kind, until all are there.
#[derive(Debug)]
pub(crate) struct Table {
    kind: &'static str,
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table for a kind of record that is shown in one.
    pub(crate) fn of(kind: &str) -> Option<Table> {
        let (kind, columns) = TABLES.iter().find(|(one, _)| *one == kind)?;
        Some(Table {
            kind,
            columns,
            rows: Vec::new(),
        })
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Takes a record.
    pub(crate) fn add(&mut self, record: &Value) {
        let cell = |pointers: &[&str]| {
            let mut values = pointers.iter().filter_map(|at| record.pointer(at));
            let value = values.find(|value| !value.is_null());
            value.map_or_else(|| "-".to_owned(), |value| plain(value).into_owned())
        };
        let row = self.columns.iter().map(|(_, pointers)| cell(pointers));
        self.rows.push(row.collect());
    }

    /// Returns the table, without columns in which nothing is.
    pub(crate) fn render(&self, screen: Screen) -> String {
        let is_shown = |index: &usize| self.rows.iter().any(|row| row[*index] != "-");
        let shown: Vec<usize> = (0..self.columns.len()).filter(is_shown).collect();
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(shown.iter().map(|index| self.columns[*index].0));
        for row in &self.rows {
            let cells = shown.iter().map(|index| &row[*index]);
            let mut row = comfy_table::Row::from(cells.collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        if let Some(width) = screen.width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        let n_columns = shown.len();
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, u16::from(index + 1 < n_columns) * 2));
            if index + 1 < n_columns {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let lines: Vec<String> = table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Table;
    use crate::screen::Screen;

    #[test]
    fn a_row_each_without_empty_columns_and_cut_at_the_width() {
        let mut table = Table::of("node").unwrap();
        for (id, name) in [("i-1", json!("web\u{1b}")), ("i-0222", json!(null))] {
            table.add(&json!({"kind": "node", "instance_id": id, "tags": {"Name": name}, "state": "running",
                "platform": {"type": "Linux", "name": "Amazon Linux of a long name"}}));
        }
        let expected = "NODE    NAME       STATE    PLATFORM\n\
                        i-1     web\\u{1b}  running  Amazon Linux of a long name\n\
                        i-0222  -          running  Amazon Linux of a long name";
        assert_eq!(table.render(Screen::default()), expected);
        let narrow = Screen {
            width: Some(40),
            has_colors: false,
        };
        assert!(
            table
                .render(narrow)
                .lines()
                .all(|line| line.chars().count() <= 40)
        );
        assert!(table.render(narrow).contains("running  Amazon"));
        assert!(Table::of("plan").is_none());
    }
}
