//! What records say of Session documents: when one was made and deleted, and which version became the default one.

use std::collections::{BTreeMap, BTreeSet};

use records::Timestamp;

use crate::records::history::SYSTEMS_MANAGER;
use crate::records::record::{Event, Outcome};

/// The calls that change which version of a document is in force.
pub(crate) const CALLS: [&str; 3] = [
    "CreateDocument",
    "DeleteDocument",
    "UpdateDocumentDefaultVersion",
];

/// In the order in which two of one second are taken: a document that is replaced is deleted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    Deleted,
    Created,
    Default(u64),
}

/// What became of the documents of one account and Region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(super) by_document: BTreeMap<String, BTreeSet<(i64, Change)>>,
    /// Since when none is missing. Records on stdin may be any part of all.
    pub(crate) whole_since: Option<i64>,
    /// Why the event history could not be read, if it could not be.
    pub(crate) unread: Option<String>,
}

/// What is known of a document at a time in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// It was not there.
    Absent,
    /// It was there, and has been deleted since.
    Deleted,
    /// It was made at that time, and is there still as far as records say.
    Made(i64),
    /// It was there if it is there now, and not if it is not.
    AsNow,
    Unknown,
}

impl Changes {
    /// Takes a record in, in any order, the same one any number of times.
    pub(crate) fn add(&mut self, event: &Event) {
        let at = event.time.parse::<Timestamp>().ok().map(Timestamp::seconds);
        let (Some(at), Outcome::Allowed, SYSTEMS_MANAGER) =
            (at, event.outcome, event.source.as_str())
        else {
            return;
        };
        let given = |name: &str| {
            let mut pairs = event
                .parameters
                .iter()
                .filter_map(|one| one.split_once('='));
            pairs.find_map(|(key, value)| (key == name).then_some(value))
        };
        let version = given("documentVersion");
        let change = match event.event.as_str() {
            "CreateDocument" => Some(Change::Created),
            // "If not provided, all versions of the document are deleted." A single one leaves a gap in the numbers.
            // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteDocument.html
            "DeleteDocument" if version.is_none() && given("versionName").is_none() => {
                Some(Change::Deleted)
            }
            "UpdateDocumentDefaultVersion" => version
                .and_then(|version| version.parse().ok())
                .map(Change::Default),
            _ => None,
        };
        if let Some(change) = change {
            let changes = self.by_document.entry(event.document.clone());
            changes.or_default().insert((at, change));
        }
    }

    /// Takes in what somebody else has read.
    pub(crate) fn extend(&mut self, others: Changes) {
        self.whole_since = others.whole_since.or(self.whole_since);
        for (name, changes) in others.by_document {
            self.by_document.entry(name).or_default().extend(changes);
        }
    }

    /// Returns what is known of a document at a time.
    pub(crate) fn past(&self, name: &str, at: i64) -> Past {
        let (mut before, mut after) = (None, None);
        for (time, change) in self.of(name) {
            match change {
                Change::Default(_) => {}
                change if time <= at => before = Some((time, change)),
                change => after = after.or(Some(change)),
            }
        }
        match (before, after) {
            (Some((_, Change::Deleted)), _) => Past::Absent,
            // One that is made again has been deleted, whether a record says so or not.
            (Some(_), Some(_)) | (None, Some(Change::Deleted)) => Past::Deleted,
            (Some((made, _)), None) => Past::Made(made),
            (None, _) if !self.is_whole(at) => Past::Unknown,
            (None, Some(_)) => Past::Absent,
            (None, None) => Past::AsNow,
        }
    }

    /// Returns the version that became the default one last, of those that did between two times.
    pub(super) fn default_version(&self, name: &str, from: Option<i64>, at: i64) -> Option<u64> {
        let defaults = self.defaults(name);
        let defaults =
            defaults.filter(|(time, _)| *time <= at && from.is_none_or(|from| from <= *time));
        defaults.last().map(|(_, number)| number)
    }

    /// Returns whether the default version of a time is still the default one, for certain.
    pub(super) fn is_default_of_today(&self, name: &str, at: i64) -> bool {
        self.is_whole(at) && !self.defaults(name).any(|(time, _)| at < time)
    }

    /// Returns why something about the past is not known, with what to do.
    pub(super) fn why_unknown(&self) -> String {
        match &self.unread {
            Some(reason) => reason.clone(),
            None => format!(
                "no record of {} says so: pipe in what `ssm-events history` prints",
                CALLS.join(", ")
            ),
        }
    }

    fn is_whole(&self, at: i64) -> bool {
        self.whole_since.is_some_and(|since| since <= at)
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (i64, Change)> {
        self.by_document.get(name).into_iter().flatten().copied()
    }

    fn defaults(&self, name: &str) -> impl Iterator<Item = (i64, u64)> {
        self.of(name).filter_map(|(time, change)| match change {
            Change::Default(number) => Some((time, number)),
            _ => None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::{Changes, Past};
    use crate::records::record::Event;

    /// Returns a record of a change of the preferences, so many seconds after 1970.
    pub(crate) fn change(name: &str, at: i64, version: Option<&str>) -> Event {
        let time = records::Timestamp::from_seconds(at).to_string();
        Event::of(
            &json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time,
            "requestParameters": {"name": "SSM-SessionManagerRunShell", "documentVersion": version}}),
        )
    }

    fn past(events: &[Event], whole_since: Option<i64>, at: i64) -> Past {
        let mut changes = Changes {
            whole_since,
            ..Changes::default()
        };
        events.iter().for_each(|event| changes.add(event));
        changes.past("SSM-SessionManagerRunShell", at)
    }

    #[test]
    fn a_document_is_known_to_have_been_absent_or_not() {
        let made = || change("CreateDocument", 10, None);
        let deleted = || change("DeleteDocument", 20, None);
        let one_version = || change("DeleteDocument", 20, Some("1"));
        let made_again = || change("CreateDocument", 30, None);
        for (events, whole_since, at, expected) in [
            (vec![], None, 5, Past::Unknown),
            (vec![], Some(5), 5, Past::AsNow),
            (vec![], Some(6), 5, Past::Unknown),
            (vec![made()], None, 5, Past::Unknown),
            (vec![made()], Some(1), 5, Past::Absent),
            (vec![made()], None, 10, Past::Made(10)),
            (vec![made(), one_version()], None, 15, Past::Made(10)),
            (vec![deleted()], None, 15, Past::Deleted),
            (vec![deleted()], None, 20, Past::Absent),
            (vec![made(), deleted()], None, 15, Past::Deleted),
            (vec![made(), made_again()], None, 15, Past::Deleted),
            (vec![made_again(), deleted()], None, 25, Past::Absent),
            (vec![made_again(), deleted()], None, 35, Past::Made(30)),
        ] {
            assert_eq!(past(&events, whole_since, at), expected, "{events:?} {at}");
        }
    }

    #[test]
    fn calls_that_were_refused_and_those_of_other_services_change_nothing() {
        let mut refused = change("DeleteDocument", 10, None);
        refused.outcome = crate::records::record::Outcome::Denied;
        let mut other = change("DeleteDocument", 10, None);
        other.source = "workdocs.amazonaws.com".to_owned();
        for event in [refused, other] {
            assert_eq!(past(&[event], Some(1), 15), Past::AsNow);
        }
    }
}
