//! What services answer: what it means, and in words for people without what is secret.

use std::time::Duration;

use awsconf::Response;

/// A service answers within a second; what takes longer is down.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Statuses by which a proxy says that the service behind it, which may have taken the message, did not answer well.
pub(super) const PASSED_ON: [u16; 2] = [502, 504];
/// Characters of an answer that are shown.
const SHOWN: usize = 100;

/// What one attempt led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is delivered, as the message with this timestamp where there are threads.
    Taken(Option<String>),
    /// This message will never be taken.
    Rejected(String),
    /// It may be taken later, after the pause that the service asks for.
    Later {
        said: String,
        pause: Option<Duration>,
        /// Whether it was certainly not taken.
        is_certain: bool,
    },
    /// Nothing is taken until somebody changes something.
    Down(String),
}

impl Answer {
    pub(super) fn later(said: String) -> Answer {
        Answer::Later {
            said,
            pause: None,
            is_certain: true,
        }
    }

    pub(super) fn unanswered(error: String) -> Answer {
        Answer::Later {
            said: error,
            pause: None,
            is_certain: false,
        }
    }
}

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
