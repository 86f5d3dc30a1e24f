//! The log streams of a log group that are called as sessions.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html>

use std::rc::Rc;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::describe_log_streams::DescribeLogStreamsOutput;
use awsconf::{Session, describe};

use super::Pace;
use crate::records::sessions::{Book, Stream};

/// The most that one page has.
const PAGE: i32 = 50;

/// Finds the transcripts of sessions by their IDs, of which the places come in order. Returns why it is not known whether they are
/// encrypted, if so.
///
/// # Errors
/// The log group cannot be listed. What was found before is in the book.
pub(super) async fn read(
    session: &Session,
    log_group: &Rc<str>,
    wanted: Vec<usize>,
    book: &mut Book,
) -> anyhow::Result<Option<anyhow::Error>> {
    let client = Client::new(&session.config);
    let (encrypted, unknown) = match is_encrypted(&client, log_group).await {
        Ok(encrypted) => (encrypted, None),
        Err(error) => (None, Some(error)),
    };
    let (mut pace, mut token) = (Pace::begin(), None);
    let (mut n_pages, mut n_found) = (0, 0);
    // Where others have many more streams there, asking for each session is less.
    while n_found < wanted.len() && n_pages <= wanted.len() - n_found {
        pace.step().await;
        let Some(page) = page(&client, log_group, None, token).await? else {
            return Ok(unknown);
        };
        n_pages += 1;
        n_found += take(&page, (log_group, encrypted), &wanted, book);
        token = page.next_token;
        if token.is_none() {
            return Ok(unknown);
        }
    }
    for place in &wanted {
        let session = &book.sessions[*place];
        if session.filled_stream().is_some() {
            continue;
        }
        let id = Rc::clone(&session.id);
        pace.step().await;
        if let Some(page) = page(&client, log_group, Some(&id), None).await? {
            take(&page, (log_group, encrypted), &wanted, book);
        }
    }
    Ok(unknown)
}

/// Returns a page, `None` where there is no such log group.
async fn page(
    client: &Client,
    log_group: &str,
    prefix: Option<&str>,
    token: Option<String>,
) -> anyhow::Result<Option<DescribeLogStreamsOutput>> {
    let answer = client
        .describe_log_streams()
        .log_group_name(log_group)
        .set_log_stream_name_prefix(prefix.map(str::to_owned))
        .limit(PAGE)
        .set_next_token(token)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(describe(format!("DescribeLogStreams {log_group}"), error)),
    }
}

/// Takes what is called as one of these sessions, and returns how many had none before.
fn take(
    page: &DescribeLogStreamsOutput,
    (log_group, encrypted): (&Rc<str>, Option<bool>),
    wanted: &[usize],
    book: &mut Book,
) -> usize {
    let mut n_found = 0;
    for stream in page.log_streams() {
        let place = stream.log_stream_name().and_then(|name| book.find(name));
        let Some(place) = place.filter(|place| wanted.binary_search(place).is_ok()) else {
            continue;
        };
        if book.sessions[place].filled_stream().is_some() {
            continue;
        }
        let log_group = book.text(log_group);
        let times = [
            stream.first_event_timestamp(),
            stream.last_event_timestamp(),
            stream.last_ingestion_time(),
        ];
        n_found += usize::from(book.sessions[place].stream.is_none());
        book.sessions[place].stream = Some(Stream {
            log_group: Some(log_group),
            is_filled: times.iter().any(Option::is_some),
            encrypted,
        });
    }
    n_found
}

/// Returns whether a log group has a KMS key, `None` where there is no such log group.
///
/// # Errors
/// Log groups cannot be listed.
async fn is_encrypted(client: &Client, log_group: &str) -> anyhow::Result<Option<bool>> {
    let request = client
        .describe_log_groups()
        .log_group_name_prefix(log_group);
    let mut groups = request.into_paginator().items().send();
    while let Some(group) = groups.next().await {
        let group =
            group.map_err(|error| describe(format!("DescribeLogGroups {log_group}"), error))?;
        if group.log_group_name() == Some(log_group) {
            return Ok(Some(group.kms_key_id().is_some()));
        }
    }
    Ok(None)
}
