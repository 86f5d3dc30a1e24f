//! `lint`: what is wrong with files by themselves, the same way in every tool. What the rules are is the tool's.

use std::path::PathBuf;

use records::{Finding, Severity};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::encoding::other_format;
use crate::input::{values, without_mark};
use crate::layers::Override;
use crate::mistakes::{Mistake, kin};
use crate::source::read_texts;
use crate::{IoArgs, Next, Outcome, Output, jsonc};

/// The files that `lint` judges.
#[derive(Clone, Debug, clap::Args)]
pub struct FileArgs {
    /// Lint these files, or all JSON files of a directory, instead of stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl FileArgs {
    /// Calls `lint` with the name and the text of each file, or of stdin, and prints what it finds.
    ///
    /// # Errors
    /// An unreadable file, no input, or an error of `lint`.
    pub fn each(
        &self,
        io: &IoArgs,
        out: &Output,
        mut lint: impl FnMut(&str, &str) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let is_absent = |file: &&PathBuf| file.as_os_str() != "-" && !file.exists();
        if let Some(absent) = self.files.iter().find(is_absent) {
            anyhow::bail!(
                "there is no file {}: name files, or pipe JSON in",
                absent.display()
            );
        }
        let texts = read_texts(&self.files, io, "what to lint")?;
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
        for (source, text) in texts {
            out.judged(&source);
            outcome = outcome.and(lint(&source, &text)?);
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
    /// An override is judged by itself, so that files can be passed one by one: its fields by `plan`, which has the rest.
    #[must_use]
    pub fn lint<D: DeserializeOwned>(
        &self,
        source: &str,
        text: &str,
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
        let mut findings = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(without_mark(&plain));
        for value in &values {
            // A list would pass for the fields in their order.
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
                Some(_) => serde_path_to_error::deserialize::<_, Override>(&mut deserializer)
                    .map(|layer| layer.check().err().into_iter().collect::<Vec<_>>())
                    .map(|wrong| wrong.into_iter().map(|error| self.own(&error)).collect()),
                None => serde_path_to_error::deserialize::<_, D>(&mut deserializer)
                    .map(|desired| rules(&desired)),
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

    fn own(&self, error: &anyhow::Error) -> Finding {
        let message = format!("{error:#}");
        let (path, message) = message.split_once(": ").unwrap_or(("$", &message));
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
mod tests {
    use serde::Deserialize;

    use super::{DesiredState, column, is_ours};
    use crate::{Finding, FindingKind, Severity};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Desired {
        #[serde(default)]
        days: u32,
    }

    fn lint(text: &str) -> Vec<(String, String)> {
        let desired = DesiredState {
            what: "desired days",
            invalid: "x.desired.invalid",
            other: "x.desired.other",
        };
        let rules = |desired: &Desired| {
            let finding = Finding {
                kind: FindingKind::Finding,
                is_unread: false,
                id: "x.days.many".to_owned(),
                severity: Severity::Warning,
                target: None,
                resource: "$.days".to_owned(),
                message: String::new(),
                fix: String::new(),
            };
            if desired.days > 9 {
                vec![finding]
            } else {
                Vec::new()
            }
        };
        let findings = desired.lint("a.json", text, rules).into_iter();
        findings
            .map(|finding| (finding.id, finding.resource))
            .collect()
    }

    #[test]
    fn a_mistake_is_at_its_line_and_column() {
        let one = |id: &str, resource: &str| vec![(id.to_owned(), resource.to_owned())];
        let invalid = |resource: &str| one("x.desired.invalid", resource);
        for (text, expected) in [
            ("{\"days\": 1, // a few\n}", Vec::new()),
            (
                "// many\n{ \"days\": 10 }",
                one("x.days.many", "a.json:2:3 $.days"),
            ),
            ("/* é */\n{ \"day\": 1 }", invalid("a.json:2:7 $.day")),
            ("{\"days\": \"é\"}", invalid("a.json:1:12 $.days")),
            ("{\"days\": 1\n", invalid("a.json:2:1 $")),
            ("{\"days\": 1, \"days\": 2}", invalid("a.json:1:18 $")),
            (" ", invalid("a.json:1:1 $")),
            (
                "{\"policy_name\": \"p\"}",
                one("x.desired.other", "a.json:1:1 $"),
            ),
            (
                "{\"kind\": \"plan\"}",
                one("x.desired.other", "a.json:1:1 $"),
            ),
            (
                "{\"for\": {\"region\": \"r\"}, \"reason\": \"y\", \"desired\": {}}",
                Vec::new(),
            ),
            (
                "{\"for\": {\"region\": \"r\"}, \"reason\": \" \", \"desired\": {}}",
                invalid("a.json:1:26 $.reason"),
            ),
            (
                "{}\n{\"for\": {}, \"reason\": \"y\", \"desired\": {}}",
                invalid("a.json $.for"),
            ),
        ] {
            assert_eq!(lint(text), expected, "{text}");
        }
    }

    #[test]
    fn policies_are_known_from_what_is_ours() {
        for (text, expected) in [
            ("// mine\n{\"days\": 1}", true),
            ("{\"Version\": \"2012-10-17\", \"Statement\": []}", false),
            ("{\"Statment\": []}", false),
            ("{}", false),
            ("[]", false),
            ("{", false),
        ] {
            assert_eq!(is_ours(text), expected, "{text}");
        }
    }

    #[test]
    fn columns_are_characters() {
        assert_eq!(column("é: x", 1, 5), 4);
        assert_eq!(column("", 1, 1), 1);
    }
}
