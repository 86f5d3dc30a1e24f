//! A number of nodes, given as such or as a percentage. Pure.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A number of nodes, or a percentage of them such as `10%`; in JSON `10` or `"10%"`.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-multiple.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(
    with = "Value",
    extend("anyOf" = [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"}])
)]
pub enum CountOrPercent {
    /// So many.
    Nodes(u32),
    /// 0 to 100 of a hundred.
    Percent(u32),
}

impl CountOrPercent {
    /// Returns how many of `n_nodes` it is; a percentage above 0 is at least one node.
    #[must_use]
    pub fn of(self, n_nodes: usize) -> usize {
        match self {
            CountOrPercent::Nodes(count) => {
                usize::try_from(count).unwrap_or(usize::MAX).min(n_nodes)
            }
            CountOrPercent::Percent(percent) => {
                (n_nodes * usize::try_from(percent).unwrap_or(100)).div_ceil(100)
            }
        }
    }
}

impl std::fmt::Display for CountOrPercent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CountOrPercent::Nodes(count) => write!(formatter, "{count}"),
            CountOrPercent::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

impl FromStr for CountOrPercent {
    type Err = String;

    fn from_str(text: &str) -> Result<CountOrPercent, String> {
        let percent = |digits: &str| digits.parse().ok().filter(|percent| *percent <= 100);
        let parsed = match text.strip_suffix('%') {
            Some(digits) => percent(digits).map(CountOrPercent::Percent),
            None => text.parse().ok().map(CountOrPercent::Nodes),
        };
        parsed.ok_or_else(|| "expected a number of nodes or a percentage such as 10%".to_owned())
    }
}

impl TryFrom<Value> for CountOrPercent {
    type Error = String;

    /// Takes a text for a percentage only, so that `"10"` is not taken for ten of a hundred.
    fn try_from(value: Value) -> Result<CountOrPercent, String> {
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let percent = value.as_str().filter(|text| text.ends_with('%'));
        count
            .map(CountOrPercent::Nodes)
            .or_else(|| percent?.parse().ok())
            .ok_or_else(|| {
                format!("{value} is neither a number of nodes nor a percentage such as \"10%\"")
            })
    }
}

impl From<CountOrPercent> for Value {
    fn from(given: CountOrPercent) -> Value {
        match given {
            CountOrPercent::Nodes(count) => count.into(),
            CountOrPercent::Percent(_) => given.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CountOrPercent;

    #[test]
    fn it_is_so_many_of_the_nodes() {
        for (text, n_nodes, expected) in [
            ("1", 40, 1),
            ("50", 40, 40),
            ("0", 40, 0),
            ("10%", 40, 4),
            ("10%", 41, 5),
            ("1%", 3, 1),
            ("0%", 3, 0),
            ("100%", 3, 3),
        ] {
            let given: CountOrPercent = text.parse().unwrap();
            assert_eq!(given.of(n_nodes), expected, "{text} of {n_nodes}");
            let read = serde_json::from_value::<CountOrPercent>(json!(given));
            assert_eq!(read.unwrap(), given);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["101%", "%", "-1", "1.5", "", "10 %"] {
            assert!(text.parse::<CountOrPercent>().is_err(), "{text}");
        }
        for value in [
            json!("101%"),
            json!("10"),
            json!(-1),
            json!(1.5),
            json!("%"),
            json!(null),
        ] {
            assert!(
                serde_json::from_value::<CountOrPercent>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}
