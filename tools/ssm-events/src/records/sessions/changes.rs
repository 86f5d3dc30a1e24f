//! What records say of Session documents: when one was made and deleted, and which version became the default one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use records::Timestamp;

use crate::records::history::SYSTEMS_MANAGER;
use crate::records::record::{Event, Outcome};

/// The calls that change which version of a document is in force.
pub(crate) const CALLS: [&str; 3] = [
    "CreateDocument",
    "DeleteDocument",
    "UpdateDocumentDefaultVersion",
];

/// A call may not be in the event history before.
pub(crate) const SHOWN_AFTER_MINUTES: i64 = 15;

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
    /// Until when none is missing: later ones may not be shown yet.
    pub(crate) whole_until: Option<i64>,
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
    /// It was made before, and is there still as far as records say.
    Made,
    /// It was there if it is there now, and not if it is not.
    AsNow,
    Unknown,
}

/// What is known of which version was the default one at a time in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultThen {
    Recorded(u64),
    /// That of today.
    OfToday,
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
        self.whole_until = others.whole_until.or(self.whole_until);
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
            // Where records are missing it may have been made again before, without one.
            (Some((deleted, Change::Deleted)), _) if self.is_whole(deleted) => Past::Absent,
            (_, Some(Change::Deleted)) => Past::Deleted,
            (Some((_, Change::Deleted)), _) => Past::Unknown,
            // One that is made again has been deleted, whether a record says so or not.
            (Some(_), Some(_)) => Past::Deleted,
            (Some(_), None) => Past::Made,
            (None, _) if !self.is_whole(at) => Past::Unknown,
            (None, Some(_)) => Past::Absent,
            (None, None) => Past::AsNow,
        }
    }

    /// Returns which version was the default one at a time. A record says that where none after it is missing.
    pub(super) fn default_then(&self, name: &str, at: i64) -> DefaultThen {
        let (mut last, mut is_changed_later) = (None, false);
        for (time, change) in self.of(name) {
            match change {
                Change::Default(_) if at < time => is_changed_later = true,
                _ if at < time => {}
                Change::Deleted => last = None,
                // The first version is the default one until another becomes it.
                Change::Created => last = Some((time, 1)),
                Change::Default(number) => last = Some((time, number)),
            }
        }
        match last {
            Some((time, number)) if self.is_whole(time) => DefaultThen::Recorded(number),
            _ if self.is_whole(at) && !is_changed_later => DefaultThen::OfToday,
            _ => DefaultThen::Unknown,
        }
    }

    /// Returns the versions that became the default one at a time of these, as far as records say.
    pub(super) fn defaults(
        &self,
        name: &str,
        times: impl RangeBounds<i64>,
    ) -> impl Iterator<Item = u64> {
        self.of(name)
            .filter_map(move |(time, change)| match change {
                Change::Default(number) if times.contains(&time) => Some(number),
                _ => None,
            })
    }

    /// Returns whether all records of a time are shown already.
    pub(super) fn is_shown(&self, at: i64) -> bool {
        self.whole_until.is_some_and(|until| at <= until)
    }

    /// Returns whether records say whether a document was there, so that no change that is not shown yet can say otherwise.
    pub(super) fn is_settled(&self, name: &str, at: i64) -> bool {
        self.of(name).any(|(time, change)| match change {
            Change::Default(_) => false,
            _ if time <= at => self.is_whole(time) && self.is_shown(at),
            _ => self.is_whole(at) && self.is_shown(time),
        })
    }

    /// Returns why something about the past is not known, with what to do.
    pub(super) fn why_unknown(&self) -> String {
        match (&self.unread, self.whole_since) {
            (Some(reason), _) => reason.clone(),
            (None, Some(_)) => {
                "CloudTrail's event history of 90 days was read and does not say it, so that it cannot be known any more"
                    .to_owned()
            }
            (None, None) => {
                "CloudTrail's event history of the last 90 days may say it, and was not read: run without --offline, with access \
                 to the account"
                    .to_owned()
            }
        }
    }

    fn is_whole(&self, at: i64) -> bool {
        self.whole_since.is_some_and(|since| since <= at)
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (i64, Change)> {
        self.by_document.get(name).into_iter().flatten().copied()
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
            (vec![made()], None, 10, Past::Made),
            (vec![made(), one_version()], None, 15, Past::Made),
            (vec![deleted()], None, 15, Past::Deleted),
            // It may have been made again, and no record of that was given.
            (vec![deleted()], None, 20, Past::Unknown),
            (vec![deleted()], Some(21), 25, Past::Unknown),
            (vec![deleted()], Some(20), 20, Past::Absent),
            (vec![made(), deleted()], None, 15, Past::Deleted),
            (vec![made(), made_again()], None, 15, Past::Deleted),
            (vec![made_again(), deleted()], None, 25, Past::Unknown),
            (vec![made_again(), deleted()], Some(20), 25, Past::Absent),
            (vec![made_again(), deleted()], None, 35, Past::Made),
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

    #[test]
    fn a_change_of_the_last_minutes_may_not_be_shown_yet() {
        let settled = |events: &[Event], at| {
            let mut changes = Changes {
                whole_since: Some(1),
                whole_until: Some(100),
                ..Changes::default()
            };
            events.iter().for_each(|event| changes.add(event));
            changes.is_settled("SSM-SessionManagerRunShell", at)
        };
        let made = |at| change("CreateDocument", at, None);
        let deleted = || change("DeleteDocument", 20, None);
        let default = || change("UpdateDocumentDefaultVersion", 20, Some("1"));
        for (events, at, expected) in [
            (vec![], 50, false),
            (vec![default()], 50, false),
            (vec![deleted()], 50, true),
            (vec![deleted()], 100, true),
            (vec![deleted()], 101, false),
            (vec![made(60)], 50, true),
            (vec![made(101)], 50, false),
        ] {
            assert_eq!(settled(&events, at), expected, "{events:?} {at}");
        }
    }
}
