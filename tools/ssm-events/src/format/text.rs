//! One event as one line of text.

use crate::record::Event;

pub(super) fn line(event: &Event, facts: &[(&'static str, String)]) -> String {
    let facts = facts
        .iter()
        .map(|(label, value)| format!("{label}={}", quoted(value)));
    let parts: Vec<String> = std::iter::once(super::title(event)).chain(facts).collect();
    parts
        .join(" ")
        .chars()
        .map(|c| if is_shown(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Escapes of terminals, and what turns the direction of text so that it reads as something else.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
pub(super) fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn quoted(value: &str) -> String {
    if value.contains([' ', '"']) {
        format!("\"{}\"", value.replace('"', "'"))
    } else {
        value.to_owned()
    }
}
