//! JSON with positions. A mistake is reported and, where it is clear what was meant, repaired, so that the rest of the
//! text is judged too: a missing comma must not hide a missing exemption.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::{Position, Problem, Rule, Severity};

/// More mistakes than this are not worth repairing.
const MAX_REPAIRS: usize = 50;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// What a value is. Numbers keep their spelling.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A key with its place, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) node: Node,
}

impl Node {
    /// Returns what the value is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// Returns the value of a text, and what is wrong with the text. Without any value the text cannot be understood at all.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut source = Source::new(text);
    let mut problems = Vec::new();
    let mut options = strict();
    for _ in 0..MAX_REPAIRS {
        let collect = CollectOptions::default();
        let error = match parse_to_ast(&source.repaired, &collect, &options) {
            Ok(parsed) => {
                let root = parsed
                    .value
                    .as_ref()
                    .map(|value| source.node(value, "$", &mut problems));
                if root.is_none() {
                    let message = "there is nothing here: expected a JSON object";
                    problems.push(problem(source.position(0, "$"), message, "write a policy"));
                } else if problems.iter().all(|problem| problem.rule != Rule::Json) {
                    problems.extend(source.refused());
                }
                return (root, problems);
            }
            Err(error) => error,
        };
        let (start, end) = (error.range().start, error.range().end);
        let Some((at, message, fix)) = source.repair(error.kind(), start, end, &mut options) else {
            let (message, fix) = explain(error.kind());
            problems.push(problem(source.position(start, "$"), &message, fix));
            return (None, problems);
        };
        let problem = problem(source.position(at, "$"), message, fix);
        // Brackets that are all missing at the end are one mistake.
        if problems.last() != Some(&problem) {
            problems.push(problem);
        }
    }
    (None, problems)
}

fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn problem(position: Position, message: &str, fix: &str) -> Problem {
    Problem {
        rule: Rule::Json,
        severity: Severity::Error,
        position,
        message: message.to_owned(),
        fix: fix.to_owned(),
    }
}

/// Returns message and cure of a mistake that leaves unclear what was meant.
fn explain(kind: &ParseErrorKind) -> (String, &'static str) {
    let (message, fix) = match kind {
        ParseErrorKind::MultipleRootJsonValues => (
            "the policy is closed before this",
            "remove what follows, or the bracket that closes the policy too early",
        ),
        ParseErrorKind::ExpectedStringObjectProperty => {
            ("a key is a string in double quotes", "quote the key")
        }
        ParseErrorKind::UnexpectedTokenInObject => (
            "expected a key in double quotes, or } to close the object",
            "close the object before this, or remove a comma too many",
        ),
        ParseErrorKind::UnexpectedToken | ParseErrorKind::UnexpectedWord => (
            "expected a value: a string in straight double quotes, a list or an object",
            "quote the text",
        ),
        _ => return (decapitalised(&kind.to_string()), "correct the JSON here"),
    };
    (message.to_owned(), fix)
}

fn decapitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// The text as it was given, and as it is after repairs.
struct Source {
    repaired: String,
    /// Offsets in the repaired text of characters that were not in the given one.
    inserted: Vec<usize>,
    /// Offsets in the given text at which lines begin.
    lines: Vec<usize>,
    given: String,
}

