//! Where log files and digests lie: a bucket, or a copy of one. Lists them in the order of their days, a page at a time.

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::Context;
use aws_sdk_s3::Client;
use awsconf::describe;

use super::objects::Prefix;
use crate::records::integrity::{Flaw, Naming, day};

/// A file that is listed, or that a digest names.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What it is known by.
    pub(crate) id: String,
    /// The day of its folder, or of its name.
    pub(crate) day: String,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Object {
        client: Client,
        bucket: String,
        key: String,
    },
    File(PathBuf),
    /// A digest names it, and it is not in the copy.
    Nowhere(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Object { bucket, key, .. } => write!(f, "s3://{bucket}/{key}"),
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Nowhere(name) => f.write_str(name),
        }
    }
}

/// What lies in a place.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// The signature in the metadata of a digest.
    pub(crate) signature: Option<String>,
}

impl Place {
    /// Reads the whole of it.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub(crate) async fn read(&self) -> Result<Content, Flaw> {
        match self {
            Place::Nowhere(_) => Err(Flaw::missing("a digest names it, and it is not here")),
            Place::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                let bytes = read.map_err(|panic| Flaw::unproved(panic.to_string()))?;
                Ok(Content {
                    bytes: bytes.map_err(|error| Flaw::unproved(error.to_string()))?,
                    signature: None,
                })
            }
            Place::Object {
                client,
                bucket,
                key,
            } => object(client, bucket, key).await,
        }
    }
}

async fn object(client: &Client, bucket: &str, key: &str) -> Result<Content, Flaw> {
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let object = object.map_err(|error| {
        let is_missing = error
            .as_service_error()
            .is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key);
        match is_missing {
            true => Flaw::missing("a digest names it, and it is not in the bucket"),
            false => Flaw::unproved(format!("{:#}", describe("GetObject", error))),
        }
    })?;
    let metadata = object.metadata.as_ref();
    let signature = metadata.and_then(|all| all.get("signature")).cloned();
    let bytes = object.body.collect().await.context("GetObject");
    let bytes = bytes.map_err(|error| Flaw::unproved(format!("{error:#}")))?;
    Ok(Content {
        bytes: bytes.to_vec(),
        signature,
    })
}

/// A listing of log files or of digests.
pub(crate) struct Listing {
    waiting: VecDeque<Item>,
    pages: Option<Pages>,
    last_day: Option<String>,
    /// Of a bucket: for objects that are named, and not listed.
    client: Option<Client>,
}

struct Pages {
    client: Client,
    bucket: String,
    prefix: String,
    start_after: Option<String>,
    token: Option<String>,
    is_first: bool,
}

impl Listing {
    /// Lists files of a copy, which are in the order of their days.
    pub(crate) fn of_files(items: Vec<Item>, last_day: Option<String>) -> Listing {
        Listing {
            waiting: items.into(),
            pages: None,
            last_day,
            client: None,
        }
    }

    /// Lists the objects under a prefix, from a day on.
    pub(crate) fn of_bucket(
        client: &Client,
        bucket: &str,
        prefix: &Prefix,
        days: (Option<String>, Option<String>),
    ) -> Listing {
        let (first, last_day) = days;
        let start_after = first.map(|day| format!("{}{day}", prefix.prefix));
        Listing {
            waiting: VecDeque::new(),
            pages: Some(Pages {
                client: client.clone(),
                bucket: bucket.to_owned(),
                prefix: prefix.prefix.clone(),
                start_after,
                token: None,
                is_first: true,
            }),
            last_day,
            client: Some(client.clone()),
        }
    }

    /// Returns where a file is that a digest names, though it is not listed.
    pub(crate) fn unlisted(&self, id: &str) -> Place {
        let object = id
            .strip_prefix("s3://")
            .and_then(|rest| rest.split_once('/'));
        match self.client.clone().zip(object) {
            Some((client, (bucket, key))) => Place::Object {
                client,
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            },
            None => Place::Nowhere(id.to_owned()),
        }
    }

    /// Returns the day of the next file; `None` at the end.
    ///
    /// # Errors
    /// It cannot be listed.
    pub(crate) async fn next_day(&mut self) -> anyhow::Result<Option<String>> {
        while self.waiting.is_empty() {
            let Some(pages) = &mut self.pages else {
                return Ok(None);
            };
            self.waiting = pages.next().await?;
            if pages.token.is_none() {
                self.pages = None;
            }
        }
        let day = self.waiting.front().map(|item| item.day.clone());
        let is_past = day.as_ref().zip(self.last_day.as_ref());
        Ok(match is_past.is_some_and(|(day, last)| day > last) {
            true => None,
            false => day,
        })
    }

    /// Returns the files of the days up to one.
    ///
    /// # Errors
    /// It cannot be listed.
    pub(crate) async fn take(&mut self, through: &str) -> anyhow::Result<Vec<Item>> {
        let mut taken = Vec::new();
        while let Some(day) = self.next_day().await? {
            if day.as_str() > through {
                break;
            }
            taken.extend(self.waiting.pop_front());
        }
        Ok(taken)
    }
}

impl Pages {
    async fn next(&mut self) -> anyhow::Result<VecDeque<Item>> {
        let (bucket, prefix) = (&self.bucket, &self.prefix);
        let request = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        let request = match self.is_first {
            true => request.set_start_after(self.start_after.take()),
            false => request.set_continuation_token(self.token.take()),
        };
        self.is_first = false;
        let page = request
            .send()
            .await
            .map_err(|error| describe(format!("ListObjectsV2 s3://{bucket}/{prefix}"), error))?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        let items = keys.map(|key| Item {
            id: Naming::Object.id(bucket, key),
            day: day(key).unwrap_or_default(),
            place: Place::Object {
                client: self.client.clone(),
                bucket: bucket.clone(),
                key: key.to_owned(),
            },
        });
        let items = items.collect();
        self.token = page.next_continuation_token;
        Ok(items)
    }
}
