//! A moment that is RFC 3339 text in JSON. Reads no clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, in whole seconds of UTC.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "date-time"))]
pub struct Timestamp(i64);

impl Timestamp {
    pub fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds)
    }

    /// Returns the seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Returns the whole minutes from an earlier moment to this one; 0 when the other is in the future.
    pub fn minutes_since(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 60).unwrap_or(0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = String;

    /// Accepts any offset from UTC: the AWS CLI prints `2026-01-31T10:30:00.123000+01:00`.
    fn from_str(text: &str) -> Result<Timestamp, String> {
        match text.parse::<jiff::Timestamp>() {
            Ok(moment) => Ok(Timestamp(moment.as_second())),
            Err(_) => Err(format!(
                "'{text}' is not a time such as 2026-01-31T09:30:00Z"
            )),
        }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = String;

    fn try_from(text: String) -> Result<Timestamp, String> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> String {
        timestamp.to_string()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(moment) => write!(formatter, "{moment}"),
            // Beyond the year 9999, which no service says.
            Err(_) => write!(formatter, "{} seconds after 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn text_and_seconds_agree() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-11-24T02:44:37Z", 1_795_488_277),
        ] {
            assert_eq!(time(text), Timestamp::from_seconds(seconds), "{text}");
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn the_formats_of_the_aws_cli_are_read() {
        for text in [
            "2026-01-31T09:30:00.999Z",
            "2026-01-31T10:30:00.123000+01:00",
        ] {
            assert_eq!(time(text), time("2026-01-31T09:30:00Z"), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_moment() {
        for bad in [
            "",
            "2026-01-31",
            "2026-02-30T00:00:00Z",
            "2026-01-31T09:30:00",
            "yesterday",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_whole_minutes_and_no_negative_ones() {
        let (earlier, later) = (time("2026-01-31T09:30:00Z"), time("2026-01-31T10:29:59Z"));
        assert_eq!(later.minutes_since(earlier), 59);
        assert_eq!(earlier.minutes_since(later), 0);
    }
}
