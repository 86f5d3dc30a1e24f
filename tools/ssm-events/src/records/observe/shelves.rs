//! The log files and digests of each account and Region, in a bucket or in a copy of one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;
use aws_sdk_s3::Client;
use cli::Target;

use super::objects::{self, Prefix, S3Location};
use super::store::{Item, Listing, Place};
use super::verified::Shelf;
use crate::records::history::EventFilter;
use crate::records::integrity::{FileName, Naming, day, day_after, file_name};

/// Returns what a bucket has of the accounts and regions that are asked for.
///
/// # Errors
/// The bucket cannot be listed, or has neither log files nor digests of them.
pub(crate) async fn of_bucket(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
    regions: &[String],
    filter: &EventFilter,
) -> anyhow::Result<Vec<Shelf>> {
    let (first, last) = objects::days(filter);
    let listing = |prefix: &Prefix, last: Option<String>| {
        Listing::of_bucket(client, &place.bucket, prefix, (first.clone(), last))
    };
    let mut shelves = Vec::new();
    for account in objects::account_folders(client, place, accounts).await? {
        let mut of_account = BTreeSet::new();
        // What has lost all of its digests, or all of its log files, is looked at as well.
        for kind in ["CloudTrail", "CloudTrail-Digest"] {
            let found = account.regions(client, place, kind, regions).await?;
            of_account.extend(found.into_iter().map(|prefix| prefix.region));
        }
        for region in of_account {
            let of_kind = |kind: &str| account.prefix(kind, &region);
            let (logs, digests) = (of_kind("CloudTrail"), of_kind("CloudTrail-Digest"));
            shelves.push(Shelf {
                logs: listing(&logs, last.clone()),
                digests: listing(&digests, last.as_deref().map(day_after)),
                naming: Naming::Object,
                target: Target {
                    account: logs.account,
                    region,
                },
            });
        }
    }
    if shelves.is_empty() {
        bail!(
            "s3://{}/{}AWSLogs/ has no CloudTrail files of the accounts and regions asked for",
            place.bucket,
            place.prefix
        );
    }
    Ok(shelves)
}

/// Returns what a copy has of every account and region, and the files whose names say neither.
pub(crate) fn of_files(files: Vec<PathBuf>, filter: &EventFilter) -> (Vec<Shelf>, Vec<PathBuf>) {
    let (first, last) = objects::days(filter);
    let next = last.as_deref().map(day_after);
    let mut found: BTreeMap<Target, [Vec<Item>; 2]> = BTreeMap::new();
    let mut others = Vec::new();
    for file in files {
        let Some((name, item)) = item(&file) else {
            others.push(file);
            continue;
        };
        if first.as_ref().is_none_or(|first| item.day >= *first) {
            let lists = found.entry(name.target).or_default();
            lists[usize::from(name.digest.is_some())].push(item);
        }
    }
    let shelves = found.into_iter().map(|(target, [mut logs, mut digests])| {
        for list in [&mut logs, &mut digests] {
            list.sort_by(|one, other| (&one.day, &one.id).cmp(&(&other.day, &other.id)));
        }
        Shelf {
            target,
            naming: Naming::Name,
            logs: Listing::of_files(logs, last.clone()),
            digests: Listing::of_files(digests, next.clone()),
        }
    });
    (shelves.collect(), others)
}

fn item(file: &Path) -> Option<(FileName, Item)> {
    let path = file.to_str()?;
    let item = Item {
        id: Naming::Name.id("", path),
        day: day(path)?,
        place: Place::File(file.to_owned()),
    };
    Some((file_name(path)?, item))
}
