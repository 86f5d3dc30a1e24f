//! Plans and results.

use serde_json::{Value, json};

use super::alike::{Alike, Member, Place};
use super::difference::difference;
use super::{count, place, plain};
use crate::screen::{Screen, Tone};

/// How many changes plans make, for the line at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) n_plans: usize,
    n_created: usize,
    n_changed: usize,
    n_deleted: usize,
}

impl Changes {
    /// Counts the changes of a plan.
    pub(crate) fn add(&mut self, plan: &Value) {
        self.n_plans += 1;
        for change in changes(plan) {
            match sign(change) {
                '+' => self.n_created += 1,
                '-' => self.n_deleted += 1,
                _ => self.n_changed += 1,
            }
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.n_created + self.n_changed + self.n_deleted == 0
    }
}

impl std::fmt::Display for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing to change");
        }
        write!(
            f,
            "{} to create, {} to change, {} to delete",
            self.n_created, self.n_changed, self.n_deleted
        )?;
        if self.n_plans > 1 {
            write!(f, " in {}", count(self.n_plans, "plan"))?;
        }
        Ok(())
    }
}

/// What became of the changes of plans, for the line at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    pub(crate) n_plans: usize,
    /// The plans that undo what was done.
    pub(crate) undo: Vec<Value>,
    /// How many changes have each status, in the order in which the first of each was met.
    statuses: Vec<(String, usize)>,
}

impl Results {
    /// Counts what a result says.
    pub(crate) fn add(&mut self, result: &Value) {
        self.n_plans += 1;
        self.undo
            .extend(result.get("undo").filter(|one| !one.is_null()).cloned());
        for applied in result["results"].as_array().into_iter().flatten() {
            let status = plain(&applied["status"]);
            match self.statuses.iter_mut().find(|(one, _)| *one == status) {
                Some((_, n)) => *n += 1,
                None => self.statuses.push((status.into_owned(), 1)),
            }
        }
    }
}

impl Results {
    /// Whether `--recover` gives back the very undo of this run. It reports what is there, and cannot know which of several plans, or
    /// who else, has made it.
    pub(crate) fn is_recoverable(&self) -> bool {
        let is_ours = |(status, _): &(String, usize)| status != "unchanged";
        self.n_plans == 1 && self.statuses.iter().all(is_ours)
    }
}

impl std::fmt::Display for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = self.statuses.iter().map(|(one, n)| format!("{n} {one}"));
        let counts: Vec<String> = counts.collect();
        match counts.is_empty() {
            true => f.write_str("nothing to do")?,
            false => f.write_str(&counts.join(", "))?,
        }
        if self.n_plans > 1 {
            write!(f, " in {}", count(self.n_plans, "plan"))?;
        }
        Ok(())
    }
}

