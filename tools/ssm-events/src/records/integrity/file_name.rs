//! What the names of CloudTrail's files say.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use records::{Target, Timestamp};

/// What the name of a log file or of a digest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub(crate) target: Target,
    /// When a log file was delivered, or the end of a digest.
    pub(crate) time: Timestamp,
    /// Of digests only.
    pub(crate) digest: Option<OfDigest>,
}

/// What the name of a digest says besides: in an account and Region, the chain that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OfDigest {
    pub(crate) trail: String,
    /// The home Region of the trail: names of trails are unique in it and nowhere else.
    pub(crate) home: String,
    /// Delivered later, for log files that the digest of their hour does not name.
    pub(crate) is_backfill: bool,
}

/// Reads the name at the end of a key or of a path; `None` for one that CloudTrail does not give.
pub(crate) fn file_name(path: &str) -> Option<FileName> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (account, rest) = name.strip_suffix(".json")?.split_once("_CloudTrail")?;
    let (kind, rest) = rest.split_once('_')?;
    let (region, rest) = rest.split_once('_')?;
    let target = Target {
        account: account.to_owned(),
        region: region.to_owned(),
    };
    if kind.is_empty() {
        // 20261103T1005Z_Q0hK6PSy4DjQHGzs
        let time = moment("%Y%m%dT%H%MZ", rest.split_once('_')?.0)?;
        return Some(FileName {
            target,
            time,
            digest: None,
        });
    }
    // Others, such as those of Insights, are in no digest of log files.
    if kind != "-Digest" {
        return None;
    }
    let (rest, is_backfill) = match rest.strip_suffix("_backfill") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    // The name of a trail may have underscores; its home Region has none.
    let (rest, end) = rest.rsplit_once('_')?;
    let (trail, home) = rest.rsplit_once('_')?;
    Some(FileName {
        target,
        time: moment("%Y%m%dT%H%M%SZ", end)?,
        digest: Some(OfDigest {
            trail: trail.to_owned(),
            home: home.to_owned(),
            is_backfill,
        }),
    })
}

fn moment(format: &str, text: &str) -> Option<Timestamp> {
    let moment = DateTime::strptime(format, text).ok()?;
    let zoned = moment.to_zoned_datetime(TimeZone::UTC).ok()?;
    Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
}

/// Returns the day of a key or of a path as keys write it, of its folders or else of its name: `2026/11/03`.
pub(crate) fn day(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/').skip(1);
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    let of_folders = year.zip(month).zip(day);
    let of_folders = of_folders.map(|((year, month), day)| format!("{year}/{month}/{day}"));
    let is_day = |day: &String| date(day).is_some();
    of_folders
        .filter(is_day)
        .or_else(|| file_name(path).map(|name| day_of(name.time)))
}

/// Returns the day of a moment, as keys write it.
pub(crate) fn day_of(time: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(time.seconds()).unwrap_or_default();
    moment.strftime("%Y/%m/%d").to_string()
}

/// Returns the day after one; the same for what is not a day.
pub(crate) fn day_after(day: &str) -> String {
    let next = date(day).and_then(|date| date.tomorrow().ok());
    next.map_or(day.to_owned(), |date| date.strftime("%Y/%m/%d").to_string())
}

/// Returns the first second of a day.
pub(crate) fn begin(day: &str) -> Option<Timestamp> {
    let zoned = date(day)?.to_zoned_datetime(TimeZone::UTC).ok()?;
    Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
}

/// Returns whether a text is a day, as keys write it.
pub(crate) fn is_day(text: &str) -> bool {
    date(text).is_some()
}

fn date(day: &str) -> Option<Date> {
    (day.len() == 10).then(|| Date::strptime("%Y/%m/%d", day).ok())?
}
