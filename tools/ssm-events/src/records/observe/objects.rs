//! Log files in S3, of one account or an organization.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

use std::sync::Arc;

use anyhow::{Context, bail};
use aws_sdk_s3::Client;
use awsconf::{Session, describe};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::files::{Hand, Read};
use crate::records::history::{Counts, EventFilter};

/// Objects that are read at once: enough to hide the way to S3, few enough for memory to stay small.
const AT_ONCE: usize = 8;
/// CloudTrail delivers "typically .. within an average of about 5 minutes of an API call. This time is not guaranteed":
/// a call late in the day may lie in the next day's files.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// Where a trail's files begin: what stands before `AWSLogs/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Location {
    pub(crate) bucket: String,
    /// Empty, or ends with `/`.
    pub(crate) prefix: String,
}

impl std::str::FromStr for S3Location {
    type Err = String;

    fn from_str(text: &str) -> Result<S3Location, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or("expected s3://BUCKET or s3://BUCKET/PREFIX")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("expected s3://BUCKET or s3://BUCKET/PREFIX".to_owned());
        }
        let prefix = prefix
            .trim_end_matches('/')
            .trim_end_matches("AWSLogs")
            .trim_end_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        Ok(S3Location {
            bucket: bucket.to_owned(),
            prefix,
        })
    }
}

/// One account's files of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) account: String,
    pub(crate) region: String,
    /// `AWSLogs/111122223333/CloudTrail/eu-central-1/`, with the prefix.
    pub(crate) prefix: String,
}

/// Returns a client in the bucket's own region.
///
/// # Errors
/// None yet; the first read shows it.
pub(crate) async fn client(session: &Session, bucket: &str) -> Client {
    let client = Client::new(&session.config);
    let located = client.get_bucket_location().bucket(bucket).send().await;
    // Who may not ask may still be in the right region.
    let Ok(located) = located else {
        return client;
    };
    // us-east-1 has no constraint, and an old one is called EU.
    let region = match located
        .location_constraint()
        .map(|constraint| constraint.as_str())
    {
        None | Some("") => "us-east-1",
        Some("EU") => "eu-west-1",
        Some(region) => region,
    };
    let config = aws_sdk_s3::config::Builder::from(&session.config)
        .region(aws_sdk_s3::config::Region::new(region.to_owned()));
    Client::from_conf(config.build())
}

/// Returns the accounts and regions that a trail has files of, as far as they are asked for.
///
/// # Errors
/// The bucket cannot be listed, or has no such files.
pub(crate) async fn prefixes(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
    regions: &[String],
) -> anyhow::Result<Vec<Prefix>> {
    let mut prefixes = Vec::new();
    for account in account_folders(client, place, accounts).await? {
        prefixes.extend(
            account
                .regions(client, place, "CloudTrail", regions)
                .await?,
        );
    }
    if prefixes.is_empty() {
        bail!(
            "s3://{}/{}AWSLogs/ has no CloudTrail files of the accounts and regions asked for",
            place.bucket,
            place.prefix
        );
    }
    Ok(prefixes)
}

/// What a bucket has of one account.
pub(crate) struct AccountFolder {
    account: String,
    /// `AWSLogs/111122223333/`, with the prefix.
    prefix: String,
}

/// Returns the accounts that a bucket has files of, as far as they are asked for.
///
/// # Errors
/// The bucket cannot be listed.
pub(crate) async fn account_folders(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
) -> anyhow::Result<Vec<AccountFolder>> {
    let root = format!("{}AWSLogs/", place.prefix);
    let mut found = Vec::new();
    for folder in folders(client, &place.bucket, &root).await? {
        let prefix = format!("{root}{folder}/");
        if folder.starts_with("o-") {
            // A trail of the organization.
            let inner = folders(client, &place.bucket, &prefix).await?;
            found.extend(inner.into_iter().map(|account| AccountFolder {
                prefix: format!("{prefix}{account}/"),
                account,
            }));
        } else {
            found.push(AccountFolder {
                prefix,
                account: folder,
            });
        }
    }
    found.retain(|one| accounts.is_empty() || accounts.contains(&one.account));
    Ok(found)
}

impl AccountFolder {
    /// Returns the regions of one kind of files, such as `CloudTrail`, as far as they are asked for.
    ///
    /// # Errors
    /// The bucket cannot be listed.
    pub(crate) async fn regions(
        &self,
        client: &Client,
        place: &S3Location,
        kind: &str,
        regions: &[String],
    ) -> anyhow::Result<Vec<Prefix>> {
        let root = format!("{}{kind}/", self.prefix);
        let mut found = folders(client, &place.bucket, &root).await?;
        found.retain(|region| regions.is_empty() || regions.contains(region));
        let prefixes = found.iter().map(|region| self.prefix(kind, region));
        Ok(prefixes.collect())
    }

