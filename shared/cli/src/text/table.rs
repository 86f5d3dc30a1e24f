//! Tables of the records that lists are made of: a row each, as wide as the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement};
use serde_json::Value;

use super::plain;
use crate::report;
use crate::screen::Screen;

/// A title, and where in the record its cell is.
type Column = (&'static str, &'static [&'static str]);

/// Columns by the kind of a record, the most important first: on a narrow terminal the last ones are left out, and names are cut.
/// A cell is the first of its pointers that is there.
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
        ("REGION", &["/target/region"]),
        ("ACCOUNT", &["/target/account"]),
        ("PLATFORM", &["/platform/name", "/platform/type"]),
    ],
)];

/// Blanks behind a column.
const GAP: usize = 2;

/// Columns that a name is cut to before other columns are left out.
const SHORTEST_NAME: usize = 12;

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
        let is_filled = |index: &usize| self.rows.iter().any(|row| row[*index] != "-");
        let mut shown: Vec<usize> = (0..self.columns.len()).filter(is_filled).collect();
        let mut name_width = None;
        if let Some(width) = screen.width {
            let is_name = |index: &usize| self.columns[*index].0 == "NAME";
            let others = |shown: &[usize]| -> usize {
                let widths = shown.iter().filter(|index| !is_name(index));
                widths.map(|index| self.width(*index) + GAP).sum()
            };
            while shown.len() > 2 && others(&shown) + SHORTEST_NAME > width {
                shown.pop();
            }
            let room = width.saturating_sub(others(&shown)).max(SHORTEST_NAME);
            name_width = shown.iter().position(is_name).map(|column| (column, room));
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(shown.iter().map(|index| self.columns[*index].0));
        for row in &self.rows {
            let cells = shown.iter().map(|index| &row[*index]);
            let mut row = comfy_table::Row::from(cells.collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some((column, room)) = name_width
            && let Some(column) = table.column_mut(column)
        {
            let room = u16::try_from(room + GAP).unwrap_or(u16::MAX);
            let at_most = comfy_table::Width::Fixed(room);
            column.set_constraint(ColumnConstraint::UpperBoundary(at_most));
            // Without an arrangement, boundaries are not looked at.
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::MAX);
        }
        let lines: Vec<String> = table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }

    /// Returns all columns as comma-separated values, called as in records: `managed_by`.
    ///
    /// # Errors
    /// As [`report::table`].
    pub(crate) fn csv(&self) -> anyhow::Result<String> {
        let titles = self.columns.iter().map(|(title, _)| title);
        let titles: Vec<String> = titles
            .map(|title| title.to_lowercase().replace(' ', "_"))
            .collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| if cell == "-" { "" } else { cell }));
        report::table(titles.iter().map(String::as_str), rows)
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].as_str());
        let cells = cells.chain([self.columns[index].0]);
        cells.map(textwrap::core::display_width).max().unwrap_or(0)
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
        for (id, name) in [
            ("i-1", json!("web\u{1b} of a long name")),
            ("i-0222", json!(null)),
        ] {
            table.add(&json!({"kind": "node", "instance_id": id, "tags": {"Name": name}, "state": "running",
                "agent": {"version": "3.3.987.0"}, "platform": {"type": "Linux", "name": "Amazon Linux"}}));
        }
        let expected = "NODE    NAME                      STATE    AGENT      PLATFORM\n\
                        i-1     web\\u{1b} of a long name  running  3.3.987.0  Amazon Linux\n\
                        i-0222  -                         running  3.3.987.0  Amazon Linux";
        assert_eq!(table.render(Screen::default()), expected);
        let render = |width| {
            table.render(Screen {
                width: Some(width),
                has_colors: false,
            })
        };
        assert_eq!(render(80), expected);
        let without_platform = "NODE    NAME                    STATE    AGENT\n\
                                i-1     web\\u{1b} of a long…    running  3.3.987.0\n\
                                i-0222  -                       running  3.3.987.0";

        assert_eq!(render(50), without_platform);
        assert!(Table::of("plan").is_none());
    }
}
