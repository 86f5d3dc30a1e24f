//! Tables of the records that lists are made of: a row each, as wide as the terminal.

use serde_json::Value;
use textwrap::core::display_width;

use super::column::Column;
use super::columns::{Alone, Shape};
use super::tone::tone;
use crate::report;
use crate::screen::{Screen, Tone};

/// Blanks behind a column.
const GAP: usize = 2;

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
        let mut widths: Vec<usize> = of_columns
            .map(|(index, width)| columns[*index].least(*width))
            .collect();
        while shown.len() > 2 && n_columns(&widths) > width {
            let is_other = |index: &usize| !columns[*index].is_reason();
            let last = shown.iter().rposition(is_other).unwrap_or_default();
            shown.remove(last);
            whole.remove(last);
            widths.remove(last);
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
        // Of two columns none is left out.
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

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].as_str());
        let cells = cells.chain([self.shape.columns[index].title]);
        cells.map(display_width).max().unwrap_or(0)
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
        let expected = "BECOMES       PRINCIPAL  ACCOUNT       ACTIONS         WHY\n\
                        newly denied  dev        111122223333  ssm:StartSess…  denied by a statement of\n\
                        \x20                                                      a policy";
        assert_eq!(table.render(of(80)), expected);
        for width in 40..140 {
            let text = table.render(of(width));
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{width}: {text}"
            );
        }
        let has_colors = true;
        let colored = table.render(Screen {
            has_colors,
            ..of(80)
        });
        for row in colored.lines().skip(1) {
            assert!(row.starts_with("\u{1b}[1m\u{1b}[31m"), "{row:?}");
        }
    }

    /// Why a node is in the table is what somebody looks for.
    #[test]
    fn a_reason_is_whole_before_other_columns_are() {
        let mut table = Table::of("checked_node").unwrap();
        table.add(&json!({"instance_id": "i-0123456789abcdef0", "tags": {"Name": "the-first-web-server"}, "state": "running",
            "agent": {"ping": "ConnectionLost", "version": "3.3.987.0"}, "problems": ["version outdated", "instance profile missing"]}));
        let whole = "version outdated, instance profile missing";
        for (width, titles) in [
            (200, "NODE NAME PING WHY AGENT STATE"),
            (80, "NODE NAME PING WHY"),
            (60, "NODE NAME WHY"),
            (46, "NODE WHY"),
            (24, "NODE WHY"),
        ] {
            let text = table.render(of(width));
            let mut lines = text.lines();
            let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
            assert_eq!(head.join(" "), titles, "{width}: {text}");
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{width}: {text}");
            // In a column of three no word is whole.
            let words: String = text.split_whitespace().skip(head.len()).collect();
            let places: Vec<_> = whole.split(' ').map(|word| words.find(word)).collect();
            let is_whole = places.is_sorted() && !places.contains(&None);
            assert!(is_whole || width == 24, "{width}: {text}");
        }
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
