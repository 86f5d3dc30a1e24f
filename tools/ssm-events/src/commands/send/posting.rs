//! One message at a time to one destination: its pace, and again while that can help. The destinations differ only in what one
//! attempt is, and in what its answer means.

use std::time::Duration;

use tokio::time::Instant;

use super::answer::Answer;
use super::https::Https;
use super::slack::{Bot, Webhook};
use super::spool::{Form, Queued};
use super::topic::SnsTopic;

/// The first pause after a failure; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A pause that a service asks for and that is longer is taken for a mistake.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// Where messages go.
#[derive(Debug)]
pub(crate) enum Transport {
    Webhook(Webhook),
    Bot(Bot),
    Https(Https),
    Topic(SnsTopic),
    /// One whose secrets cannot be read: what is for it waits.
    Closed(Closed),
}

/// What is known of a destination that cannot be opened.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(super) form: Form,
    pub(super) why: String,
}

impl Transport {
    fn form(&self) -> Form {
        match self {
            Transport::Webhook(_) | Transport::Bot(_) => Form::Slack,
            Transport::Https(_) => Form::Json,
            Transport::Topic(_) => Form::Topic,
            Transport::Closed(closed) => closed.form,
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    Taken {
        /// Its timestamp, where there are threads.
        thread: Option<String>,
        /// Whether an earlier attempt had no answer, so that it may be there twice.
        is_doubtful: bool,
    },
    /// It will never be taken.
    Rejected(String),
    /// Nothing is taken now.
    Down,
}

/// A destination, and when it may be called again.
#[derive(Debug)]
pub(crate) struct Poster {
    transport: Transport,
    interval: Duration,
    retry_for: Duration,
    not_before: Option<Instant>,
    /// Until when the service wants no request.
    paused_until: Option<Instant>,
    trouble: Option<String>,
    is_certain: bool,
}

impl Poster {
    /// Returns a destination that is called every `interval` seconds at most, and tried for `retry_for` seconds;
    /// `since_last` is how long ago it was last called.
    pub(crate) fn new(
        transport: Transport,
        interval: f64,
        retry_for: f64,
        since_last: Option<Duration>,
    ) -> Poster {
        let interval = duration(interval);
        let wait = since_last.map(|since| interval.saturating_sub(since));
        Poster {
            transport,
            interval,
            retry_for: duration(retry_for),
            not_before: wait.map(|wait| Instant::now() + wait),
            paused_until: None,
            trouble: None,
            is_certain: true,
        }
    }

    /// Returns how people call the service.
    pub(crate) fn service(&self) -> &'static str {
        match self.transport.form() {
            Form::Slack => "Slack",
            Form::Json => "the URL",
            Form::Topic => "Amazon SNS",
        }
    }

    /// Returns why a message is not even tried, if it is not.
    pub(crate) fn refusal(&mut self, queued: &Queued) -> Option<String> {
        let form = self.transport.form();
        let why = match &self.transport {
            Transport::Closed(closed) => closed.why.clone(),
            _ if queued.form.is_none_or(|other| other == form) => return None,
            _ => "what waits was made for another kind of destination: send its record again, which makes the message anew"
                .to_owned(),
        };
        self.trouble = Some(why.clone());
        Some(why)
    }

    /// Waits until the next message may be sent.
    pub(crate) async fn wait(&self) {
        // Even a moment that has passed would cost the timer's millisecond.
        if let Some(not_before) = self.not_before.filter(|moment| *moment > Instant::now()) {
            tokio::time::sleep_until(not_before).await;
        }
    }

    /// Returns until when the service wants no request, if it has said so.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.paused_until.filter(|moment| *moment > Instant::now())
    }

    /// Returns when a service that is down is tried again: after this time, and not before the pause that it has asked for.
    pub(super) fn rests_until(&self, rest: Duration) -> Instant {
        let rested = Instant::now() + rest;
        self.paused_until
            .map_or(rested, |paused| paused.max(rested))
    }

