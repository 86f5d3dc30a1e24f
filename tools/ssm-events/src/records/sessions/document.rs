//! Which version of a Session document was in force when, and where it has transcripts written.

use std::rc::Rc;

use records::Reading;

use super::changes::{Changes, DefaultThen, Past};
use super::inputs::Inputs;

/// The document of the preferences, which sessions without a document take.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// Returns whether a document is one of AWS's own, which nobody else may call theirs. The preferences are not.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
pub(crate) fn is_of_aws(name: &str) -> bool {
    name.starts_with("AWS-")
}

/// A Session document: its versions, that it does not exist, or why it could not be read.
pub(crate) type Document = Reading<Vec<Version>>;

/// One version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) created: Option<i64>,
    pub(crate) is_default: bool,
    /// Absent until it is read.
    pub(crate) inputs: Reading<Rc<Inputs>>,
}

/// What may have been in force when a session began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InForce {
    /// The places of the versions, one of which was; `None` where there was no such document.
    pub(crate) versions: Option<Vec<usize>>,
    /// Whether it was another one if a document was changed so lately that the event history does not show it yet.
    pub(crate) is_unsettled: bool,
}

/// Returns what a session of a time may have been started with.
///
/// AWS does not say when a version became the default one: records do. Without them each version of the time may have been. Also
/// the newest one of the time may have been taken, as sessions are reported to take it whichever is the default:
/// <https://github.com/aws/session-manager-plugin/issues/112>
///
/// # Errors
/// That is not known, for this reason.
pub(crate) fn in_force(
    name: &str,
    document: &Document,
    changes: &Changes,
    at: Option<i64>,
) -> Result<InForce, String> {
    let past = at.map_or(Past::Unknown, |at| changes.past(name, at));
    let is_later =
        |version: &Version| matches!((version.created, at), (Some(made), Some(at)) if at < made);
    let nothing = InForce {
        versions: None,
        is_unsettled: at.is_some_and(|at| !changes.is_settled(name, at)),
    };
    let versions = match (document, past) {
        (Reading::Unknown(reason), _) => return Err(reason.clone()),
        (Reading::Absent, Past::Absent | Past::AsNow) => return Ok(nothing),
        // A version that was there says more than records that do not have it.
        (Reading::Present(versions), Past::Absent) if versions.iter().all(is_later) => {
            return Ok(nothing);
        }
        (_, Past::Deleted) | (Reading::Absent, Past::Made) => {
            return Err(format!("{name} was deleted after the session began"));
        }
        (Reading::Absent, Past::Unknown) => {
            return Err(format!(
                "{name} does not exist, and whether it did when the session began is not known: {}",
                changes.why_unknown()
            ));
        }
        (Reading::Present(versions), _) => versions,
    };
    if let Some(version) = versions.iter().find(|version| version.created.is_none())
        && at.is_some()
    {
        let number = version.number;
        return Err(format!(
            "when {name} version {number} was made is not known"
        ));
    }
    let there: Vec<usize> = (0..versions.len())
        .filter(|place| !is_later(&versions[*place]))
        .collect();
    let number = |place: &usize| versions[*place].number;
    let Some(newest) = there.iter().copied().max_by_key(number) else {
        // It may have been deleted and made again, and that says nothing about the one before.
        return Err(format!(
            "{name} has no version that is as old as the session"
        ));
    };
    let then = at.map_or(DefaultThen::Unknown, |at| changes.default_then(name, at));
    let default = match then {
        DefaultThen::Recorded(default) => {
            let place = there.iter().find(|place| number(place) == default);
            Some(*place.ok_or_else(|| {
                format!("{name} version {default}, the default one when the session began, does not exist any more")
            })?)
        }
        DefaultThen::OfToday => {
            let mut there = there.iter();
            there.find(|place| versions[**place].is_default).copied()
        }
        DefaultThen::Unknown => None,
    };
    let mut found = vec![newest];
    match default {
        Some(default) => found.push(default),
        None if is_one_gone(name, versions, &there, changes, at) => {
            return Err(format!(
                "a version of {name} that may have been the default one does not exist any more, and {}",
                changes.why_unknown()
            ));
        }
        None => found.extend(&there),
    }
    let mut seen = Vec::new();
    found.retain(|place| {
        let is_new = !seen.contains(place);
        seen.push(*place);
        is_new
    });
    let is_settled = match then {
        DefaultThen::Recorded(_) => at.is_some_and(|at| changes.is_shown(at)),
        DefaultThen::OfToday | DefaultThen::Unknown => false,
    };
    Ok(InForce {
        is_unsettled: found.len() < there.len() && !is_settled,
        versions: Some(found),
    })
}

