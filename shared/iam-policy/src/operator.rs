//! Condition operators: what they test, whether they negate, and what they make of a missing key.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::fmt;

/// A condition operator with its qualifiers: `ForAllValues:StringNotLikeIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub set: Option<SetOperator>,
    /// What is compared, and how.
    pub test: Test,
    /// `...IfExists`: a missing key makes the condition true.
    pub if_exists: bool,
}

/// How several values in the request are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// Every value must pass; none at all passes too.
    ForAllValues,
    /// One value must pass.
    ForAnyValue,
}

/// A family of operators; each has its own type of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Text.
    String,
    /// Integers and decimals.
    Numeric,
    /// ISO 8601 or seconds since 1970.
    Date,
    /// `true` and `false`.
    Bool,
    /// Base64.
    Binary,
    /// Addresses and CIDR blocks of IPv4 and IPv6.
    Ip,
    /// ARNs, part by part.
    Arn,
    /// Whether the key is there.
    Null,
}

/// How a number or a time is compared with the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equals,
    /// `<`
    LessThan,
    /// `<=`
    LessThanEquals,
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanEquals,
}

/// A comparison without its qualifiers. A negation is the opposite of a positive test, and is kept as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// The name, as AWS spells it.
    pub name: &'static str,
    /// The type of the values.
    pub family: Family,
    /// `StringNotEquals`, `NotIpAddress` and the like.
    pub negated: bool,
    /// Whether case is ignored; only of strings.
    pub ignores_case: bool,
    /// Whether `*` and `?` are wildcards; of strings and ARNs.
    pub wildcards: bool,
    /// How numbers and times are compared.
    pub comparison: Comparison,
}

const fn test(name: &'static str, family: Family, negated: bool) -> Test {
    Test {
        name,
        family,
        negated,
        ignores_case: false,
        wildcards: false,
        comparison: Comparison::Equals,
    }
}

const fn like(name: &'static str, family: Family, negated: bool) -> Test {
    Test {
        wildcards: true,
        ..test(name, family, negated)
    }
}

const fn ignoring_case(name: &'static str, negated: bool) -> Test {
    Test {
        ignores_case: true,
        ..test(name, Family::String, negated)
    }
}

const fn compare(name: &'static str, family: Family, comparison: Comparison) -> Test {
    Test {
        comparison,
        ..test(name, family, false)
    }
}

const TESTS: [Test; 27] = [
    test("StringEquals", Family::String, false),
    test("StringNotEquals", Family::String, true),
    ignoring_case("StringEqualsIgnoreCase", false),
    ignoring_case("StringNotEqualsIgnoreCase", true),
    like("StringLike", Family::String, false),
    like("StringNotLike", Family::String, true),
    test("NumericEquals", Family::Numeric, false),
    test("NumericNotEquals", Family::Numeric, true),
    compare("NumericLessThan", Family::Numeric, Comparison::LessThan),
    compare(
        "NumericLessThanEquals",
        Family::Numeric,
        Comparison::LessThanEquals,
    ),
    compare(
        "NumericGreaterThan",
        Family::Numeric,
        Comparison::GreaterThan,
    ),
    compare(
        "NumericGreaterThanEquals",
        Family::Numeric,
        Comparison::GreaterThanEquals,
    ),
    test("DateEquals", Family::Date, false),
    test("DateNotEquals", Family::Date, true),
    compare("DateLessThan", Family::Date, Comparison::LessThan),
    compare(
        "DateLessThanEquals",
        Family::Date,
        Comparison::LessThanEquals,
    ),
    compare("DateGreaterThan", Family::Date, Comparison::GreaterThan),
    compare(
        "DateGreaterThanEquals",
        Family::Date,
        Comparison::GreaterThanEquals,
    ),
    test("Bool", Family::Bool, false),
    test("BinaryEquals", Family::Binary, false),
    test("IpAddress", Family::Ip, false),
    test("NotIpAddress", Family::Ip, true),
    // AWS treats ArnEquals and ArnLike alike, wildcards included.
    like("ArnEquals", Family::Arn, false),
    like("ArnNotEquals", Family::Arn, true),
    like("ArnLike", Family::Arn, false),
    like("ArnNotLike", Family::Arn, true),
    test("Null", Family::Null, false),
];

impl Operator {
    /// Returns the operator of this name; case does not matter, as with context keys. `None` for an unknown one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Operator> {
        let (set, name) = match name.split_once(':') {
            None => (None, name),
            Some((set, name)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Some(SetOperator::ForAllValues), name)
            }
            Some((set, name)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(SetOperator::ForAnyValue), name)
            }
            Some(_) => return None,
        };
        let find = |name: &str| {
            TESTS
                .iter()
                .find(|test| test.name.eq_ignore_ascii_case(name))
        };
        let suffix = name.len().checked_sub("IfExists".len());
        let (test, if_exists) = match find(name) {
            Some(test) => (test, false),
            None => {
                let (name, suffix) = name.split_at_checked(suffix?)?;
                if !suffix.eq_ignore_ascii_case("IfExists") {
                    return None;
                }
                (find(name)?, true)
            }
        };
        // Null asks whether the key is there; neither a qualifier of sets nor IfExists has a meaning with it.
        if test.family == Family::Null && (set.is_some() || if_exists) {
            return None;
        }
        Some(Operator {
            set,
            test: *test,
            if_exists,
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = match self.set {
            None => "",
            Some(SetOperator::ForAllValues) => "ForAllValues:",
            Some(SetOperator::ForAnyValue) => "ForAnyValue:",
        };
        let suffix = if self.if_exists { "IfExists" } else { "" };
        write!(formatter, "{set}{}{suffix}", self.test.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Operator, TESTS};

    #[test]
    fn every_name_reads_back() {
        for test in TESTS {
            for name in [
                test.name.to_owned(),
                format!("ForAllValues:{}", test.name),
                format!("ForAnyValue:{}IfExists", test.name),
            ] {
                match Operator::parse(&name) {
                    Some(operator) => assert_eq!(operator.to_string(), name),
                    None => assert_eq!((test.name, name.contains(':')), ("Null", true)),
                }
            }
        }
    }

    #[test]
    fn unknown_names_are_no_operators() {
        for name in [
            "",
            "StringMatches",
            "IfExists",
            "NullIfExists",
            "ForSome:StringLike",
            "ForAllValues:",
            "StringLikeIfExistsIfExists",
            "é",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
        assert_eq!(
            Operator::parse("forallvalues:stringlikeifexists").map(|operator| operator.to_string()),
            Some("ForAllValues:StringLikeIfExists".to_owned())
        );
    }
}
