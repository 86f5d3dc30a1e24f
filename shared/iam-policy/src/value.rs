//! The policy's side of a condition: a value of the operator's type, compiled once.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::Version;
use crate::arn::split;
use crate::operator::{Comparison, Family, Test};
use crate::pattern::{self, Template, Values, arn_parts};
use crate::request::Context;

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Comparand {
    Text {
        template: Template,
        ignores_case: bool,
    },
    /// The six parts of an ARN.
    Arn(Box<[Template; 6]>),
    /// A text that is compared with ARNs and is none.
    NoArn,
    Number(f64),
    Time(Timestamp),
    Bool(bool),
    /// Base64 without its padding: the same bytes have the same letters.
    Binary(String),
    Network(IpNet),
}

impl Comparand {
    /// Compiles a value for a test.
    ///
    /// # Errors
    /// It is not a value of the operator's type; the text says why.
    pub(crate) fn compile(text: &str, test: &Test, version: Version) -> Result<Comparand, String> {
        Ok(match test.family {
            Family::String => {
                let text = if test.ignores_case {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                };
                Comparand::Text {
                    template: Template::parse(&text, version, test.wildcards)?,
                    ignores_case: test.ignores_case,
                }
            }
            Family::Arn => {
                let parts: Vec<&str> = match text {
                    // Not an ARN by the letter, but in wide use for "any".
                    "*" => vec!["*"; 6],
                    _ => arn_parts(text, version),
                };
                let parts: Result<Vec<Template>, _> = parts
                    .iter()
                    .map(|part| Template::parse(part, version, true))
                    .collect();
                match <[Template; 6]>::try_from(parts?) {
                    Ok(parts) => Comparand::Arn(Box::new(parts)),
                    Err(_) => Comparand::NoArn,
                }
            }
            Family::Numeric => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Comparand::Number(number),
                _ => return Err("it is not a number".to_owned()),
            },
            Family::Date => Comparand::Time(
                time(text).ok_or("it is neither an ISO 8601 date nor a number of seconds")?,
            ),
            Family::Bool | Family::Null => match text.to_ascii_lowercase().as_str() {
                "true" => Comparand::Bool(true),
                "false" => Comparand::Bool(false),
                _ => return Err("it is neither true nor false".to_owned()),
            },
            Family::Binary => {
                let letters = text.trim_end_matches('=');
                let base64 =
                    |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
                if !text.len().is_multiple_of(4)
                    || text.len() - letters.len() > 2
                    || !letters.bytes().all(base64)
                {
                    return Err("it is not base64".to_owned());
                }
                Comparand::Binary(letters.to_owned())
            }
            Family::Ip => Comparand::Network(
                network(text).ok_or("it is neither an address nor a CIDR block")?,
            ),
        })
    }

    /// Returns the keys, in lower case, that the value takes from the request.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let templates = match self {
            Comparand::Text { template, .. } => std::slice::from_ref(template),
            Comparand::Arn(parts) => parts.as_slice(),
            _ => &[],
        };
        templates.iter().flat_map(Template::keys)
    }

    /// Returns whether the value of a request compares as the positive form of the operator asks. What depends on a
    /// variable without a value matches nothing, so that a negated operator holds.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
    pub(crate) fn matches(
        &self,
        value: &Given<'_>,
        comparison: Comparison,
        values: &impl Values,
    ) -> bool {
        match self {
            Comparand::Text {
                template: Template::Fixed(pattern),
                ignores_case: false,
            } => pattern::matches(pattern, value.text.as_bytes()),
            Comparand::Text {
                template,
                ignores_case,
            } => {
                let Some(pattern) = template.fill(values) else {
                    return false;
                };
                if *ignores_case {
                    // The pattern itself is in lower case already, what was filled in is not.
                    let pattern = String::from_utf8_lossy(&pattern).to_lowercase();
                    pattern == value.text.to_lowercase()
                } else {
                    pattern::matches(&pattern, value.text.as_bytes())
                }
            }
            Comparand::Arn(parts) => arn_matches(parts, &value.arn, values),
            Comparand::NoArn => false,
            Comparand::Number(number) => {
                let given = value.text.trim().parse::<f64>();
                given.is_ok_and(|given| compare(given.partial_cmp(number), comparison))
            }
            Comparand::Time(expected) => {
                time(value.text).is_some_and(|given| compare(Some(given.cmp(expected)), comparison))
            }
            Comparand::Bool(expected) => {
                value
                    .text
                    .eq_ignore_ascii_case(if *expected { "true" } else { "false" })
            }
            Comparand::Binary(letters) => value.text.trim_end_matches('=') == letters,
            Comparand::Network(network) => value
                .text
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address)),
        }
    }
}