/// Returns whether a version is gone that was there at a time. Numbers begin with 1 and are not given again; that the newest one
/// is gone, only records say.
fn is_one_gone(
    name: &str,
    versions: &[Version],
    there: &[usize],
    changes: &Changes,
    at: Option<i64>,
) -> bool {
    let numbers: Vec<u64> = there.iter().map(|place| versions[*place].number).collect();
    let first = there.iter().filter_map(|place| versions[*place].created);
    let times = first.min().unwrap_or(i64::MIN)..=at.unwrap_or(i64::MAX);
    let newest = numbers.iter().max().copied().unwrap_or_default();
    numbers.len() as u64 != newest
        || changes
            .defaults(name, times)
            .any(|number| !numbers.contains(&number))
}

#[cfg(test)]
mod tests {
    use records::Reading;

    use super::super::changes::tests::change;
    use super::{Changes, Document, PREFERENCES, Version, in_force};

    fn version(number: u64, created: i64, is_default: bool) -> Version {
        Version {
            number,
            created: Some(created),
            is_default,
            inputs: Reading::Absent,
        }
    }

    fn found(
        versions: &[Version],
        changes: &Changes,
        at: Option<i64>,
    ) -> Result<Option<Vec<usize>>, String> {
        let document = Reading::Present(versions.to_vec());
        in_force(PREFERENCES, &document, changes, at).map(|found| found.versions)
    }

    /// The first version was the default one again between 40 and 50, and what is the default today says nothing of that.
    #[test]
    fn each_version_of_the_time_may_have_been_the_default_unless_a_record_says_which() {
        let versions = [
            version(1, 10, false),
            version(2, 20, true),
            version(3, 30, false),
        ];
        let nothing = Changes::default();
        for (at, expected) in [
            (Some(10), Some(vec![0])),
            (Some(20), Some(vec![1, 0])),
            (Some(35), Some(vec![2, 0, 1])),
            (None, Some(vec![2, 0, 1])),
        ] {
            assert_eq!(found(&versions, &nothing, at), Ok(expected), "{at:?}");
        }
        let early = found(&versions, &nothing, Some(5)).unwrap_err();
        assert!(early.ends_with("no version that is as old as the session"));
        let mut recorded = Changes::default();
        for (at, number) in [(31, "3"), (40, "1"), (50, "2")] {
            recorded.add(&change("UpdateDocumentDefaultVersion", at, Some(number)));
        }
        // Records on stdin may lack one in between.
        for at in [35, 45, 55] {
            let all = Ok(Some(vec![2, 0, 1]));
            assert_eq!(found(&versions, &recorded, Some(at)), all, "{at}");
        }
        recorded.whole_since = Some(31);
        for (at, expected) in [
            (30, vec![2, 0, 1]),
            (35, vec![2]),
            (45, vec![2, 0]),
            (55, vec![2, 1]),
        ] {
            assert_eq!(
                found(&versions, &recorded, Some(at)),
                Ok(Some(expected)),
                "{at}"
            );
        }
    }

    #[test]
    fn a_whole_history_without_a_change_says_that_the_default_is_that_of_today() {
        let versions = [version(1, 10, false), version(2, 20, true)];
        let whole = Changes {
            whole_since: Some(25),
            ..Changes::default()
        };
        assert_eq!(found(&versions, &whole, Some(30)), Ok(Some(vec![1])));
        assert_eq!(found(&versions, &whole, Some(24)), Ok(Some(vec![1, 0])));
        let mut later = whole.clone();
        later.add(&change("UpdateDocumentDefaultVersion", 40, Some("2")));
        assert_eq!(found(&versions, &later, Some(30)), Ok(Some(vec![1, 0])));
        let mut made = Changes::default();
        made.add(&change("CreateDocument", 10, None));
        made.add(&change("UpdateDocumentDefaultVersion", 40, Some("2")));
        let three = [&versions[..], &[version(3, 25, false)]].concat();
        assert_eq!(found(&three, &made, Some(30)), Ok(Some(vec![2, 0, 1])));
        made.whole_since = Some(10);
        assert_eq!(found(&three, &made, Some(30)), Ok(Some(vec![2, 0])));
        assert_eq!(found(&versions, &made, Some(30)), Ok(Some(vec![1, 0])));
        assert_eq!(found(&versions, &made, Some(15)), Ok(Some(vec![0])));
    }

