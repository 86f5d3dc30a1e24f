//! What saved answers cover: whole lists alone, and those of buckets and log groups that they name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::bail;
use serde_json::{Map, Value};

/// The buckets, or the log groups, that were listed.
#[derive(Debug, Default)]
pub(super) struct Names {
    named: BTreeSet<String>,
    has_nameless: bool,
    /// What an answer without a name is taken for.
    taken_for: RefCell<Option<String>>,
}

impl Names {
    pub(super) fn named(&mut self, name: &str) {
        if !self.named.contains(name) {
            self.named.insert(name.to_owned());
        }
    }

    pub(super) fn nameless(&mut self) {
        self.has_nameless = true;
    }

    /// Returns whether one was listed, of so many that may have been meant. An answer without a name is taken for one of them: it
    /// says nothing about a second one.
    pub(super) fn cover(&self, name: &str, of: usize) -> bool {
        let is_taken = || {
            let mut taken = self.taken_for.borrow_mut();
            taken.get_or_insert_with(|| name.to_owned()) == name
        };
        self.named.contains(name) || (self.has_nameless && of == 1 && is_taken())
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
        names.named("a");
        assert!(names.cover("a", 2) && !names.cover("b", 1));
        names.nameless();
        assert!(!names.cover("b", 2));
        assert!(names.cover("b", 1) && names.cover("b", 1));
        // It has been taken for another, in another place.
        assert!(!names.cover("c", 1));
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