    /// Returns whether it could be opened.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.transport, Transport::Closed(_))
    }

    /// Returns what went wrong last; it never has a secret in it.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.transport {
            Transport::Closed(closed) => Some(&closed.why),
            _ => self.trouble.as_deref(),
        }
    }

    /// Returns whether all attempts at the last message were certainly not taken: without an answer one may have been.
    pub(crate) fn is_certain(&self) -> bool {
        self.is_certain
    }

    /// Sends a message, again and again while that can help; `thread` is the timestamp of the message that it answers.
    pub(crate) async fn post(&mut self, queued: &Queued, thread: Option<&str>) -> Posted {
        let deadline = Instant::now() + self.retry_for;
        let mut pause = PAUSE;
        self.is_certain = true;
        loop {
            let answer = self.attempt(queued, thread).await;
            self.not_before = Some(Instant::now() + self.interval);
            let wait = match answer {
                Answer::Taken(thread) => {
                    return Posted::Taken {
                        thread,
                        is_doubtful: !self.is_certain,
                    };
                }
                Answer::Rejected(said) => return Posted::Rejected(said),
                Answer::Down(said) => {
                    self.trouble = Some(said);
                    return Posted::Down;
                }
                Answer::Later {
                    said,
                    pause: asked,
                    is_certain,
                } => {
                    self.trouble = Some(said);
                    self.is_certain &= is_certain;
                    self.keep_pause(asked);
                    asked.unwrap_or(pause).max(PAUSE)
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

    /// Keeps the pause that a service has asked for.
    fn keep_pause(&mut self, asked: Option<Duration>) {
        self.paused_until = asked.map(|asked| Instant::now() + asked.min(LONGEST_ASKED));
    }

    async fn attempt(&mut self, queued: &Queued, thread: Option<&str>) -> Answer {
        let message = queued.message.get();
        match &mut self.transport {
            Transport::Webhook(webhook) => webhook.attempt(message).await,
            Transport::Bot(bot) => bot.attempt(message, thread).await,
            Transport::Https(https) => https.attempt(message).await,
            Transport::Topic(topic) => topic.attempt(&queued.event_id, message).await,
            Transport::Closed(closed) => Answer::Down(closed.why.clone()),
        }
    }
}

/// Sleeps for what is left until a moment.
pub(super) async fn until(moment: Instant) {
    tokio::time::sleep_until(moment).await;
}

/// Returns seconds as a duration.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Closed, Form, Poster, Transport};

    #[test]
    fn a_service_is_not_asked_again_before_the_pause_that_it_has_asked_for() {
        let closed = Closed {
            form: Form::Slack,
            why: String::new(),
        };
        let mut poster = Poster::new(Transport::Closed(closed), 0.0, 0.0, None);
        let (now, rest) = (Instant::now(), Duration::from_secs(60));
        assert!(poster.rests_until(rest) >= now + rest && poster.paused_until().is_none());
        for (asked, expected) in [(3_600, 3_600), (5, 60)] {
            poster.paused_until = Some(now + Duration::from_secs(asked));
            assert!(poster.rests_until(rest) >= now + Duration::from_secs(expected));
            assert!(poster.paused_until().is_some());
        }
        poster.paused_until = Some(now);
        assert!(poster.paused_until().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_asked_for_is_kept_for_a_day_at_most() {
        let closed = Closed {
            form: Form::Slack,
            why: String::new(),
        };
        let mut poster = Poster::new(Transport::Closed(closed), 0.0, 0.0, None);
        let day = Duration::from_secs(86_400);
        for (asked, kept) in [
            (day / 2, day / 2),
            (day, day),
            (day * 30, day),
            (Duration::MAX, day),
        ] {
            poster.keep_pause(Some(asked));
            assert_eq!(poster.paused_until(), Some(Instant::now() + kept));
        }
        poster.keep_pause(None);
        assert_eq!(poster.paused_until(), None);
    }
}
