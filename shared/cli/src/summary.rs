//! The last lines of text for people: how much there was, and which command comes next. Pure.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::text::{Changes, Findings, Results, totals};
use crate::typed::{Typed, quoted};

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
    pub(crate) next: Option<Next>,
    /// Whether the plans that were carried out are in a file, so that `--recover` can have them again.
    pub(crate) is_plan_kept: bool,
}

/// What comes next, for who has read what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A verb of the tool that reads the same input, in the same places.
    Verb(&'static str),
    /// A verb of the tool for a desired state that is not the input, if a file of it is known.
    VerbOf(&'static str, Option<PathBuf>),
    /// The same command with something behind it, such as a flag and where to print to.
    Again(&'static str),
    /// The same command into a file, whose name is without `.jsonl`, and a verb of the tool that reads it beside the same input:
    /// `report --sessions`.
    Saved(&'static str, &'static str),
    /// A command of another tool that says more, in the same places.
    Other(&'static str),
    /// A plan, for what the findings say that one mends.
    Plan,
    /// A verb of the tool that reads what the same command prints.
    Pipe(&'static str),
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

    /// Returns the lines, for a tool, the file of its `-f` and what was typed.
    pub(crate) fn lines(&self, tool: &str, file: Option<&Path>, typed: &Typed) -> Vec<String> {
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
        let places = &typed.places;
        let is_file = file.is_some_and(|file| file.as_os_str() != "-");
        let name = match file {
            Some(file) if is_file => quoted(&file.to_string_lossy()),
            _ => "FILE".to_owned(),
        };
        let again = match is_file {
            true => typed.whole.clone(),
            false => format!("{} -f {name}", typed.whole),
        };
        if self.has_undo() {
            // The name of the plan behind stdin is not known here.
            lines.push(match self.is_undo_kept() {
                true => format!(
                    "to undo it: `{again} --recover | jq -c '.undo // empty' | {tool} apply{places}`"
                ),
                false => format!("to undo it, give the above to {tool} apply{places}"),
            });
        } else if !self.changes.is_empty() {
            lines.push(format!(
                "nothing is written yet; next: {again} >plan.json && {tool} apply{places} <plan.json"
            ));
        } else if self.has_shown {
            let next = match &self.next {
                Some(Next::Verb(verb)) => Some(format!("{tool} {verb} -f {name}{places}")),
                Some(Next::VerbOf(verb, desired)) => {
                    let desired = desired.as_ref().filter(|path| path.as_os_str() != "-");
                    let name = desired.map(|path| quoted(&path.to_string_lossy()));
                    let name = name.as_deref().unwrap_or("FILE");
                    Some(format!("{tool} {verb} -f {name}{places}"))
                }
                Some(Next::Again(more)) => Some(format!("{again} {more}")),
                // Where not all could be read, which ends with 2, the reader says so of what there is.
                Some(Next::Saved(file, reader)) => Some(format!(
                    "{again} >{file}.jsonl; {tool} {reader} {file}.jsonl -f {name}"
                )),
                Some(Next::Other(command)) => Some(format!("{command}{places}")),
                // Another tool reads a desired state of its own.
                Some(Next::Plan) => self.findings.planner(tool).and_then(|planner| {
                    if planner != tool {
                        return Some(format!("{planner} plan -f FILE{places}"));
                    }
                    let of_plan = typed.of_plan.as_deref()?;
                    Some(format!("{planner} plan -f {name}{of_plan}{places}"))
                }),
                Some(Next::Pipe(verb)) => Some(format!("{} | {tool} {verb}", typed.whole)),
                None => None,
            };
            lines.extend(next.map(|next| format!("next: {next}")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Next, Shown};
    use crate::typed::Typed;

    #[test]
    fn an_apply_ends_with_counts_and_the_way_back() {
        let mut shown = Shown::default();
        let done = json!({"results": [{"status": "done"}, {"status": "failed"}, {"status": "done"}], "undo": null});
        shown.results.add(&done);
        let lines = |shown: &Shown| shown.lines("ssm-x", None, &Typed::default());
        assert_eq!(lines(&shown), ["2 done, 1 failed"]);
        let undo = json!({"results": [{"status": "done"}], "undo": {"changes": []}});
        shown.results.add(&undo);
        shown.n_unreachable = 1;
        let mut expected = [
            "3 done, 1 failed in 2 plans; 1 account or region could not be read",
            "to undo it, give the above to ssm-x apply",
        ];
        assert_eq!(lines(&shown), expected);
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
        expected[1] = "to undo it: ` -f FILE --recover | jq -c '.undo // empty' | ssm-x apply`";
        assert_eq!(lines(&one), expected);
        assert_eq!(one.undo(), None);
        let unchanged = json!({"results": [{"status": "done"}, {"status": "unchanged"}], "undo": {"changes": []}});
        one.results.add(&unchanged);
        one.results.n_plans = 1;
        assert!(one.undo().is_some());
        let mut nothing = Shown::default();
        nothing.results.add(&json!({"results": [], "undo": null}));
        assert_eq!(lines(&nothing), ["nothing to do"]);
    }

    /// What was judged is not always what is on stdin.
    #[test]
    fn the_next_command_reads_what_it_is_about() {
        let typed = Typed {
            places: " --region r".to_owned(),
            whole: "ssm-x sing --region r -f in.jsonl".to_owned(),
            ..Typed::default()
        };
        let of = |next: Next, file: Option<&str>| {
            let shown = Shown {
                has_shown: true,
                next: Some(next),
                ..Shown::default()
            };
            let mut typed = typed.clone();
            if file.is_none() {
                typed.whole = typed.whole.replace(" -f in.jsonl", "");
            }
            let file = file.map(std::path::Path::new);
            shown.lines("ssm-x", file, &typed).concat()
        };
        let guard = || Next::VerbOf("impact", Some("the guard.json".into()));
        for (next, file, expected) in [
            (
                guard(),
                Some("in.jsonl"),
                "ssm-x impact -f 'the guard.json' --region r",
            ),
            (
                Next::VerbOf("impact", None),
                Some("in.jsonl"),
                "ssm-x impact -f FILE --region r",
            ),
            (
                Next::Again("--html >x.html"),
                Some("in.jsonl"),
                "ssm-x sing --region r -f in.jsonl --html >x.html",
            ),
            (
                Next::Again("--html >x.html"),
                None,
                "ssm-x sing --region r -f FILE --html >x.html",
            ),
            (
                Next::Saved("songs", "report --songs"),
                Some("in.jsonl"),
                "ssm-x sing --region r -f in.jsonl >songs.jsonl; ssm-x report --songs songs.jsonl -f in.jsonl",
            ),
            (Next::Other("ssm-y check"), None, "ssm-y check --region r"),
        ] {
            assert_eq!(of(next, file), format!("next: {expected}"));
        }
    }

    #[test]
    fn files_are_named_as_a_shell_takes_them() {
        let shown = Shown {
            has_shown: true,
            next: Some(Next::Verb("check")),
            ..Shown::default()
        };
        let lines = shown.lines("ssm-x", Some("it's mine.json".as_ref()), &Typed::default());
        assert_eq!(lines, [r"next: ssm-x check -f 'it'\''s mine.json'"]);
    }

    /// A command for another account is worse than none.
    #[test]
    fn the_next_command_is_for_the_same_places() {
        let typed = Typed {
            places: " --profile shop --region eu-west-1".to_owned(),
            of_plan: Some(" --prefs p.jsonl".to_owned()),
            whole: "ssm-x plan -f x.json --profile shop --region eu-west-1 --accept=risk"
                .to_owned(),
        };
        let file = Some("x.json".as_ref());
        let mut planned = Shown::default();
        planned
            .changes
            .add(&json!({"changes": [{"from": null, "to": {}}]}));
        assert_eq!(
            planned.lines("ssm-x", file, &typed)[1],
            "nothing is written yet; next: ssm-x plan -f x.json --profile shop --region eu-west-1 --accept=risk >plan.json && \
             ssm-x apply --profile shop --region eu-west-1 <plan.json"
        );
        // What was on stdin is in some file.
        let of_stdin = &planned.lines("ssm-x", Some("-".as_ref()), &Typed::default())[1];
        assert!(of_stdin.contains(" -f FILE >plan.json"), "{of_stdin}");
        let mut shown = Shown {
            has_shown: true,
            next: Some(Next::Plan),
            ..Shown::default()
        };
        // After an apply there is nothing left to plan.
        assert!(shown.lines("ssm-x", file, &typed).is_empty());
        let mut found = |fix: &str| {
            shown.findings.add(json!({"fix": fix}));
            shown.lines("ssm-x", file, &typed).pop()
        };
        assert_eq!(found("restart the agent"), None);
        let listed = Shown {
            has_shown: true,
            next: Some(Next::Pipe("report")),
            ..Shown::default()
        };
        assert_eq!(
            listed.lines("ssm-x", None, &typed),
            [format!("next: {} | ssm-x report", typed.whole)]
        );
        assert_eq!(
            found("let ssm-y check, plan and apply mend it").unwrap(),
            "next: ssm-y plan -f FILE --profile shop --region eu-west-1"
        );
        assert_eq!(
            found("run plan and apply").unwrap(),
            "next: ssm-x plan -f x.json --prefs p.jsonl --profile shop --region eu-west-1"
        );
    }
}
