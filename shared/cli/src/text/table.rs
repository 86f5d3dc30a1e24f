//! Tables of the records that lists are made of: a row each, as wide as the terminal. Where it is narrow, whole columns go, and a reason
//! is never cut: the crates for tables would wrap or cut cells, and hold all rows of a list that may have a hundred thousand.

use serde_json::Value;
use textwrap::core::display_width;

use super::column::Column;
use super::columns::{Alone, Shape};
use super::tone::tone;
use crate::report;
use crate::screen::{Screen, Tone};
use crate::text::ACCOUNT_AND_REGION;

/// Blanks behind a column.
const GAP: usize = 2;

/// Columns for the titles of a record that is shown alone.
const TITLE: usize = 15;

/// A table of so many rows is printed, and another begun: nobody looks at more at once, and memory has an end.
const MOST_ROWS: usize = 10_000;

/// Records of one kind, until all are there.
#[derive(Debug)]
pub(crate) struct Table {
    shape: &'static Shape,
    rows: Vec<Vec<String>>,
    tones: Vec<Option<Tone>>,
    /// The first record, where one alone is shown as a whole.
    alone: Option<Value>,
}

impl Table {
    /// Returns an empty table for a kind of record that is shown in one.
    pub(crate) fn of(kind: &str) -> Option<Table> {
        Shape::of(kind).map(|shape| Table {
            shape,
            rows: Vec::new(),
            tones: Vec::new(),
            alone: None,
        })
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.shape.kind
    }

    /// Returns what one record is, to be counted: the same region of another account is another one.
    pub(crate) fn noun(&self) -> &'static str {
        let mut columns = self.shape.columns.iter();
        let account = columns.position(|column| column.title == "ACCOUNT");
        match self.shape.noun {
            "region" if account.is_some_and(|index| self.varies(index)) => ACCOUNT_AND_REGION,
            noun => noun,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= MOST_ROWS
    }

    /// Takes a record.
    pub(crate) fn add(&mut self, record: &Value) {
        let cells = self.shape.columns.iter();
        self.rows
            .push(cells.map(|column| column.cell(record)).collect());
        self.tones.push(tone(record));
        let is_alone = self.shape.alone == Alone::Whole && self.rows.len() == 1;
        self.alone = is_alone.then(|| record.clone());
    }

    /// Returns the table, without columns in which nothing is, or the only record as a whole.
    pub(crate) fn render(&self, screen: Screen) -> String {
        if let Some(record) = &self.alone {
            return super::render(record, screen);
        }
        if let (Alone::Lines, [row]) = (self.shape.alone, self.rows.as_slice()) {
            return self.lines(row, screen);
        }
        let columns = self.shape.columns;
        let mut shown = self.filled();
        let widths = self.fit(&mut shown, screen.width);
        let titles: Vec<String> = columns.iter().map(|one| one.title.to_owned()).collect();
        let mut lines = Vec::new();
        let tones = self.tones.iter().copied();
        let tones = std::iter::once(Some(Tone::Strong)).chain(tones);
        for (row, tone) in std::iter::once(&titles).chain(&self.rows).zip(tones) {
            let cells = shown.iter().zip(&widths);
            let cells: Vec<Vec<String>> = cells
                .map(|(index, width)| columns[*index].lines(&row[*index], *width))
                .collect();
            // Each line by itself, so that a pager may begin with any.
            lines.extend(aligned(&widths, &cells).map(|line| match tone {
                Some(tone) => screen.paint(tone, &line),
                None => line,
            }));
        }
        lines.join("\n")
    }

    /// Returns whether columns in which something is are left out.
    pub(crate) fn is_narrowed(&self, screen: Screen) -> bool {
        if self.rows.len() == 1 && self.shape.alone != Alone::Row {
            return false;
        }
        let mut shown = self.filled();
        let n_filled = shown.len();
        self.fit(&mut shown, screen.width);
        shown.len() < n_filled
    }

    /// Returns the columns in which something is.
    fn filled(&self) -> Vec<usize> {
        let is_filled = |index: &usize| self.rows.iter().any(|row| row[*index] != "-");
        (0..self.shape.columns.len()).filter(is_filled).collect()
    }

    /// Returns the cells of the only row below each other.
    fn lines(&self, row: &[String], screen: Screen) -> String {
        let titles = self.shape.columns.iter().map(|column| column.title);
        let filled = titles.zip(row).filter(|(_, cell)| *cell != "-");
        let mut lines: Vec<String> = filled
            .map(|(title, cell)| {
                let title = screen.paint(Tone::Strong, &format!("{title:<TITLE$}"));
                screen.wrap(&format!("{title}  "), TITLE + 2, cell)
            })
            .collect();
        lines.push(screen.paint(Tone::Faint, "details: -o json"));
        lines.join("\n")
    }

