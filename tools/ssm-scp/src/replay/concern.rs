//! Which records a guard can say anything about, decided by the bytes of a record: of most of them nothing else is ever read.
//! In doubt a record is looked at. Pure.

use std::collections::HashMap;

use iam_policy::Compiled;
use memchr::memmem::Finder;

use super::event_name::{called, deniable, is_deniable};

/// Looks for records of calls that a statement of a guard is about.
pub(crate) struct Concern<'g> {
    guard: &'g [Compiled],
    names: Finder<'static>,
    sources: Finder<'static>,
    escapes: Finder<'static>,
    /// What was found out of an event source and name, which come back in every record.
    known: HashMap<String, bool>,
}

impl<'g> Concern<'g> {
    pub(crate) fn of(guard: &'g [Compiled]) -> Concern<'g> {
        Concern {
            guard,
            names: Finder::new(b"\"eventName\""),
            sources: Finder::new(b"\"eventSource\""),
            // A key or a name may be spelled with escapes.
            escapes: Finder::new(b"\\u00"),
            known: HashMap::new(),
        }
    }

    /// Returns whether the guard may deny the call of a record, or of one that is wrapped in it.
    pub(crate) fn may_be(&mut self, record: &[u8]) -> bool {
        if self.escapes.find(record).is_some() {
            return true;
        }
        let (Some(names), Some(sources)) =
            (values(record, &self.names), values(record, &self.sources))
        else {
            return true;
        };
        // Parameters of a call may hold keys of that name, too, and a wrapping holds several records.
        names.is_empty()
            || sources.is_empty()
            || sources
                .iter()
                .any(|source| names.iter().any(|name| self.is_of(source, name)))
    }

    fn is_of(&mut self, source: &str, name: &str) -> bool {
        let key = format!("{source}:{name}");
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let Some(called) = called(source, name) else {
            return true;
        };
        let concerns = is_deniable(self.guard, &called.action)
            || called.in_doubt && !deniable(self.guard, &called.action).is_empty();
        self.known.insert(key, concerns);
        concerns
    }
}

/// Returns the texts that a key has in a record, wherever it stands; `None` where one is not a plain text.
fn values<'r>(record: &'r [u8], key: &Finder<'_>) -> Option<Vec<&'r str>> {
    let mut values = Vec::new();
    for at in key.find_iter(record) {
        let rest = record[at + key.needle().len()..].trim_ascii_start();
        // Where no colon follows the text is a value itself.
        let Some(rest) = rest.strip_prefix(b":") else {
            continue;
        };
        let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
        let value = &rest[..memchr::memchr(b'"', rest)?];
        if value.contains(&b'\\') {
            return None;
        }
        values.push(std::str::from_utf8(value).ok()?);
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Concern;
    use organization::compile;

    #[track_caller]
    fn check(actions: (&str, Value), record: &str, expected: bool) {
        let (element, actions) = actions;
        let mut statement = json!({"Effect": "Deny", "Resource": "arn:aws:ec2:*:*:instance/*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}});
        statement[element] = actions.clone();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}, statement]});
        let guard = [compile("guard", &policy.to_string()).unwrap()];
        let mut concern = Concern::of(&guard);
        // The second answer is remembered.
        for _ in 0..2 {
            assert_eq!(
                concern.may_be(record.as_bytes()),
                expected,
                "{actions:?} {record}"
            );
        }
    }

    #[test]
    fn only_calls_that_a_statement_denies_are_looked_at() {
        let start = r#"{"eventSource": "ssm.amazonaws.com", "eventName" :"StartSession"}"#;
        let list = r#"{"eventName":"ListBuckets","eventSource":"s3.amazonaws.com"}"#;
        for actions in [
            json!("ssm:startsession"),
            json!("ssm:*"),
            json!("ssm:St?rt*"),
        ] {
            check(("Action", actions.clone()), start, true);
            check(("Action", actions), list, false);
        }
        let lifecycle = r#"{"eventName":"PutBucketLifecycle","eventSource":"s3.amazonaws.com"}"#;
        check(
            ("Action", json!("s3:PutLifecycleConfiguration")),
            lifecycle,
            true,
        );
        check(("Action", json!("s3:PutBucketAcl")), lifecycle, false);
        check(("NotAction", json!("ssm:*")), start, false);
        check(("NotAction", json!("ssm:*")), list, true);
    }

    #[test]
    fn what_is_in_doubt_is_looked_at() {
        let action = || ("Action", json!("ssm:StartSession"));
        for doubtful in [
            r#"{"digestStartTime":"2026-11-01T00:00:00Z"}"#,
            r#"{"Events":[{"EventName":"StartSession","CloudTrailEvent":"{\"eventName\":\"StartSession\"}"}]}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"Get\u004fbject"}"#,
            r#"{"eventSource":"s3.amazonaws.com","event\u004eame":"x","x":{"eventName":"y"}}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":null}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"a\/b"}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"eventName":"StartSession","eventSource":"ssm.amazonaws.com"}}"#,
            r#"{"eventSource":"a device","eventName":"GetObject"}"#,
            r#"{"eventSource":"ssm.amazonaws.com","eventName":"BeginSession"}"#,
        ] {
            check(action(), doubtful, true);
        }
        check(
            action(),
            r#"{"eventSource":"s3.amazonaws.com","eventName":"FetchObject"}"#,
            false,
        );
        check(
            action(),
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"key":"eventName","note":"\"eventName\":\"StartSession\""}}"#,
            false,
        );
    }
}
