//! What records of the past say: uses of break-glass principals that nobody has acknowledged, sessions without the required reason.

use cli::{Finding, FindingKind, Severity, Target};
use serde_json::Value;

use super::acknowledgement::Acknowledgements;
use super::routes::Routes;
use crate::records::record::Event;

/// The finding about an open use.
const USED: &str = "events.break_glass.used";
/// The finding about a session without the required reason.
const WITHOUT_REASON: &str = "events.session.without_reason";

/// What was found in records.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    open: Vec<Event>,
    without_reason: Vec<Event>,
    pub(crate) n_acknowledged: usize,
}

impl Uses {
    /// Looks at one record.
    pub(crate) fn take(
        &mut self,
        record: &Value,
        routes: &Routes,
        acknowledged: &Acknowledgements,
    ) {
        let event = Event::of(record);
        let patterns = routes.break_glass.iter();
        let mut patterns = patterns.flat_map(|break_glass| &break_glass.principals);
        if patterns.any(|pattern| pattern.may_fit(record, &event)) {
            match acknowledged.has(&event) {
                true => self.n_acknowledged += 1,
                false => self.open.push(event.clone()),
            }
        }
        let pattern = routes.reason_pattern.as_ref();
        if pattern.is_some_and(|pattern| pattern.is_missed_by(&event)) {
            self.without_reason.push(event);
        }
    }
}

/// Returns a finding for each, the oldest first.
pub(crate) fn findings(mut uses: Uses, routes: &Routes, target: &Target) -> Vec<Finding> {
    let by_time = |one: &Event, other: &Event| {
        (&one.time, &one.event_id).cmp(&(&other.time, &other.event_id))
    };
    uses.open.sort_by(by_time);
    uses.without_reason.sort_by(by_time);
    let finding = |id: &str, severity, event: &Event, message: String, fix: String| Finding {
        kind: FindingKind::Finding,
        id: id.to_owned(),
        severity,
        target: Some(target.clone()),
        resource: match event.event_id.as_str() {
            "" => format!("{} {}", event.who.principal, event.time),
            id => id.to_owned(),
        },
        message,
        fix,
        is_unread: false,
    };
    let mut found: Vec<Finding> = uses
        .open
        .iter()
        .map(|event| {
            let on = event.nodes.first().map(|node| format!(" on {node}"));
            let message = format!(
                "{} ({}) called {}{} at {}, which nobody has acknowledged",
                event.who.principal,
                event.who.name(),
                event.event,
                on.unwrap_or_default(),
                event.time
            );
            let fix = "find out what it was for, and add it with who, when and why to the file of --acknowledged";
            finding(USED, Severity::Error, event, message, fix.to_owned())
        })
        .collect();
    let pattern = routes.reason_pattern.as_ref();
    let pattern = pattern.map(|pattern| pattern.text()).unwrap_or_default();
    found.extend(uses.without_reason.iter().map(|event| {
        let node = event.nodes.first().map_or("a node", String::as_str);
        let said = match event.reason.as_str() {
            "" => "has no reason".to_owned(),
            reason => format!("has the reason '{reason}'"),
        };
        let message = format!(
            "the session of {} on {node} at {} {said}, in which nothing matches {pattern}",
            event.who.name(),
            event.time
        );
        let fix =
            "ask whoever started it, and have operators pass `--reason` with the ticket".to_owned();
        finding(WITHOUT_REASON, Severity::Warning, event, message, fix)
    }));
    found
}
