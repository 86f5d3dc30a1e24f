//! What is asked for, and what files are known by.

use records::Timestamp;

use super::file_name::{begin, day_after};
use super::keys::last_part;

/// A digest follows its hour, so that what has just happened is in none.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html>
const NOT_YET: i64 = 2 * HOUR;
const HOUR: i64 = 3600;

/// How files are known: by bucket and key, or, in a copy, by their names, which CloudTrail gives once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    Object,
    Name,
}

impl Naming {
    /// Returns what an object is known by.
    pub(crate) fn id(self, bucket: &str, key: &str) -> String {
        match self {
            Naming::Object => format!("s3://{bucket}/{key}"),
            Naming::Name => last_part(key).to_owned(),
        }
    }
}

/// The period that is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// The last day whose files are read.
    pub(crate) last_day: Option<String>,
    pub(crate) now: Option<Timestamp>,
    /// Trails that should have digests in each account and Region.
    pub(crate) trails: Vec<String>,
}

impl Window {
    /// Returns whether a time is behind the last day whose files are read.
    pub(super) fn is_behind(&self, from: Timestamp) -> bool {
        let last = self.last_day.as_deref().map(day_after);
        let end = last.as_deref().and_then(begin);
        end.is_some_and(|end| from >= end)
    }

    /// Returns whether what ends at a time is before the period that is asked for.
    pub(super) fn is_before(&self, to: Timestamp) -> bool {
        self.since.is_some_and(|since| to <= since)
    }

    /// Returns since when a digest may cover that cannot be read and ends at a time: nothing before it is known, and its name may be
    /// wrong. Most often it is an hour.
    pub(super) fn since_or_hour_before(&self, to: Timestamp) -> Timestamp {
        let since = self.since.filter(|since| *since < to);
        since.unwrap_or(Timestamp::from_seconds(to.seconds() - HOUR))
    }

    /// Returns until when there should be digests.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let now = self.now?.seconds() - NOT_YET;
        let until = self.until.map(Timestamp::seconds);
        Some(Timestamp::from_seconds(
            until.map_or(now, |until| until.min(now)),
        ))
    }
}
