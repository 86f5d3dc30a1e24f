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

/// Finds the transcripts of sessions by their IDs.
///
/// # Errors
/// The log group cannot be listed. What was found before is in the book.
pub(super) async fn read(
    session: &Session,
    log_group: &Rc<str>,
    wanted: Vec<usize>,
    book: &mut Book,
) -> anyhow::Result<()> {
    let client = Client::new(&session.config);
    let encrypted = is_encrypted(&client, log_group).await;
    let (mut pace, mut token) = (Pace::begin(), None);
    let (mut n_pages, mut n_found) = (0, 0);
    // Where others have many more streams there, asking for each session is less.
    while n_found < wanted.len() && n_pages <= wanted.len() - n_found {
        pace.step().await;
        let Some(page) = page(&client, log_group, None, token).await? else {
            return Ok(());
        };
        n_pages += 1;
        n_found += take(&page, log_group, encrypted, book);
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
    for place in wanted {
        let session = &book.sessions[place];
        if session.stream.is_some() {
            continue;
        }
        let id = Rc::clone(&session.id);
        pace.step().await;
        if let Some(page) = page(&client, log_group, Some(&id), None).await? {
            take(&page, log_group, encrypted, book);
        }
    }
    Ok(())
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

/// Takes what is called as a session, and returns how many there were.
fn take(
    page: &DescribeLogStreamsOutput,
    log_group: &Rc<str>,
    encrypted: Option<bool>,
    book: &mut Book,
) -> usize {
    let mut n_found = 0;
    for stream in page.log_streams() {
        let Some(place) = stream.log_stream_name().and_then(|name| book.find(name)) else {
            continue;
        };
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

/// Returns whether a log group has a KMS key, `None` where that cannot be read.
async fn is_encrypted(client: &Client, log_group: &str) -> Option<bool> {
    let request = client
        .describe_log_groups()
        .log_group_name_prefix(log_group);
    let mut groups = request.into_paginator().items().send();
    while let Some(Ok(group)) = groups.next().await {
        if group.log_group_name() == Some(log_group) {
            return Some(group.kms_key_id().is_some());
        }
    }
    None
}
