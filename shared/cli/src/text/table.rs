//! Tables of the records that lists are made of: a row each, as wide as the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement};
use serde_json::Value;

use super::column::Column;
use super::columns::{Alone, Shape};
use super::tone::tone;
use crate::report;
use crate::screen::{Screen, Tone};

/// Blanks behind a column.
const GAP: usize = 2;

/// Columns that a text is cut to before other columns are left out.
const SHORTEST: usize = 12;

/// Columns for the titles of a record that is shown alone.
const TITLE: usize = 11;

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

    /// Returns what one record is, to be counted.
    pub(crate) fn noun(&self) -> &'static str {
        self.shape.noun
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
        let is_filled = |index: &usize| self.rows.iter().any(|row| row[*index] != "-");
        let mut shown: Vec<usize> = (0..columns.len()).filter(is_filled).collect();
        let mut widths = Vec::new();
        if let Some(width) = screen.width {
            let least = |shown: &[usize]| -> usize {
                let widths = shown.iter().map(|index| match columns[*index].is_cut() {
                    true => self.width(*index).min(SHORTEST),
                    false => self.width(*index),
                });
                widths.sum::<usize>() + GAP * shown.len().saturating_sub(1)
            };
            while shown.len() > 2 && least(&shown) > width {
                shown.pop();
            }
            widths = self.cut(&shown, width);
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(shown.iter().map(|index| columns[*index].title));
        for row in &self.rows {
            let cells = shown.iter().map(|index| &row[*index]);
            let mut row = comfy_table::Row::from(cells.collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        for (place, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if let Some(Some(width)) = widths.get(place) {
                let room = u16::try_from(width + GAP).unwrap_or(u16::MAX);
                let at_most = comfy_table::Width::Fixed(room);
                column.set_constraint(ColumnConstraint::UpperBoundary(at_most));
            }
        }
        if widths.iter().any(Option::is_some) {
            // Without an arrangement, boundaries are not looked at.
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::MAX);
        }
        let tones = std::iter::once(Some(Tone::Strong)).chain(self.tones.iter().copied());
        let lines: Vec<String> = table
            .lines()
            .zip(tones)
            .map(|(line, tone)| match tone {
                Some(tone) => screen.paint(tone, line.trim_end()),
                None => line.trim_end().to_owned(),
            })
            .collect();
        lines.join("\n")
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

    /// Returns how wide columns of long texts may be, so that all fit: the short ones have what they need, the others share
    /// what is left.
    fn cut(&self, shown: &[usize], width: usize) -> Vec<Option<usize>> {
        let is_cut = |index: &usize| self.shape.columns[*index].is_cut();
        let gaps = GAP * shown.len().saturating_sub(1);
        let others = shown.iter().filter(|index| !is_cut(index));
        let fixed: usize = others.map(|index| self.width(*index)).sum();
        let mut room = width.saturating_sub(fixed + gaps);
        let mut by_width: Vec<usize> = (0..shown.len())
            .filter(|place| is_cut(&shown[*place]))
            .collect();
        by_width.sort_by_key(|place| self.width(shown[*place]));
        let mut widths = vec![None; shown.len()];
        let mut n_left = by_width.len();
        for place in by_width {
            let share = (room / n_left).max(1);
            let given = self.width(shown[place]).min(share);
            widths[place] = Some(given);
            room = room.saturating_sub(given);
            n_left -= 1;
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

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].as_str());
        let cells = cells.chain([self.shape.columns[index].title]);
        cells.map(textwrap::core::display_width).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Table;
    use crate::screen::Screen;

    fn of(width: usize) -> Screen {
        Screen {
            width: Some(width),
            has_colors: false,
        }
    }

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
        assert_eq!(table.render(of(80)), expected);
        let without_platform = "NODE    NAME                      STATE    AGENT\n\
                                i-1     web\\u{1b} of a long name  running  3.3.987.0\n\
                                i-0222  -                         running  3.3.987.0";
        assert_eq!(table.render(of(53)), without_platform);
        let cut = "NODE    NAME                 STATE    AGENT\n\
                   i-1     web\\u{1b} of a lon…  running  3.3.987.0\n\
                   i-0222  -                    running  3.3.987.0";
        assert_eq!(table.render(of(47)), cut);
        assert!(Table::of("plan").is_none());
    }

    #[test]
    fn long_texts_share_what_is_left() {
        let mut table = Table::of("impact").unwrap();
        table.add(&json!({"class": "newly_denied", "principal": "arn:aws:iam::111122223333:role/a/dev", "account": "111122223333",
            "actions": ["ssm:StartSession", "ssm:SendCommand"], "why": "denied by a statement of a policy"}));
        let expected = "BECOMES       PRINCIPAL  ACCOUNT       ACTIONS              WHY\n\
                        newly denied  dev        111122223333  ssm:StartSession,…   denied by a…";
        assert_eq!(table.render(of(80)), expected);
        for width in 40..140 {
            let text = table.render(of(width));
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{width}: {text}"
            );
        }
        let colored = Screen {
            width: Some(80),
            has_colors: true,
        };
        let colored = table.render(colored);
        let row = colored.lines().last().unwrap();
        assert!(
            row.starts_with("\u{1b}[1m\u{1b}[31mnewly denied"),
            "{row:?}"
        );
    }

    /// Why a state is not known, and that a node lacks something, is there at any width.
    #[test]
    fn patch_states_keep_what_is_wrong_where_it_is_narrow() {
        let state = |more: &Value| {
            let mut record = json!({"kind": "patch_state", "instance_id": "i-0123456789abcdef0",
                "target": {"account": "111122223333", "region": "us-east-1"}, "missing_count": 0, "failed_count": 0,
                "installed_pending_reboot_count": 0, "baseline_id": "pb-0123456789abcdef0", "operation_end_time": "2026-11-27T06:00:00Z"});
            for (key, value) in more.as_object().unwrap() {
                record[key] = value.clone();
            }
            record
        };
        let unread = json!({"missing_count": null, "failed_count": null, "installed_pending_reboot_count": null, "baseline_id": null,
            "operation_end_time": null, "reason": {"id": "run.patch_state.unreadable", "message": "AccessDenied by a policy", "fix": "f"}});
        let waits = json!({"installed_pending_reboot_count": 4});
        let screen = |width: usize| Screen {
            width: Some(width),
            has_colors: true,
        };
        let (bad, doubtful) = ("\u{1b}[1m\u{1b}[31mi-", "\u{1b}[33mi-");
        for (more, width, word, begin) in [
            (&unread, 80, "AccessDenied", doubtful),
            (&unread, 40, "run.patch_state.unreadable", doubtful),
            (&waits, 80, "REBOOT", bad),
            (&waits, 45, "REBOOT", bad),
            (&waits, 30, "i-0123456789abcdef0", bad),
            (&json!({"missing_count": 1}), 80, "REBOOT", bad),
            (&json!({"failed_count": 1}), 80, "REBOOT", bad),
            (&json!({}), 80, "REBOOT", "i-"),
        ] {
            let mut table = Table::of("patch_state").unwrap();
            table.add(&state(more));
            let text = table.render(screen(width));
            assert!(text.contains(word), "{width}: {text}");
            let row = text.lines().last().unwrap();
            assert!(row.starts_with(begin), "{width}: {row:?}");
        }
        // Beside a state that is known.
        let mut table = Table::of("patch_state").unwrap();
        table.add(&state(&json!({})));
        table.add(&state(&unread));
        let text = table.render(of(80));
        assert!(
            text.contains("run.patch_state.unreadable") && text.contains("REBOOT"),
            "{text}"
        );
    }

    /// One role is denied and the other is not: the rows must say which.
    #[test]
    fn principals_of_one_name_are_of_their_accounts() {
        for (kind, expected) in [
            (
                "simulation",
                "ANSWER   ACTION            PRINCIPAL  ACCOUNT       WHY\n\
                 denied   ssm:StartSession  Admin      111122223333  by guard\n\
                 allowed  ssm:StartSession  Admin      444455556666  by guard",
            ),
            (
                "denied_call",
                "DENIED  PERHAPS  ACTION            PRINCIPAL  ACCOUNT       BY\n\
                 2       0        ssm:StartSession  Admin      111122223333  guard\n\
                 2       0        ssm:StartSession  Admin      444455556666  guard",
            ),
        ] {
            let mut table = Table::of(kind).unwrap();
            for (account, answer) in [("111122223333", "denied"), ("444455556666", "allowed")] {
                table.add(&json!({"kind": kind, "principal": format!("arn:aws:iam::{account}:role/Admin"), "answer": answer,
                    "action": "ssm:StartSession", "why": "by guard", "n_denied": 2, "n_unknown": 0, "policy": "guard"}));
            }
            assert_eq!(table.render(Screen::default()), expected);
        }
    }

    #[test]
    fn rows_are_counted_by_what_they_are() {
        for (kind, expected) in [
            ("simulation", "2 answers"),
            ("denied_call", "2 denied actions"),
            ("entity", "2 entities"),
        ] {
            let table = Table::of(kind).unwrap();
            assert_eq!(crate::count(2, table.noun()), expected);
        }
    }

    #[test]
    fn one_record_with_details_is_shown_in_a_few_lines() {
        let record = |region: &str| -> Value {
            json!({"kind": "alerts", "target": {"account": "111122223333", "region": region},
                "observed": {"rule": {"state": "absent"}}})
        };
        let mut table = Table::of("alerts").unwrap();
        table.add(&record("us-east-1"));
        let expected = "REGION       us-east-1\nACCOUNT      111122223333\nRULE         absent\ndetails: -o json";
        assert_eq!(table.render(of(80)), expected);
        table.add(&record("eu-west-1"));
        let expected = "REGION     ACCOUNT       RULE\nus-east-1  111122223333  absent\neu-west-1  111122223333  absent";
        assert_eq!(table.render(of(80)), expected);
        let csv = table.csv().unwrap();
        assert!(csv.starts_with("region,account,rule,connection,destination,function,trail,waiting\nus-east-1,111122223333,absent,,"), "{csv}");
    }
}
