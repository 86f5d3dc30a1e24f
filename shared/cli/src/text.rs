//! Records as text, for people at a terminal. Scripts read the JSON; this layout may change.

use std::borrow::Cow;

use serde_json::Value;

use crate::visible;

/// Returns a record as text without a line break at the end.
pub(crate) fn render(record: &Value) -> String {
    match record["kind"].as_str() {
        Some("finding") => finding(record),
        Some("plan") => plan(record),
        Some("result") => result(record),
        _ => {
            let mut lines = Vec::new();
            tree(record, 0, &mut lines);
            lines.join("\n")
        }
    }
}

fn finding(record: &Value) -> String {
    let severity = plain(&record["severity"]);
    let place = match &record["target"] {
        Value::Null => String::new(),
        target => format!(" [{}]", place(target)),
    };
    let (id, resource) = (plain(&record["id"]), plain(&record["resource"]));
    let (message, fix) = (plain(&record["message"]), plain(&record["fix"]));
    format!("{severity:<7} {id}{place} {resource}\n        {message}\n        fix: {fix}")
}

fn plan(record: &Value) -> String {
    let changes = record["changes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let count = match changes.len() {
        0 => "nothing to change".to_owned(),
        1 => "1 change".to_owned(),
        n_changes => format!("{n_changes} changes"),
    };
    let mut lines = vec![format!(
        "{} {}: {count}",
        plain(&record["tool"]),
        place(&record["target"])
    )];
    for change in changes {
        lines.push(format!(
            "  {} {}",
            plain(&change["action"]),
            plain(&change["resource"])
        ));
        lines.push(format!("      why:  {}", plain(&change["why"])));
        // `to` may tell less than `from`, such as no version number; what it does not speak of does not change.
        let mut from = change["from"].clone();
        if let (Value::Object(from), Value::Object(to)) = (&mut from, &change["to"]) {
            from.retain(|key, _| to.contains_key(key));
        }
        difference("", &from, &change["to"], &mut lines);
    }
    for owner in record["for_owners"].as_array().into_iter().flatten() {
        let (account, resource) = (plain(&owner["account"]), plain(&owner["resource"]));
        lines.push(format!(
            "  account {account} must have in the policy of {resource}, which is not changed from here:"
        ));
        let statements = owner["statements"].as_array().into_iter().flatten();
        lines.extend(statements.map(|statement| format!("      {}", plain(statement))));
    }
    lines.join("\n")
}

/// Lists the leaves that differ between two states, with their paths.
fn difference(path: &str, from: &Value, to: &Value, lines: &mut Vec<String>) {
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
            difference(&path, &from[key], &to[key], lines);
        }
        return;
    }
    let path = if path.is_empty() { "state" } else { path };
    if !from.is_null() {
        lines.push(format!("    - {path}: {}", plain(from)));
    }
    if !to.is_null() {
        lines.push(format!("    + {path}: {}", plain(to)));
    }
}

fn result(record: &Value) -> String {
    let mut lines = vec![format!(
        "{} {}",
        plain(&record["tool"]),
        place(&record["target"])
    )];
    let results = record["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if results.is_empty() {
        lines.push("  nothing to do".to_owned());
    }
    for applied in results {
        let (status, action) = (plain(&applied["status"]), plain(&applied["action"]));
        lines.push(format!(
            "  {status:<9} {action} {}",
            plain(&applied["resource"])
        ));
        if !applied["error"].is_null() {
            lines.push(format!("            {}", plain(&applied["error"])));
        }
    }
    lines.join("\n")
}

fn tree(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = visible(key);
                if is_branch(value) {
                    lines.push(format!("{indent}{key}:"));
                    tree(value, depth + 1, lines);
                } else {
                    lines.push(format!("{indent}{key}: {}", plain(value)));
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_branch(item) {
                    lines.push(format!("{indent}-"));
                    tree(item, depth + 1, lines);
                } else {
                    lines.push(format!("{indent}- {}", plain(item)));
                }
            }
        }
        leaf => lines.push(format!("{indent}{}", plain(leaf))),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::render;

    #[test]
    fn a_plan_shows_only_what_differs() {
        let plan = json!({"kind": "plan", "tool": "ssm-prefs", "target": {"account": "1", "region": "r"}, "changes": [
            {"id": "a", "action": "update_document", "resource": "doc", "from": {"a": 1, "b": 2}, "to": {"a": 1, "b": 3},
             "why": "drift"}]});
        let expected = "ssm-prefs 1/r: 1 change\n  update_document doc\n      why:  drift\n    - b: 2\n    + b: 3";
        assert_eq!(render(&plan), expected);
    }

    #[test]
    fn a_plan_shows_what_others_must_allow() {
        let plan = json!({"kind": "plan", "tool": "ssm-prefs", "target": {"account": "1", "region": "r"}, "changes": [],
            "for_owners": [{"account": "2", "resource": "arn:aws:s3:::b\u{202e}", "statements": [{"Sid": "a"}, {"Sid": "b\u{1b}"}]}]});
        let expected = "ssm-prefs 1/r: nothing to change\n  account 2 must have in the policy of arn:aws:s3:::b\\u{202e}, \
            which is not changed from here:\n      {\"Sid\":\"a\"}\n      {\"Sid\":\"b\\u001b\"}";
        assert_eq!(render(&plan), expected);
    }

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
            assert_eq!(render(&record), expected);
        }
        let plan = json!({"kind": "plan", "tool": "t", "target": {"account": "1", "region": "r\u{200b}"}, "changes": [
            {"id": "a", "action": "x", "resource": "y\u{2028}", "from": {"k\u{202e}": ["a"]}, "to": {"k\u{202e}": ["\u{2066}"]}, "why": "z\u{1b}"}]});
        assert_eq!(
            render(&plan),
            "t 1/r\\u{200b}: 1 change\n  x y\\u{2028}\n      why:  z\\u{1b}\n    - k\\u{202e}: [\"a\"]\n    + k\\u{202e}: [\"\\u{2066}\"]"
        );
    }
}
