//! What differs between two states: the leaves by their paths, lists and policies as indented lines.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{is_branch, plain};
use crate::screen::{Screen, Tone};
use crate::visible;

/// Unchanged lines shown around those that differ, as `diff -u` does.
const CONTEXT: usize = 3;

/// Appends the differences, indented by `indent`.
pub(super) fn difference(
    from: &Value,
    to: &Value,
    indent: usize,
    screen: Screen,
    lines: &mut Vec<String>,
) {
    let mut block = Block {
        indent: " ".repeat(indent),
        screen,
        lines,
    };
    block.leaves("", from, to);
}

struct Block<'a> {
    indent: String,
    screen: Screen,
    lines: &'a mut Vec<String>,
}

impl Block<'_> {
    fn leaves(&mut self, path: &str, from: &Value, to: &Value) {
        if from == to {
            return;
        }
        if let (Value::Object(old), Value::Object(new)) = (from, to) {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let shown = visible(key);
                let path = if path.is_empty() {
                    shown.into_owned()
                } else {
                    format!("{path}.{shown}")
                };
                self.leaves(&path, &from[key], &to[key]);
            }
            return;
        }
        // What is made or deleted is shown by its parts, a policy as the document that it is.
        for (one, other) in [(from, to), (to, from)] {
            if let (Value::Null, Value::Object(entries)) = (other, one)
                && path.is_empty()
            {
                for (key, value) in entries {
                    let nothing = Value::Null;
                    let (old, new) = if one == to {
                        (&nothing, value)
                    } else {
                        (value, &nothing)
                    };
                    self.leaves(&visible(key), old, new);
                }
                return;
            }
        }
        let path = if path.is_empty() { "state" } else { path };
        if has_branches(from) || has_branches(to) {
            self.document(path, from, to);
            return;
        }
        if !from.is_null() {
            self.leaf('-', path, from);
        }
        if !to.is_null() {
            self.leaf('+', path, to);
        }
    }

    fn leaf(&mut self, sign: char, path: &str, value: &Value) {
        let head = format!("{}{} {path}: ", self.indent, self.sign(sign));
        let text = self
            .screen
            .wrap(&head, self.indent.len() + 4, &plain(value));
        self.lines.push(text);
    }

    /// Shows values that hold lists or objects line by line.
    fn document(&mut self, path: &str, from: &Value, to: &Value) {
        let (old, new) = (pretty(from), pretty(to));
        let sign = match (from, to) {
            (Value::Null, _) => '+',
            (_, Value::Null) => '-',
            _ => '~',
        };
        let head = format!("{}{} {path}:", self.indent, self.sign(sign));
        self.lines.push(head);
        let difference = TextDiff::from_lines(&old, &new);
        for (index, group) in difference.grouped_ops(CONTEXT).iter().enumerate() {
            if index > 0 {
                self.lines.push(format!("{}    ..", self.indent));
            }
            for change in group.iter().flat_map(|op| difference.iter_changes(op)) {
                let sign = match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                };
                let line = visible(change.value().trim_end_matches('\n'));
                let depth = line.len() - line.trim_start().len();
                let head = format!("{}  {} ", self.indent, self.sign(sign));
                let below = self.indent.len() + 4 + depth + 4;
                let first = format!("{head}{}", " ".repeat(depth));
                let text = self.screen.wrap(&first, below, line.trim_start());
                self.lines.push(text);
            }
        }
    }

    fn sign(&self, sign: char) -> String {
        let tone = match sign {
            '+' => Tone::Good,
            '-' => Tone::Bad,
            '~' => Tone::Changed,
            _ => return sign.to_string(),
        };
        self.screen.paint(tone, &sign.to_string())
    }
}

/// Returns whether a value is more than one line: a list of names is one.
fn has_branches(value: &Value) -> bool {
    match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => items.iter().any(is_branch),
        _ => false,
    }
}

fn pretty(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => format!("{value:#}\n"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::difference;
    use crate::screen::Screen;

    fn check(from: &Value, to: &Value, expected: &[&str]) {
        let mut lines = Vec::new();
        difference(from, to, 0, Screen::default(), &mut lines);
        assert_eq!(lines, expected);
    }

    #[test]
    fn leaves_are_shown_by_their_paths() {
        let (from, to) = (
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": 1, "c": 3, "d": ["x"]}}),
        );
        check(&from, &to, &["- a.c: 2", "+ a.c: 3", "+ a.d: [\"x\"]"]);
    }

    #[test]
    fn a_policy_is_shown_by_its_lines() {
        let policy = |action: &str| {
            let others = (0..9).map(|n| json!(format!("a:{n}")));
            let actions: Vec<Value> = others.chain([json!(action)]).collect();
            json!({"policy": {"Statement": [{"Effect": "Deny", "Action": actions}]}})
        };
        check(
            &policy("x"),
            &policy("y"),
            &[
                "~ policy.Statement:",
                "          \"a:6\",",
                "          \"a:7\",",
                "          \"a:8\",",
                "  -       \"x\"",
                "  +       \"y\"",
                "        ]",
                "      }",
                "    ]",
            ],
        );
        let made = json!({"alias": "k", "policy": {"Version": "2012-10-17"}});
        let lines = [
            "+ alias: k",
            "+ policy:",
            "  + {",
            "  +   \"Version\": \"2012-10-17\"",
            "  + }",
        ];
        check(&Value::Null, &made, &lines);
    }
}
