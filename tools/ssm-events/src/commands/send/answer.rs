//! What services answer, in words for people and without what is secret.

use std::time::Duration;

use awsconf::Response;

/// Characters of an answer that are shown.
const SHOWN: usize = 100;

/// Returns the status and the beginning of what was answered.
pub(super) fn said(answer: &Response, secrets: &[&str]) -> String {
    let text = format!("HTTP {} {}", answer.status, shown(&answer.body, secrets));
    text.trim_end().to_owned()
}

/// Returns the beginning of a text on one line; a service may repeat what it was sent.
pub(super) fn shown(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "..");
    }
    let words = text
        .chars()
        .filter(|c| !c.is_control() && !cli::is_hidden(*c));
    words.take(SHOWN).collect()
}

/// In seconds. <https://docs.slack.dev/apis/web-api/rate-limits>, <https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>
pub(super) fn retry_after(answer: &Response) -> Option<Duration> {
    answer
        .header("retry-after")?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}
