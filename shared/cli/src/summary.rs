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
    /// Whether a list was too wide for the terminal, and has all its columns in another form.
    pub(crate) has_more_columns: bool,
    /// Whether there was anything of which the next verb knows more.
    pub(crate) has_shown: bool,
    /// Accounts and regions that could not be read.
    pub(crate) n_unreachable: usize,
    /// Whether findings were looked for, though there may be none.
    pub(crate) has_looked: bool,
    pub(crate) next: Option<Next>,
    /// What is to be done before that.
    pub(crate) before_next: Vec<String>,
    /// What `apply` needs beside the flags that were typed, with a blank in front.
    pub(crate) of_apply: String,
    /// Whether the plans that were carried out are in a file, so that `--recover` can have them again.
    pub(crate) is_plan_kept: bool,
}

/// What comes next, for who has read what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A verb of the tool that reads the same input, about the same, in the same places.
    Verb(&'static str),
    /// A verb of the tool that needs no input.
    Bare(&'static str),
    /// A verb of the tool for a desired state that is not the input, if a file of it is known. It may be about more.
    VerbOf(&'static str, Option<PathBuf>),
    /// The same command with something behind it, such as a flag and where to print to.
    Again(&'static str),
    /// The same command into a file, whose name is without `.jsonl`, and a verb of the tool that reads it beside the same input:
    /// `report --sessions`.
    Saved(&'static str, &'static str),
    /// The same command into a file, whose name is without `.jsonl`, and a command of another tool that reads it beside a desired state.
    SavedFor(&'static str, &'static str),
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
        // What was not read is never "nothing".
        let unread = match self.n_unreachable {
            0 => String::new(),
            1 => "; 1 account or region could not be read".to_owned(),
            n => format!("; {n} accounts or regions could not be read"),
        };
        let has_more = self.has_looked || self.changes.n_plans + self.results.n_plans > 0;
        if !counts.is_empty() {
            let unread = if has_more { "" } else { &unread };
            lines.push(format!("{}{unread}", counts.join(", ")));
        }
        if self.has_more_columns {
            lines.push("more columns: -o csv".to_owned());
        }
        if self.has_looked {
            lines.push(format!("{}{unread}", self.findings));
        }
        // One plan without a change says so by itself.
        let is_said =
            self.changes.n_plans == 1 && self.changes.is_empty() && self.n_unreachable == 0;
        if self.changes.n_plans > 0 && !is_said {
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
            if self.is_undo_kept() && !is_file {
                lines.push("FILE is the plan that was read from stdin".to_owned());
            }
            lines.push(match self.is_undo_kept() {
                true => format!(
                    "to undo this: `{again} --recover | jq -c '.undo // empty' | {tool} apply{places}`"
                ),
                false => format!("to undo this, pipe the plan above into {tool} apply{places}"),
            });
        } else if !self.changes.is_empty() {
            let next = format!(
                "{again} >plan.json && {tool} apply{places}{} <plan.json",
                self.of_apply
            );
            lines.extend(placeholders(&next));
            lines.push(format!("nothing is written yet; next: {next}"));
        } else if self.has_shown {
            let flags_to = |verb: &str| typed.flags_to(first_word(verb));
            let next = match &self.next {
                Some(Next::Verb(verb)) => {
                    flags_to(verb).map(|flags| format!("{tool} {verb} -f {name}{flags}{places}"))
                }
                Some(Next::Bare(verb)) => {
                    flags_to(verb).map(|flags| format!("{tool} {verb}{flags}{places}"))
                }
                Some(Next::VerbOf(verb, desired)) => {
                    let desired = desired.as_ref().filter(|path| path.as_os_str() != "-");
                    let name = desired.map(|path| quoted(&path.to_string_lossy()));
                    let name = name.as_deref().unwrap_or("FILE");
                    let carried = typed.carried.get(first_word(verb));
                    let flags = carried.map_or("", |carried| &carried.flags);
                    Some(format!("{tool} {verb} -f {name}{flags}{places}"))
                }
                Some(Next::SavedFor(file, command)) => Some(format!(
                    "{} >{file}.jsonl; {command} {file}.jsonl -f FILE{places}",
                    typed.whole
                )),
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
                    let flags = flags_to("plan")?;
                    Some(format!("{planner} plan -f {name}{flags}{places}"))
                }),
                Some(Next::Pipe(verb)) => Some(format!("{} | {tool} {verb}", typed.whole)),
                None => None,
            };
            if let Some(next) = next {
                lines.extend(self.before_next.iter().cloned());
                lines.extend(placeholders(&next));
                lines.push(format!("next: {next}"));
            }
        }
        lines
    }
}

/// Verbs that read a desired state.
const OF_DESIRED_STATE: [&str; 3] = ["check", "plan", "impact"];

/// Returns what the placeholders in a command are.
fn placeholders(next: &str) -> Vec<String> {
    let role = next
        .contains(ROLE)
        .then(|| "NAME is a role that may read IAM, in each account".to_owned());
    let input = || {
        let is_named = next.contains(" -f FILE");
        is_named.then(|| "FILE is a file with the input".to_owned())
    };
    let file = desired_state(next).or_else(input);
    file.into_iter().chain(role).collect()
}

/// The end of the ARN of a role that is not known.
const ROLE: &str = ":role/NAME";

/// Returns where a file comes from that a command names by a placeholder.
fn desired_state(next: &str) -> Option<String> {
    let last = next.rsplit("; ").next()?;
    let mut words = last.split(' ');
    let (tool, verb) = (words.next()?, words.next()?);
    let is_placeholder = words.any(|word| word == "FILE") && OF_DESIRED_STATE.contains(&verb);
    is_placeholder.then(|| {
        format!("FILE is a desired state, of which `{tool} --generate example` prints an example")
    })
}

fn first_word(verb: &str) -> &str {
    verb.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
