//! Which version of a Session document was in force when, and where it has transcripts written.

use std::rc::Rc;

use records::Reading;
use serde_json::Value;

use super::store::Store;

/// The document of the preferences, which sessions without a document take.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// A Session document: its versions, that it does not exist, or why it could not be read.
pub(crate) type Document = Reading<Vec<Version>>;

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) number: u64,
    /// `None` where that was not read: then it may have been there always.
    pub(crate) created: Option<i64>,
    pub(crate) is_default: bool,
    /// Absent until it is read.
    pub(crate) logging: Reading<Rc<Logging>>,
}

/// Where transcripts go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logging {
    pub(crate) is_port: bool,
    pub(crate) stores: Vec<Store>,
    pub(crate) group_must_be_encrypted: bool,
    pub(crate) object_must_be_encrypted: bool,
}

impl Logging {
    /// Reads the content of a document.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>
    pub(crate) fn of(content: &Value) -> Logging {
        let inputs = &content["inputs"];
        let text = |key: &str| inputs[key].as_str().filter(|text| !text.is_empty());
        let bucket = text("s3BucketName").map(|name| Store::Bucket {
            name: name.into(),
            prefix: text("s3KeyPrefix")
                .unwrap_or_default()
                .trim_matches('/')
                .into(),
        });
        let log_group =
            text("cloudWatchLogGroupName").map(|name| Store::LogGroup { name: name.into() });
        // Agents take switches as text as well.
        let is_on = |key: &str| inputs[key] == true || inputs[key] == "true";
        Logging {
            is_port: content["sessionType"] == "Port",
            stores: bucket.into_iter().chain(log_group).collect(),
            group_must_be_encrypted: is_on("cloudWatchEncryptionEnabled"),
            object_must_be_encrypted: is_on("s3EncryptionEnabled"),
        }
    }
}

/// Returns the places of the versions that may have been in force at a time.
///
/// AWS does not say when a version became the default one. Who saves preferences makes a version and makes it the default
/// right away, so that the newest one of the time counts; and so does the one that is the default today, where it was there.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListDocumentVersions.html>
pub(crate) fn in_force(versions: &[Version], at: Option<i64>) -> Vec<usize> {
    let is_there = |version: &Version| {
        at.zip(version.created)
            .is_none_or(|(at, created)| created <= at)
    };
    let there = || (0..versions.len()).filter(|place| is_there(&versions[*place]));
    let newest = there().max_by_key(|place| versions[*place].number);
    let default = there().find(|place| versions[*place].is_default);
    let mut found: Vec<usize> = newest.into_iter().chain(default).collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use records::Reading;

    use super::{Version, in_force};

    fn version(number: u64, created: i64, is_default: bool) -> Version {
        Version {
            number,
            created: Some(created),
            is_default,
            logging: Reading::Absent,
        }
    }

    #[test]
    fn the_newest_of_the_time_and_the_default_of_today_count() {
        let versions = [
            version(1, 10, false),
            version(2, 20, true),
            version(3, 30, false),
        ];
        for (at, expected) in [
            (Some(5), &[][..]),
            (Some(10), &[0]),
            (Some(20), &[1]),
            (Some(35), &[2, 1]),
            (None, &[2, 1]),
        ] {
            assert_eq!(in_force(&versions, at), expected, "{at:?}");
        }
    }
}
