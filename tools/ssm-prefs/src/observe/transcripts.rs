//! Looks for the transcript of one session in the bucket and in the log group, until it is there or time is up.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use awsconf::{Deadline, Interrupt, describe, is_access_denied};

use super::Clients;
use crate::model::{Look, Places};

/// Between two looks. Agents upload when a session has ended, and send events once a second.
const PAUSE: Duration = Duration::from_secs(2);
/// A transcript of three lines is shorter.
const LONGEST: usize = 1024 * 1024;
/// Pages of a stream of three lines, and of empty ones between:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>
const MAX_PAGES: usize = 20;

const NOTHING: &str = "nothing is there";
const OTHER: &str = "it is there without what was typed";

/// What was seen in each of the places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    pub(crate) s3: Option<Look>,
    pub(crate) logs: Option<Look>,
}

impl Looks {
    /// Returns what is known when a signal came before the time was up: what is missing may be about to come.
    pub(crate) fn cut_short(self) -> Looks {
        let open = |look| match look {
            Some(Look::Missing(_)) => Some(Look::Unread("interrupted".to_owned())),
            look => look,
        };
        Looks {
            s3: open(self.s3),
            logs: open(self.logs),
        }
    }
}

/// Looks until every transcript is there, or cannot be read, or for so long.
pub(crate) async fn wait(
    clients: &Clients,
    places: &Places,
    text: &str,
    patience: Duration,
    interrupt: &Interrupt,
) -> Looks {
    let deadline = Deadline::after(patience);
    let mut looks = Looks::default();
    let (mut s3_open, mut logs_open) = (places.s3.is_some(), places.logs.is_some());
    loop {
        let is_last = deadline.has_passed();
        if let Some((bucket, key)) = places.s3.as_ref().filter(|_| s3_open) {
            let look = in_bucket(&clients.s3, bucket, key, text).await;
            // Who may not list the bucket is refused what is not there yet, so that a refusal may pass.
            s3_open = look != Look::Found;
            looks.s3 = Some(look);
        }
        if let Some((group, stream)) = places.logs.as_ref().filter(|_| logs_open) {
            let (look, may_change) = in_log_group(&clients.logs, group, stream, text).await;
            (looks.logs, logs_open) = (Some(look), may_change);
        }
        let waits = s3_open || logs_open;
        if !waits || is_last || interrupt.within(awsconf::scaled(PAUSE)).await {
            return looks;
        }
    }
}

async fn in_bucket(client: &aws_sdk_s3::Client, bucket: &str, key: &str, text: &str) -> Look {
    let call = format!("GetObject s3://{bucket}/{key}");
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let body = match object {
        Ok(object) => object.body,
        Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchBucket")) => {
            return Look::Missing(NOTHING);
        }
        Err(error) => {
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
            let hint = match is_access_denied(&error) {
                true => {
                    " (also what S3 says of an object that is not there to who may not s3:ListBucket)"
                }
                false => "",
            };
            return Look::Unread(format!("{:#}{hint}", describe(call, error)));
        }
    };
    let mut body = body;
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST {
        match body.try_next().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Look::Unread(format!("{call}: {error}")),
        }
    }
    match String::from_utf8_lossy(&bytes).contains(text) {
        true => Look::Found,
        false => Look::Missing(OTHER),
    }
}

/// Returns what one look shows, and whether another may show more.
async fn in_log_group(
    client: &aws_sdk_cloudwatchlogs::Client,
    group: &str,
    stream: &str,
    text: &str,
) -> (Look, bool) {
    let (mut token, mut n_events): (Option<String>, usize) = (None, 0);
    for _ in 0..MAX_PAGES {
        let page = client
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(true)
            .set_next_token(token.clone())
            .send()
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                return (Look::Missing(NOTHING), true);
            }
            Err(error) => {
                let may_change = !is_access_denied(&error);
                let call = format!("GetLogEvents {group} {stream}");
                let reason = format!("{:#}", describe(call, error));
                return (Look::Unread(reason), may_change);
            }
        };
        let mut messages = page.events().iter().filter_map(|event| event.message());
        if messages.any(|message| message.contains(text)) {
            return (Look::Found, false);
        }
        n_events += page.events().len();
        // The same token again marks the end.
        let next = page.next_forward_token().map(str::to_owned);
        if next.is_none() || next == token {
            break;
        }
        token = next;
    }
    let words = if n_events == 0 { NOTHING } else { OTHER };
    (Look::Missing(words), true)
}
