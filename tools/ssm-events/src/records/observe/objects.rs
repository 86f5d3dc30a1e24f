//! Log files in S3, of one account or an organization.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use awsconf::{Session, describe};
use jiff::{SignedDuration, Timestamp};

use super::bodies::read_keys;
use super::files::{Hand, Read};
use crate::records::history::EventFilter;

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

impl S3Location {
    /// Returns what the folders of the accounts are in.
    pub(crate) fn root(&self) -> String {
        format!("s3://{}/{}AWSLogs/", self.bucket, self.prefix)
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
    let head = Client::new(&session.config).head_bucket().bucket(bucket);
    let head = head.send().await;
    let region = head.as_ref().map(HeadBucketOutput::bucket_region);
    Client::new(&awsconf::at_bucket(session, region).config)
}

/// Returns the accounts and regions that a trail has files of, as far as they are asked for. What cannot be listed, and what is
/// asked for and has no folder, is unread: a missing file does not prove that nothing was done.
pub(crate) async fn prefixes(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
    regions: &[String],
    read: &mut Read,
) -> Vec<Prefix> {
    let n_unread = read.unread.len();
    let mut prefixes = Vec::new();
    for account in account_folders(client, place, accounts, read).await {
        let found = account.regions(client, place, "CloudTrail", regions, read);
        prefixes.extend(found.await);
    }
    // What could not be listed is not said to be absent.
    if read.unread.len() == n_unread {
        read.unread
            .extend(absent(place, &prefixes, accounts, regions));
    }
    prefixes
}

/// Returns what is asked for and has no folder.
fn absent(
    place: &S3Location,
    prefixes: &[Prefix],
    accounts: &[String],
    regions: &[String],
) -> Vec<(String, String)> {
    let has = |account: Option<&String>, region: Option<&String>| {
        prefixes.iter().any(|prefix| {
            account.is_none_or(|account| *account == prefix.account)
                && region.is_none_or(|region| *region == prefix.region)
        })
    };
    let unread = |of: String| (place.root(), format!("it has no CloudTrail files of {of}"));
    if prefixes.is_empty() {
        return vec![unread("the accounts and regions asked for".to_owned())];
    }
    // An account that did nothing in a Region has no folder of it: that is a gap where both are named.
    let mut found = Vec::new();
    for account in accounts {
        if !has(Some(account), None) {
            found.push(unread(format!("account {account}")));
            continue;
        }
        let regions = regions
            .iter()
            .filter(|region| !has(Some(account), Some(region)));
        found.extend(regions.map(|region| unread(format!("account {account} in {region}"))));
    }
    if accounts.is_empty() {
        let regions = regions.iter().filter(|region| !has(None, Some(region)));
        found.extend(regions.map(|region| unread(region.clone())));
    }
    found
}

/// What a bucket has of one account.
pub(crate) struct AccountFolder {
    account: String,
    /// `AWSLogs/111122223333/`, with the prefix.
    prefix: String,
}

/// Returns the accounts that a bucket has files of, as far as they are asked for. A listing that fails is unread.
pub(crate) async fn account_folders(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
    read: &mut Read,
) -> Vec<AccountFolder> {
    let root = format!("{}AWSLogs/", place.prefix);
    let mut found = Vec::new();
    for folder in folders(client, &place.bucket, &root, read).await {
        let prefix = format!("{root}{folder}/");
        if folder.starts_with("o-") {
            // A trail of the organization.
            let inner = folders(client, &place.bucket, &prefix, read).await;
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
    found
}

impl AccountFolder {
    /// Returns the regions of one kind of files, such as `CloudTrail`, as far as they are asked for. A listing that fails is
    /// unread.
    pub(crate) async fn regions(
        &self,
        client: &Client,
        place: &S3Location,
        kind: &str,
        regions: &[String],
        read: &mut Read,
    ) -> Vec<Prefix> {
        let root = format!("{}{kind}/", self.prefix);
        let mut found = folders(client, &place.bucket, &root, read).await;
        found.retain(|region| regions.is_empty() || regions.contains(region));
        let prefixes = found.iter().map(|region| self.prefix(kind, region));
        prefixes.collect()
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

/// Returns the names right below a prefix, as far as they can be listed.
async fn folders(client: &Client, bucket: &str, prefix: &str, read: &mut Read) -> Vec<String> {
    let mut pages = client
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .delimiter("/")
        .into_paginator()
        .send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                read.unlisted(bucket, prefix, describe("ListObjectsV2", error));
                break;
            }
        };
        for folder in page.common_prefixes() {
            let name = folder
                .prefix()
                .and_then(|folder| folder.strip_prefix(prefix));
            names.extend(name.map(|name| name.trim_end_matches('/').to_owned()));
        }
    }
    names
}

/// Hands on the records of shelves that a filter asks for, day by day.
///
/// # Errors
/// Those of `hand`. What cannot be listed, and an object that cannot be read, is unread and stops nothing.
pub(crate) async fn read(
    client: &Client,
    bucket: &str,
    prefixes: &[Prefix],
    filter: &EventFilter,
    hand: &Hand<'_>,
    read: &mut Read,
) -> anyhow::Result<()> {
    let filter = Arc::new(filter.clone());
    for prefix in prefixes {
        let (start, end) = days(&filter);
        let request = client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(&prefix.prefix);
        let request = request.set_start_after(start.map(|day| format!("{}{day}", prefix.prefix)));
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    read.unlisted(bucket, &prefix.prefix, describe("ListObjectsV2", error));
                    break;
                }
            };
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
            read_keys(client, bucket, wanted, &filter, hand, read).await?;
            if is_last {
                break;
            }
        }
    }
    Ok(())
}

/// Returns the first and last day whose files may have what is asked for, as keys write days.
pub(crate) fn days(filter: &EventFilter) -> (Option<String>, Option<String>) {
    let day = |time: Timestamp| time.strftime("%Y/%m/%d").to_string();
    let last = filter
        .until
        .map(|until| until.saturating_add(LATE).unwrap_or(until));
    (filter.since.map(day), last.map(day))
}
