//! What became of a change whose run was killed before it could say so: told from the state that is there now.

use serde_json::Value;

use crate::{ChangeStatus, Reading};

/// What a state says of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The wished state is there, or part of it where there was nothing: a change may take several calls.
    Done,
    /// The state of before is there.
    NotDone,
    /// Neither; the text says what is there, or why it is not known.
    Other(String),
}

impl Found {
    /// Returns what a result says of it: status and error.
    #[must_use]
    pub fn told(self) -> (ChangeStatus, Option<String>) {
        match self {
            Found::Done => (ChangeStatus::Unchanged, None),
            Found::NotDone => (ChangeStatus::Skipped, Some("was not done".to_owned())),
            Found::Other(reason) => (ChangeStatus::Failed, Some(reason)),
        }
    }
}

/// Returns what the state that is there now says of a change that leads `from` one state `to` another.
#[must_use]
pub fn found(from: &Value, to: &Value, now: &Reading<Value>) -> Found {
    match now {
        Reading::Unknown(reason) => Found::Other(format!("could not be read: {reason}")),
        Reading::Present(now) if now == to => Found::Done,
        Reading::Present(now) if now == from => Found::NotDone,
        Reading::Present(now) if from.is_null() && is_part(now, to) => Found::Done,
        Reading::Present(now) => Found::Other(format!(
            "neither {from} nor {to} is there, but {now}: somebody else has changed it"
        )),
        Reading::Absent if to.is_null() => Found::Done,
        Reading::Absent => Found::NotDone,
    }
}

/// Returns whether nothing is in `part` that is not in `whole`.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Null | Value::Bool(false), _) => true,
        (Value::Array(part), Value::Array(whole)) => part.iter().all(|one| whole.contains(one)),
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| is_part(value, whole.get(key).unwrap_or(&Value::Null))),
        (part, whole) => part == whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Found, found};
    use crate::Reading;

    fn of(from: Value, to: Value, now: Value) -> Found {
        found(&from, &to, &Reading::Present(now))
    }

    #[test]
    fn tells_done_from_not_done_and_from_what_others_did() {
        let (old, new) = (json!({"minutes": 20}), json!({"minutes": 30}));
        assert_eq!(of(old.clone(), new.clone(), new.clone()), Found::Done);
        assert_eq!(of(old.clone(), new.clone(), old.clone()), Found::NotDone);
        assert!(matches!(
            of(old, new, json!({"minutes": 5})),
            Found::Other(_)
        ));
    }

    #[test]
    fn part_of_what_is_made_is_done_but_more_than_it_is_somebody_elses() {
        let role = json!({"trust": "ec2", "attached": ["a", "b"]});
        let half = json!({"trust": "ec2", "attached": ["a"]});
        assert_eq!(of(Value::Null, role.clone(), half.clone()), Found::Done);
        let more = json!({"trust": "ec2", "attached": ["a", "c"]});
        assert!(matches!(
            of(Value::Null, role.clone(), more),
            Found::Other(_)
        ));
        assert!(matches!(
            of(json!({"trust": "x"}), role, half),
            Found::Other(_)
        ));
    }
}