impl Source {
    fn new(text: &str) -> Source {
        // Editors on Windows put a mark of byte order in front, which is not JSON, but no mistake of the author either.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Source {
            lines: std::iter::once(0).chain(breaks).collect(),
            repaired: text.to_owned(),
            inserted: Vec::new(),
            given: text.to_owned(),
        }
    }

    /// Returns the place of an offset in the repaired text.
    fn position(&self, offset: usize, path: &str) -> Position {
        let before = self.inserted.iter().filter(|&&at| at < offset).count();
        let offset = (offset - before).min(self.given.len());
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines[line - 1];
        let column = self
            .given
            .get(start..offset)
            .map_or(0, |text| text.chars().count());
        Position {
            line,
            column: column + 1,
            path: path.to_owned(),
        }
    }

    /// Repairs what `kind` complains of and returns where, what and the cure; `None` when it is unclear what was meant.
    fn repair(
        &mut self,
        kind: &ParseErrorKind,
        start: usize,
        end: usize,
        options: &mut ParseOptions,
    ) -> Option<(usize, &'static str, &'static str)> {
        let found = self.repaired.get(start..)?.chars().next();
        match (kind, found) {
            (ParseErrorKind::ExpectedComma, _) => {
                let at = self.insert(',', start);
                Some((at, "expected a comma after this value", "add a comma"))
            }
            (ParseErrorKind::UnexpectedCloseBrace, Some('}')) => {
                let at = self.insert(']', start);
                Some((
                    at,
                    "the list is not closed: expected ] after this value",
                    "add ]",
                ))
            }
            (ParseErrorKind::UnexpectedTokenInObject, Some(']')) => {
                let at = self.insert('}', start);
                Some((
                    at,
                    "the object is not closed: expected } after this value",
                    "add }",
                ))
            }
            // A colon behind a string of a list: it is a key, and the list should have ended before the comma.
            (ParseErrorKind::UnexpectedColon, Some(':')) => {
                let key = self.repaired[..start].trim_end().strip_suffix('"')?;
                let before = self.repaired[..key.rfind('"')?].trim_end();
                let at = self.insert(']', before.strip_suffix(',')?.len());
                Some((
                    at,
                    "the list is not closed: expected ] after this value",
                    "add ]",
                ))
            }
            (ParseErrorKind::TrailingCommasNotAllowed, _) => {
                let comma = self.repaired.get(start..end)?.find(',')? + start;
                self.repaired.replace_range(comma..=comma, " ");
                Some((comma, "a comma after the last value", "remove the comma"))
            }
            (ParseErrorKind::CommentsNotAllowed, _) => {
                options.allow_comments = true;
                Some((
                    start,
                    "JSON has no comments",
                    "remove every comment; a Sid may say why",
                ))
            }
            (ParseErrorKind::SingleQuotedStringsNotAllowed, _) => {
                options.allow_single_quoted_strings = true;
                Some((
                    start,
                    "strings are quoted by \", not by '",
                    "replace the quotes",
                ))
            }
            (ParseErrorKind::UnterminatedArray | ParseErrorKind::UnterminatedObject, _) => {
                let end = self.repaired.trim_end().len();
                let array = matches!(kind, ParseErrorKind::UnterminatedArray);
                self.repaired.push(if array { ']' } else { '}' });
                Some((
                    end.min(self.given.trim_end().len()),
                    "the text ends too early: not everything is closed",
                    "close each { with } and each [ with ]",
                ))
            }
            _ => None,
        }
    }

    /// Puts a character behind the last one before `offset` that is not white space, and returns its offset. White
    /// space gives way, so that no other position changes.
    fn insert(&mut self, character: char, offset: usize) -> usize {
        let at = self.repaired[..offset].trim_end().len();
        if at < offset && self.repaired.as_bytes()[at] != b'\n' {
            let width = self.repaired[at..].chars().next().map_or(1, char::len_utf8);
            if width == 1 {
                self.repaired
                    .replace_range(at..=at, character.encode_utf8(&mut [0; 4]));
                return at;
            }
        }
        self.repaired.insert(at, character);
        for inserted in &mut self.inserted {
            if *inserted >= at {
                *inserted += 1;
            }
        }
        self.inserted.push(at);
        at
    }

    /// Finds what may not stand in a string, such as the line break of a value that was wrapped.
    fn control_characters(
        &self,
        literal: &ast::StringLit<'_>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) {
        let (start, end) = (literal.range().start, literal.range().end);
        let text = self.repaired.get(start..end).unwrap_or_default();
        if let Some(at) = text.find(|character: char| character < ' ') {
            let message = "a line break or another control character within a string";
            let fix = "join the lines, or write \\n or \\t";
            problems.push(problem(self.position(start + at, path), message, fix));
        }
    }

    /// Returns what a strict parser says to a text that the tolerant one takes, such as a line break within a string.
    fn refused(&self) -> Option<Problem> {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(&self.given).err()?;
        let position = Position {
            line: error.line().max(1),
            column: error.column().max(1),
            path: "$".to_owned(),
        };
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Some(problem(position, message, "correct the JSON here"))
    }

    fn node(&self, value: &ast::Value<'_>, path: &str, problems: &mut Vec<Problem>) -> Node {
        let position = self.position(value.range().start, path);
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::NumberLit(literal) => Value::Number(literal.value.to_owned()),
            ast::Value::StringLit(literal) => {
                self.control_characters(literal, path, problems);
                Value::Text(literal.value.to_string())
            }
            ast::Value::Array(list) => {
                let nodes = list.elements.iter().enumerate();
                let nodes = nodes
                    .map(|(index, value)| self.node(value, &format!("{path}[{index}]"), problems));
                Value::List(nodes.collect())
            }
            ast::Value::Object(object) => {
                let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    let key = property.name.as_str().to_owned();
                    let path = Position::member(path, &key);
                    let position = self.position(property.name.range().start, &path);
                    if members.iter().any(|member| member.key == key) {
                        problems.push(Problem {
                            rule: Rule::DuplicateKey,
                            severity: Severity::Error,
                            position: position.clone(),
                            message: format!("{key:?} is here twice, and only one of them counts"),
                            fix: "join the two into one".to_owned(),
                        });
                    }
                    let node = self.node(&property.value, &path, problems);
                    members.push(Member {
                        key,
                        position,
                        node,
                    });
                }
                Value::Object(members)
            }
        };
        Node { position, value }
    }
}
