//! Records as text, for people at a terminal. Scripts read the JSON; this layout may change. What comes from AWS shows its control
//! characters, so that the only escapes are the colors of [`crate::screen`].

mod alike;
mod block;
mod column;
mod columns;
mod difference;
mod finding;
mod plan;
mod plans;
mod table;
mod tone;

use std::borrow::Cow;

use serde_json::Value;

pub use self::block::{Below, Block};
pub(crate) use self::finding::Findings;
pub(crate) use self::plan::{Changes, Results};
pub(crate) use self::plans::Plans;
pub(crate) use self::table::Table;
use crate::screen::{Screen, Tone};
use crate::visible;

/// Returns a record as text without a line break at the end.
pub(crate) fn render(record: &Value, screen: Screen) -> String {
    match record["kind"].as_str() {
        Some("plan") => plan::plan(record, screen),
        Some("result") => plan::result(record, screen),
        Some("unreachable") => unreachable(record, screen),
        _ => {
            let mut lines = Vec::new();
            tree(record, 0, screen, &mut lines);
            lines.join("\n")
        }
    }
}

fn unreachable(record: &Value, screen: Screen) -> String {
    let severity = screen.paint(Tone::Bad, "error  ");
    let place = place(&record["target"]);
    let head = format!("{severity} [{place}] could not be read");
    let error = screen.wrap("        ", 8, &plain(&record["error"]));
    format!("{head}\n{error}")
}

fn tree(value: &Value, depth: usize, screen: Screen, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let below = 2 * depth + 4;
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = visible(key);
                if is_branch(value) {
                    lines.push(format!("{indent}{key}:"));
                    tree(value, depth + 1, screen, lines);
                } else {
                    lines.push(screen.wrap(&format!("{indent}{key}: "), below, &plain(value)));
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_branch(item) {
                    lines.push(format!("{indent}-"));
                    tree(item, depth + 1, screen, lines);
                } else {
                    lines.push(screen.wrap(&format!("{indent}- "), below, &plain(item)));
                }
            }
        }
        leaf => lines.push(screen.wrap(&indent, below, &plain(leaf))),
    }
}

fn is_branch(value: &Value) -> bool {
    match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn place(target: &Value) -> String {
    format!("{}/{}", plain(&target["account"]), plain(&target["region"]))
}

/// Returns a leaf as text, on one line.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => visible(text),
        Value::Null => Cow::Borrowed("-"),
        // Lists and objects, where only what differs is shown: in strings inside, JSON escapes control characters alone.
        other => Cow::Owned(visible(&other.to_string()).into_owned()),
    }
}

/// Returns how many there are of each noun: one table may be printed in parts.
pub(crate) fn totals<'n>(counts: impl Iterator<Item = (usize, &'n str)>) -> Vec<String> {
    let mut totals: Vec<(usize, &str)> = Vec::new();
    for (n, noun) in counts.filter(|(_, noun)| !noun.is_empty()) {
        match totals.iter_mut().find(|(_, of)| *of == noun) {
            Some((total, _)) => *total += n,
            None => totals.push((n, noun)),
        }
    }
    let counted = totals.into_iter().map(|(n, noun)| count(n, noun));
    counted.collect()
}

/// What is counted where several accounts have several regions each.
pub const ACCOUNT_AND_REGION: &str = "account and region";

/// Returns a number with its noun: `1 change`, `2 changes`, `2 policies`, `2 accounts and regions`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ => format!("{n} {}", plural(noun)),
    }
}

/// Returns a noun, or several with `and` between them, for a number other than one.
pub(crate) fn plural(noun: &str) -> String {
    let nouns = noun
        .split(" and ")
        .map(|noun| match noun.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{noun}s"),
        });
    nouns.collect::<Vec<String>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::render;
    use crate::screen::Screen;

    #[test]
    fn escapes_in_names_do_not_reach_the_terminal() {
        for (record, expected) in [
            (json!({"name": "a\u{1b}[2Jb"}), "name: a\\u{1b}[2Jb"),
            // The key of a tag is anybody's to choose, as its value is.
            (
                json!({"tags": {"\u{1b}]0;x\u{7}\u{202e}": ["\u{9b}1m"]}}),
                "tags:\n  \\u{1b}]0;x\\u{7}\\u{202e}:\n    - \\u{9b}1m",
            ),
            (json!({"empty": {}, "\r": {}}), "empty: {}\n\\r: {}"),
        ] {
            assert_eq!(render(&record, Screen::default()), expected);
        }
        let plan = json!({"kind": "plan", "tool": "t", "target": {"account": "1", "region": "r\u{200b}"}, "changes": [
            {"id": "a", "action": "x", "resource": "y\u{2028}", "from": {"k\u{202e}": ["a"]}, "to": {"k\u{202e}": ["\u{2066}"]}, "why": "z\u{1b}"}]});
        assert_eq!(
            render(&plan, Screen::default()),
            "t 1/r\\u{200b}: 1 change\n  ~ x y\\u{2028}\n      z\\u{1b}\n      - k\\u{202e}: [\"a\"]\n      + k\\u{202e}: [\"\\u{2066}\"]"
        );
    }
}
