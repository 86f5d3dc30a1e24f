//! The text of a pattern into its tests. What is refused, and in which words, follows event-ruler's
//! `JsonRuleCompiler`; EventBridge puts "Event pattern is not valid. Reason: " before them.

use serde_json::value::RawValue;

use super::address::{address, block};
use super::source::{PatternError, Source};
use super::test::{Comparison, Scalar, Test};
use super::{Field, Object, Pattern};

/// In characters. botocore, events/2015-10-07: `EventPattern`.
const LONGEST: usize = 4096;
/// Either side of zero. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
const LARGEST_NUMBER: f64 = 5e9;
/// Rules that the branches of `$or` make together.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
const MOST_RULES: usize = 1000;
/// The library behind the service also knows `exactly`, which the guide does not list: whether the service takes it is not known.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
const OPERATORS: [&str; 8] = [
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
];

pub(super) fn pattern(text: &str) -> Result<Pattern, PatternError> {
    let source = Source(text);
    let value = serde_json::from_str::<&RawValue>(text).map_err(|error| {
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default();
        PatternError {
            line: error.line(),
            column: error.column(),
            reason: format!("Invalid JSON: {reason}"),
        }
    })?;
    if text.chars().count() > LONGEST {
        return source.refuse(
            value,
            &format!("The pattern is longer than {LONGEST} characters"),
        );
    }
    if !value.get().starts_with('{') {
        return source.refuse(value, "Filter is not an object");
    }
    let mut rules = vec![Rule::default()];
    source.object(value, "", &mut rules)?;
    Ok(Pattern::of(rules.into_iter().map(Rule::object).collect()))
}

/// The tests of one rule by the path of their field: the service joins names by dots, and so `detail.eventName` is one with both.
#[derive(Clone, Default)]
struct Rule(Vec<(String, Vec<Test>)>);

impl Rule {
    /// Takes the tests of a path in place of those that it has from an earlier member or branch of `$or`.
    fn put(&mut self, path: &str, tests: Vec<Test>) {
        match self.0.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => *known = tests,
            None => self.0.push((path.to_owned(), tests)),
        }
    }

    fn object(self) -> Object {
        let mut object = Object::default();
        for (path, tests) in self.0 {
            object.put(&path, tests);
        }
        object
    }
}

impl Object {
    fn put(&mut self, path: &str, tests: Vec<Test>) {
        let Some((name, rest)) = path.split_once('.') else {
            self.fields.push((path.to_owned(), Field::Leaf(tests)));
            return;
        };
        let known = self
            .fields
            .iter_mut()
            .find_map(|(known, field)| match field {
                Field::Object(inner) if known == name => Some(inner),
                _ => None,
            });
        match known {
            Some(inner) => inner.put(rest, tests),
            None => {
                let mut inner = Object::default();
                inner.put(rest, tests);
                self.fields.push((name.to_owned(), Field::Object(inner)));
            }
        }
    }
}

impl<'t> Source<'t> {
    /// Adds to each rule what an object asks for; `above` is its path, with a dot at the end.
    fn object(
        self,
        value: &'t RawValue,
        above: &str,
        rules: &mut Vec<Rule>,
    ) -> Result<(), PatternError> {
        let members = self.members(value)?;
        if members.is_empty() {
            return self.refuse(value, "Empty objects are not allowed");
        }
        for (name, value) in members {
            if name == "$or"
                && let Some(branches) = self.branches(value)?
            {
                let before = std::mem::take(rules);
                for branch in branches {
                    let mut of_branch = before.clone();
                    self.object(branch, above, &mut of_branch)?;
                    rules.append(&mut of_branch);
                    if rules.len() > MOST_RULES {
                        let reason = format!("$or makes more than {MOST_RULES} rules");
                        return self.refuse(value, &reason);
                    }
                }
                continue;
            }
            let text = value.get();
            if text.starts_with('{') {
                self.object(value, &format!("{above}{name}."), rules)?;
            } else if text.starts_with('[') {
                let tests = self.tests(value)?;
                for rule in rules.iter_mut() {
                    rule.put(&format!("{above}{name}"), tests.clone());
                }
            } else {
                return self.refuse(value, &format!("\"{name}\" must be an object or an array"));
            }
        }
        Ok(())
    }

