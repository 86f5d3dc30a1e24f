//! Which records a guard can say anything about, decided by the bytes of a record: of most of them nothing else is ever read.
//! In doubt a record is looked at. Pure.

use std::collections::HashMap;

use iam_policy::Compiled;

use super::event_name::{called, deniable, is_deniable};

/// Looks for records of calls that a statement of a guard is about.
pub(crate) struct Concern<'g> {
    guard: &'g [Compiled],
    /// What was found out of an event source and name, which come back in every record.
    known: HashMap<String, bool>,
    /// Where they are joined.
    joined: String,
}

impl<'g> Concern<'g> {
    pub(crate) fn of(guard: &'g [Compiled]) -> Concern<'g> {
        Concern {
            guard,
            known: HashMap::new(),
            joined: String::new(),
        }
    }

    /// Returns whether the guard may deny the call of a record, or of one that is wrapped in it, or whether the record is damaged:
    /// that one may have been of another call.
    pub(crate) fn may_be(&mut self, record: &[u8]) -> bool {
        let (mut name, mut source) = (Found::Nothing, Found::Nothing);
        let mut in_doubt = false;
        let is_json = json_splitter::is_json(record, |key, value| match key {
            Some(b"eventName") => name.add(value),
            Some(b"eventSource") => source.add(value),
            // A record as a text; or a key that is spelled with escapes.
            Some(b"CloudTrailEvent") | None => in_doubt = true,
            Some(_) => {}
        });
        match (name, source) {
            (Found::One(name), Found::One(source)) if is_json == Some(true) && !in_doubt => {
                self.is_of(source, name)
            }
            _ => true,
        }
    }

    fn is_of(&mut self, source: &str, name: &str) -> bool {
        if source.trim().is_empty() || name.trim().is_empty() {
            return true;
        }
        self.joined.clear();
        for part in [source, ":", name] {
            self.joined.push_str(part);
        }
        if let Some(known) = self.known.get(&self.joined) {
            return *known;
        }
        let Some(called) = called(source, name) else {
            return true;
        };
        let concerns = is_deniable(self.guard, &called.action)
            || called.in_doubt && !deniable(self.guard, &called.action).is_empty();
        self.known.insert(self.joined.clone(), concerns);
        concerns
    }
}

/// The values of a key, wherever it is in a record: a wrapping holds several records, and parameters of a call may have that key.
#[derive(Clone, Copy)]
enum Found<'r> {
    Nothing,
    One(&'r str),
    /// More than one, or one that is not a plain text.
    InDoubt,
}

impl<'r> Found<'r> {
    /// Adds the value at the beginning of what follows a key.
    fn add(&mut self, rest: &'r [u8]) {
        *self = match (*self, plain(rest)) {
            (Found::Nothing, Some(value)) => Found::One(value),
            _ => Found::InDoubt,
        };
    }
}

/// Returns the text that a value is; `None` where it is none, or has escapes.
fn plain(rest: &[u8]) -> Option<&str> {
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let value = &rest[..memchr::memchr2(b'"', b'\\', rest)?];
    let is_plain = rest.get(value.len()) == Some(&b'"');
    std::str::from_utf8(value).ok().filter(|_| is_plain)
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
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","CloudTrailEvent":"{\"eventName\":\"StartSession\"}"}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","x":[{"eventName":"A"},{"eventName":"B"},{"eventName":"C"},{"eventName":"D"}]}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject",}"#,
            r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject"]"#,
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