    /// Returns where one kind of files of a region is.
    pub(crate) fn prefix(&self, kind: &str, region: &str) -> Prefix {
        Prefix {
            account: self.account.clone(),
            region: region.to_owned(),
            prefix: format!("{}{kind}/{region}/", self.prefix),
        }
    }
}

/// Returns the names right below a prefix.
async fn folders(client: &Client, bucket: &str, prefix: &str) -> anyhow::Result<Vec<String>> {
    let mut pages = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .delimiter("/")
        .into_paginator()
        .send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| describe(format!("ListObjectsV2 s3://{bucket}/{prefix}"), error))?;
        for folder in page.common_prefixes() {
            let name = folder
                .prefix()
                .and_then(|folder| folder.strip_prefix(prefix));
            names.extend(name.map(|name| name.trim_end_matches('/').to_owned()));
        }
    }
    Ok(names)
}

/// Hands on the records of shelves that a filter asks for, day by day.
///
/// # Errors
/// A listing fails, or those of `hand`. An object that cannot be read is in the answer and stops nothing.
pub(crate) async fn read(
    client: &Client,
    bucket: &str,
    prefixes: &[Prefix],
    filter: &EventFilter,
    hand: &Hand<'_>,
) -> anyhow::Result<Read> {
    let filter = Arc::new(filter.clone());
    let mut read = Read::default();
    for prefix in prefixes {
        let (start, end) = days(&filter);
        let request = client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(&prefix.prefix);
        let request = request.set_start_after(start.map(|day| format!("{}{day}", prefix.prefix)));
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                describe(
                    format!("ListObjectsV2 s3://{bucket}/{}", prefix.prefix),
                    error,
                )
            })?;
            let keys: Vec<String> = page
                .contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned))
                .collect();
            let is_past = |key: &String| {
                let day = key
                    .strip_prefix(&prefix.prefix)
                    .and_then(|rest| rest.get(..10));
                end.as_deref().zip(day).is_some_and(|(end, day)| day > end)
            };
            let is_last = keys.last().is_some_and(is_past);
            let wanted: Vec<String> = keys.into_iter().filter(|key| !is_past(key)).collect();
            read_keys(client, bucket, wanted, &filter, hand, &mut read).await?;
            if is_last {
                break;
            }
        }
    }
    Ok(read)
}

/// Hands on the records of objects in the order of their keys.
///
/// # Errors
/// As [`read`].
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
        // A task of its own, so that unpacking one does not keep the others from arriving.
        tokio::spawn(async move {
            let (lines, counts, problem) = one(&client, &bucket, &key, &filter).await;
            (key, lines, counts, problem)
        })
    });
    let mut done = tasks.buffered(AT_ONCE);
    while let Some((key, lines, counts, problem)) =
        done.try_next().await.context("read an object")?
    {
        hand(&lines)?;
        read.counts.add(counts);
        read.unread
            .extend(problem.map(|reason| (format!("s3://{bucket}/{key}"), reason)));
    }
    Ok(())
}

async fn one(
    client: &Client,
    bucket: &str,
    key: &str,
    filter: &Arc<EventFilter>,
) -> (String, Counts, Option<String>) {
    let got = async {
        let object = client.get_object().bucket(bucket).key(key).send().await;
        let object = object.map_err(|error| describe("GetObject", error))?;
        anyhow::Ok(
            object
                .body
                .collect()
                .await
                .context("GetObject")?
                .into_bytes(),
        )
    };
    let bytes = match got.await {
        Ok(bytes) => bytes,
        Err(error) => return (String::new(), Counts::default(), Some(format!("{error:#}"))),
    };
    let filter = filter.clone();
    let unpacked = tokio::task::spawn_blocking(move || filter.records_of(bytes.as_ref()));
    unpacked
        .await
        .unwrap_or_else(|panic| (String::new(), Counts::default(), Some(panic.to_string())))
}

/// Returns the first and last day whose files may have what is asked for, as keys write days.
pub(crate) fn days(filter: &EventFilter) -> (Option<String>, Option<String>) {
    let day = |time: Timestamp| time.strftime("%Y/%m/%d").to_string();
    let last = filter
        .until
        .map(|until| until.saturating_add(LATE).unwrap_or(until));
    (filter.since.map(day), last.map(day))
}
