//! Seconds since 1970 that are RFC 3339 text in JSON. Reads no clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, in whole seconds of UTC.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "date-time"))]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    pub(crate) fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds)
    }

    /// Returns the whole minutes from an earlier moment to this one; 0 when the other is in the future.
    pub(crate) fn minutes_since(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 60).unwrap_or(0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = String;

    /// Accepts UTC as `2026-01-31T09:30:00Z`, with or without fractions, which is what AWS and this tool print.
    fn from_str(text: &str) -> Result<Timestamp, String> {
        let wrong = || format!("'{text}' is not a time such as 2026-01-31T09:30:00Z");
        let (moment, rest) = text.split_at_checked(19).ok_or_else(wrong)?;
        let fraction = rest.strip_suffix('Z').ok_or_else(wrong)?;
        let digits = fraction
            .strip_prefix('.')
            .unwrap_or(if fraction.is_empty() { "0" } else { "?" });
        let shape = moment
            .bytes()
            .zip(*b"0000-00-00T00:00:00")
            .all(|(byte, model)| match model {
                b'0' => byte.is_ascii_digit(),
                _ => byte == model,
            });
        if !shape || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number =
            |range: std::ops::Range<usize>| moment[range].parse::<i64>().map_err(|_| wrong());
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let days = days_from_civil(year, month, day);
        // A date that does not exist, such as 30 February, comes back as another one.
        let exists = (1..=12).contains(&month) && civil_from_days(days) == (year, month, day);
        if !exists || hour > 23 || minute > 59 || second > 60 {
            return Err(wrong());
        }
        Ok(Timestamp(
            days * 86_400 + hour * 3_600 + minute * 60 + second,
        ))
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
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400));
        let second = self.0.rem_euclid(86_400);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z",
            second % 60
        )
    }
}

/// Days between 1970-01-01 and a date of the Gregorian calendar; years begin in March, so that leap days come last.
/// <https://howardhinnant.github.io/date_algorithms.html>
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let month = if month_of_year < 10 {
        month_of_year + 3
    } else {
        month_of_year - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_of_year + 2) / 5 + 1)
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
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-24T02:44:37Z", 1_795_488_277),
        ] {
            assert_eq!(time(text), Timestamp::from_seconds(seconds), "{text}");
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn fractions_are_dropped() {
        assert_eq!(
            time("2026-01-31T09:30:00.999Z"),
            time("2026-01-31T09:30:00Z")
        );
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for bad in [
            "",
            "Z",
            "2026-01-31",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:30:00",
            "2026-01-31T09:30:00+01:00",
            "2026-01-31T09:30:00.Z",
            "2026-01-31 09:30:00Z",
            "2026-01-31T09:30:0äZ",
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