fn changes(plan: &Value) -> &[Value] {
    plan["changes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Returns `+` for what is made, `-` for what is removed, `~` for what is changed.
fn sign(change: &Value) -> char {
    match (&change["from"], &change["to"]) {
        (Value::Null, _) => '+',
        (_, Value::Null) => '-',
        _ => '~',
    }
}

pub(super) fn plan(record: &Value, screen: Screen) -> String {
    let changes = changes(record);
    let n_changes = match changes.len() {
        0 => "nothing to change".to_owned(),
        n => count(n, "change"),
    };
    let (tool, place) = (plain(&record["tool"]), place(&record["target"]));
    let head = format!("{tool} {place}: {n_changes}");
    let mut lines = vec![screen.paint(Tone::Strong, &head)];
    for folded in fold(changes) {
        let sign = sign(folded.first);
        let tone = match sign {
            '+' => Tone::Good,
            '-' => Tone::Bad,
            _ => Tone::Changed,
        };
        let head = format!("  {} ", screen.paint(tone, &sign.to_string()));
        let what = format!(
            "{} {}",
            plain(&folded.first["action"]),
            folded.group.resources()
        );
        lines.push(screen.wrap(&head, 6, &what));
        let why = folded.group.template(|one| &one.message);
        lines.push(screen.wrap("      ", 6, &why));
        difference(&folded.from, &folded.first["to"], 6, screen, &mut lines);
    }
    for owner in record["for_owners"].as_array().into_iter().flatten() {
        let (account, resource) = (plain(&owner["account"]), plain(&owner["resource"]));
        let text = format!(
            "account {account} must have in the policy of {resource}, which is not changed from here:"
        );
        lines.push(screen.wrap("  ", 4, &text));
        let statements = owner["statements"].as_array().into_iter().flatten();
        for statement in statements {
            difference(
                &Value::Null,
                &Value::Array(vec![statement.clone()]),
                4,
                screen,
                &mut lines,
            );
        }
    }
    lines.join("\n")
}

/// Changes that do the same to one resource after another.
struct Folded<'p> {
    first: &'p Value,
    group: Alike,
    /// What all of them start from, of what `to` speaks of.
    from: Value,
}

/// Returns the changes in their order, those that follow each other and lead to the same as one.
fn fold(changes: &[Value]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded> = Vec::new();
    for change in changes {
        let text = |field: &str| plain(&change[field]).into_owned();
        let member = Member {
            place: Place::default(),
            resource: text("resource"),
            message: text("why"),
            fix: String::new(),
        };
        let common = json!([change["action"], change["to"], change["from"].is_null()]);
        let group = Alike::of(common, member);
        // `to` may hold less than `from`, such as no version number; what it does not speak of does not change.
        let mut from = change["from"].clone();
        if let (Value::Object(from), Value::Object(to)) = (&mut from, &change["to"]) {
            from.retain(|key, _| to.contains_key(key));
        }
        if let Some(last) = folded.last_mut()
            && last.group.is_like(&group)
            && last.takes(&from, &change["to"], &change["why"])
        {
            last.group.members.extend(group.members);
        } else {
            folded.push(Folded {
                first: change,
                group,
                from,
            });
        }
    }
    folded
}

impl Folded<'_> {
    /// Takes what one more change starts from. What differs from resource to resource is left out where each reason names it; where it
    /// is all that there is to see, as of what is deleted, each change is by itself.
    fn takes(&mut self, from: &Value, to: &Value, why: &Value) -> bool {
        if self.from == *from {
            return true;
        }
        match (&mut self.from, from, to) {
            (Value::Object(common), Value::Object(from), Value::Object(_)) => {
                let why = plain(why);
                let is_same = |key: &String, value: &Value| from.get(key) == Some(value);
                let members = &self.group.members;
                let is_left_out = common.iter().all(|(key, value)| {
                    is_same(key, value) || members.iter().all(|one| names(&one.message, value))
                });
                let is_named = from
                    .iter()
                    .all(|(key, value)| common.get(key) == Some(value) || names(&why, value));
                if is_left_out && is_named {
                    common.retain(|key, value| is_same(key, value));
                }
                is_left_out && is_named
            }
            _ => false,
        }
    }
}

/// Returns whether a text has all values of what would not be shown, each as a word.
fn names(text: &str, value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| names(text, value)),
        Value::Object(values) => values.values().all(|value| names(text, value)),
        Value::Null => true,
        leaf => {
            let leaf = plain(leaf);
            let is_of_word = |c: char| c.is_alphanumeric() || "-_/".contains(c);
            text.match_indices(leaf.as_ref()).any(|(at, _)| {
                let (before, behind) = (&text[..at], &text[at + leaf.len()..]);
                // A full stop ends a sentence, or goes on with a version.
                let ends = behind.strip_prefix('.').unwrap_or(behind);
                !before.ends_with(|c| is_of_word(c) || c == '.') && !ends.starts_with(is_of_word)
            })
        }
    }
}

