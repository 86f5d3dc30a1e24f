//! What services answer: what it means, and in words for people without what is secret.

use std::time::Duration;

use awsconf::Response;

use crate::alerts::hidden::{Hidden, LONGEST_TEXT};

/// A service answers within a second; what takes longer is down.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
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

    /// Returns what an error in place of an answer means; `said` is the error in words.
    pub(super) fn without(error: &anyhow::Error, said: String) -> Answer {
        match awsconf::is_unsent(error.as_ref()) {
            true => Answer::later(said),
            false => Answer::unanswered(said),
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
pub(super) fn said(answer: &Response, hidden: &Hidden) -> String {
    // What is not shown may stand inside a secret: it is taken out first. Of an answer that goes on one character more shows that it does.
    let begun: String = visible(&answer.body).take(LONGEST_TEXT + 1).collect();
    let words = hidden.hide(&begun);
    let words: String = words.chars().take(SHOWN).collect();
    let text = format!("HTTP {} {words}", answer.status);
    text.trim_end().to_owned()
}

/// Returns the beginning of an answer as it came, to be understood and not to be shown.
pub(super) fn heard(answer: &Response) -> String {
    visible(&answer.body).take(SHOWN).collect()
}

/// Returns a text on one line.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let words = text.chars();
    words.filter(|c| !c.is_control() && !cli::is_hidden(*c))
}

/// Returns whether a status says by itself that the message was not taken: the service, or a proxy on the way, did not do what it was
/// asked to do. After an error of its own a service may have done it, and a proxy says so of what it has sent on, too.
/// <https://www.rfc-editor.org/rfc/rfc9110#name-server-error-5xx>
pub(super) fn is_refusal(status: u16) -> bool {
    (300..500).contains(&status)
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

#[cfg(test)]
mod tests {
    use super::{Hidden, Response, heard, said};

    fn answer(body: String) -> Response {
        Response {
            status: 400,
            headers: Vec::new(),
            body,
        }
    }

    /// Of a secret that is as long as this few are in what is looked at, so that all of that is shown, up to its end.
    #[test]
    fn an_answer_of_nothing_but_long_secrets_shows_no_part_of_one() {
        let secret: String = (0..150).map(|n| format!("{n:03}-")).collect();
        let hidden = Hidden::default().value(&secret);
        let shown = said(&answer(secret.repeat(40)), &hidden);
        assert_eq!(shown, format!("HTTP 400 {}", "..".repeat(12)));
    }

    #[test]
    fn what_is_not_shown_counts_for_nothing_in_the_beginning_of_an_answer() {
        let long = format!("{}{}", "\n\u{200b}".repeat(20_000), "x".repeat(200));
        let long = answer(long);
        assert_eq!(heard(&long), "x".repeat(100));
        let words = said(&long, &Hidden::default());
        assert_eq!(words, format!("HTTP 400 {}", "x".repeat(100)));
    }
}
