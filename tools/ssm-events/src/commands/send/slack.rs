//! Slack: an incoming webhook, or a bot that posts into a channel and keeps threads.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, errors:
//! <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>, bots:
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

use awsconf::{HttpClient, Request, Response};
use serde_json::{Value, json};

use super::answer::{Answer, TIMEOUT, heard, is_refusal, retry_after, said};
use super::spool::Address;
use crate::alerts::hidden::Hidden;
use crate::alerts::webhook::Url;

/// The body of the answer by which a webhook takes a message.
const TAKEN: &str = "ok";

/// What Slack says of a message that it will never take. Any other refusal is about the webhook, the token or the channel.
const ABOUT_THE_MESSAGE: [&str; 12] = [
    "invalid_payload",
    "no_text",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_attachments",
    "too_many_attachments",
    "attachment_payload_limit_exceeded",
    "msg_blocks_too_long",
    "msg_too_long",
    "markdown_text_conflict",
    "invalid_metadata_format",
    "metadata_too_large",
];

/// What Slack says of a message that a webhook has not taken, in words of its own; any other error may be that of a proxy.
const NOT_TAKEN: [&str; 2] = ["rollup_error", "service_unavailable"];

/// What passes by itself.
const PASSES: [&str; 6] = [
    "ratelimited",
    "rate_limited",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
    "message_limit_exceeded",
];

/// "It's possible some aspect of the operation succeeded before the error was raised."
const IN_DOUBT: [&str; 2] = ["fatal_error", "internal_error"];

/// That the message which a reply is to is gone, or takes none.
const WITHOUT_THREAD: [&str; 4] = [
    "thread_not_found",
    "message_not_found",
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
];

/// An incoming webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: Url,
    hidden: Hidden,
    plain: HttpClient,
}

impl Webhook {
    pub(crate) fn new(url: Url) -> anyhow::Result<Webhook> {
        Ok(Webhook {
            hidden: url.hidden(),
            plain: HttpClient::new()?,
            url,
        })
    }

    /// Returns what names the URL.
    pub(super) fn address(&self) -> Address {
        Address::of(&self.url.sha256())
    }

    pub(super) async fn attempt(&self, message: &str) -> Answer {
        let request = Request {
            method: "POST",
            url: self.url.expose().to_owned(),
            body: Some(message.to_owned()),
            headers: Vec::new(),
            timeout: Some(TIMEOUT),
        };
        let answer = match self.plain.send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let said = self.hidden.hide(&format!("{error:#}"));
                return Answer::without(&error, said);
            }
        };
        // A proxy answers with 200 as well, and so does Slack's other API.
        if answer.status == 200 && answer.body.trim() == TAKEN {
            return Answer::Taken(None);
        }
        let said = said(&answer, &self.hidden);
        let heard = heard(&answer);
        let is_one_of = |words: &[&str]| words.iter().any(|word| heard.contains(word));
        let is_about_it = is_one_of(&ABOUT_THE_MESSAGE);
        if [200, 400].contains(&answer.status) && is_about_it {
            return Answer::Rejected(said);
        }
        match answer.status {
            200 | 408 | 429 | 500.. => Answer::Later {
                said,
                pause: retry_after(&answer).filter(|_| answer.status == 429),
                is_certain: is_refusal(answer.status) || is_one_of(&NOT_TAKEN),
            },
            // The webhook is gone or the channel archived: later messages would fare no better.
            _ => Answer::Down(said),
        }
    }
}

/// A bot in one channel.
pub(crate) struct Bot {
    token: String,
    channel: String,
    url: String,
    hidden: Hidden,
    plain: HttpClient,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a bot in {}", self.channel)
    }
}

impl Bot {
    /// Returns a bot; `api` is where the methods of the Web API are.
    pub(crate) fn new(token: String, channel: &str, api: &str) -> anyhow::Result<Bot> {
        Ok(Bot {
            hidden: Hidden::default().value(&token),
            token,
            channel: channel.to_owned(),
            url: format!("{api}/chat.postMessage"),
            plain: HttpClient::new()?,
        })
    }

    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// Posts a message, as a reply where there is one to reply to. A reply to what is gone begins a thread of its own.
    pub(super) async fn attempt(&self, message: &str, thread: Option<&str>) -> Answer {
        let Ok(mut body) = serde_json::from_str::<Value>(message) else {
            return Answer::Rejected("the message is not JSON".to_owned());
        };
        if !body.is_object() {
            return Answer::Rejected("the message is not an object".to_owned());
        }
        body["channel"] = json!(self.channel);
        // What a caller could shape must not be fetched by Slack.
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        if let Some(thread) = thread {
            body["thread_ts"] = json!(thread);
        }
        let answer = match self.send(&body).await {
            Ok(answer) => answer,
            Err(unanswered) => return unanswered,
        };
        match (self.judge(&answer), thread) {
            (Err(gone), Some(_)) if WITHOUT_THREAD.contains(&gone.as_str()) => {
                if let Some(body) = body.as_object_mut() {
                    body.remove("thread_ts");
                }
                match self.send(&body).await {
                    Ok(answer) => self
                        .judge(&answer)
                        .unwrap_or_else(|_| Answer::Down(said(&answer, &self.hidden))),
                    Err(unanswered) => unanswered,
                }
            }
            (Err(_), _) => Answer::Down(said(&answer, &self.hidden)),
            // Further replies are to the message itself, never to a reply.
            (Ok(Answer::Taken(_)), Some(_)) => Answer::Taken(None),
            (Ok(answer), _) => answer,
        }
    }

    async fn send(&self, body: &Value) -> Result<Response, Answer> {
        let bearer = format!("Bearer {}", self.token);
        let request = Request {
            method: "POST",
            url: self.url.clone(),
            body: Some(body.to_string()),
            headers: vec![("authorization".to_owned(), bearer)],
            timeout: Some(TIMEOUT),
        };
        let sent = self.plain.send(request).await;
        sent.map_err(|error| {
            let said = self.hidden.hide(&format!("{error:#}"));
            Answer::without(&error, said)
        })
    }

    /// Returns what an answer means, or the error of Slack that only somebody can cure. Only `"ok": true` is a delivery: the status is
    /// 200 for refusals, too.
    fn judge(&self, answer: &Response) -> Result<Answer, String> {
        let said = said(answer, &self.hidden);
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status == 200 && body["ok"] == true {
            let thread = body["ts"].as_str().map(str::to_owned);
            return Ok(Answer::Taken(thread));
        }
        let error = body["error"].as_str().unwrap_or_default();
        if body["ok"] == false && ABOUT_THE_MESSAGE.contains(&error) {
            return Ok(Answer::Rejected(said));
        }
        let is_documented = PASSES.contains(&error);
        match answer.status {
            _ if IN_DOUBT.contains(&error) => Ok(Answer::unanswered(said)),
            // Not Slack: a proxy, which may have sent on what it answers itself.
            200 if body["ok"] != false => Ok(Answer::unanswered(said)),
            status if is_documented || matches!(status, 408 | 429 | 500..) => Ok(Answer::Later {
                said,
                pause: retry_after(answer),
                is_certain: is_documented || is_refusal(status),
            }),
            _ => Err(error.to_owned()),
        }
    }
}