    #[test]
    fn a_version_that_is_gone_or_has_no_date_is_not_guessed() {
        let nothing = Changes::default();
        let gap = [version(1, 10, false), version(3, 30, true)];
        assert!(found(&gap, &nothing, Some(35)).is_err());
        assert_eq!(found(&gap, &nothing, Some(15)), Ok(Some(vec![0])));
        let mut recorded = Changes::default();
        recorded.add(&change("UpdateDocumentDefaultVersion", 31, Some("3")));
        assert!(found(&gap, &recorded, Some(35)).is_err());
        recorded.whole_since = Some(31);
        assert_eq!(found(&gap, &recorded, Some(35)), Ok(Some(vec![1])));
        recorded.add(&change("UpdateDocumentDefaultVersion", 32, Some("2")));
        assert!(found(&gap, &recorded, Some(35)).is_err());
        // The newest one is gone, which its number does not show.
        let one = [version(1, 10, true)];
        recorded.whole_since = None;
        assert!(found(&one, &recorded, Some(35)).is_err());
        assert_eq!(found(&one, &recorded, Some(30)), Ok(Some(vec![0])));
        let mut undated = version(1, 10, true);
        undated.created = None;
        assert!(found(&[undated], &nothing, Some(35)).is_err());
    }

    #[test]
    fn without_a_document_only_a_record_or_a_whole_history_says_that_there_was_none() {
        let mut changes = Changes::default();
        let past = |changes: &Changes, at| {
            in_force(PREFERENCES, &Reading::Absent, changes, Some(at)).map(|found| found.versions)
        };
        assert!(past(&changes, 15).unwrap_err().contains("is not known: "));
        changes.whole_since = Some(10);
        assert_eq!(past(&changes, 15), Ok(None));
        assert!(past(&changes, 5).is_err());
        changes.add(&change("DeleteDocument", 20, None));
        assert!(
            past(&changes, 15)
                .unwrap_err()
                .contains("was deleted after")
        );
        assert_eq!(past(&changes, 25), Ok(None));
    }

    /// The document was deleted and made again, and records have the first of these calls alone.
    #[test]
    fn a_version_that_was_there_says_more_than_a_record_that_there_was_none() {
        let versions = [version(1, 20, true)];
        for whole_since in [None, Some(5), Some(15)] {
            let mut changes = Changes {
                whole_since,
                ..Changes::default()
            };
            changes.add(&change("DeleteDocument", 10, None));
            let found = |at| found(&versions, &changes, Some(at));
            assert_eq!(found(25), Ok(Some(vec![0])), "{whole_since:?}");
            match whole_since {
                Some(5) => assert_eq!(found(15), Ok(None)),
                Some(_) | None => assert!(found(12).is_err(), "{whole_since:?}"),
            }
        }
    }

    #[test]
    fn an_old_record_does_not_overrule_what_a_whole_history_says_of_today() {
        let versions = [
            version(1, 1, false),
            version(2, 2, true),
            version(3, 3, false),
        ];
        let mut changes = Changes {
            whole_since: Some(110),
            ..Changes::default()
        };
        changes.add(&change("UpdateDocumentDefaultVersion", 10, Some("3")));
        // Between 10 and 110 the second one became the default one, of which there is no record.
        let late = [&versions[..], &[version(4, 4, false)]].concat();
        assert_eq!(found(&late, &changes, Some(120)), Ok(Some(vec![3, 1])));
        assert_eq!(
            found(&late, &changes, Some(100)),
            Ok(Some(vec![3, 0, 1, 2]))
        );
        changes.add(&change("CreateDocument", 1, None));
        assert_eq!(found(&versions, &changes, Some(120)), Ok(Some(vec![2, 1])));
    }

    #[test]
    fn what_rests_on_today_is_not_settled_and_what_rests_on_shown_records_is() {
        let versions = [
            version(1, 10, false),
            version(2, 20, true),
            version(3, 21, false),
        ];
        let document = Reading::Present(versions.to_vec());
        let mut changes = Changes {
            whole_since: Some(25),
            whole_until: Some(90),
            ..Changes::default()
        };
        let is_unsettled = |document: &Document, changes: &Changes, at| {
            let found = in_force(PREFERENCES, document, changes, Some(at));
            found.unwrap().is_unsettled
        };
        assert!(is_unsettled(&document, &changes, 50));
        assert!(is_unsettled(&Reading::Absent, &changes, 50));
        // All versions of the time are looked at.
        assert!(!is_unsettled(&document, &changes, 24));
        changes.add(&change("UpdateDocumentDefaultVersion", 40, Some("2")));
        assert!(!is_unsettled(&document, &changes, 50));
        assert!(is_unsettled(&document, &changes, 95));
        changes.add(&change("DeleteDocument", 60, None));
        assert!(!is_unsettled(&Reading::Absent, &changes, 70));
        assert!(is_unsettled(&Reading::Absent, &changes, 95));
    }
}
