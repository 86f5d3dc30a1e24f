//! What became of a change whose run was killed before it could say so: read off the state that is there now.

use cli::{Change, ChangeStatus};
use serde_json::Value;

use crate::{Resources, Tried};

/// What a state says of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// The desired state is there, or part of it: a change may take several calls.
    Done,
    /// The state of before is there.
    NotDone,
    /// Neither; the text says what is there.
    Other(String),
}

/// Looks only: returns what an earlier run has done of a change, and how to take that back.
pub(crate) fn recovered<R: Resources>(
    resources: &R,
    change: &Change<R::Action>,
    seen: &anyhow::Result<R::Seen>,
) -> Tried<R::Action> {
    let unread =
        |reason: &str| Tried::because(ChangeStatus::Failed, format!("could not be read: {reason}"));
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return unread(&format!("{error:#}")),
    };
    let state = match resources.state(change, seen) {
        Ok(state) => state,
        Err(reason) => return unread(&reason),
    };
    let is_done = resources.is_satisfied(change, seen) || resources.is_between(change, &state);
    let found = match is_done {
        true => Found::Done,
        false if resources.is_start(change, &state) => Found::NotDone,
        false if change.from.is_null() && resources.is_default(change, &state) => Found::NotDone,
        false => found(&change.from, &change.to, &state),
    };
    match found {
        Found::Done => Tried {
            inverse: resources.inverse(change, state),
            ..Tried::new(ChangeStatus::Unchanged)
        },
        Found::NotDone => Tried::because(ChangeStatus::Skipped, "was not done"),
        Found::Other(reason) => Tried::because(ChangeStatus::Failed, reason),
    }
}

/// Returns what the state that is there now says of a change that leads `from` one state `to` another.
fn found(from: &Value, to: &Value, now: &Value) -> Found {
    match now {
        now if now == to => Found::Done,
        now if now == from => Found::NotDone,
        now if from.is_null() && is_part(now, to) => Found::Done,
        now => Found::Other(format!(
            "neither {from} nor {to} is there, but {now}: somebody else has changed it"
        )),
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

    fn of(from: Value, to: Value, now: Value) -> Found {
        found(&from, &to, &now)
    }

    #[test]
    fn knows_done_from_not_done_and_from_what_others_did() {
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