    /// Returns the branches of `$or`. With fewer than two objects, or an operator's name in one, `$or` is the name of a
    /// field. <https://github.com/aws/event-ruler#or-matching>
    fn branches(self, value: &'t RawValue) -> Result<Option<Vec<&'t RawValue>>, PatternError> {
        if !value.get().starts_with('[') {
            return Ok(None);
        }
        let elements = self.elements(value)?;
        if elements.len() < 2
            || !elements
                .iter()
                .all(|element| element.get().starts_with('{'))
        {
            return Ok(None);
        }
        for element in &elements {
            let members = self.members(element)?;
            if members
                .iter()
                .any(|(name, _)| OPERATORS.contains(&name.as_str()))
            {
                return Ok(None);
            }
        }
        Ok(Some(elements))
    }

    fn tests(self, value: &'t RawValue) -> Result<Vec<Test>, PatternError> {
        let elements = self.elements(value)?;
        if elements.is_empty() {
            return self.refuse(value, "Empty arrays are not allowed");
        }
        elements
            .into_iter()
            .map(|element| self.test(element))
            .collect()
    }

    fn test(self, value: &'t RawValue) -> Result<Test, PatternError> {
        let text = value.get();
        if text.starts_with('[') {
            return self.refuse(
                value,
                "Match value must be String, number, true, false, or null",
            );
        }
        if !text.starts_with('{') {
            let wanted = self.scalar(value)?;
            let address = wanted.string().and_then(address);
            return Ok(address.map_or(Test::Literal(wanted), Test::Address));
        }
        let members = self.members(value)?;
        let [(operator, argument)] = members.as_slice() else {
            return self.refuse(value, "Only one key allowed in match expression");
        };
        match operator.as_str() {
            "exists" => match argument.get() {
                "true" => Ok(Test::Exists(true)),
                "false" => Ok(Test::Exists(false)),
                _ => self.refuse(
                    argument,
                    "exists match pattern must be either true or false.",
                ),
            },
            "numeric" => self.numeric(argument),
            "anything-but" => self.anything_but(argument),
            "cidr" => match block(&self.string(argument).unwrap_or_default()) {
                Ok(block) => Ok(Test::Cidr(block)),
                Err(reason) => self.refuse(argument, &reason),
            },
            name if OPERATORS.contains(&name) => self.text_test(name, argument, false),
            name => self.refuse(value, &format!("Unrecognized match type {name}")),
        }
    }

    /// Reads `prefix`, `suffix`, `equals-ignore-case` and `wildcard`; inside `anything-but` no further nesting is known.
    fn text_test(
        self,
        operator: &str,
        argument: &'t RawValue,
        nested: bool,
    ) -> Result<Test, PatternError> {
        let is_end = operator == "prefix" || operator == "suffix";
        let mut ignore_case = false;
        let mut text = argument;
        if is_end && !nested && argument.get().starts_with('{') {
            let members = self.members(argument)?;
            match members.as_slice() {
                [(name, inner)] if name == "equals-ignore-case" => {
                    (ignore_case, text) = (true, *inner)
                }
                _ => {
                    return self.refuse(
                        argument,
                        &format!("Unsupported anything in {operator} match pattern"),
                    );
                }
            }
        }
        let Some(text) = self.string(text) else {
            return self.refuse(
                argument,
                &format!("{operator} match pattern must be a string"),
            );
        };
        // The other operators take an empty text, which only an empty value fits.
        if nested && is_end && text.is_empty() {
            return self.refuse(argument, "Null prefix/suffix not allowed");
        }
        Ok(match operator {
            "prefix" => Test::Prefix { text, ignore_case },
            "suffix" => Test::Suffix { text, ignore_case },
            "equals-ignore-case" => Test::EqualsIgnoreCase(text),
            _ => Test::Wildcard(self.wildcard(argument, &text)?),
        })
    }

    /// Returns the parts between asterisks; a backslash stands before an asterisk or a backslash that is meant itself.
    fn wildcard(self, at: &RawValue, text: &str) -> Result<Vec<String>, PatternError> {
        let mut parts = vec![String::new()];
        let mut after_asterisk = false;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == '*' {
                if after_asterisk {
                    return self.refuse(at, "Consecutive wildcard characters are not allowed");
                }
                parts.push(String::new());
                after_asterisk = true;
                continue;
            }
            after_asterisk = false;
            let meant = match (c, chars.clone().next()) {
                ('\\', Some(next @ ('*' | '\\'))) => {
                    chars.next();
                    next
                }
                ('\\', _) => return self.refuse(at, "Invalid escape character in wildcard"),
                _ => c,
            };
            if let Some(part) = parts.last_mut() {
                part.push(meant);
            }
        }
        Ok(parts)
    }

