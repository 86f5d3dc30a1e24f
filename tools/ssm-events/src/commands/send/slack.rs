//! One message at a time to an incoming webhook.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, errors:
//! <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>

use std::time::Duration;

use awsconf::{HttpClient, Request, Response};
use tokio::time::Instant;

use super::duration;
use crate::alerts::webhook::Url;

/// Slack answers within a second; what takes longer is down.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause after a failure; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The body of the answer by which Slack takes a message.
const TAKEN: &str = "ok";

/// What Slack says of a message that it will never take. Any other refusal is about the webhook, not the message.
const ABOUT_THE_MESSAGE: [&str; 7] = [
    "invalid_payload",
    "no_text",
    "invalid_blocks",
    "invalid_attachments",
    "too_many_attachments",
    "msg_blocks_too_long",
    "msg_too_long",
];

/// A webhook, and when it may be called again.
#[derive(Debug)]
pub(crate) struct Slack {
    url: Url,
    plain: HttpClient,
    interval: Duration,
    retry_for: Duration,
    not_before: Option<Instant>,
    trouble: Option<String>,
    answered: bool,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    Taken,
    /// It will never be taken.
    Rejected(String),
    /// Nothing is taken now.
    Down,
}

impl Slack {
    /// Returns a webhook that is called every `interval` seconds at most, and tried for `retry_for` seconds;
    /// `since_last` is how long ago it was last called.
    pub(crate) fn new(
        url: Url,
        interval: f64,
        retry_for: f64,
        since_last: Option<Duration>,
    ) -> anyhow::Result<Slack> {
        let interval = duration(interval);
        let wait = since_last.map(|since| interval.saturating_sub(since));
        Ok(Slack {
            url,
            plain: HttpClient::new()?,
            interval,
            retry_for: duration(retry_for),
            not_before: wait.map(|wait| Instant::now() + wait),
            trouble: None,
            answered: false,
        })
    }

    /// Waits until the next message may be sent.
    pub(crate) async fn wait(&self) {
        // Even a moment that has passed would cost the timer's millisecond.
        if let Some(not_before) = self.not_before.filter(|moment| *moment > Instant::now()) {
            tokio::time::sleep_until(not_before).await;
        }
    }

    /// Returns what went wrong last; it never has the URL in it.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Tells whether the last request was answered: without an answer the message may have been taken.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    /// Sends a message, again and again while that can help.
    pub(crate) async fn post(&mut self, message: &str) -> Posted {
        let deadline = Instant::now() + self.retry_for;
        let mut pause = PAUSE;
        loop {
            let request = Request {
                method: "POST",
                url: self.url.expose().to_owned(),
                body: Some(message.to_owned()),
                timeout: Some(TIMEOUT),
            };
            let answered = self.plain.send(request).await;
            self.not_before = Some(Instant::now() + self.interval);
            self.answered = answered.is_ok();
            let wait = match &answered {
                // A proxy answers with 200 as well, and so does Slack's other API.
                Ok(answer) if answer.status == 200 && answer.body.trim() == TAKEN => {
                    return Posted::Taken;
                }
                Ok(answer) => {
                    let said = said(answer);
                    if [200, 400].contains(&answer.status)
                        && ABOUT_THE_MESSAGE.iter().any(|reason| said.contains(reason))
                    {
                        return Posted::Rejected(said);
                    }
                    self.trouble = Some(said);
                    match answer.status {
                        429 => retry_after(answer).unwrap_or(pause),
                        200 | 408 | 500.. => pause,
                        // The webhook is gone or the channel archived: later messages would fare no better.
                        _ => return Posted::Down,
                    }
                }
                Err(error) => {
                    self.trouble =
                        Some(format!("{:#}", error).replace(self.url.expose(), "the webhook"));
                    pause
                }
            };
            let next = Instant::now().checked_add(wait);
            if next.is_none_or(|next| next > deadline) {
                return Posted::Down;
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn said(answer: &Response) -> String {
    let words: String = answer
        .body
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    format!("HTTP {} {words}", answer.status)
        .trim_end()
        .to_owned()
}

/// In seconds. <https://docs.slack.dev/apis/web-api/rate-limits>
fn retry_after(answer: &Response) -> Option<Duration> {
    answer
        .header("retry-after")?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}
