//! Where in a JSON text a path leads, for mistakes that are found only when all of it has been read.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Returns line and column of what a path such as `$.rules[1].to` leads to, or of the last step that is there.
pub(crate) fn of(text: &str, path: &str) -> (usize, usize) {
    let mut at = text;
    for step in steps(path) {
        let Some(inner) = inside(at, step) else { break };
        at = inner;
    }
    let leading = at.len() - at.trim_start().len();
    // What is parsed borrows from the text, so that its place is the distance of the two.
    let offset = (at.as_ptr() as usize).saturating_sub(text.as_ptr() as usize) + leading;
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    (line, column)
}

fn inside<'t>(text: &'t str, step: &str) -> Option<&'t str> {
    if let Ok(index) = step.parse::<usize>() {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return items.get(index).map(|item| item.get());
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    members.get(step).map(|member| member.get())
}

/// Splits `$.a[0].b` into its steps.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let steps = path.trim_start_matches('$').split(['.', '[']);
    let steps = steps.map(|step| step.trim_end_matches(']'));
    steps.filter(|step| !step.is_empty())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn finds_members_and_items_by_line_and_column() {
        let text = "{\n  \"a\": 1,\n  \"rules\": [ {\"to\": []},\n    {\"to\": [\"x\"]} ]\n}";
        for (path, expected) in [
            ("$", (1, 1)),
            ("$.a", (2, 8)),
            ("$.rules[0]", (3, 14)),
            ("$.rules[1].to", (4, 12)),
            ("$.rules[1].to[0]", (4, 13)),
            ("$.rules[1].none", (4, 5)),
        ] {
            assert_eq!(of(text, path), expected, "{path}");
        }
    }
}