/// A value of the request, prepared once for all values of the policy.
pub(crate) struct Given<'a> {
    text: &'a str,
    arn: Option<[&'a str; 6]>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(text: &'a str, family: Family) -> Given<'a> {
        let arn = if family == Family::Arn {
            split(text)
        } else {
            None
        };
        Given { text, arn }
    }
}

/// Returns whether a pattern matches an ARN as `ArnLike` compares them: part by part, case included.
#[must_use]
pub fn arn_like(pattern: &str, arn: &str) -> bool {
    // 2008's language has no variables, so that nothing is left open.
    arn_like_as(Version::Of2008, pattern, arn, &Context::complete())
}

/// Returns whether a pattern matches the ARN of who asks, as `ArnLike` compares `aws:PrincipalArn` in a policy of 2012: variables
/// have the values of the request, and match nothing where they have none.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
#[must_use]
pub fn arn_like_in(pattern: &str, arn: &str, context: &Context) -> bool {
    arn_like_as(Version::Of2012, pattern, arn, context)
}

fn arn_like_as(version: Version, pattern: &str, arn: &str, context: &Context) -> bool {
    let parts: Vec<Template> = arn_parts(pattern, version)
        .iter()
        .filter_map(|part| Template::parse(part, version, true).ok())
        .collect();
    let parts: Result<[Template; 6], _> = parts.try_into();
    parts.is_ok_and(|parts| arn_matches(&parts, &split(arn), context))
}

/// Returns a pattern with the values of a request, or their defaults, for its policy variables. One that has neither becomes `*`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
#[must_use]
pub fn with_variables(text: &str, context: &Context) -> String {
    pattern::with_values(text, |key| context.single(key))
}

/// Compares part by part, the parts that matter first.
pub(crate) fn arn_matches(
    parts: &[Template; 6],
    given: &Option<[&str; 6]>,
    values: &impl Values,
) -> bool {
    given.as_ref().is_some_and(|given| {
        let mut pairs = parts.iter().zip(given).rev();
        pairs.all(|(part, given)| part.covers(given, values))
    })
}

fn compare(order: Option<std::cmp::Ordering>, comparison: Comparison) -> bool {
    order.is_some_and(|order| match comparison {
        Comparison::Equals => order.is_eq(),
        Comparison::LessThan => order.is_lt(),
        Comparison::LessThanEquals => order.is_le(),
        Comparison::GreaterThan => order.is_gt(),
        Comparison::GreaterThanEquals => order.is_ge(),
    })
}

/// Reads the W3C's profile of ISO 8601, which leaves out what is not needed from the right, or seconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let completed = match text.len() {
        4 if digits(text) => format!("{text}-01-01T00:00:00Z"),
        7 if text.contains('-') => format!("{text}-01T00:00:00Z"),
        10 if text.contains('-') => format!("{text}T00:00:00Z"),
        _ => {
            return text
                .parse()
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok());
        }
    };
    completed.parse().ok()
}

fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::{network, time};

    #[test]
    fn dates_may_be_short() {
        for (text, same) in [
            ("2026", "2026-01-01T00:00:00Z"),
            ("2026-11", "2026-11-01T00:00:00Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
            ("2026-11-24T01:00+01:00", "2026-11-24T00:00:00Z"),
            ("2026-11-24T00:00:00.000Z", "2026-11-24T00:00:00Z"),
            ("1795478400", "2026-11-24T00:00:00Z"),
            ("1000000", "1970-01-12T13:46:40Z"),
        ] {
            assert!(time(text).is_some(), "{text}");
            assert_eq!(time(text), time(same), "{text}");
        }
        assert_eq!(time("yesterday"), None);
        assert_eq!(time("2026-13"), None);
    }

    #[test]
    fn networks_of_both_kinds() {
        for text in ["203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "::1"] {
            assert!(network(text).is_some(), "{text}");
        }
        for text in ["203.0.113", "203.0.113.0/33", "localhost", ""] {
            assert!(network(text).is_none(), "{text}");
        }
    }
}