    fn anything_but(self, argument: &'t RawValue) -> Result<Test, PatternError> {
        if argument.get().starts_with('{') {
            let members = self.members(argument)?;
            let [(operator, inner)] = members.as_slice() else {
                return self.refuse(argument, "Unsupported anything-but pattern");
            };
            if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&operator.as_str())
            {
                return self.refuse(argument, "Unsupported anything-but pattern");
            }
            let inner = self.one_or_more(inner)?;
            let tests = inner
                .into_iter()
                .map(|value| self.text_test(operator, value, true));
            return Ok(Test::AnythingBut(tests.collect::<Result<_, _>>()?));
        }
        let mixed = "Inside anything-but list, either all values are number or string, mixed type is not supported";
        let mut values = Vec::new();
        for value in self.one_or_more(argument)? {
            match value.get().as_bytes().first() {
                Some(b'"' | b'-' | b'0'..=b'9') => values.push(self.scalar(value)?),
                _ => return self.refuse(value, mixed),
            }
        }
        let n_strings = values
            .iter()
            .filter(|value| matches!(value, Scalar::String(_)))
            .count();
        if n_strings != 0 && n_strings != values.len() {
            return self.refuse(argument, mixed);
        }
        Ok(Test::AnythingBut(
            values.into_iter().map(Test::Literal).collect(),
        ))
    }

    fn one_or_more(self, value: &'t RawValue) -> Result<Vec<&'t RawValue>, PatternError> {
        if !value.get().starts_with('[') {
            return Ok(vec![value]);
        }
        let elements = self.elements(value)?;
        if elements.is_empty() {
            return self.refuse(value, "Empty arrays are not allowed");
        }
        Ok(elements)
    }

    fn numeric(self, argument: &'t RawValue) -> Result<Test, PatternError> {
        let elements = if argument.get().starts_with('[') {
            self.elements(argument)?
        } else {
            Vec::new()
        };
        if elements.len() != 2 && elements.len() != 4 {
            return self.refuse(
                argument,
                "Numeric match takes one or two pairs of operator and number",
            );
        }
        let mut bounds = Vec::new();
        for pair in elements.chunks_exact(2) {
            let [operator, bound] = pair else { continue };
            let comparison = match self.string(operator).as_deref() {
                Some("=") => Comparison::Equal,
                Some("<") => Comparison::Less,
                Some("<=") => Comparison::LessOrEqual,
                Some(">") => Comparison::Greater,
                Some(">=") => Comparison::GreaterOrEqual,
                _ => {
                    let reason = format!("Unrecognized numeric range operator: {}", operator.get());
                    return self.refuse(operator, &reason);
                }
            };
            match bound.get().parse::<f64>() {
                Ok(number) if number.abs() <= LARGEST_NUMBER => bounds.push((comparison, number)),
                _ => {
                    return self.refuse(
                        bound,
                        "Value of numeric match must be a number within +/-5.0e9",
                    );
                }
            }
        }
        if let [(first, bottom), (second, top)] = bounds.as_slice() {
            let from_below = matches!(first, Comparison::Greater | Comparison::GreaterOrEqual);
            let from_above = matches!(second, Comparison::Less | Comparison::LessOrEqual);
            if !from_below || !from_above {
                return self.refuse(argument, "Bad numeric range operator");
            }
            if bottom >= top {
                return self.refuse(argument, "Bottom must be less than top");
            }
        }
        Ok(Test::Numeric(bounds))
    }

    fn scalar(self, value: &RawValue) -> Result<Scalar, PatternError> {
        if !value.get().starts_with('"') {
            return Ok(Scalar::Other(value.get().to_owned()));
        }
        match self.string(value) {
            Some(text) => Ok(Scalar::String(text)),
            None => self.refuse(
                value,
                "Match value must be String, number, true, false, or null",
            ),
        }
    }
}
