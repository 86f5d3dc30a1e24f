//! `lint`: what is wrong with files by themselves, the same way in every tool. What the rules are is the tool's.

use std::path::{Path, PathBuf};

use records::{Finding, Severity};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::encoding::other_format;
use crate::input::{values, without_mark};
use crate::layers::Override;
use crate::mistakes::{Mistake, kin};
use crate::objects::Strict;
use crate::source::{expect_input, read_texts};
use crate::{IoArgs, Next, Outcome, Output, jsonc};

/// The files that `lint` judges.
#[derive(Clone, Debug, clap::Args)]
pub struct FileArgs {
    /// Lint these files, or all JSON files of a directory, instead of stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl FileArgs {
    /// Calls `lint` with each file, or with stdin, and prints what it finds.
    ///
    /// # Errors
    /// An unreadable file, no input, or an error of `lint`.
    pub fn each(
        &self,
        io: &IoArgs,
        out: &Output,
        mut lint: impl FnMut(&Linted<'_>) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let is_absent = |file: &&PathBuf| file.as_os_str() != "-" && !file.exists();
        if let Some(absent) = self.files.iter().find(is_absent) {
            anyhow::bail!(
                "there is no file {}: name files, or pipe JSON in",
                absent.display()
            );
        }
        let (texts, bases) = self.read(io)?;
        if let [(source, text)] = texts.as_slice()
            && self.files.is_empty()
            && text.trim().is_empty()
        {
            anyhow::bail!(
                "read what to lint from {source}: the input is empty: name files, or pipe JSON in"
            );
        }
        let mut outcome = Outcome::Fine;
        let is_desired_state = is_desired_state(&texts);
        for ((source, text), base) in texts.iter().zip(&bases) {
            out.judged(source);
            let base = base.as_ref();
            outcome = outcome.and(lint(&Linted { source, text, base })?);
        }
        if let (true, Outcome::Fine) = (is_desired_state, &outcome) {
            match (self.files.as_slice(), &io.file) {
                ([], None) => {}
                ([], Some(file)) | ([file], _) => {
                    out.suggest_for_good(Next::VerbOf("plan", Some(file.clone())));
                }
                // Only a directory holds several files that are one desired state.
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// Returns the texts, and for each the desired state that its overrides are laid over where it is known.
    fn read(&self, io: &IoArgs) -> anyhow::Result<(Texts, Vec<Option<Value>>)> {
        let is_directory = |file: &&PathBuf| file.is_dir();
        let named = io.file.as_ref().filter(is_directory);
        let files = match (self.files.as_slice(), named) {
            ([], Some(directory)) => std::slice::from_ref(directory),
            (files, _) => files,
        };
        if files.is_empty() {
            expect_input(io.path(), "what to lint", "name files, or pipe JSON in")?;
            return Ok((read_texts(files, io, "what to lint")?, vec![None]));
        }
        let (mut texts, mut bases) = (Vec::new(), Vec::new());
        for file in files {
            let of_file = read_texts(std::slice::from_ref(file), io, "what to lint")?;
            let base = base_of(&of_file).filter(|_| Path::is_dir(file));
            bases.extend(of_file.iter().map(|_| base.clone()));
            texts.extend(of_file);
        }
        Ok((texts, bases))
    }
}

/// Texts with their names for people.
type Texts = Vec<(String, String)>;

/// A text that `lint` judges.
#[derive(Clone, Copy, Debug)]
pub struct Linted<'t> {
    /// Its name for people.
    pub source: &'t str,
    /// What is in it.
    pub text: &'t str,
    /// The desired state that is in the same directory.
    pub base: Option<&'t Value>,
}

/// Returns the desired state of a directory, if there is one that overrides can be laid over.
fn base_of(texts: &[(String, String)]) -> Option<Value> {
    let values = texts
        .iter()
        .flat_map(|(_, text)| values::<Value>(&jsonc::plain(text)).unwrap_or_default());
    let mut bases = values.filter(is_base);
    bases.next().filter(|_| bases.next().is_none())
}

fn is_base(value: &Value) -> bool {
    value.is_object() && value.get("for").is_none()
}

/// What a tool calls its desired states.
#[derive(Clone, Copy, Debug)]
pub struct DesiredState {
    /// For people: `desired agents`.
    pub what: &'static str,
    /// The ID of a finding that one is wrong: `agentcheck.desired.invalid`.
    pub invalid: &'static str,
    /// The ID of a finding that something else is there.
    pub other: &'static str,
}

impl DesiredState {
    /// Returns what is wrong with desired states and overrides in a text, each at its line and column. `rules` finds what is wrong
    /// with one that has the right shape; the resources of its findings are JSON paths.
    ///
    /// An override is judged by what it makes of the desired state in the same text or directory. Without one, so that files can be
    /// passed one by one, `plan` judges what its fields say: here is only whether there are such fields.
    #[must_use]
    pub fn lint<D: DeserializeOwned>(
        &self,
        &Linted { source, text, base }: &Linted<'_>,
        rules: impl Fn(&D) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let plain = jsonc::plain(text);
        let invalid = |mistake: Mistake| {
            let column = column(text, mistake.line, mistake.column);
            self.invalid(source, Mistake { column, ..mistake })
        };
        let values: Vec<Value> = match values(&plain) {
            Ok(values) => values,
            Err(error) => {
                let mut mistake = Mistake::of(error);
                if let Some(format) = other_format(&plain, mistake.line, mistake.column) {
                    mistake.message = format!("{format} ({})", mistake.message);
                }
                return vec![invalid(mistake)];
            }
        };
        if values.is_empty() {
            let message = "there is nothing in it".to_owned();
            return vec![invalid(Mistake {
                path: "$".to_owned(),
                line: 1,
                column: 1,
                message,
            })];
        }
        let base = values.iter().find(|value| is_base(value)).or(base);
        let mut findings = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(without_mark(&plain));
        for value in &values {
            // By its type alone nobody would know what it should be.
            if !value.is_object() {
                let message = format!("{}: expected an object", self.what);
                findings.push(invalid(Mistake {
                    path: "$".to_owned(),
                    line: 1,
                    column: 1,
                    message,
                }));
                break;
            }
            let read = match value.get("for") {
                Some(_) => serde_path_to_error::deserialize(&mut deserializer)
                    .map(|Strict(layer)| self.over(&layer, base, &rules)),
                None => serde_path_to_error::deserialize(&mut deserializer)
                    .map(|Strict(desired)| rules(&desired)),
            };
            match read {
                // Where there are several, a path leads nowhere.
                Ok(found) => findings.extend(found.into_iter().map(|finding| match values.len() {
                    1 => at(source, text, finding),
                    _ => Finding {
                        resource: format!("{source} {}", finding.resource),
                        ..finding
                    },
                })),
                Err(error) => {
                    findings.push(match kin(self.what, value) {
                        Some(kin) => self.other(source, &kin),
                        None => invalid(Mistake::of(error)),
                    });
                    break;
                }
            }
        }
        findings
    }

    /// Returns what is wrong with an override, and with the desired state that it makes.
    fn over<D: DeserializeOwned>(
        &self,
        layer: &Override,
        base: Option<&Value>,
        rules: &impl Fn(&D) -> Vec<Finding>,
    ) -> Vec<Finding> {
        if let Err(error) = layer.check() {
            let message = format!("{error:#}");
            let (path, message) = message.split_once(": ").unwrap_or(("$", &message));
            return vec![self.own(path, message)];
        }
        let inside = |path: &str| format!("$.desired{}", path.strip_prefix('$').unwrap_or(path));
        // What is wrong with the base is said of the base.
        let base = base.and_then(|base| Some((base, crate::from_value::<D>(base).ok()?)));
        let (value, known) = match &base {
            Some((base, desired)) => (layer.over(base), rules(desired)),
            None => (layer.own(), Vec::new()),
        };
        match serde_path_to_error::deserialize(&value) {
            Ok(Strict(desired)) if base.is_some() => {
                let found = rules(&desired).into_iter();
                let found = found.filter(|one| !known.contains(one));
                let place = |one: Finding| Finding {
                    resource: inside(&one.resource),
                    ..one
                };
                found.map(place).collect()
            }
            Ok(Strict(_)) => Vec::new(),
            Err(error) => {
                let is_whole = base.is_some();
                let mistake = Mistake::of(error);
                // By itself it need not be whole.
                let is_mistake = is_whole || mistake.message.starts_with("unknown field");
                let found = is_mistake.then(|| self.own(&inside(&mistake.path), &mistake.message));
                found.into_iter().collect()
            }
        }
    }

    fn own(&self, path: &str, message: &str) -> Finding {
        let place = ("", 1, 1, path);
        let fix = "correct the override".to_owned();
        let finding = Finding::in_text(
            self.invalid.to_owned(),
            Severity::Error,
            place,
            message.to_owned(),
            fix,
        );
        Finding {
            resource: path.to_owned(),
            ..finding
        }
    }

    fn invalid(&self, source: &str, mistake: Mistake) -> Finding {
        let place = (source, mistake.line, mistake.column, &*mistake.path);
        let fix = "correct this place; --generate schema prints what it may be, --generate example one with all fields";
        Finding::in_text(
            self.invalid.to_owned(),
            Severity::Error,
            place,
            mistake.message,
            fix.to_owned(),
        )
    }

    fn other(&self, source: &str, kin: &str) -> Finding {
        let message = format!("this looks like {kin}, and was not judged");
        let fix = "lint it with the tool that it is for";
        let place = (source, 1, 1, "$");
        Finding::in_text(
            self.other.to_owned(),
            Severity::Warning,
            place,
            message,
            fix.to_owned(),
        )
    }
}

/// Returns whether a text is made of desired states, or of records, and not of policies: all objects have names of ours, in small
/// letters, where AWS's begin with a capital.
#[must_use]
pub fn is_ours(text: &str) -> bool {
    let values: Vec<Value> = values(&jsonc::plain(text)).unwrap_or_default();
    let is_our_name = |name: &String| name.starts_with(|c: char| c.is_ascii_lowercase());
    let is_our_own = |value: &Value| {
        let fields = value.as_object().filter(|fields| !fields.is_empty());
        fields.is_some_and(|fields| fields.keys().all(is_our_name))
    };
    !values.is_empty() && values.iter().all(is_our_own)
}

/// Returns whether texts are a desired state, with or without overrides, which `plan` takes.
fn is_desired_state(texts: &[(String, String)]) -> bool {
    let is_whole = |text: &str| {
        let values: Vec<Value> = values(&jsonc::plain(text)).unwrap_or_default();
        values.iter().any(|value| value.get("for").is_none())
    };
    texts.iter().all(|(_, text)| is_ours(text)) && texts.iter().any(|(_, text)| is_whole(text))
}

/// Returns the one JSON value of a text; none for several, malformed JSON, or a key that is there twice.
#[must_use]
pub fn value(text: &str) -> Option<Value> {
    let mut all: Vec<Value> = values(text).ok()?;
    all.pop().filter(|_| all.is_empty())
}

/// Returns a column in characters, of one that the parser counts in bytes.
fn column(text: &str, line: usize, n_bytes: usize) -> usize {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let before = line.char_indices().take_while(|(at, _)| *at + 1 < n_bytes);
    before.count() + 1
}

/// Returns a finding in a text, whose resource is a JSON path, at its line and column.
#[must_use]
pub fn at(source: &str, text: &str, finding: Finding) -> Finding {
    match jsonc::position(text, &finding.resource) {
        Some((line, column)) if finding.resource.starts_with('$') => {
            let resource = format!("{source}:{line}:{column} {}", finding.resource);
            Finding {
                resource,
                ..finding
            }
        }
        _ => finding,
    }
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
