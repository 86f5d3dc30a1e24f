//! What lies in the objects of a bucket, read as it arrives: memory does not grow with an object.

use std::io::{Cursor, Error};
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use awsconf::describe;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::files::{Hand, Read};
use crate::records::history::{Counts, EventFilter};

/// Objects that are read at once: enough to hide the way to S3, few enough for memory to stay small.
const AT_ONCE: usize = 8;
/// Parts of an object, and of what was found in it, that may wait.
pub(super) const AHEAD: usize = 2;

/// What an object turns out to have.
pub(super) enum Part {
    Lines(String),
    /// After all of them: what was counted, and what is wrong.
    Ended(Counts, Option<String>),
}

/// Hands on the records of objects in the order of their keys.
///
/// # Errors
/// Those of `hand`. An object that cannot be read is unread and stops nothing.
pub(crate) async fn read_keys(
    client: &Client,
    bucket: &str,
    keys: Vec<String>,
    filter: &Arc<EventFilter>,
    hand: &Hand<'_>,
    read: &mut Read,
) -> anyhow::Result<()> {
    let tasks = stream::iter(keys).map(|key| {
        let (client, bucket, filter) = (client.clone(), bucket.to_owned(), filter.clone());
        let (sender, receiver) = mpsc::channel(AHEAD);
        let place = format!("s3://{bucket}/{key}");
        // A task of its own, so that unpacking one does not keep the others from arriving.
        tokio::spawn(async move { one(&client, &bucket, &key, &filter, &sender).await });
        std::future::ready((place, receiver))
    });
    let mut begun = tasks.buffered(AT_ONCE);
    while let Some((place, parts)) = begun.next().await {
        hand_on(place, parts, hand, read).await?;
    }
    Ok(())
}

/// Hands on what one object turns out to have.
///
/// # Errors
/// Those of `hand`.
pub(super) async fn hand_on(
    place: String,
    mut parts: mpsc::Receiver<Part>,
    hand: &Hand<'_>,
    read: &mut Read,
) -> anyhow::Result<()> {
    let mut has_ended = false;
    while let Some(part) = parts.recv().await {
        match part {
            Part::Lines(lines) => hand(&lines)?,
            Part::Ended(counts, problem) => {
                has_ended = true;
                read.counts.add(counts);
                read.unread
                    .extend(problem.map(|reason| (place.clone(), reason)));
            }
        }
    }
    // A panic over one object is not one over those behind it.
    if !has_ended {
        read.unread.push((place, "the reader stopped".to_owned()));
    }
    Ok(())
}

/// Finds what a filter asks for in an object. Waits where the parts are not taken.
pub(super) fn find(object: impl std::io::Read, filter: &EventFilter, found: &mpsc::Sender<Part>) {
    let hand = |lines| Ok(found.blocking_send(Part::Lines(lines))?);
    let (counts, problem) = filter.records_of(object, hand);
    // Nobody listens any more when printing has failed, which says so itself.
    let _ = found.blocking_send(Part::Ended(counts, problem));
}

/// Hands over what a filter asks for of one object, as it arrives.
async fn one(
    client: &Client,
    bucket: &str,
    key: &str,
    filter: &Arc<EventFilter>,
    found: &mpsc::Sender<Part>,
) {
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let body = match object {
        // A folder, as the console makes it.
        Ok(object) if key.ends_with('/') && object.content_length() == Some(0) => {
            let _ = found.send(Part::Ended(Counts::default(), None)).await;
            return;
        }
        Ok(object) => object.body,
        Err(error) => {
            let problem = format!("{:#}", describe("GetObject", error));
            let _ = found
                .send(Part::Ended(Counts::default(), Some(problem)))
                .await;
            return;
        }
    };
    let (filter, found) = (filter.clone(), found.clone());
    // A panic has ended the channel: that is looked at there.
    let _ = arriving(body, move |body| find(body, &filter, &found)).await;
}

/// Has something read the body of an answer as it arrives.
///
/// # Errors
/// It panicked.
pub(super) async fn arriving<T: Send + 'static>(
    mut body: ByteStream,
    read: impl FnOnce(Body) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let (parts, arrived) = mpsc::channel(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        read(Body {
            arrived,
            part: Cursor::default(),
        })
    });
    while let Some(part) = body.next().await {
        let part = part
            .map(|part| part.to_vec())
            .map_err(|error| Error::other(format!("GetObject: {error}")));
        if parts.send(part).await.is_err() {
            break;
        }
    }
    drop(parts);
    work.await
}

/// The body of an answer, for who reads and waits.
pub(super) struct Body {
    arrived: mpsc::Receiver<std::io::Result<Vec<u8>>>,
    part: Cursor<Vec<u8>>,
}

impl std::io::Read for Body {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let n_read = self.part.read(into)?;
            if n_read > 0 || into.is_empty() {
                return Ok(n_read);
            }
            match self.arrived.blocking_recv() {
                Some(part) => self.part = Cursor::new(part?),
                None => return Ok(0),
            }
        }
    }
}
