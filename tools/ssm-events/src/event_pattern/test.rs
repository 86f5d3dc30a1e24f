//! One test of a pattern against one value of an event.

use std::net::IpAddr;

use ipnet::IpNet;

use super::address::address;

/// A value of an event or a pattern that is neither object nor array.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    String(String),
    /// A number, `true`, `false` or `null`, as written.
    Other(String),
}

/// Numbers are equal by value: 300, 300.0 and 3.0e2 fit each other. The user guide says they do not, the service and its library,
/// event-ruler, that they do (`ComparableNumber`). A number that a double does not hold is compared as it is written.
impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        match (self, other) {
            (Scalar::String(one), Scalar::String(other)) => one == other,
            (Scalar::Other(one), Scalar::Other(other)) if one == other => true,
            (Scalar::Other(_), Scalar::Other(_)) => {
                self.exact().is_some_and(|one| other.exact() == Some(one))
            }
            _ => false,
        }
    }
}

impl Scalar {
    /// Returns a number that a double holds, digit for digit.
    fn exact(&self) -> Option<f64> {
        let (Scalar::Other(text), Some(number)) = (self, self.number()) else {
            return None;
        };
        let holds = significant(text) == significant(&format!("{number:e}"));
        (number.is_finite() && holds).then_some(number)
    }

    pub(super) fn string(&self) -> Option<&str> {
        match self {
            Scalar::String(text) => Some(text),
            Scalar::Other(_) => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Scalar::Other(text) => text.parse().ok(),
            Scalar::String(_) => None,
        }
    }

    /// Returns the value as JSON.
    pub(super) fn json(&self) -> String {
        match self {
            Scalar::String(text) => serde_json::Value::from(text.as_str()).to_string(),
            Scalar::Other(text) => text.clone(),
        }
    }
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Literal(Scalar),
    /// An address, however it is written.
    Address(IpAddr),
    Prefix {
        text: String,
        ignore_case: bool,
    },
    Suffix {
        text: String,
        ignore_case: bool,
    },
    EqualsIgnoreCase(String),
    /// The parts between the asterisks.
    Wildcard(Vec<String>),
    AnythingBut(Vec<Test>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpNet),
    Exists(bool),
}

/// A relation of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// Returns whether one of a field's values passes; an array's values are a set, and an absent field has none.
    pub(super) fn passes(&self, values: &[Scalar]) -> bool {
        match self {
            Test::Exists(wanted) => *wanted != values.is_empty(),
            test => values.iter().any(|value| test.passes_one(value)),
        }
    }

    fn passes_one(&self, value: &Scalar) -> bool {
        match self {
            Test::Literal(wanted) => wanted == value,
            Test::AnythingBut(tests) => !tests.iter().any(|test| test.passes_one(value)),
            // The service compares no number that a double does not hold (`ComparableNumber.generate`).
            Test::Numeric(bounds) => value.exact().is_some_and(|number| {
                bounds
                    .iter()
                    .all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Test::Exists(_) => true,
            test => value.string().is_some_and(|text| test.passes_text(text)),
        }
    }

    fn passes_text(&self, value: &str) -> bool {
        match self {
            Test::Prefix {
                text,
                ignore_case: false,
            } => value.starts_with(text.as_str()),
            Test::Prefix {
                text,
                ignore_case: true,
            } => lower(value).starts_with(&lower(text)),
            Test::Suffix {
                text,
                ignore_case: false,
            } => value.ends_with(text.as_str()),
            Test::Suffix {
                text,
                ignore_case: true,
            } => lower(value).ends_with(&lower(text)),
            Test::EqualsIgnoreCase(text) => lower(value) == lower(text),
            Test::Wildcard(parts) => wildcard(parts, value),
            Test::Address(wanted) => address(value).as_ref() == Some(wanted),
            Test::Cidr(block) => address(value).is_some_and(|address| block.contains(&address)),
            _ => false,
        }
    }

    /// Returns the text that a value which passes has in it, as JSON writes it.
    pub(super) fn literal(&self) -> Option<&str> {
        let text = match self {
            Test::Literal(Scalar::String(text)) => text,
            Test::Prefix {
                text,
                ignore_case: false,
            }
            | Test::Suffix {
                text,
                ignore_case: false,
            } => text,
            _ => return None,
        };
        // JSON may write other characters in more than one way.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_. :".contains(&b);
        (text.len() >= 4 && text.bytes().all(plain)).then_some(text)
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

/// Returns the digits of a number without zeros at its ends, its point and its exponent.
fn significant(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Returns whether a text has the parts in their order, the first at its beginning and the last at its end. Taking the
/// first place of each part is enough, since an asterisk matches anything.
pub(crate) fn wildcard(parts: &[String], text: &str) -> bool {
    let (Some((first, rest)), Some(last)) = (parts.split_first(), parts.last()) else {
        return false;
    };
    let Some(mut text) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some((_, middle)) = rest.split_last() else {
        return text.is_empty();
    };
    for part in middle {
        match text.find(part.as_str()) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last.as_str())
}