    /// Leaves columns out until the others fit, and returns how wide these are: none is wider than its cells, and those of long texts
    /// share what the short ones leave.
    fn fit(&self, shown: &mut Vec<usize>, width: Option<usize>) -> Vec<usize> {
        let mut whole: Vec<usize> = shown.iter().map(|index| self.width(*index)).collect();
        let Some(width) = width else {
            return whole;
        };
        let columns = self.shape.columns;
        let of_columns = shown.iter().zip(&whole);
        let (mut widths, mut narrowest): (Vec<usize>, Vec<usize>) = of_columns
            .map(|(index, width)| {
                let (column, word) = (&columns[*index], self.widest_word(*index));
                (
                    column.least(*width, word),
                    column.least_of_subject(*width, word),
                )
            })
            .unzip();
        while shown.len() > 2 && n_columns(&widths) > width {
            // Which of several accounts and regions a row is of, nothing else says.
            let is_place = |index: &usize| columns[*index].is_place() && self.varies(*index);
            let is_detail = |place: &usize| {
                let column = &columns[shown[*place]];
                !column.is_reason() && !column.is_subject() && !is_place(&shown[*place])
            };
            let is_other = |place: &usize| !columns[shown[*place]].is_reason();
            let behind = || (1..shown.len()).rev();
            let is_too_wide = n_columns(&narrowest) > width;
            let but_places = || behind().find(|at| is_other(at) && !is_place(&shown[*at]));
            let Some(last) = behind().find(is_detail).or_else(|| {
                let others = but_places().or_else(|| behind().find(is_other));
                others.filter(|_| is_too_wide)
            }) else {
                break;
            };
            shown.remove(last);
            whole.remove(last);
            widths.remove(last);
            narrowest.remove(last);
        }
        let mut room = width.saturating_sub(n_columns(&widths));
        let mut growing: Vec<usize> = (0..shown.len()).collect();
        growing.retain(|place| whole[*place] > widths[*place]);
        growing.sort_by_key(|place| whole[*place] - widths[*place]);
        let mut n_left = growing.len();
        for place in growing {
            let more = (whole[place] - widths[place]).min(room / n_left);
            widths[place] += more;
            room -= more;
            n_left -= 1;
        }
        // Of those that are not left out reasons, which stand last, become narrower first.
        for place in (0..shown.len()).rev() {
            let excess = n_columns(&widths).saturating_sub(width);
            if columns[shown[place]].is_flexible() {
                widths[place] = widths[place].saturating_sub(excess).max(1);
            }
        }
        widths
    }

    /// Returns all columns as comma-separated values, called as in records: `managed_by`.
    ///
    /// # Errors
    /// As [`report::table`].
    pub(crate) fn csv(&self) -> anyhow::Result<String> {
        let title = |column: &Column| column.title.to_lowercase().replace(' ', "_");
        let titles: Vec<String> = self.shape.columns.iter().map(title).collect();
        let cells = |row: &'_ Vec<String>| -> Vec<String> {
            let cells = row.iter().map(|cell| {
                if cell == "-" {
                    String::new()
                } else {
                    cell.clone()
                }
            });
            cells.collect()
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
        let rows = rows.iter().map(|row| row.iter().map(String::as_str));
        report::table(titles.iter().map(String::as_str), rows)
    }

    /// Returns whether the rows have different cells in a column.
    fn varies(&self, index: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| &row[index]);
        let first = cells.next();
        cells.any(|cell| Some(cell) != first)
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].as_str());
        let cells = cells.chain([self.shape.columns[index].title]);
        cells.map(display_width).max().unwrap_or(0)
    }

    fn widest_word(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].as_str());
        let words = cells.flat_map(|cell| cell.split(' '));
        words.map(display_width).max().unwrap_or(0)
    }
}

/// Returns how wide a table of such columns is.
fn n_columns(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Returns the lines of a row, whose cells have some each.
fn aligned(widths: &[usize], cells: &[Vec<String>]) -> impl Iterator<Item = String> {
    let n_lines = cells.iter().map(Vec::len).max().unwrap_or_default();
    (0..n_lines).map(move |at| {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(cells) {
            let text = cell.get(at).map(String::as_str).unwrap_or_default();
            line += text;
            line += &" ".repeat(width.saturating_sub(display_width(text)) + GAP);
        }
        line.truncate(line.trim_end().len());
        line
    })
}

#[cfg(test)]
#[path = "table_places_tests.rs"]
mod places_tests;
#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