pub(super) fn result(record: &Value, screen: Screen) -> String {
    let head = format!("{} {}", plain(&record["tool"]), place(&record["target"]));
    let mut lines = vec![screen.paint(Tone::Strong, &head)];
    let results = record["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if results.is_empty() {
        lines.push("  nothing to do".to_owned());
    }
    for applied in results {
        let status = plain(&applied["status"]);
        let tone = match status.as_ref() {
            "done" => Tone::Good,
            "failed" | "unknown" => Tone::Bad,
            "skipped" => Tone::Doubtful,
            _ => Tone::Faint,
        };
        let head = format!("  {} ", screen.paint(tone, &format!("{status:<9}")));
        let what = format!(
            "{} {}",
            plain(&applied["action"]),
            plain(&applied["resource"])
        );
        lines.push(screen.wrap(&head, 12, &what));
        if !applied["error"].is_null() {
            lines.push(screen.wrap("            ", 12, &plain(&applied["error"])));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Changes;
    use crate::screen::Screen;
    use crate::text::render;

    #[test]
    fn a_plan_shows_only_what_differs() {
        let plan = json!({"kind": "plan", "tool": "ssm-prefs", "target": {"account": "1", "region": "r"}, "changes": [
            {"id": "a", "action": "update_document", "resource": "doc", "from": {"a": 1, "b": 2}, "to": {"a": 1, "b": 3},
             "why": "drift"},
            {"id": "b", "action": "create_key", "resource": "k", "from": null, "to": {"alias": "k"}, "why": "none yet"}]});
        let expected = "ssm-prefs 1/r: 2 changes\n  ~ update_document doc\n      drift\n      - b: 2\n      + b: 3\n  \
            + create_key k\n      none yet\n      + alias: k";
        assert_eq!(render(&plan, Screen::default()), expected);
        let mut changes = Changes::default();
        assert_eq!(changes.to_string(), "nothing to change");
        changes.add(&plan);
        assert_eq!(changes.to_string(), "1 to create, 1 to change, 0 to delete");
        changes.add(&plan);
        assert_eq!(
            changes.to_string(),
            "2 to create, 2 to change, 0 to delete in 2 plans"
        );
    }

    #[test]
    fn a_plan_shows_what_others_must_allow() {
        let plan = json!({"kind": "plan", "tool": "ssm-prefs", "target": {"account": "1", "region": "r"}, "changes": [],
            "for_owners": [{"account": "2", "resource": "arn:aws:s3:::b\u{202e}", "statements": [{"Sid": "b\u{1b}"}]}]});
        let expected = "ssm-prefs 1/r: nothing to change\n  account 2 must have in the policy of arn:aws:s3:::b\\u{202e}, \
            which is not changed from here:\n    + state:\n      + [\n      +   {\n      +     \"Sid\": \"b\\u001b\"\n      +   }\n      + ]";
        assert_eq!(render(&plan, Screen::default()), expected);
    }

    /// Seven nodes that are updated alike are one line for people, and not seven times six.
    #[test]
    fn changes_that_lead_to_the_same_are_one() {
        let update = |number: usize, wave: u32| {
            json!({"id": format!("u/{number}"), "action": "update_agent", "resource": format!("i-{number:017x}"),
                "from": {"version": format!("3.1.{number}.0")},
                "to": {"version": "latest", "at_least": "3.2.582.0", "wave": wave},
                "why": format!("the agent is 3.1.{number}.0, older than 3.2.582.0")})
        };
        let mut changes: Vec<_> = (1..=7).map(|number| update(number, 1)).collect();
        changes.push(update(8, 2));
        changes.push(json!({"id": "a", "action": "delete_x", "resource": "a", "from": {"a": 1}, "to": null, "why": "unused"}));
        changes.push(json!({"id": "b", "action": "delete_x", "resource": "b", "from": {"a": 2}, "to": null, "why": "unused"}));
        let plan = json!({"kind": "plan", "tool": "t", "target": {"account": "1", "region": "r"}, "changes": changes});
        let screen = Screen {
            width: Some(80),
            has_colors: false,
        };
        let expected = "t 1/r: 10 changes
  ~ update_agent 7: i-00000000000000001 (3.1.1.0), i-00000000000000002
      (3.1.2.0), i-00000000000000003 (3.1.3.0), i-00000000000000004 (3.1.4.0),
      i-00000000000000005 (3.1.5.0) and 2 more
      the agent is (above), older than 3.2.582.0
      + version: latest
      + at_least: 3.2.582.0
      + wave: 1
  ~ update_agent i-00000000000000008
      the agent is 3.1.8.0, older than 3.2.582.0
      - version: 3.1.8.0
      + version: latest
      + at_least: 3.2.582.0
      + wave: 2
  - delete_x a
      unused
      - a: 1
  - delete_x b
      unused
      - a: 2";
        assert_eq!(render(&plan, screen), expected);
    }

    /// What is replaced is what a reader looks for: it is left out only where the reason says it.
    #[test]
    fn what_is_replaced_is_shown_where_no_reason_names_it() {
        let replace = |id: &str, profile: &str, why: &str| {
            json!({"id": id, "action": "replace_profile", "resource": id, "from": {"profile": profile},
                "to": {"profile": "C"}, "why": why})
        };
        let text = |first: &str, second: &str| {
            let plan = json!({"kind": "plan", "tool": "t", "target": {"account": "1", "region": "r"},
                "changes": [replace("i-1", "A", first), replace("i-2", "B", second)]});
            render(&plan, Screen::default())
        };
        let shown = text("it lacks SSM", "it lacks SSM");
        assert!(
            shown.contains("- profile: A") && shown.contains("- profile: B"),
            "{shown}"
        );
    }

    #[test]
    fn long_reasons_hang_below_their_change() {
        let plan = json!({"kind": "plan", "tool": "t", "target": {"account": "1", "region": "r"}, "changes": [
            {"id": "a", "action": "delete_x", "resource": "y", "from": {"a": 1}, "to": null, "why": "because it is not in use"}]});
        let screen = Screen {
            width: Some(24),
            has_colors: false,
        };
        let expected =
            "t 1/r: 1 change\n  - delete_x y\n      because it is not\n      in use\n      - a: 1";
        assert_eq!(render(&plan, screen), expected);
    }
}
