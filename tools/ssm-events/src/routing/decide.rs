//! Which rule decides about a record, and why the others do not.

use cli::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::routes::{Mute, Routes, Rule};
use crate::records::format::Marks;
use crate::records::record::Event;

/// A record, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'s> {
    pub(crate) record: &'s Value,
    pub(crate) event: &'s Event,
    /// The day in UTC, for what expires.
    pub(crate) today: Date,
}

/// What becomes of a record.
#[derive(Clone, Debug)]
pub(crate) struct Decision<'r> {
    /// The rule that decides; `None` where break-glass or the default does.
    pub(crate) rule: Option<&'r Rule>,
    pub(crate) is_break_glass: bool,
    pub(crate) severity: Severity,
    /// Where it goes; nowhere only when a rule mutes it.
    pub(crate) to: &'r [String],
}

impl Decision<'_> {
    /// Returns what mutes it.
    pub(crate) fn mute(&self) -> Option<&Mute> {
        self.rule.and_then(|rule| rule.mute.as_ref())
    }
}

/// Whether one rule fits, and if not, why.
#[derive(Clone, Debug)]
pub(crate) struct RuleAnswer<'r> {
    pub(crate) rule: &'r Rule,
    pub(crate) misses: Vec<String>,
}

impl Routes {
    /// Decides about a record.
    pub(crate) fn decide(&self, subject: &Subject<'_>) -> Decision<'_> {
        let Subject { record, event, .. } = subject;
        let of_break_glass = self.break_glass.as_ref();
        let of_break_glass = of_break_glass.filter(|_| self.is_break_glass(record, event));
        let severity = match of_break_glass {
            Some(_) => Severity::Error,
            None => Marks::of(event, self.reason_pattern.as_ref()).severity,
        };
        let text = record.to_string();
        let rule = match of_break_glass {
            Some(_) => None,
            None => self
                .rules
                .iter()
                .find(|rule| rule.misses(subject, severity, &text).is_empty()),
        };
        let to = match (of_break_glass, rule) {
            (Some(break_glass), _) => break_glass.to.as_slice(),
            (None, Some(rule)) => rule.to.as_deref().unwrap_or_default(),
            (None, None) => self.default.as_slice(),
        };
        Decision {
            rule,
            is_break_glass: of_break_glass.is_some(),
            severity,
            to,
        }
    }

    /// Asks every rule, also those behind the one that decides.
    pub(crate) fn answers(&self, subject: &Subject<'_>, severity: Severity) -> Vec<RuleAnswer<'_>> {
        let text = subject.record.to_string();
        let answer = |rule| RuleAnswer {
            rule,
            misses: Rule::misses(rule, subject, severity, &text),
        };
        self.rules.iter().map(answer).collect()
    }
}

impl Rule {
    /// Returns what does not fit; `text` is the record. A condition that cannot be judged does not hold: so the record goes on to the
    /// next rules and to the default, and is never muted by mistake.
    fn misses(&self, subject: &Subject<'_>, severity: Severity, text: &str) -> Vec<String> {
        let Subject {
            record,
            event,
            today,
        } = subject;
        let mut misses = Vec::new();
        let ended = self.mute.as_ref().and_then(|mute| mute.expires);
        if let Some(expires) = ended.filter(|expires| expires < today) {
            misses.push(format!("mute: it ended on {expires}"));
        }
        if let Some(accounts) = &self.accounts
            && !accounts.iter().any(|account| account.0 == event.account)
        {
            misses.push(format!(
                "accounts: {} is not one of them",
                shown(&event.account)
            ));
        }
        if let Some(principals) = &self.principals
            && !principals.iter().any(|pattern| pattern.fits(record, event))
        {
            let patterns: Vec<&str> = principals.iter().map(|one| one.text()).collect();
            misses.push(format!(
                "principals: {} is not {}",
                shown(&event.who.principal),
                patterns.join(" or ")
            ));
        }
        if let Some(severities) = &self.severities
            && !severities.contains(&severity)
        {
            misses.push(format!("severities: it is {}", word(severity)));
        }
        if let Some(hours) = &self.hours {
            match event.time.parse::<Timestamp>() {
                Ok(moment) if hours.has(moment) => {}
                Ok(moment) => misses.push(format!("hours: it was {}", hours.shown(moment))),
                Err(_) => misses.push(format!(
                    "hours: '{}' is not a time that can be judged",
                    event.time
                )),
            }
        }
        if let Some(pattern) = &self.pattern
            && !pattern.0.matches(text).unwrap_or(false)
        {
            let fields = pattern.0.explain(text).map(|(_, fields)| fields);
            let fields: Vec<String> = fields
                .unwrap_or_default()
                .into_iter()
                .filter(|field| !field.matched)
                .map(|field| field.field)
                .collect();
            misses.push(format!("pattern: {} does not match", fields.join(", ")));
        }
        misses
    }
}

fn shown(text: &str) -> &str {
    match text {
        "" => "nobody",
        text => text,
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
