//! Which version of a Session document was in force when, and where it has transcripts written.

use std::rc::Rc;

use records::Reading;

use super::changes::{Changes, Past};
use super::inputs::Inputs;

/// The document of the preferences, which sessions without a document take.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const PREFERENCES: &str = "SSM-SessionManagerRunShell";

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

/// Returns the places of the versions that a session of a time may have been started with; `None` where there was no such
/// document.
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
) -> Result<Option<Vec<usize>>, String> {
    let past = at.map_or(Past::Unknown, |at| changes.past(name, at));
    let versions = match (document, past) {
        (_, Past::Absent) | (Reading::Absent, Past::AsNow) => return Ok(None),
        (_, Past::Deleted) | (Reading::Absent, Past::Made(_)) => {
            return Err(format!("{name} was deleted after the session began"));
        }
        (Reading::Unknown(reason), _) => return Err(reason.clone()),
        (Reading::Absent, Past::Unknown) => {
            return Err(format!(
                "{name} does not exist, and whether it did when the session began is not known: {}",
                changes.why_unknown()
            ));
        }
        (Reading::Present(versions), _) => versions,
    };
    let mut there = Vec::new();
    for (place, version) in versions.iter().enumerate() {
        match (version.created, at) {
            (Some(created), Some(at)) if created > at => {}
            (None, Some(_)) => {
                let number = version.number;
                return Err(format!(
                    "when {name} version {number} was made is not known"
                ));
            }
            _ => there.push(place),
        }
    }
    let number = |place: &usize| versions[*place].number;
    let Some(newest) = there.iter().copied().max_by_key(number) else {
        // It may have been deleted and made again, and that says nothing about the one before.
        return Err(format!(
            "{name} has no version that is as old as the session"
        ));
    };
    let made = match past {
        Past::Made(made) => Some(made),
        _ => None,
    };
    let recorded = at.and_then(|at| changes.default_version(name, made, at));
    // The first version is the default one until another becomes it.
    let default = recorded.or(made.map(|_| 1)).or_else(|| {
        at.filter(|at| changes.is_default_of_today(name, *at))?;
        there
            .iter()
            .find(|place| versions[**place].is_default)
            .map(number)
    });
    let mut found = vec![newest];
    match default {
        Some(default) => match there.iter().find(|place| number(place) == default) {
            Some(place) => found.push(*place),
            None => {
                return Err(format!(
                    "{name} version {default}, the default one when the session began, does not exist any more"
                ));
            }
        },
        // Numbers begin with 1 and are not given again.
        None if there.len() as u64 != number(&newest) => {
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
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use records::Reading;

    use super::super::changes::tests::change;
    use super::{Changes, PREFERENCES, Version, in_force};

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
        in_force(PREFERENCES, &document, changes, at)
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
        assert_eq!(found(&gap, &recorded, Some(35)), Ok(Some(vec![1])));
        recorded.add(&change("UpdateDocumentDefaultVersion", 32, Some("2")));
        assert!(found(&gap, &recorded, Some(35)).is_err());
        let mut undated = version(1, 10, true);
        undated.created = None;
        assert!(found(&[undated], &nothing, Some(35)).is_err());
    }

    #[test]
    fn without_a_document_only_a_record_or_a_whole_history_says_that_there_was_none() {
        let mut changes = Changes::default();
        let past =
            |changes: &Changes, at| in_force(PREFERENCES, &Reading::Absent, changes, Some(at));
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
}
