//! The log files and digests of each account and Region, in a bucket or in a copy of one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use cli::Target;

use super::files::Read;
use super::objects::{self, Prefix, S3Location};
use super::store::{Item, LARGEST, Listing, Place};
use super::verified::Shelf;
use crate::records::history::EventFilter;
use crate::records::integrity::{FileName, Naming, day, day_after, file_name};

/// The folders of a trail's log files and of their digests. Others, such as those of AWS Config, digests do not name.
const KINDS: [&str; 2] = ["CloudTrail", "CloudTrail-Digest"];

/// What a copy has.
pub(crate) struct Copied {
    pub(crate) shelves: Vec<Shelf>,
    /// Files whose names say neither account nor Region.
    pub(crate) others: Vec<PathBuf>,
    /// Files of other services.
    pub(crate) n_passed_over: usize,
}

/// Returns what a bucket has of the accounts and regions that are asked for, and the accounts that it has nothing of. What cannot be
/// listed, and a bucket that has nothing of them, is unread.
pub(crate) async fn of_bucket(
    client: &Client,
    place: &S3Location,
    accounts: &[String],
    regions: &[String],
    filter: &EventFilter,
    read: &mut Read,
) -> (Vec<Shelf>, Vec<String>) {
    let n_unread = read.unread.len();
    let (first, last) = objects::days(filter);
    let listing = |prefix: &Prefix, last: Option<String>| {
        Listing::of_bucket(client, &place.bucket, prefix, (first.clone(), last))
    };
    let mut shelves = Vec::new();
    for account in objects::account_folders(client, place, accounts, read).await {
        // A Region that was asked for and is not there is a hole.
        let mut of_account: BTreeSet<String> = regions.iter().cloned().collect();
        // What has lost all of its digests, or all of its log files, is looked at as well.
        for kind in KINDS {
            let found = account.regions(client, place, kind, regions, read).await;
            of_account.extend(found.into_iter().map(|prefix| prefix.region));
        }
        for region in of_account {
            let [logs, digests] = KINDS.map(|kind| account.prefix(kind, &region));
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
    // What could not be listed is not said to be absent.
    let is_listed = read.unread.len() == n_unread;
    if shelves.is_empty() && is_listed {
        let why = "it has no CloudTrail files of the accounts and regions asked for";
        read.unread.push((place.root(), why.to_owned()));
    }
    if shelves.is_empty() {
        return (shelves, Vec::new());
    }
    let found: BTreeSet<Target> = shelves.iter().map(|shelf| shelf.target.clone()).collect();
    let of_account = |account: &String| found.iter().any(|target| target.account == *account);
    let absent = accounts
        .iter()
        .filter(|account| is_listed && !of_account(account));
    let absent = absent.cloned().collect();
    // A Region that is asked for, and has no folder, is one whose digests are not there.
    let asked = found.iter().flat_map(|one| {
        regions.iter().map(|region| Target {
            account: one.account.clone(),
            region: region.clone(),
        })
    });
    let asked: BTreeSet<Target> = asked.filter(|target| !found.contains(target)).collect();
    shelves.extend(asked.into_iter().map(|target| Shelf {
        target,
        naming: Naming::Object,
        logs: Listing::of_files(Vec::new(), None),
        digests: Listing::of_files(Vec::new(), None),
    }));
    (shelves, absent)
}

/// Returns what a copy has of every account and region.
pub(crate) fn of_files(files: Vec<PathBuf>, filter: &EventFilter) -> Copied {
    let (first, last) = objects::days(filter);
    let next = last.as_deref().map(day_after);
    let mut found: BTreeMap<Target, [Vec<Item>; 2]> = BTreeMap::new();
    let mut outside: BTreeMap<Target, BTreeMap<String, PathBuf>> = BTreeMap::new();
    let (mut others, mut n_passed_over) = (Vec::new(), 0);
    for file in files {
        if is_of_other_service(&file) {
            n_passed_over += 1;
            continue;
        }
        let Some((name, item)) = item(&file) else {
            others.push(file);
            continue;
        };
        // What has older files only has no digest of the days that are asked for.
        let lists = found.entry(name.target.clone()).or_default();
        let is_early = first.as_ref().is_some_and(|first| item.day < *first);
        let is_late = last.as_ref().is_some_and(|last| item.day > *last);
        match name.digest {
            None if is_early || is_late => {
                let of_target = outside.entry(name.target).or_default();
                of_target.insert(item.id, file);
            }
            _ if is_early => {}
            digest => lists[usize::from(digest.is_some())].push(item),
        }
    }
    let shelves = found.into_iter().map(|(target, [mut logs, mut digests])| {
        digests.sort_by(|one, other| one.id.cmp(&other.id));
        digests.dedup_by(|one, other| one.id == other.id && is_same(&one.place, &other.place));
        let outside = outside.remove(&target).unwrap_or_default();
        for list in [&mut logs, &mut digests] {
            list.sort_by(|one, other| (&one.day, &one.id).cmp(&(&other.day, &other.id)));
        }
        Shelf {
            target,
            naming: Naming::Name,
            logs: Listing::of_files(logs, last.clone()).with(outside),
            digests: Listing::of_files(digests, next.clone()),
        }
    });
    Copied {
        shelves: shelves.collect(),
        others,
        n_passed_over,
    }
}

/// Returns whether a file of a copy lies in the folder of another service: `AWSLogs/111122223333/Config/..`.
fn is_of_other_service(file: &Path) -> bool {
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    let Some(root) = parts.iter().rposition(|part| part == "AWSLogs") else {
        return false;
    };
    let below = parts[root + 1..].iter();
    let mut below = below.skip_while(|part| part.starts_with("o-")).skip(1);
    // What lies above these folders is looked at, whatever its name is.
    below
        .next()
        .zip(below.next())
        .is_some_and(|(kind, _)| !KINDS.contains(&kind.as_ref()))
}

/// Returns whether two files have the same bytes: one digest that was copied twice is one.
fn is_same(one: &Place, other: &Place) -> bool {
    let (Place::File(one), Place::File(other)) = (one, other) else {
        return false;
    };
    let size = |path: &Path| std::fs::metadata(path).ok().map(|file| file.len());
    let (size, is_equal) = (size(one), size(one) == size(other));
    is_equal
        && size.is_some_and(|size| size <= LARGEST)
        && std::fs::read(one)
            .ok()
            .is_some_and(|bytes| std::fs::read(other).ok() == Some(bytes))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_of_other_service;

    #[test]
    fn folders_of_other_services_are_passed_over_and_nothing_else() {
        for (path, expected) in [
            ("c/AWSLogs/1/Config/us-east-1/x.json.gz", true),
            ("c/AWSLogs/o-a/1/CloudTrail-Insight/us-east-1/x", true),
            ("c/AWSLogs/o-a/1/CloudTrail/us-east-1/x", false),
            ("c/AWSLogs/1/CloudTrail-Digest/us-east-1/x", false),
            ("AWSLogs/x/y/z/AWSLogs/1/CloudTrail/us-east-1/x", false),
            ("c/AWSLogs/1/renamed.json.gz", false),
            ("renamed.json.gz", false),
        ] {
            assert_eq!(is_of_other_service(Path::new(path)), expected, "{path}");
        }
    }
}
