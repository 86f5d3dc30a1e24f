//! Where log files and digests lie: a bucket, or a copy of one. Lists them in the order of their days, a page at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use awsconf::describe;
use tempfile::SpooledTempFile;

use super::bodies::arriving;
use super::objects::Prefix;
use crate::records::integrity::{Flaw, Naming, is_day};

/// The largest real digest has some megabytes, as CloudTrail writes one an hour; a log file has fewer.
pub(crate) const LARGEST: u64 = 64 * 1024 * 1024;

/// What is longer waits on the disk and not in memory: as files are read eight at once. Most log files are shorter.
const LONGEST_IN_MEMORY: usize = 1024 * 1024;

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
    /// At its beginning.
    pub(crate) bytes: SpooledTempFile,
    /// The signature in the metadata of a digest.
    pub(crate) signature: Option<String>,
    /// When a backfill digest was made and signed, which is long after its end.
    pub(crate) generated: Option<String>,
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
                let read = tokio::task::spawn_blocking(move || of_file(&path)).await;
                Ok(Content {
                    bytes: read.map_err(|panic| Flaw::unproved(panic.to_string()))??,
                    signature: None,
                    generated: None,
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

fn too_large() -> Flaw {
    Flaw::unproved(format!(
        "it was not read: it has more than {} MiB, and CloudTrail delivers none as large",
        LARGEST / 1024 / 1024
    ))
}

fn of_file(path: &Path) -> Result<SpooledTempFile, Flaw> {
    let unread = |error: std::io::Error| Flaw::unproved(error.to_string());
    kept(std::fs::File::open(path).map_err(unread)?)
}

/// Keeps a copy: what is compared must be what is read afterwards, and the file may change in between.
fn kept(from: impl Read) -> Result<SpooledTempFile, Flaw> {
    let unread = |error: std::io::Error| Flaw::unproved(error.to_string());
    let mut bytes = tempfile::spooled_tempfile(LONGEST_IN_MEMORY);
    let copied = std::io::copy(&mut from.take(LARGEST + 1), &mut bytes);
    if copied.map_err(unread)? > LARGEST {
        return Err(too_large());
    }
    bytes.rewind().map_err(unread)?;
    Ok(bytes)
}

async fn object(client: &Client, bucket: &str, key: &str) -> Result<Content, Flaw> {
    let object = client.get_object().bucket(bucket).key(key).send().await;
    let mut object = object.map_err(|error| {
        let is_missing = error
            .as_service_error()
            .is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key);
        match is_missing {
            true => Flaw::missing("a digest names it, and it is not in the bucket"),
            false => Flaw::unproved(format!("{:#}", describe("GetObject", error))),
        }
    })?;
    let metadata = object.metadata.take().unwrap_or_default();
    let of_name = |name: &str| metadata.get(name).cloned();
    let bytes = arriving(object.body, kept).await;
    Ok(Content {
        bytes: bytes.map_err(|panic| Flaw::unproved(panic.to_string()))??,
        signature: of_name("signature"),
        generated: of_name("backfill-generation-timestamp"),
    })
}

/// A folder that cannot be listed to its end.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub(crate) struct Unlisted {
    pub(crate) place: String,
    pub(crate) reason: String,
}

/// A listing of log files or of digests.
pub(crate) struct Listing {
    waiting: VecDeque<Item>,
    pages: Option<Pages>,
    last_day: Option<String>,
    /// Of a bucket: for objects that are named, and not listed.
    client: Option<Client>,
    /// Of a copy: log files of other days, which a digest may name all the same.
    outside: BTreeMap<String, PathBuf>,
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
            outside: BTreeMap::new(),
        }
    }

    /// Adds log files by name that are only looked at if a digest names them.
    pub(crate) fn with(self, outside: BTreeMap<String, PathBuf>) -> Listing {
        Listing { outside, ..self }
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
            outside: BTreeMap::new(),
        }
    }

    /// Returns where a file is that a digest names, though it is not listed.
    pub(crate) fn unlisted(&self, id: &str) -> Place {
        if let Some(path) = self.outside.get(id) {
            return Place::File(path.clone());
        }
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
        let page = request.send().await.map_err(|error| Unlisted {
            place: format!("s3://{bucket}/{prefix}"),
            reason: format!("{:#}", describe("ListObjectsV2", error)),
        })?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        let items = keys.map(|key| Item {
            id: Naming::Object.id(bucket, key),
            // The folder right below the Region, by which keys are in order: another one deeper down would end the listing.
            day: key
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.get(..10))
                .filter(|day| is_day(day))
                .map_or_else(String::new, str::to_owned),
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{LARGEST, LONGEST_IN_MEMORY, kept, of_file};

    #[test]
    fn what_is_larger_than_any_file_of_cloudtrail_is_not_read_and_not_proved() {
        let path = std::env::temp_dir().join(format!("ssm-events-large-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(LARGEST + 1).unwrap();
        let flaw = of_file(&path).unwrap_err();
        assert_eq!(flaw.status, records::IntegrityStatus::Unproved);
        assert!(flaw.message.contains("more than 64 MiB"));
        file.set_len(1).unwrap();
        let mut small = Vec::new();
        of_file(&path).unwrap().read_to_end(&mut small).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(small, [0]);
    }

    #[test]
    fn what_is_long_waits_on_the_disk() {
        let length = LONGEST_IN_MEMORY as u64;
        let of = |length| kept(std::io::repeat(7).take(length)).unwrap();
        assert!(!of(length).is_rolled());
        let mut long = of(length + 1);
        assert!(long.is_rolled());
        let mut bytes = Vec::new();
        assert_eq!(long.read_to_end(&mut bytes).unwrap() as u64, length + 1);
        assert!(bytes.iter().all(|byte| *byte == 7));
    }
}
