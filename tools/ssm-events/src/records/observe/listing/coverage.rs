//! What saved answers cover: whole lists alone, and those of buckets and log groups that they name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use serde_json::{Map, Value};

/// The prefixes of lists. What has none may be a list of anything.
type Prefixes = BTreeSet<Option<String>>;

/// The buckets, or the log groups, that were listed.
#[derive(Debug, Default)]
pub(super) struct Names {
    named: BTreeMap<String, Prefixes>,
    nameless: Prefixes,
    /// What an answer without a name is taken for.
    taken_for: RefCell<Option<String>>,
}

impl Names {
    /// Takes in that there is a list of what begins with a prefix.
    pub(super) fn listed(&mut self, name: Option<&str>, prefix: Option<&str>) {
        let prefixes = match name {
            None => &mut self.nameless,
            Some(name) => self.named.entry(name.to_owned()).or_default(),
        };
        prefixes.insert(prefix.map(str::to_owned));
    }

    /// Returns whether all that begins with `root` was listed, of so many that may have been meant; `None` where nothing of it
    /// was. An answer without a name is taken for one of them: it says nothing about a second one.
    pub(super) fn cover(&self, name: &str, root: &str, of: usize) -> Option<Result<(), String>> {
        let is_taken = || {
            let mut taken = self.taken_for.borrow_mut();
            taken.get_or_insert_with(|| name.to_owned()) == name
        };
        let mut lists: Vec<&Option<String>> = self.named.get(name).into_iter().flatten().collect();
        if !self.nameless.is_empty() && of == 1 && is_taken() {
            lists.extend(&self.nameless);
        }
        let covers = |prefix: &&Option<String>| {
            let prefix = prefix.as_deref();
            prefix.is_some_and(|prefix| root.starts_with(prefix))
        };
        let first = lists.first()?;
        Some(match (lists.iter().any(covers), first) {
            (true, _) => Ok(()),
            (false, Some(prefix)) => Err(format!(
                "the saved list is of what begins with '{prefix}' alone"
            )),
            (false, None) => Err(
                "the saved list does not say its Prefix: save what `aws s3api list-objects-v2` prints, whole"
                    .to_owned(),
            ),
        })
    }
}

/// Checks that an answer is all there is.
///
/// # Errors
/// It is only a part: what is not in it may be in the rest.
pub(super) fn is_whole(answer: &Map<String, Value>) -> anyhow::Result<()> {
    if let Some(part) = awsdata::part(answer) {
        bail!(part);
    }
    let folders = answer.get("CommonPrefixes").and_then(Value::as_array);
    if folders.is_some_and(|folders| !folders.is_empty()) {
        bail!("the answer is only a part, as its CommonPrefixes say: ask without --delimiter");
    }
    let after = answer.get("StartAfter").and_then(Value::as_str);
    if after.is_some_and(|after| !after.is_empty()) {
        bail!("the answer is only a part, as its StartAfter says: ask without --start-after");
    }
    Ok(())
}

/// Returns whether an answer is that of `list-objects-v2` about a bucket without objects: the AWS CLI keeps little of one.
/// <https://github.com/boto/botocore/blob/develop/botocore/data/s3/2006-03-01/paginators-1.json>
pub(super) fn is_empty_bucket(answer: &Map<String, Value>) -> bool {
    const MEMBERS: [&str; 10] = [
        "RequestCharged",
        "Prefix",
        "CommonPrefixes",
        "Name",
        "KeyCount",
        "MaxKeys",
        "IsTruncated",
        "EncodingType",
        "StartAfter",
        "Delimiter",
    ];
    let is_member = |name: &String| MEMBERS.contains(&name.as_str());
    ["RequestCharged", "Prefix", "KeyCount"]
        .iter()
        .any(|one| answer.contains_key(*one))
        && answer.keys().all(is_member)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Names, is_empty_bucket, is_whole};

    #[test]
    fn an_answer_without_a_name_covers_one_of_one() {
        let mut names = Names::default();
        let is_covered = |names: &Names, name: &str, of| {
            names.cover(name, "", of).is_some_and(|one| one.is_ok())
        };
        names.listed(Some("a"), Some(""));
        assert!(is_covered(&names, "a", 2) && !is_covered(&names, "b", 1));
        names.listed(None, Some(""));
        assert!(!is_covered(&names, "b", 2));
        assert!(is_covered(&names, "b", 1) && is_covered(&names, "b", 1));
        // It has been taken for another, in another place.
        assert!(!is_covered(&names, "c", 1));
    }

    #[test]
    fn a_list_of_one_prefix_covers_what_begins_with_it() {
        for (prefix, root, expected) in [
            (Some(""), "sessions/", true),
            (Some("sessions"), "sessions/", true),
            (Some("sessions/"), "sessions/", true),
            (Some("sessions/"), "sessions/here/", true),
            (Some("sessions/here/"), "sessions/", false),
            (Some("sessions/"), "trash/", false),
            (Some("sessions/"), "", false),
            (None, "sessions/", false),
        ] {
            let mut names = Names::default();
            names.listed(Some("b"), prefix);
            let covered = names.cover("b", root, 1).unwrap();
            assert_eq!(covered.is_ok(), expected, "{prefix:?} {root}");
            names.listed(Some("b"), Some(""));
            assert!(names.cover("b", root, 1).unwrap().is_ok());
        }
    }

    #[test]
    fn parts_and_empty_buckets() {
        for (answer, whole, empty_bucket) in [
            (json!({"RequestCharged": null, "Prefix": "a/"}), true, true),
            (json!({"RequestCharged": null}), true, true),
            (
                json!({"KeyCount": 0, "Name": "b", "IsTruncated": false}),
                true,
                true,
            ),
            (json!({}), true, false),
            (json!({"Prefix": "a/", "Other": 1}), true, false),
            (json!({"NextToken": null}), true, false),
            (json!({"NextToken": ""}), true, false),
            (json!({"NextToken": "x"}), false, false),
            (json!({"nextToken": "x"}), false, false),
            (json!({"KeyCount": 1, "StartAfter": "x"}), false, true),
            (json!({"KeyCount": 1, "StartAfter": ""}), true, true),
            (json!({"IsTruncated": true, "KeyCount": 1}), false, true),
            (
                json!({"Prefix": "", "CommonPrefixes": [{"Prefix": "a/"}]}),
                false,
                true,
            ),
        ] {
            let Value::Object(map) = &answer else {
                panic!("{answer}");
            };
            let found = (is_whole(map).is_ok(), is_empty_bucket(map));
            assert_eq!(found, (whole, empty_bucket), "{answer}");
        }
    }
}
