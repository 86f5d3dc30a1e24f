//! The last lines of text for people: how much there was, and which command comes next. Pure.

use std::path::Path;

use serde_json::Value;

use crate::text::{Changes, Findings, Results, totals};

/// What a run has shown.
#[derive(Default)]
pub(crate) struct Shown {
    /// Rows of tables, each with their noun.
    pub(crate) counts: Vec<(usize, &'static str)>,
    pub(crate) findings: Findings,
    pub(crate) changes: Changes,
    pub(crate) results: Results,
    /// Whether there was anything of which the next verb knows more.
    pub(crate) has_shown: bool,
    /// Accounts and regions that could not be read.
    pub(crate) n_unreachable: usize,
    /// Whether findings were looked for, though there may be none.
    pub(crate) has_looked: bool,
    pub(crate) next_verb: Option<&'static str>,
    /// Whether the plans that were carried out are in a file, so that `--recover` can have them again.
    pub(crate) is_plan_kept: bool,
}

impl Shown {
    /// Returns the plans that undo what was done, where nothing else would hold them: text has no room for them, and they must not be
    /// lost.
    pub(crate) fn undo(&self) -> Option<String> {
        // What was done last is undone first: another region may use what an earlier plan has made.
        let plans = self.results.undo.iter().rev().map(Value::to_string);
        let plans: Vec<String> = plans.collect();
        let is_lost = !plans.is_empty() && !self.is_undo_kept();
        is_lost.then(|| format!("\n{}", plans.join("\n")))
    }

    /// Returns whether anything was done that can be undone.
    pub(crate) fn has_undo(&self) -> bool {
        !self.results.undo.is_empty()
    }

    fn is_undo_kept(&self) -> bool {
        self.is_plan_kept && self.results.is_recoverable()
    }

    /// Returns the lines, for a tool and the file of its `-f`.
    pub(crate) fn lines(&self, tool: &str, file: Option<&Path>) -> Vec<String> {
        let mut lines = Vec::new();
        let counts = totals(self.counts.iter().copied());
        if !counts.is_empty() {
            lines.push(counts.join(", "));
        }
        // What was not read is never "nothing".
        let unread = match self.n_unreachable {
            0 => String::new(),
            1 => "; 1 account or region could not be read".to_owned(),
            n => format!("; {n} accounts or regions could not be read"),
        };
        if self.has_looked {
            lines.push(format!("{}{unread}", self.findings));
        }
        if self.changes.n_plans > 0 {
            lines.push(format!("{}{unread}", self.changes));
        }
        if self.results.n_plans > 0 {
            lines.push(format!("{}{unread}", self.results));
        }
        let file = file.map_or("FILE".to_owned(), quoted);
        if self.has_undo() {
            // Neither the name of the plan behind stdin nor the other flags are known here.
            lines.push(match self.is_undo_kept() {
                true => format!(
                    "to undo it: the same command with --recover prints it again, for | jq -c '.undo // empty' | {tool} apply"
                ),
                false => format!("to undo it, give the above to {tool} apply"),
            });
        } else if !self.changes.is_empty() {
            lines.push(format!(
                "nothing is written yet; next: {tool} plan -f {file} >plan.json && {tool} apply <plan.json"
            ));
        } else if let Some(verb) = self.next_verb
            && self.has_shown
        {
            lines.push(format!("next: {tool} {verb} -f {file}"));
        }
        lines
    }
}

/// Returns a path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=+,:@%".contains(c);
    match text.chars().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shown;

    #[test]
    fn an_apply_ends_with_counts_and_the_way_back() {
        let mut shown = Shown::default();
        let done = json!({"results": [{"status": "done"}, {"status": "failed"}, {"status": "done"}], "undo": null});
        shown.results.add(&done);
        assert_eq!(shown.lines("ssm-x", None), ["2 done, 1 failed"]);
        let undo = json!({"results": [{"status": "done"}], "undo": {"changes": []}});
        shown.results.add(&undo);
        shown.n_unreachable = 1;
        let mut expected = [
            "3 done, 1 failed in 2 plans; 1 account or region could not be read",
            "to undo it, give the above to ssm-x apply",
        ];
        assert_eq!(shown.lines("ssm-x", None), expected);
        assert_eq!(shown.undo().unwrap(), "\n{\"changes\":[]}");
        // Of several plans, or where something was there already, it cannot be recovered.
        shown.is_plan_kept = true;
        assert!(shown.undo().is_some());
        let mut one = Shown {
            is_plan_kept: true,
            ..Shown::default()
        };
        one.results.add(&undo);
        expected[0] = "1 done";
        expected[1] = "to undo it: the same command with --recover prints it again, for | jq -c '.undo // empty' | ssm-x apply";
        assert_eq!(one.lines("ssm-x", None), expected);
        assert_eq!(one.undo(), None);
        let unchanged = json!({"results": [{"status": "done"}, {"status": "unchanged"}], "undo": {"changes": []}});
        one.results.add(&unchanged);
        one.results.n_plans = 1;
        assert!(one.undo().is_some());
        let mut nothing = Shown::default();
        nothing.results.add(&json!({"results": [], "undo": null}));
        assert_eq!(nothing.lines("ssm-x", None), ["nothing to do"]);
    }

    #[test]
    fn files_are_named_as_a_shell_takes_them() {
        let shown = Shown {
            has_shown: true,
            next_verb: Some("check"),
            ..Shown::default()
        };
        let lines = shown.lines("ssm-x", Some("it's mine.json".as_ref()));
        assert_eq!(lines, [r"next: ssm-x check -f 'it'\''s mine.json'"]);
    }
}
