//! One event as one line of text.

use crate::records::record::Event;

pub(super) fn line(event: &Event, facts: &[(&'static str, String)]) -> String {
    let facts = facts
        .iter()
        .map(|(label, value)| format!("{label}={}", quoted(value)));
    let parts: Vec<String> = std::iter::once(super::title(event)).chain(facts).collect();
    cli::visible(&parts.join(" ")).into_owned()
}

fn quoted(value: &str) -> String {
    if value.contains([' ', '"']) {
        format!("\"{}\"", value.replace('"', "'"))
    } else {
        value.to_owned()
    }
}
