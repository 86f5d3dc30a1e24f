//! Who has acknowledged the use of a break-glass principal: one use each, with who, when and why.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::records::record::Event;

/// One use that somebody has looked at. It is named by the event ID; one whose record has none, by principal and time; all that a
/// principal did in a while, by principal, time and until.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledgement {
    /// The `eventID` of the record.
    #[serde(default)]
    event_id: Option<String>,
    /// ARN of the principal, as the finding has it, for a record without an event ID.
    #[serde(default)]
    principal: Option<String>,
    /// Time of the call, as the finding has it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    time: Option<Timestamp>,
    /// The last moment of several calls, the first of which is at `time`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    until: Option<Timestamp>,
    /// Who has looked at it.
    who: String,
    /// When: a day, or a time.
    when: String,
    /// What it was for.
    why: String,
}

/// The entries of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acknowledgements(Vec<Acknowledgement>);

impl Acknowledgements {
    /// Reads a file, which may have comments; `now` is what no entry may be later than.
    ///
    /// # Errors
    /// It cannot be read, or an entry lacks who, when, why, or which use it is about.
    pub(crate) fn read(path: &Path, now: Timestamp) -> anyhow::Result<Acknowledgements> {
        cli::read_checked(
            path,
            "acknowledgements",
            |entries: &Vec<Acknowledgement>| {
                let mut entries = entries.iter().enumerate();
                entries.find_map(|(index, entry)| mistake(index, entry, now))
            },
        )
        .map(Acknowledgements)
    }

    /// Returns whether a use was acknowledged, after it happened: what was written before cannot be about it.
    pub(crate) fn has(&self, event: &Event) -> bool {
        self.0.iter().any(|entry| entry.is_about(event))
    }
}

fn mistake(index: usize, entry: &Acknowledgement, now: Timestamp) -> Option<(String, String)> {
    let at = |field: &str| format!("$[{index}]{field}");
    for (field, text) in [(".who", &entry.who), (".why", &entry.why)] {
        if text.trim().is_empty() {
            return Some((
                at(field),
                "it is empty: an acknowledgement says who, when and why".to_owned(),
            ));
        }
    }
    if last_moment(&entry.when).is_none() {
        return Some((
            at(".when"),
            "expected a day such as 2026-11-29, or a time such as 2026-11-29T08:00:00Z".to_owned(),
        ));
    }
    if first_moment(&entry.when).is_none_or(|when| when > now) {
        return Some((
            at(".when"),
            "it has not come yet: an acknowledgement is of what somebody has looked at".to_owned(),
        ));
    }
    if let (Some(until), Some(time)) = (&entry.until, &entry.time)
        && until < time
    {
        return Some((at(".until"), "it is before `time`".to_owned()));
    }
    let until = entry.until.is_some();
    match (&entry.event_id, &entry.principal, &entry.time, until) {
        (Some(id), None, None, false) if !id.is_empty() => None,
        (None, Some(principal), Some(_), _) if !principal.is_empty() => None,
        _ => Some((
            at(""),
            "expected either event_id, or principal and time, with until for several calls: the use that was acknowledged"
                .to_owned(),
        )),
    }
}

/// Returns the first moment that a day or a time means.
fn first_moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let day: Date = text.parse().ok()?;
    // Somewhere it begins fourteen hours before that in UTC.
    let begin = day.yesterday().ok()?.at(10, 0, 0, 0);
    let begin = begin.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some(begin.timestamp())
}

/// Returns the last moment that a day or a time means.
fn last_moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let day: Date = text.parse().ok()?;
    // A day of whoever wrote it: somewhere it ends twelve hours after that in UTC.
    let end = day.tomorrow().ok()?.at(12, 0, 0, 0);
    Some(
        end.to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp(),
    )
}

impl Acknowledgement {
    fn is_about(&self, event: &Event) -> bool {
        let called = event.time.parse::<Timestamp>().ok();
        let is_named = match (&self.event_id, &self.principal, &self.time, &self.until) {
            (Some(id), _, _, _) => *id == event.event_id,
            (None, Some(principal), Some(time), Some(until)) => {
                *principal == event.who.principal
                    && called.is_some_and(|called| (*time..=*until).contains(&called))
            }
            (None, Some(principal), Some(time), None) => {
                // Within a second there may be several, which differ in their IDs alone.
                event.event_id.is_empty()
                    && *principal == event.who.principal
                    && Some(*time) == called
            }
            _ => false,
        };
        // A record without a time can be named by its ID only.
        let is_after = match (last_moment(&self.when), called) {
            (Some(when), Some(called)) => when >= called,
            (Some(_), None) => true,
            (None, _) => false,
        };
        is_named && is_after
    }
}
