//! Hours of the day in a time zone, on some days of the week.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::Deserialize;

/// From one time of the day to another; past midnight when the end is not after the beginning.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    /// The first minute, `08:00`.
    from: Minute,
    /// The minute after the last one, `18:00`.
    to: Minute,
    /// Days of the week; hours past midnight are of the day on which they begin [default: every day].
    #[serde(default)]
    days: Option<Vec<Day>>,
    /// Time zone of both, such as `Europe/Berlin`.
    time_zone: Zone,
    /// Whether all other times are meant.
    #[serde(default)]
    outside: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Minute(Time);

impl TryFrom<String> for Minute {
    type Error = String;

    fn try_from(text: String) -> Result<Minute, String> {
        let parsed = text.split_once(':').and_then(|(hour, minute)| {
            let number = |text: &str| (text.len() == 2).then(|| text.parse().ok()).flatten();
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        });
        parsed
            .map(Minute)
            .ok_or_else(|| format!("'{text}' is not a time of the day: expected 00:00 to 23:59"))
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Zone(TimeZone);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Zone, String> {
        let zone = TimeZone::get(&text);
        zone.map(Zone)
            .map_err(|_| format!("'{text}' is not a time zone such as Europe/Berlin"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

const WEEK: [Day; 7] = [
    Day::Monday,
    Day::Tuesday,
    Day::Wednesday,
    Day::Thursday,
    Day::Friday,
    Day::Saturday,
    Day::Sunday,
];

impl Hours {
    /// Returns whether a moment is one of these hours.
    pub(super) fn has(&self, moment: Timestamp) -> bool {
        let local = moment.to_zoned_datetime(self.time_zone.0.clone());
        let (date, time) = (local.date(), local.time());
        let (from, to) = (self.from.0, self.to.0);
        let inside = if from < to {
            from <= time && time < to && self.is_on(Some(date))
        } else {
            let yesterday = || date.checked_sub(1.day()).ok();
            (from <= time && self.is_on(Some(date))) || (time < to && self.is_on(yesterday()))
        };
        inside != self.outside
    }

    /// Returns whether they are of no day at all.
    pub(super) fn is_never(&self) -> bool {
        self.days.as_ref().is_some_and(Vec::is_empty)
    }

    fn is_on(&self, date: Option<Date>) -> bool {
        let day =
            date.map(|date| usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()));
        match &self.days {
            None => true,
            Some(days) => day.is_some_and(|day| days.contains(&WEEK[day % 7])),
        }
    }

    /// Returns the local time of a moment, for people.
    pub(super) fn shown(&self, moment: Timestamp) -> String {
        let local = moment.to_zoned_datetime(self.time_zone.0.clone());
        local.strftime("%A %H:%M %Z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Hours;

    fn hours(text: &str) -> Hours {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_moment_is_in_hours_by_the_clock_of_the_zone() {
        let work = hours(
            r#"{"from": "08:00", "to": "18:00", "days": ["monday", "friday"], "time_zone": "Europe/Berlin"}"#,
        );
        let night =
            hours(r#"{"from": "22:00", "to": "06:00", "days": ["friday"], "time_zone": "UTC"}"#);
        let out = hours(
            r#"{"from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin", "outside": true}"#,
        );
        let whole = hours(r#"{"from": "00:00", "to": "00:00", "time_zone": "UTC"}"#);
        for (hours, moment, expected) in [
            // Monday, in summer time and in winter time.
            (&work, "2026-07-06T06:00:00Z", true),
            (&work, "2026-07-06T05:59:59Z", false),
            (&work, "2026-11-23T06:30:00Z", false),
            (&work, "2026-11-23T07:00:00Z", true),
            (&work, "2026-11-23T16:59:59Z", true),
            (&work, "2026-11-23T17:00:00Z", false),
            (&work, "2026-11-24T09:00:00Z", false),
            // Friday night ends on Saturday morning; Thursday night is another one.
            (&night, "2026-11-27T22:00:00Z", true),
            (&night, "2026-11-28T05:59:00Z", true),
            (&night, "2026-11-28T06:00:00Z", false),
            (&night, "2026-11-27T05:00:00Z", false),
            (&night, "2026-11-28T23:00:00Z", false),
            (&out, "2026-11-23T09:00:00Z", false),
            (&out, "2026-11-23T03:00:00Z", true),
            // The hour that is there twice, and the one that is not there at all.
            (&out, "2026-10-25T00:30:00Z", true),
            (&out, "2026-03-29T01:00:00Z", true),
            (&whole, "2026-11-23T00:00:00Z", true),
        ] {
            assert_eq!(hours.has(moment.parse().unwrap()), expected, "{moment}");
        }
    }

    #[test]
    fn what_is_not_a_time_a_day_or_a_zone_is_refused() {
        for (text, why) in [
            (
                r#"{"from":"8:00","to":"18:00","time_zone":"UTC"}"#,
                "'8:00' is not a time of the day",
            ),
            (
                r#"{"from":"08:00","to":"24:00","time_zone":"UTC"}"#,
                "'24:00' is not a time of the day",
            ),
            (
                r#"{"from":"08:00","to":"18:00","time_zone":"Mars"}"#,
                "'Mars' is not a time zone",
            ),
            (
                r#"{"from":"08:00","to":"18:00","time_zone":"UTC","days":["mon"]}"#,
                "unknown variant `mon`",
            ),
            (
                r#"{"from":"08:00","to":"18:00"}"#,
                "missing field `time_zone`",
            ),
        ] {
            let error = serde_json::from_str::<Hours>(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
