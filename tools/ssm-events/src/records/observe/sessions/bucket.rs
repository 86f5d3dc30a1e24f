//! The objects of a bucket that are called as sessions.

use std::rc::Rc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Object as Listed;
use awsconf::{Session, describe};
use futures_util::{StreamExt, stream};

use crate::records::observe::objects;
use crate::records::sessions::{Book, Object, folder, is_encrypted_since};

/// Objects that are asked for at once.
const AT_ONCE: usize = 8;

/// Finds the transcripts of sessions by their IDs, of which the places come in order. Returns why it is not known of one whether
/// it is encrypted, if so.
///
/// # Errors
/// The bucket cannot be listed. What was found before is in the book.
pub(super) async fn read(
    session: &Session,
    (bucket, prefix): (&Rc<str>, &str),
    wanted: Vec<usize>,
    book: &mut Book,
) -> anyhow::Result<Option<anyhow::Error>> {
    let client = objects::client(session, bucket).await;
    let root = folder(prefix);
    let call = || format!("ListObjectsV2 s3://{bucket}/{root}");
    let keys = || {
        wanted
            .iter()
            .map(|place| format!("{root}{}.log", book.sessions[*place].id))
    };
    // Keys come in the order of their bytes.
    let (Some(first), Some(last)) = (keys().min(), keys().max()) else {
        return Ok(None);
    };
    let mut unknown = None;
    let start_after = first.trim_end_matches('g').to_owned();
    let request = client.list_objects_v2().bucket(&**bucket).prefix(&root);
    let mut pages = request.start_after(start_after).into_paginator().send();
    let (mut n_pages, mut n_found, mut is_at_end) = (0, 0, false);
    while !is_at_end && n_found < wanted.len() {
        // Where others have many more objects there, asking for each session is less.
        if n_pages > wanted.len() - n_found {
            break;
        }
        let Some(page) = pages.next().await else {
            is_at_end = true;
            break;
        };
        let page = match page {
            Ok(page) => page,
            Err(error) if is_missing(&error) => return Ok(unknown),
            Err(error) => return Err(describe(call(), error)),
        };
        n_pages += 1;
        for object in page.contents() {
            let key = object.key().unwrap_or_default();
            is_at_end |= key > last.as_str();
            let id = key
                .strip_prefix(&root)
                .and_then(|name| name.strip_suffix(".log"));
            // The transcript of another session that is called here is where its own document has it written.
            let place = id.and_then(|id| book.find(id));
            if let Some(place) = place.filter(|place| wanted.binary_search(place).is_ok()) {
                // Versions of its document may name several places: what is empty in one may be whole in another.
                if book.sessions[place].filled_object().is_some() {
                    continue;
                }
                n_found += usize::from(book.sessions[place].object.is_none());
                let taken = take(&client, (bucket, &root), object, place, book).await;
                unknown = unknown.or(taken.err());
            }
        }
    }
    if is_at_end || n_found == wanted.len() {
        return Ok(unknown);
    }
    let missing: Vec<(usize, String)> = wanted
        .into_iter()
        .filter(|place| book.sessions[*place].filled_object().is_none())
        .map(|place| (place, format!("{root}{}.log", book.sessions[place].id)))
        .collect();
    let mut answers = stream::iter(missing)
        .map(async |(place, key)| {
            let request = client.list_objects_v2().bucket(&**bucket).prefix(&key);
            (place, request.max_keys(1).send().await, key)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((place, answer, key)) = answers.next().await {
        let answer = answer.map_err(|error| describe(call(), error))?;
        let is_it = |object: &&Listed| object.key() == Some(key.as_str());
        if let Some(object) = answer.contents().first().filter(is_it) {
            let taken = take(&client, (bucket, &root), object, place, book).await;
            unknown = unknown.or(taken.err());
        }
    }
    Ok(unknown)
}

fn is_missing<R>(
    error: &aws_sdk_s3::error::SdkError<
        aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error,
        R,
    >,
) -> bool {
    error
        .as_service_error()
        .is_some_and(|error| error.is_no_such_bucket())
}

/// Takes an object as the transcript of a session.
///
/// # Errors
/// Whether it is encrypted cannot be read. It is taken all the same.
async fn take(
    client: &Client,
    (bucket, root): (&Rc<str>, &str),
    object: &Listed,
    place: usize,
    book: &mut Book,
) -> anyhow::Result<()> {
    let key = object.key().unwrap_or_default();
    let modified = object.last_modified().map(|date| date.secs());
    let encrypted = match modified.and_then(is_encrypted_since) {
        Some(encrypted) => Ok(encrypted),
        None => {
            let head = client.head_object().bucket(&**bucket).key(key).send().await;
            head.map(|head| head.server_side_encryption().is_some())
                .map_err(|error| describe(format!("HeadObject s3://{bucket}/{key}"), error))
        }
    };
    let (bucket, folder) = (book.text(bucket), book.text(root));
    book.sessions[place].object = Some(Object {
        bucket: Some(bucket),
        folder,
        bytes: object
            .size()
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or(0),
        encrypted: encrypted.as_ref().ok().copied(),
    });
    encrypted.map(|_| ())
}
